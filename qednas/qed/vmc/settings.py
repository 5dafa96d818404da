"""How a block is trained by variational Monte Carlo."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qednas.base.errors import InputError


@dataclass(frozen=True)
class Settings:
    """How a block is trained.

    samples: configurations a step; chains: how many Markov chains give them (the same number each).  sweeps: between two
    configurations of a chain; warm_up: sweeps before the first.  rate and shift: (first, last), geometric in between; shift of
    the natural gradient relative to its mean diagonal.  momentum: of the step before.  longest: bound on the length of a step
    in the state, sqrt(<|d ln psi|^2>), which keeps the samples of the next step near this one.  A run that loses a good part
    of the energy it has gained goes back to an earlier state and makes its steps half as long from there.  renewed: share of the
    chains that start anew, annealed, now and then: a state that puts weight where no chain has been is found out that way.
    """

    steps: int = 300
    samples: int = 1024
    chains: int = 1024
    sweeps: int = 1
    warm_up: int = 20
    rate: tuple[float, float] = (0.1, 0.02)
    shift: tuple[float, float] = (1e-2, 1e-4)
    momentum: float = 0.0
    longest: float = 0.3
    renewed: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "samples", "chains", "sweeps"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} = {value}: a whole number, 1 or more")
        if self.samples % self.chains:
            raise InputError(f"samples = {self.samples}: a multiple of chains = {self.chains} is needed")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum = {self.momentum}: from 0 to below 1")
        if not 0 <= self.renewed <= 1:
            raise InputError(f"renewed = {self.renewed}: a share of the chains, from 0 to 1")
        if min(*self.rate, *self.shift, self.longest) <= 0:
            raise InputError(f"rate = {self.rate}, shift = {self.shift}, longest = {self.longest}: all positive")

    def at(self, share: float) -> tuple[float, float]:
        """Rate and shift when a share from 0 to 1 of the run is done."""
        rate, shift = (pair[0] * (pair[1] / pair[0]) ** share for pair in (self.rate, self.shift))
        return rate, shift


def used_share(elapsed: float, seconds: float) -> float:
    """Share of ``seconds`` that has gone by; beyond 1 from the start where there were none, or fewer, to begin with."""
    return elapsed / seconds if seconds > 0 else math.inf
