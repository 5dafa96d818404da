"""Networks of one form, each with its own weights, trained side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from qednas.base.errors import InputError


class Stacked(nn.Module):
    """``networks`` of one class and size as one module; its parameters have the networks in front.

    Raises InputError for none.
    """

    network: nn.Module

    def __init__(self, networks: Sequence[nn.Module]):
        super().__init__()
        if not networks:
            raise InputError("no networks: at least one is needed")
        values, buffers = stack_module_state(list(networks))
        self.names = list(values)
        self.stacked = nn.ParameterList(nn.Parameter(value.detach()) for value in values.values())
        self.__dict__["network"] = networks[0]  # not registered: its parameters are not trained
        self.__dict__["kept"] = buffers
        self.trained_parameters = sum(p[0].numel() for p in self.stacked)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (runs, batch, ...) of every network for its own inputs (runs, batch, ...)."""
        values = dict(zip(self.names, self.stacked, strict=True))
        return vmap(lambda v, k, x: functional_call(self.network, (v, k), (x,)))(values, self.__dict__["kept"], inputs)
