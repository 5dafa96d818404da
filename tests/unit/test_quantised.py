"""Trained networks in 8 bits: nearly as accurate, a quarter of the size, ranges from training data only, files whole or none."""

import json

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.base.files import sha256
from studies.spaces.data_sets import Problem
from studies.spaces.onnx_files import export_onnx, latency, outputs, slim
from studies.spaces.quantised import NETWORK, RECORD, SMALL, deploy, quantise
from studies.spaces.schedule import Schedule
from studies.spaces.training import measure, train
from studies.spaces.untrained_network import untrained_network
from studies.tables.hand_designed import hand_designed_network

CONVOLUTIONS = {"1<-0": "conv", "2<-0": "sepconv", "2<-1": "avgpool", "width": "8", "cells": "1"}


def blobs(shape, classes=4, count=600):
    """Inputs around one drawn centre for each class."""
    draws = torch.Generator().manual_seed(3)
    centres = torch.randn(classes, *shape, generator=draws)
    y = torch.arange(count) % classes
    x = centres[y] + 0.7 * torch.randn(count, *shape, generator=draws)
    third = count // 3
    parts = {
        part: (x[k * third : (k + 1) * third], y[k * third : (k + 1) * third])
        for k, part in enumerate(("train", "held", "test"))
    }
    return Problem("blobs", parts, shape, classes)


@pytest.fixture(scope="module")
def series():
    data = blobs((1, 1, 24))
    net = untrained_network("sensors", CONVOLUTIONS, data, 0)
    assert not train(net, data, Schedule(8, 20, 1e-2), 0)["diverged"]
    return net, data


def test_deployed_networks_are_as_accurate(series, tmp_path):
    net, data = series
    found = deploy(net, data, tmp_path / "new", {"space": "sensors"})
    assert found["accuracy"] == measure(net, data, "test")["accuracy"] > 90
    assert abs(found["int8 accuracy"] - found["accuracy"]) <= 2
    assert found["same"] > 95
    record = json.loads((tmp_path / "new" / RECORD).read_text())
    assert record["space"] == "sensors"
    assert record["int8 accuracy"] == found["int8 accuracy"]
    for name, key in ((NETWORK, "bytes"), (SMALL, "int8 bytes")):
        content = (tmp_path / "new" / name).read_bytes()
        assert record["sha256"][name] == sha256(content)
        assert len(content) == found[key]
    x = data.parts["test"][0]
    own = outputs((tmp_path / "new" / SMALL).read_bytes(), x).argmax(1)
    assert 100 * np.mean(own == data.parts["test"][1].numpy()) == found["int8 accuracy"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted([NETWORK, SMALL, RECORD])


def test_ranges_come_from_training_data_alone(series):
    net, data = series
    parts = {"train": data.parts["train"]} | {p: (100 * x, y) for p, (x, y) in data.parts.items() if p != "train"}
    x = data.parts["train"][0]
    once = quantise(export_onnx(net, x), x)
    assert once == quantise(export_onnx(net, x), parts["train"][0])
    assert once != quantise(export_onnx(net, x), parts["test"][0])
    found = [deploy(net, own)["int8 bytes"] for own in (data, Problem("other", parts, data.shape, data.classes))]
    assert found[0] == found[1] == len(once)


def test_weights_are_8_bits_with_a_scale_for_every_channel(series):
    net, data = series
    x = data.parts["train"][0]
    graph = onnx.load_from_string(quantise(export_onnx(net, x), x)).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_by = {node.output[0]: node for node in graph.node}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 8  # stem, two cells of conv and depthwise and pointwise, and the one between them
    for node in convolutions:
        weights = made_by[node.input[1]]
        values, scales = (arrays[name] for name in weights.input[:2])
        assert values.dtype == np.int8
        assert scales.shape == (len(values),)
        whole = values.reshape(len(values), -1).astype(int)
        assert (np.abs(whole).max(1) == 127).all()  # the whole range is used
        assert made_by[node.input[0]].op_type == "DequantizeLinear"


def test_slim_files_say_the_same():
    """Long names, shapes and notes go; what is computed stays."""
    data = blobs((36,))
    net = hand_designed_network("satellite", "perceptron", data, 0).eval()
    x = data.parts["train"][0]
    content = export_onnx(net, x)
    model = onnx.load_from_string(content)
    for node in model.graph.node:
        node.doc_string, node.name = "a line of the code " * 10, "a long name of a node"
    before = len(model.SerializeToString())
    again = slim(model)
    assert len(again) <= len(content) < before
    np.testing.assert_array_equal(outputs(again, x), outputs(content, x))
    with torch.no_grad():
        np.testing.assert_allclose(outputs(content, x), net(x).numpy(), atol=1e-5)
    assert latency(content, x, 1, 5) > 0


def test_recurrent_layers_stay_in_floating_point():
    data = blobs((1, 1, 24))
    x = data.parts["train"][0]
    content = export_onnx(hand_designed_network("sensors", "LSTM", data, 0), x)
    graph = onnx.load_from_string(quantise(content, x)).graph
    assert [node.op_type for node in graph.node].count("LSTM") == 1
    assert len(quantise(content, x)) > 0.9 * len(content)


class Bessel(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)


class Sampled(nn.Module):
    """Another output every time: what is written cannot be the same."""

    def forward(self, x):
        return x + torch.randn(1)


def test_what_onnx_cannot_hold_is_one_line_that_names_it(tmp_path, capfd):
    data = blobs((36,))
    with pytest.raises(InputError, match="Bessel cannot be written as ONNX: .*aten::special_bessel_j0") as error:
        deploy(Bessel(), data, tmp_path / "none")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "none").exists()
    assert capfd.readouterr() == ("", "")
    with pytest.raises(InputError, match="onnxruntime and torch differ"):
        deploy(Sampled(), data, tmp_path / "none")
    with pytest.raises(InputError, match="cannot be quantised"):
        quantise(b"no network", data.parts["train"][0])
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_one_line(series, tmp_path):
    net, data = series
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        deploy(net, data, tmp_path / "file")
