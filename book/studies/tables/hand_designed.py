"""Networks that people designed, small, for the data of the trained spaces: what a search has to be better than.

All are trained as the networks of the space are, see :mod:`~studies.spaces.training`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from qednas.base.errors import InputError
from studies.spaces.cells import Size, channels_last, convolution, padding
from studies.spaces.data_sets import Problem
from studies.spaces.sequence_cells import Attention, LanguageNetwork, Recurrent


class Residual(nn.Module):
    """Two convolutions around which the input goes (He et al., arXiv:1512.03385)."""

    def __init__(self, into: int, out: int, window: Size, stride: Size):
        super().__init__()
        self.first = convolution(into, out, window, stride)
        self.second = nn.Sequential(nn.Conv2d(out, out, window, 1, padding(window), bias=False), nn.BatchNorm2d(out))
        same = into == out and stride == (1, 1)
        self.around = nn.Identity() if same else nn.Conv2d(into, out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.second(self.first(x)) + self.around(x)).relu()


class DenseLayer(nn.Module):
    """A convolution whose maps are added to those that it was given (DenseNet, Huang et al., arXiv:1608.06993)."""

    def __init__(self, into: int, growth: int, window: Size):
        super().__init__()
        self.new = convolution(into, growth, window)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], 1)


class Pooled(nn.Module):
    """Maps to scores by the mean of every channel."""

    def __init__(self, body: nn.Module, channels: int, classes: int):
        super().__init__()
        self.body, self.head = body, nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def window_and_stride(problem: Problem) -> tuple[Size, Size]:
    """Window and stride of 2: square for images, along the row for series."""
    return ((1, 5), (1, 2)) if problem.shape[1] == 1 else ((3, 3), (2, 2))


def resnet(problem: Problem) -> nn.Module:
    """ResNet-8: a stem of 16 channels and a residual block each of 16, 32 and 64, as in MLPerf Tiny (arXiv:2106.07597)."""
    window, halve = window_and_stride(problem)
    blocks = [Residual(a, b, window, s) for a, b, s in ((16, 16, (1, 1)), (16, 32, halve), (32, 64, halve))]
    return Pooled(nn.Sequential(convolution(problem.shape[0], 16, window), *blocks), 64, problem.classes)


def densenet(problem: Problem) -> nn.Module:
    """DenseNet-like: three blocks of three layers with 12 new maps each, halved in number and size in between."""
    window, halve = window_and_stride(problem)
    channels = 16
    layers: list[nn.Module] = [convolution(problem.shape[0], channels, window, halve)]
    for block in range(3):
        if block:
            layers += [convolution(channels, channels // 2, (1, 1)), nn.AvgPool2d(halve)]
            channels //= 2
        for _ in range(3):
            layers.append(DenseLayer(channels, 12, window))
            channels += 12
    return Pooled(nn.Sequential(*layers), channels, problem.classes)


class SeriesLSTM(nn.Module):
    """A layer of 64 units over the series (an image: over its rows), read at the end."""

    def __init__(self, problem: Problem, units: int = 64):
        super().__init__()
        self.row = problem.shape[1] == 1
        inputs = problem.shape[0] if self.row else problem.shape[0] * problem.shape[2]
        self.cell, self.head = nn.LSTM(inputs, units, batch_first=True), nn.Linear(units, problem.classes)

    def forward(self, x: Tensor) -> Tensor:
        steps = x[:, :, 0].transpose(1, 2) if self.row else x.transpose(1, 2).flatten(2)
        return self.head(self.cell(steps)[0][:, -1])


class FeedForward(nn.Module):
    """The layer after attention in a transformer, to twice the width and back."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class SkipConnection(nn.Module):
    """A layer and its input, added."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x)


def language_network(problem: Problem, width: int, layers: list[nn.Module]) -> nn.Module:
    """The network of the language space with another body."""
    choices = {"1<-0": "skip", "2<-0": "skip", "2<-1": "skip", "width": str(width), "cells": "1"}
    net = LanguageNetwork(choices, problem.shape[0], problem.classes)
    net.body = nn.Sequential(*layers)
    return net


def language_lstm(problem: Problem) -> nn.Module:
    """Two layers of 48 units."""
    return language_network(problem, 48, [Recurrent(48), Recurrent(48)])


def transformer(problem: Problem) -> nn.Module:
    """Two blocks of attention and feed-forward layers, 48 wide (Vaswani et al., arXiv:1706.03762, normalised first)."""
    return language_network(
        problem, 48, [SkipConnection(layer) for _ in range(2) for layer in (Attention(48), FeedForward(48))]
    )


def perceptron(problem: Problem) -> nn.Module:
    """Two layers of 64 units."""
    sizes = (problem.shape[0], 64, 64)
    layers = [piece for a, b in zip(sizes, sizes[1:], strict=False) for piece in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(64, problem.classes))


HAND_DESIGNED: dict[str, dict[str, Callable[[Problem], nn.Module]]] = {
    "images": {"ResNet-8": resnet, "DenseNet-like": densenet, "LSTM": SeriesLSTM},
    "sensors": {"ResNet-8": resnet, "DenseNet-like": densenet, "LSTM": SeriesLSTM},
    "language": {"LSTM": language_lstm, "transformer": transformer},
    "satellite": {"perceptron": perceptron},
}


def hand_designed_network(space: str, name: str, problem: Problem, seed: int) -> nn.Module:
    """An untrained network with the random numbers of this seed; raises InputError for a name that is not there."""
    if name not in HAND_DESIGNED.get(space, {}):
        raise InputError(
            f"hand-designed network {name!r} for {space}: one of {', '.join(HAND_DESIGNED.get(space, {}))}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = HAND_DESIGNED[space][name](problem)
    return channels_last(net) if len(problem.shape) == 3 else net
