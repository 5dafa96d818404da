"""How a supernet is searched, and the unit in which rates and weights of its loss are told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian


def energy_scale(hamiltonian: Hamiltonian) -> float:
    """Sum of the absolute couplings per site."""
    return float(np.abs(hamiltonian.couplings).sum()) / hamiltonian.sites


@dataclass(frozen=True)
class SearchSettings:
    """How a supernet is searched.

    rate: of the natural gradient, times the :func:`energy_scale` of H.  entanglement: weight of the distance, per site in units
    of that scale.  cost: of as many parameters as the budget, in units of the variance of the energy over that scale.  level:
    "bilevel" or "one" (architecture parameters see the configurations that the weights are moved on).  softmax: "gumbel" (with
    noise, at a ``temperature`` that falls), "annealed" (without noise, at a temperature that falls to ``coldest`` once the
    architecture parameters move) or "plain" (temperature one).  memory: correlation of the noise from step to step.  gate_step:
    by how much gates may change the state in a step, sqrt(<|d ln psi|^2>).  fixed: share of the search in which the architecture
    parameters do not move and entanglement does not count.
    """

    steps: int = 80
    samples: int = 384
    rate: tuple[float, float] = (0.3, 0.15)
    shift: tuple[float, float] = (1e-2, 1e-3)
    longest: float = 0.6
    learning: float = 0.05
    temperature: tuple[float, float] = (1.0, 0.3)
    coldest: float = 0.1
    entanglement: float = 0.003
    cost: float = 1.0
    level: str = "bilevel"
    softmax: str = "gumbel"
    memory: float = 0.98
    gate_step: float = 0.1
    fixed: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("level", ("bilevel", "one")), ("softmax", ("gumbel", "annealed", "plain"))):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} = {getattr(self, name)!r}: one of {', '.join(allowed)}")
        if self.steps < 1 or self.samples < 12 or self.samples % 2:
            raise InputError(
                f"steps = {self.steps}, samples = {self.samples}: at least one step, an even number of 12 samples or more"
            )
        if min(*self.rate, *self.shift, *self.temperature, self.longest, self.learning, self.coldest) <= 0:
            raise InputError("rate, shift, temperature, coldest, longest and learning: all positive")
        if min(self.entanglement, self.cost) < 0 or not 0 <= self.fixed < 1:
            raise InputError(
                f"entanglement = {self.entanglement}, cost = {self.cost}: not negative; fixed = {self.fixed}: from 0 to below 1"
            )

    def at(self, share: float) -> tuple[float, float, float]:
        """Rate, shift and temperature when a share of the search is done."""
        rate, shift, warm = (
            first * (last / first) ** share for first, last in (self.rate, self.shift, self.temperature)
        )
        moving = max(0.0, (share - self.fixed) / (1 - self.fixed))
        return rate, shift, {"gumbel": warm, "annealed": self.coldest**moving, "plain": 1.0}[self.softmax]
