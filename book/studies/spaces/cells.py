"""Networks of the image and sensor spaces: a stem, cells, a reduction, cells, and the mean of every channel to the classes.

Series are images of one row, so one code serves both; a square window of an image is a window of a series.  After every
convolution follow batch normalisation and ReLU.  Maps are kept channels-last, which is twice as quick here as channels-first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

EDGES = ("1<-0", "2<-0", "2<-1")  # of a cell of three nodes


Size = tuple[int, int]


def padding(window: Size) -> Size:
    return window[0] // 2, window[1] // 2


def convolution(into: int, out: int, window: Size, stride: Size = (1, 1), groups: int = 1) -> nn.Sequential:
    """Convolution without a bias, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(into, out, window, stride, padding(window), groups=groups, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


def operation(name: str, channels: int, window: Size) -> nn.Module:
    """What an edge carries, (batch, channels, rows, columns) to the same shape."""
    match name:
        case "skip":
            return nn.Identity()
        case "avgpool":
            return nn.AvgPool2d(window, 1, padding(window), count_include_pad=False)
        case "sepconv":
            depthwise = nn.Conv2d(channels, channels, window, 1, padding(window), groups=channels, bias=False)
            return nn.Sequential(depthwise, convolution(channels, channels, (1, 1)))
        case "conv":
            return convolution(channels, channels, window)
    raise ValueError(name)


def channels_last(net: nn.Module) -> nn.Module:
    """The same network, with the memory order that is quicker here."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class Cell(nn.Module):
    """Node 1 is an edge of node 0; node 2, the output, is the sum of an edge of node 0 and one of node 1."""

    def __init__(self, edges: Sequence[nn.Module]):
        super().__init__()
        self.first, self.across, self.second = edges

    def forward(self, x: Tensor) -> Tensor:
        return self.across(x) + self.second(self.first(x))


class Network(nn.Module):
    """Images (batch, channels, rows, columns) to scores of classes (batch, classes).

    shape: of one input, (channels, rows, columns).  One row makes it a series: windows of 1 x 5, else of 3 x 3.
    """

    def __init__(self, choices: Mapping[str, str], shape: tuple[int, int, int], classes: int):
        super().__init__()
        width, cells = int(choices["width"]), int(choices["cells"])
        row = shape[1] == 1
        window: Size = (1, 5) if row else (3, 3)
        self.stem: nn.Module = stem(shape, width)

        def stage(channels: int) -> list[nn.Module]:
            return [Cell([operation(choices[e], channels, window) for e in EDGES]) for _ in range(cells)]

        halve: Size = (1, 2) if row else (2, 2)
        self.body = nn.Sequential(*stage(width), convolution(width, 2 * width, window, halve), *stage(2 * width))
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def stem(shape: tuple[int, int, int], width: int) -> nn.Sequential:
    """To a quarter of the rows and columns of an image, in two steps; to half of the length of a series, in one."""
    if shape[1] == 1:
        return nn.Sequential(*convolution(shape[0], width, (1, 9), (1, 2)))
    return nn.Sequential(*convolution(shape[0], width, (3, 3), (2, 2)), nn.MaxPool2d(2))
