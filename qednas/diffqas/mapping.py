"""From a basis state and its probability to a weight: how probabilities are scaled, how bits are written, and the maps.

The paper's map is affine in n bits and one probability, n + 2 parameters.  It does not say how the probability is scaled; as it
is about 2^-n, it has to be.
Larger maps are in :mod:`studies.ch09.blockwise`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from qednas.base.errors import InputError

NEAR_ZERO = 1e-12  # keeps the slope of the power below finite where a probability is zero


def multiples(f: torch.Tensor, n: int) -> torch.Tensor:
    """In multiples of the uniform probability, less the mean.

    The mean is taken away at every step, not only at the start: without that each step of the structural weights shifts all
    weights alike, and networks with ReLU die of it.  |0...0> is left out of it, as it can hold a large part of all probability.
    """
    return (f - f[1:].mean()) * 2.0**n


def saturating(f: torch.Tensor, n: int) -> torch.Tensor:
    """(0.8 tanh(0.1 2^(n-1) |f|))^0.3 with the sign of f, less the mean: the form of the public Quantum-Train code."""
    x = 0.8 * torch.tanh(0.1 * 2.0 ** (n - 1) * f.abs())
    x = torch.sign(f) * (x + NEAR_ZERO) ** 0.3
    return x - x.mean()


def bounded(f: torch.Tensor, n: int) -> torch.Tensor:
    """tanh of the distance from the uniform probability in multiples of it."""
    return torch.tanh(f * 2.0**n - 1)


SCALINGS: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "multiples": multiples,
    "saturating": saturating,
    "bounded": bounded,
}
LABELS = {"zero-one": (0.0, 1.0), "plus-minus": (-1.0, 1.0)}


def bits_of(count: int, n: int, labels: str, dtype: torch.dtype) -> torch.Tensor:
    """Bits (count, n) of the first ``count`` basis states, qubit 0 first, written with the two labels.

    Raises InputError for labels that do not exist.
    """
    if labels not in LABELS:
        raise InputError(f"labels = {labels!r}: one of {', '.join(LABELS)}")
    low, high = LABELS[labels]
    ones = (torch.arange(count)[:, None] >> torch.arange(n - 1, -1, -1)) & 1
    return low + (high - low) * ones.to(dtype)


class Affine(nn.Module):
    """weight = bits . a + b x + c, for bits (weights, n) and scaled probabilities x (weights,): n + 2 parameters.

    a starts normal with standard deviation ``spread`` / 10; b and c as :meth:`start` sets them.
    """

    def __init__(self, n: int, spread: float, generator: torch.Generator, dtype: torch.dtype):
        super().__init__()
        self.of_bits = nn.Parameter(0.1 * spread * torch.randn(n, dtype=dtype, generator=generator))
        self.of_probability = nn.Parameter(torch.ones(1, dtype=dtype))
        self.constant = nn.Parameter(torch.zeros(1, dtype=dtype))

    @torch.no_grad()
    def start(self, spread: float, middle: float, scatter: float) -> None:
        """Have weights start around zero, ``spread`` wide, from probabilities around ``middle``, ``scatter`` wide.

        Were they not around zero, inputs that are all positive would leave every hidden unit dead.
        """
        self.of_probability.fill_(spread / scatter)
        self.constant.fill_(-spread * middle / scatter)

    def forward(self, bits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.addmv(self.of_probability * x + self.constant, bits, self.of_bits)
