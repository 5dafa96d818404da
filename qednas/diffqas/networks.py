"""The classifiers whose weights are generated, and small ones of as many weights as a generator has parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.generated import MOST_WEIGHTS

HIDDEN = (128, 64)
SIDE = 28  # pixels of the images that the convolutional networks take


def multilayer(pixels: int, outputs: int, seed: int = 0, hidden: Sequence[int] = HIDDEN) -> nn.Sequential:
    """The classifier of the paper: two hidden layers of 128 and 64 units; 108,866 weights for 784 pixels and two classes.

    Raises InputError for other hidden layers that have no unit, or more weights than can be generated.
    """
    sizes = (pixels, *hidden, outputs)
    count = sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))
    if min(sizes) < 1 or count > MOST_WEIGHTS:
        units = ",".join(map(str, hidden))
        raise InputError(f"hidden = {units}: positive, and {count} weights, of which at most 2^20 = {MOST_WEIGHTS}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


def convolutional(outputs: int = 10) -> nn.Sequential:
    """The network of the published Quantum-Train results on ten classes: 6,690 weights, and no activation but the pooling."""
    return nn.Sequential(
        nn.Unflatten(1, (1, SIDE, SIDE)), nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.Conv2d(8, 12, 5), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(192, 20), nn.Linear(20, outputs),
    )  # fmt: skip


def small_size(first: int, second: int, outputs: int) -> int:
    """Number of weights of :func:`small`."""
    return (25 + 1) * first + (25 * first + 1) * second + (4 * second + 1) * outputs


def small(parameters: int, outputs: int = 10, seed: int = 0) -> nn.Sequential:
    """The largest convolutional network of its kind with at most ``parameters`` weights, to be trained itself.

    Two layers of 5 x 5 filters with stride 2, the second with one to two times as many as the first, pooling to 2 x 2, and a
    linear layer.  Raises InputError where even one filter is too many.
    """
    sizes = [(a, b) for a in range(1, 65) for b in range(a, 2 * a + 1) if small_size(a, b, outputs) <= parameters]
    if not sizes:
        raise InputError(f"parameters = {parameters}: the smallest network has {small_size(1, 1, outputs)}")
    first, second = max(sizes, key=lambda pair: small_size(pair[0], pair[1], outputs))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(1, (1, SIDE, SIDE)), nn.Conv2d(1, first, 5, 2), nn.ReLU(), nn.Conv2d(first, second, 5, 2), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * second, outputs),
        )  # fmt: skip
