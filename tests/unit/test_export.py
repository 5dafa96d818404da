"""Trained networks as files: bit for bit in safetensors, to rounding in ONNX, whole or not at all."""

import shutil

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from qednas.base.errors import InputError, NumericalError
from qednas.diffqas import export
from qednas.diffqas.export import plain, save_network, save_onnx, save_weights
from qednas.diffqas.generator import Generator
from qednas.diffqas.networks import multilayer
from qednas.diffqas.recurrent import Recurrent


class Tied(nn.Module):
    """An autoencoder whose decoder is its encoder, transposed: one weight under two names."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 6, bias=False)
        self.decoder = nn.Linear(6, 6)
        self.decoder.weight = self.encoder.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(torch.tanh(self.encoder(x)))


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
    )


MODULES = {
    "classifier": (lambda: multilayer(64, 10, hidden=(8,)), (64,)),
    "convolutional": (convolutional, (1, 8, 8)),
    "recurrent": (Recurrent, (3, 1)),
    "tied": (Tied, (6,)),
}


def trained(name: str) -> tuple[Generator, torch.Tensor]:
    """A generator after one step and a batch of inputs; what its module counts while it trains is in its buffers."""
    make, shape = MODULES[name]
    torch.manual_seed(0)
    net = Generator(make(), 3, spread=0.5, seed=1)
    inputs = torch.randn(5, *shape, generator=torch.Generator().manual_seed(2))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    net(inputs).square().mean().backward()
    optimiser.step()
    return net, inputs


def runtime(path, inputs: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (name,) = (own.name for own in session.get_inputs())
    return session.run(None, {name: inputs.numpy()})[0]


@pytest.mark.parametrize("name", MODULES)
def test_weights_come_back_bit_for_bit_in_a_fresh_module(name, tmp_path):
    net, inputs = trained(name)
    path = save_weights(net, tmp_path / "weights.safetensors")
    fresh = MODULES[name][0]()
    fresh.load_state_dict(load_file(path))
    for key, weight in net.weights().items():
        assert torch.equal(fresh.get_parameter(key), weight)
    for key, value in net.module.named_buffers():
        assert torch.equal(fresh.get_buffer(key), value)
    net.module.eval()
    fresh.eval()
    assert torch.equal(fresh(inputs), net(inputs))
    assert [file.name for file in tmp_path.iterdir()] == ["weights.safetensors"]


@pytest.mark.parametrize("name", ["classifier", "convolutional", "recurrent"])
def test_onnx_networks_give_what_torch_gives_for_every_batch(name, tmp_path):
    net, inputs = trained(name)
    path = save_onnx(net, inputs[:1], tmp_path / "network.onnx")
    module = plain(net).eval()
    for size in (1, 2, 5):
        expected = module(inputs[:size]).detach().numpy()
        assert runtime(path, inputs[:size]) == pytest.approx(expected, abs=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]


def test_the_recurrent_network_has_the_weights_of_the_paper():
    assert Generator(Recurrent(), 10).count == 1781


def test_plain_networks_stand_alone():
    net, inputs = trained("convolutional")
    module = plain(net)
    own, counted = net.module[0].weight.clone(), net.module[1].num_batches_tracked.clone()
    assert not torch.equal(module[0].weight, own)
    assert int(counted) == 1  # of the step in `trained`
    module(inputs)
    assert torch.equal(net.module[1].num_batches_tracked, counted)
    with torch.no_grad():
        module[0].weight.zero_()
    assert torch.equal(net.module[0].weight, own)
    tied = plain(trained("tied")[0])
    assert tied.encoder.weight is tied.decoder.weight


def test_generated_double_precision_stays(tmp_path):
    net = Generator(nn.Linear(3, 2), 2, dtype=torch.float64)
    stored = load_file(save_weights(net, tmp_path / "w.safetensors"))
    assert {key: torch.equal(stored[key], weight) for key, weight in net.weights().items()} == {
        "weight": True,
        "bias": True,
    }


@pytest.mark.parametrize("save", [save_weights, lambda net, path: save_onnx(net, torch.zeros(1, 2), path)])
def test_places_that_cannot_be_written_are_told(save, tmp_path):
    net = nn.Linear(2, 2)
    with pytest.raises(InputError, match="there is no folder .*nosuch"):
        save(net, tmp_path / "nosuch" / "file")
    with pytest.raises(InputError, match="it is a folder"):
        save(net, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no folder"):
        save(net, tmp_path / "file" / "weights")
    with pytest.raises(InputError, match="cannot write"):
        save_network(net, torch.zeros(1, 2), tmp_path / "file" / "folder", {})


def test_a_file_that_would_not_come_back_is_not_written(tmp_path, monkeypatch):
    net = nn.Linear(2, 2)
    path = save_weights(net, tmp_path / "weights.safetensors")
    before = path.read_bytes()
    monkeypatch.setattr(export, "bitwise_equal", lambda left, right: False)
    with pytest.raises(InputError, match="'weight' does not come back"):
        save_weights(nn.Linear(2, 2), path)
    monkeypatch.setattr(export, "CLOSE", -1.0)
    with pytest.raises(InputError, match="onnxruntime and torch differ by"):
        save_onnx(net, torch.ones(1, 2), tmp_path / "network.onnx")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    shutil.rmtree(tmp_path)


class Unwritable(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (2 if float(x.sum()) > 0 else 1)  # a choice by value: no graph has it


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((), "one tensor or more"),
        (([1.0, 2.0],), "one tensor or more"),
        (torch.tensor(1.0), "one tensor or more"),
        (torch.zeros(0, 2), "at least one example"),
        ((torch.zeros(2, 2), torch.zeros(3, 2)), "batches of 2, 3"),
        (torch.zeros(2, 2), "cannot be written as ONNX"),
    ],
)
def test_modules_and_inputs_that_cannot_be_exported_are_told(inputs, words, tmp_path):
    with pytest.raises(InputError, match=words) as told:
        save_onnx(Unwritable(2, 2), inputs, tmp_path / "network.onnx")
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_told():
    net = Generator(nn.Linear(2, 2), 2)
    with torch.no_grad():
        net.map.constant.fill_(float("inf"))
    with pytest.raises(NumericalError, match="'weight' are not finite"):
        plain(net)


def test_a_state_that_is_not_a_tensor_is_told(tmp_path):
    class Stateful(nn.Linear):
        def get_extra_state(self):
            return {"steps": 1}

        def set_extra_state(self, state):
            pass

    with pytest.raises(InputError, match="'_extra_state' of the module is not a tensor"):
        save_weights(Stateful(2, 2), tmp_path / "w.safetensors")
