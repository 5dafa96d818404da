"""A network whose weights are computed from fewer parameters: what every generator has in common."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from qednas.base.errors import InputError

MOST_WEIGHTS = 1 << 20


class Generated(nn.Module):
    """``module`` with weights that are generated: what is trained are the parameters of the subclass, which has ``flat``.

    The parameters of ``module`` are not trained and not part of the state dict; its buffers stay its own.  ``count`` is the
    number of weights, and ``qubits`` how many bits number them.
    Raises InputError for a module without parameters or with more than 2^20.
    """

    module: nn.Module

    def __init__(self, module: nn.Module):
        super().__init__()
        self.shapes = {name: value.shape for name, value in module.named_parameters()}
        self.count = sum(shape.numel() for shape in self.shapes.values())
        if not 1 <= self.count <= MOST_WEIGHTS:
            raise InputError(f"the module has {self.count} weights: from 1 to 2^20 = {MOST_WEIGHTS} can be generated")
        self.qubits = max(1, (self.count - 1).bit_length())
        self.__dict__["module"] = module  # not registered: its parameters are not trained

    def fan_in(self) -> torch.Tensor:
        """How many inputs the unit adds up that each weight (count,) belongs to; 1 of a bias."""
        return torch.cat([torch.full((shape.numel(),), float(shape[1:].numel())) for shape in self.shapes.values()])

    def flat(self) -> torch.Tensor:
        """All generated weights (count,), in the order of the parameters of the module."""
        raise NotImplementedError

    def weights(self) -> dict[str, torch.Tensor]:
        """The generated parameters of the module, by name; differentiable."""
        parts = self.flat().split([shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return functional_call(self.module, self.weights(), inputs, named)

    @property
    def trained_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())
