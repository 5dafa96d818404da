"""Spaces of trained networks, and the networks of their architectures."""

import math

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from studies.spaces.cells import Network
from studies.spaces.data_sets import Problem
from studies.spaces.dense import CENTRE
from studies.spaces.sequence_cells import LanguageNetwork
from studies.spaces.trained_spaces import SPACES, trained_space
from studies.spaces.untrained_network import untrained_network
from studies.tables.hand_designed import HAND_DESIGNED, hand_designed_network


def made_up(shape, classes=4, count=64):
    draws = torch.Generator().manual_seed(0)
    x, y = torch.randn(count, *shape, generator=draws), torch.randint(classes, (count,), generator=draws)
    return Problem("made up", dict.fromkeys(("train", "held", "test"), (x, y)), shape, classes)


def words(vocabulary=3000, length=8):
    x = torch.randint(vocabulary, (16, length), generator=torch.Generator().manual_seed(0))
    return Problem("words", dict.fromkeys(("train", "held", "test"), (x, x)), (length,), vocabulary)


PROBLEMS = {
    "images": made_up((1, 28, 28), 10),
    "sensors": made_up((1, 1, 96), 7),
    "language": words(),
    "satellite": made_up((36,), 6),
}


def test_every_space_has_256_architectures_and_more_where_it_says_so():
    assert {name: own.space.size for name, own in SPACES.items()} == dict.fromkeys(SPACES, 256)


def test_scores_are_higher_for_what_is_better():
    assert trained_space("images").score(90.0) == 90.0
    assert trained_space("language").score(math.exp(5)) == pytest.approx(-500)


def test_an_unknown_space_is_one_line():
    with pytest.raises(InputError, match=r"trained space 'speech': one of images, sensors, language, satellite$"):
        trained_space("speech")


@pytest.mark.parametrize("name", list(SPACES))
def test_any_architecture_takes_a_batch_and_gives_a_finite_answer(name):
    space, data = SPACES[name].space, PROBLEMS[name]
    for digits in space.draw(12, np.random.default_rng(3)):
        net = untrained_network(name, space.named(digits), data, 0)
        out = net(data.parts["train"][0][:5])
        assert out.shape == ((5, 8, int(space.named(digits)["width"])) if name == "language" else (5, data.classes))
        assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", list(SPACES))
def test_random_numbers_come_from_the_seed_alone(name):
    space, data = SPACES[name].space, PROBLEMS[name]
    choices = space.named(space.digits([100])[0])
    before = torch.random.get_rng_state()
    one, same, other = (untrained_network(name, choices, data, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_parameters_of_a_convolutional_cell_are_those_counted_by_hand():
    space, data = SPACES["images"].space, PROBLEMS["images"]
    choices = space.read({"1<-0": "conv", "2<-0": "skip", "2<-1": "sepconv", "width": "8", "cells": "2"})
    found = sum(p.numel() for p in untrained_network("images", space.named(choices), data, 0).parameters())

    def cell(w):  # batch normalisation has two numbers for every channel
        return 9 * w * w + 2 * w + 9 * w + w * w + 2 * w

    assert found == (9 * 8 + 16) + 2 * cell(8) + (9 * 8 * 16 + 32) + 2 * cell(16) + 16 * 10 + 10


def test_a_cell_of_skips_doubles_its_input():
    choices = {"1<-0": "skip", "2<-0": "skip", "2<-1": "skip", "width": "8", "cells": "1"}
    net = Network(choices, (1, 28, 28), 10).eval()
    x = torch.randn(3, 8, 7, 7)
    assert torch.equal(net.body[0](x), 2 * x)


@pytest.mark.parametrize("operation", ["conv", "lstm", "attention"])
def test_no_word_is_told_of_later_ones(operation):
    choices = {"1<-0": operation, "2<-0": operation, "2<-1": operation, "width": "24", "cells": "2"}
    torch.manual_seed(0)
    net = LanguageNetwork(choices, 8, 3000)
    x = torch.arange(8)[None] + 5
    changed = x.clone()
    changed[0, 5] = 77
    one, other = net(x)[0], net(changed)[0]
    assert torch.allclose(one[:5], other[:5], atol=1e-6)
    assert not torch.allclose(one[5:], other[5:], atol=1e-3)


def test_probabilities_of_all_words_add_up_to_one_and_are_what_the_loss_is_of():
    data = PROBLEMS["language"]
    net = LanguageNetwork({"1<-0": "skip", "2<-0": "conv", "2<-1": "lstm", "width": "24", "cells": "1"}, 8, 3000)
    x, y = data.parts["train"][0][:2], data.parts["train"][0][2:4]
    logs = net.softmax.log_prob(net(x).flatten(0, 1))
    assert torch.allclose(logs.exp().sum(1), torch.ones(16), atol=1e-5)
    assert net.loss(x, y).item() == pytest.approx(-logs[torch.arange(16), y.flatten()].mean().item(), abs=1e-5)


def test_a_network_of_the_centre_sees_nothing_else():
    space, data = SPACES["satellite"].space, PROBLEMS["satellite"]
    one = {"layer 1": "16", "layer 2": "none", "layer 3": "8", "activation": "tanh", "pixels": "centre"}
    net = untrained_network("satellite", space.named(space.read(one)), data, 0)
    x = data.parts["train"][0][:4]
    other = torch.randn_like(x)
    other[:, CENTRE] = x[:, CENTRE]
    assert torch.equal(net(x), net(other))


@pytest.mark.parametrize(("space", "name"), [(s, n) for s in HAND_DESIGNED for n in HAND_DESIGNED[s]])
def test_hand_designed_networks_take_the_data_of_their_space(space, name):
    data = PROBLEMS[space]
    out = hand_designed_network(space, name, data, 0)(data.parts["train"][0][:5])
    assert out.shape[:2] == ((5, 8) if space == "language" else (5, data.classes))


def test_resnet_8_has_the_size_that_is_published():
    # arXiv:2106.07597 counts 78 thousand, with biases and both numbers that normalisation keeps and does not train.
    net = hand_designed_network("images", "ResNet-8", made_up((3, 32, 32), 10), 0)
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(78_000, rel=0.01)


def test_a_network_that_nobody_designed_is_one_line():
    with pytest.raises(
        InputError, match=r"hand-designed network 'VGG' for images: one of ResNet-8, DenseNet-like, LSTM$"
    ):
        hand_designed_network("images", "VGG", PROBLEMS["images"], 0)
