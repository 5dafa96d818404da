"""What networks take: parameters and operations as counted by hand, files that come back, sizes that hang on no number."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from studies.spaces import costs
from studies.spaces.costs import COLUMNS, LastWord, flops, network_costs, parameters, perturbed_copy, write_costs
from studies.spaces.data_sets import Problem
from studies.spaces.onnx_files import export_onnx
from studies.spaces.quantised import quantise
from studies.spaces.trained_spaces import SPACES
from studies.spaces.untrained_network import untrained_network
from studies.tables.hand_designed import hand_designed_network

VOCABULARY = 600  # words: of the adaptive softmax, 500 frequent ones and one cluster of 100 with a quarter of the width


def data(shape, classes, count=40):
    draws = torch.Generator().manual_seed(0)
    x, y = torch.randn(count, *shape, generator=draws), torch.arange(count) % classes
    return Problem("drawn", {part: (x, y) for part in ("train", "held", "test")}, shape, classes)


PIXELS, IMAGES, SERIES = data((36,), 6), data((1, 28, 28), 10), data((1, 1, 96), 7)
WORDS = Problem("words", {"train": (torch.arange(32 * 4).view(4, 32),) * 2}, (32,), VOCABULARY)


def cell(first, across, second, width, cells=1):
    return {"1<-0": first, "2<-0": across, "2<-1": second, "width": str(width), "cells": str(cells)}


def layers(one, two="none", three="none", pixels="all"):
    return {"layer 1": str(one), "layer 2": two, "layer 3": three, "activation": "tanh", "pixels": pixels}


# (space, choices, data, parameters, operations for one input)
STEM = 2 * 9 * 8 * 14 * 14  # of an image, to 14 x 14 in 8 channels
HALVED = 2 * 9 * 8 * 16 * 4 * 4  # 8 to 16 channels, from 7 x 7 to 4 x 4
ROW_STEM, ROW_HALVED = 2 * 9 * 8 * 48, 2 * 5 * 8 * 16 * 24  # of a series of 96, to 48, then 24
HEAD_OF_WORDS = 2 * (24 * 501 + 24 * 6 + 6 * 100)  # of the last word
BY_HAND = [
    ("satellite", layers(8, pixels="centre"), PIXELS, 4 * 8 + 8 + 8 * 6 + 6, 2 * (4 * 8 + 8 * 6)),
    (
        "satellite",
        layers(64, "32", "16"),
        PIXELS,
        36 * 64 + 64 * 32 + 32 * 16 + 16 * 6 + 64 + 32 + 16 + 6,
        2 * (36 * 64 + 64 * 32 + 32 * 16 + 16 * 6),
    ),
    (
        "images",
        cell("skip", "avgpool", "skip", 8),
        IMAGES,
        9 * 8 + 16 + 9 * 8 * 16 + 32 + 16 * 10 + 10,
        STEM + HALVED + 2 * 160,
    ),
    (
        "images",
        cell("conv", "skip", "sepconv", 8),
        IMAGES,
        (9 * 8 + 16)
        + (9 * 8 * 8 + 16 + 9 * 8 + 8 * 8 + 16)
        + (9 * 8 * 16 + 32)
        + (9 * 16 * 16 + 32 + 9 * 16 + 16 * 16 + 32)
        + 170,
        STEM + 2 * 49 * (9 * 8 * 8 + 9 * 8 + 8 * 8) + HALVED + 2 * 16 * (9 * 16 * 16 + 9 * 16 + 16 * 16) + 2 * 160,
    ),
    (
        "sensors",
        cell("skip", "conv", "skip", 8),
        SERIES,
        (9 * 8 + 16) + (5 * 8 * 8 + 16) + (5 * 8 * 16 + 32) + (5 * 16 * 16 + 32) + 16 * 7 + 7,
        ROW_STEM + 2 * 48 * 5 * 8 * 8 + ROW_HALVED + 2 * 24 * 5 * 16 * 16 + 2 * 16 * 7,
    ),
    (
        "language",
        cell("skip", "lstm", "skip", 24),
        WORDS,
        # words and places, LSTM with two biases and the normalisation before it, the last normalisation, softmax
        600 * 24 + 32 * 24 + 4 * 24 * 48 + 8 * 24 + 48 + 48 + 24 * 501 + 24 * 6 + 6 * 100,
        32 * 2 * 4 * 24 * 48 + HEAD_OF_WORDS,
    ),
    (
        "language",
        cell("conv", "attention", "skip", 24),
        WORDS,
        600 * 24
        + 32 * 24
        + (3 * 24 * 24 + 24 + 48)
        + (24 * 72 + 72 + 24 * 24 + 24 + 48)
        + 48
        + 24 * 501
        + 24 * 6
        + 6 * 100,
        # a convolution looks at two words of padding more, which makes no more of its outputs
        32 * 2 * 3 * 24 * 24 + 2 * 32 * (24 * 72 + 24 * 24) + 2 * 2 * 32 * 32 * 24 + HEAD_OF_WORDS,
    ),
]


@pytest.mark.parametrize(("space", "choices", "problem", "numbers", "operations"), BY_HAND)
def test_parameters_and_operations_by_hand(space, choices, problem, numbers, operations):
    net = untrained_network(space, choices, problem, 0)
    assert parameters(net) == numbers
    assert flops(net, problem.parts["train"][0][:1]) == operations


def test_operations_of_a_recurrent_network_by_hand():
    """28 rows of 28 pixels, 64 units: torch itself counts none of these, or all, by the kernel it takes."""
    net = hand_designed_network("images", "LSTM", IMAGES, 0)
    x = IMAGES.parts["train"][0][:1]
    expected = 28 * 2 * 4 * 64 * (28 + 64) + 2 * 64 * 10
    assert flops(net, x) == expected
    with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
        assert flops(net, x) == expected
    two = torch.nn.LSTM(5, 3, num_layers=2, batch_first=True)
    assert costs.lstm_flops(two, (1, 7, 5)) == 7 * 8 * 3 * (5 + 3) + 7 * 8 * 3 * (3 + 3)


def test_the_last_word_has_the_probabilities_of_the_whole_softmax():
    net = untrained_network("language", cell("conv", "lstm", "attention", 24), WORDS, 0).eval()
    x = WORDS.parts["train"][0]
    found = LastWord(net)(x)
    torch.testing.assert_close(found, net.softmax.log_prob(net(x)[:, -1]))
    torch.testing.assert_close(found.exp().sum(1), torch.ones(4))
    export_onnx(LastWord(net), x)  # compares with torch


@pytest.mark.parametrize(
    ("space", "choices", "problem"),
    [("images", cell("conv", "sepconv", "avgpool", 8), IMAGES), ("satellite", layers(64, "32"), PIXELS)],
)
def test_sizes_hang_on_no_number(space, choices, problem):
    """Drawn or drawn otherwise, untrained or not: the file has as many bytes, about one for every parameter."""
    x = problem.parts["train"][0]
    sizes = set()
    for seed in range(3):
        net = perturbed_copy(untrained_network(space, choices, problem, seed), seed)
        sizes.add(len(quantise(export_onnx(net, x), x)))
    assert len(sizes) == 1
    small = network_costs(perturbed_copy(untrained_network(space, choices, problem, 9), 9), problem)
    assert small["bytes"] in sizes
    assert small["latency"] > 0
    assert small["int8 latency"] > 0
    assert small["parameters"] < small["bytes"] < 3 * small["parameters"]


def test_networks_of_words_have_no_8_bits():
    assert set(network_costs(untrained_network("language", cell("skip", "skip", "conv", 24), WORDS, 0), WORDS)) == set(
        COLUMNS[:3]
    )


def test_costs_of_rows_go_on_where_they_stopped(monkeypatch, tmp_path):
    monkeypatch.setattr(costs, "problem", lambda name: PIXELS)
    monkeypatch.setattr(costs, "TURNS", 1)
    first = costs.cost_space("satellite", [3], Work(1, tmp_path))
    done = []
    both = costs.cost_space("satellite", [3, 4], Work(1, tmp_path, lambda *a: done.append(a[:2])))
    assert both[0] == first[0]  # its time too, so it was not measured again
    assert done == [(2, 2)]
    assert both[1]["layer 1"] == "8"
    assert set(both[1]) == {*SPACES["satellite"].space.names, *COLUMNS}


def test_the_lowest_of_three_turns_is_kept(monkeypatch):
    turns = iter([{"parameters": 5, "latency": time} for time in (3.0, 9.0, 2.0, 7.0, 8.0, 1.0)])
    monkeypatch.setattr(costs, "cost_row", lambda task: next(turns))
    first, second = costs.cost_space("satellite", [3, 4])
    assert (first["latency"], first["parameters"], first["pixels"]) == (2.0, 5, "all")
    assert second["latency"] == 1.0


def test_a_file_comes_back_in_the_order_of_the_space(tmp_path):
    space = SPACES["satellite"].space
    rows = [space.named(d) | {"parameters": 10 * k, "latency": k + 0.5} for k, d in enumerate(space.digits())]
    write_costs("satellite", rows[::-1], tmp_path)
    found = costs.costs("satellite", tmp_path)
    assert list(found) == ["parameters", "latency"]
    np.testing.assert_array_equal(found["parameters"], 10 * np.arange(256))
    np.testing.assert_array_equal(found["latency"], np.arange(256) + 0.5)
    assert (tmp_path / "satellite-costs.csv").read_text().startswith("layer 1,layer 2,layer 3,activation,pixels,param")


def test_missing_files_and_rows_are_one_line(tmp_path):
    with pytest.raises(InputError, match="satellite-costs.csv is missing: make it with"):
        costs.costs("satellite", tmp_path)
    space = SPACES["satellite"].space
    write_costs("satellite", [space.named(d) | {"parameters": 1} for d in space.digits()[:255]], tmp_path / "few")
    with pytest.raises(InputError, match="has 255 of 256 architectures"):
        costs.costs("satellite", tmp_path / "few")
