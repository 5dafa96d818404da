"""Networks of one form, each with its own weights, trained side by side; and a learning rate for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
        values, kept = stack_module_state(list(networks))
        self.names = list(values)
        self.own = nn.ParameterList(nn.Parameter(value.detach()) for value in values.values())
        self.__dict__["network"] = networks[0]  # not registered: its parameters are not trained
        self.__dict__["kept"] = kept
        self.trained_parameters = sum(p[0].numel() for p in self.own)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (runs, batch, ...) of every network for its own inputs (runs, batch, ...)."""
        values = dict(zip(self.names, self.own, strict=True))
        return vmap(lambda v, k, x: functional_call(self.network, (v, k), (x,)))(values, self.__dict__["kept"], inputs)


class OwnRates:
    """An optimiser of torch in which every run (first axis of every parameter) has its own learning rate.

    For optimisers whose steps are proportional to their rate and computed number by number, as those of Adam and RMSProp.
    Raises InputError for a rate that is not positive.
    """

    def __init__(
        self,
        kind: Callable[..., torch.optim.Optimizer],
        parameters: Iterable[nn.Parameter],
        rates: Sequence[float],
        **settings: Any,
    ):
        if wrong := [rate for rate in rates if not rate > 0]:
            raise InputError(f"rate = {wrong[0]}: positive")
        self.parameters = [p for p in parameters if p.requires_grad]
        self.inner = kind(self.parameters, lr=1.0, **settings)
        self.rates = torch.tensor(rates, dtype=torch.float64)
        self.zero_grad = self.inner.zero_grad

    @torch.no_grad()
    def step(self) -> None:
        before = [p.detach().clone() for p in self.parameters]
        self.inner.step()
        for value, old in zip(self.parameters, before, strict=True):
            rates = self.rates.to(value.dtype).view(-1, *[1] * (value.dim() - 1))
            value.copy_(torch.lerp(old, value, rates.expand_as(value)))
