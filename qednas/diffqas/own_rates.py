"""A learning rate for each of several networks that are trained side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from qednas.base.errors import InputError


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
