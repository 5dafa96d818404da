"""A small classical generator: a network that maps the bits of the index of a weight to the weight."""

from __future__ import annotations

import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.generated import Generated
from qednas.diffqas.mapping import bits_of


class Coordinates(Generated):
    """``module`` with weight_i = v . sin(W b_i + a) + c over sqrt(fan-in), for bits b_i of -1 and 1.

    As many hidden units as ``parameters`` trained numbers allow: (n + 2) each, and one constant.  Sines, because a sum of few
    smooth functions of the bits cannot tell neighbouring weights apart.  Raises InputError for a budget without one unit.
    """

    bits: torch.Tensor
    unit: torch.Tensor

    def __init__(self, module: nn.Module, parameters: int, *, seed: int = 0):
        super().__init__(module)
        units = (parameters - 1) // (self.qubits + 2)
        if units < 1:
            raise InputError(f"parameters = {parameters}: at least {self.qubits + 3} are needed")
        generator = torch.Generator().manual_seed(seed)
        self.inner = nn.Parameter(torch.randn(units, self.qubits, generator=generator))
        self.shift = nn.Parameter(torch.randn(units, generator=generator))
        self.outer = nn.Parameter(torch.randn(units, generator=generator) * (2 / units) ** 0.5)
        self.constant = nn.Parameter(torch.zeros(1))
        self.register_buffer("bits", bits_of(self.count, self.qubits, "plus-minus", torch.float32), persistent=False)
        self.register_buffer("unit", self.fan_in() ** -0.5, persistent=False)

    def flat(self) -> torch.Tensor:
        hidden = torch.sin(torch.addmm(self.shift, self.bits, self.inner.T))  # (weights, units)
        return (hidden @ self.outer + self.constant) * self.unit
