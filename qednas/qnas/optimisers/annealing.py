"""Annealing of the Hamiltonian that a pairwise cost becomes: thermal, and quantum by path-integral Monte Carlo.

Energies and temperatures are in standard deviations of the cost over the space, so one setting serves costs of any scale.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.ising import Ising
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import optimiser

# Where random costs (6 columns of 5 choices, pairs 0.1 to 2 times the single terms) show the optimum most often: below, shots are
# infeasible; above, configurations are walled off from each other.  How much is needed depends on the cost, so it is raised where
# fewer than half of the shots are feasible.  Binary columns of two choices have no infeasible strings.
PENALTIES = {"one-hot": 0.8, "domain-wall": 2.0, "binary": 0.0}
RAISE = 1.5
MOST_TRIES = 4


@dataclass(frozen=True)
class Annealer(Optimiser):
    """encoding: one of ENCODINGS.  penalty: of a broken constraint; without it PENALTIES, and while fewer than half of the shots
    are feasible 1.5 times more, as long as that helps and at most 3 times.  sweeps: of every shot, one update per qubit each.
    temperature: at the end, in standard deviations of the cost as the penalty is.

    Raises InputError for another encoding and for numbers that are not positive.
    """

    encoding: str = "one-hot"
    penalty: float | None = None
    sweeps: int = 1000
    temperature: float = 0.05

    def __post_init__(self):
        if self.encoding not in ENCODINGS:
            raise InputError(f"encoding {self.encoding!r}: one of {', '.join(ENCODINGS)}")
        for name in ("penalty", "sweeps", "temperature"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} = {value}: a number above 0 is allowed")

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """One annealing run per shot; calls: "sweeps" of all runs, also of those with a penalty that was then raised.  A cost
        that is the same everywhere needs none: its shots are drawn at random.  Nothing is taken from ``earlier``.

        Raises InputError for the binary encoding of a column with more than two choices: it is not quadratic.
        """
        space = cost.space
        try:
            standard = cost.standardised()
        except ValueError:
            return Samples(space.draw(shots, rng), calls={"sweeps": 0})
        encoding = ENCODINGS[self.encoding]
        penalty = PENALTIES[self.encoding] if self.penalty is None else self.penalty
        best, tries = np.empty((0, len(space.sizes)), dtype=np.int64), 0
        while tries < MOST_TRIES:
            tries += 1
            seed = int(rng.integers(1, 2**31))  # the samplers take 0 for "any seed"
            samples = self._anneal(encoding.hamiltonian(standard, penalty), shots, seed)
            order = np.argsort(list(samples.variables))
            digits, feasible = encoding.decode(space, (1 - samples.record.sample[:, order]) // 2)
            worse = 0 < len(best) >= feasible.sum()
            if not worse:
                best = digits[feasible]
            if worse or self.penalty is not None or 2 * len(best) >= shots:
                break
            penalty *= RAISE
        return Samples(best, shots - len(best), {"sweeps": self.sweeps * shots * tries})

    @abstractmethod
    def _anneal(self, problem: Ising, shots: int, seed: int) -> Any:
        """dimod.SampleSet with a row per shot."""


@optimiser("simulated-annealing", place=5)
@dataclass(frozen=True)
class SimulatedAnnealing(Annealer):
    """Metropolis updates while the temperature falls geometrically, from one at which at least half of all flips are accepted."""

    def _anneal(self, problem: Ising, shots: int, seed: int) -> Any:
        from dwave.samplers import SimulatedAnnealingSampler

        hottest = 2 * problem.largest_field() / math.log(2)
        span = (1 / max(hottest, self.temperature), 1 / self.temperature)
        sampler = SimulatedAnnealingSampler()
        return sampler.sample(problem.to_dimod(), num_reads=shots, num_sweeps=self.sweeps, seed=seed, beta_range=span)


@optimiser("annealing", place=4)
@dataclass(frozen=True)
class QuantumAnnealing(Annealer):
    """H(t) = A(t) H_init + B(t) H_problem with H_init = -sum_i X_i, by path-integral Monte Carlo in continuous imaginary time.

    transverse: A and problem: B, values at equal steps of time from the beginning to the end, linear in between; A in standard
    deviations of the cost, B a pure number.  The temperature is fixed.  A shot is one slice of the worldlines at the end, that is
    a measurement of all Z.  The sampler (King et al., Nat. Commun. 12, 1113 (2021), arXiv:1911.03446) follows equilibrium, not
    Schrödinger dynamics: its sweeps are no time on a device.  Its work grows with the square of the qubits times A / temperature:
    300 qubits take about a second per shot.
    """

    sweeps: int = 100
    transverse: tuple[float, ...] = (0.5, 0.0)
    problem: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        for name in ("transverse", "problem"):
            values = getattr(self, name)
            if len(values) < 2 or not all(0 <= v < math.inf for v in values):
                raise InputError(f"{name} = {values}: at least two values, none negative, are allowed")

    def _anneal(self, problem: Ising, shots: int, seed: int) -> Any:
        from dwave.samplers import PathIntegralAnnealingSampler

        fields = {"Hd_field": self.transverse, "Hp_field": self.problem}
        time = np.linspace(0, 1, self.sweeps)
        over_temperature = {
            name: np.interp(time, np.linspace(0, 1, len(values)), values) / self.temperature
            for name, values in fields.items()
        }
        sampler = PathIntegralAnnealingSampler()
        return sampler.sample(
            problem.to_dimod(), num_reads=shots, seed=seed, beta_schedule_type="custom", **over_temperature
        )
