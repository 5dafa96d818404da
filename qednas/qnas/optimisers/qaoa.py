"""QAOA as an optimiser of a pairwise cost, simulated exactly (Farhi et al., arXiv:1411.4028; Hadfield et al., arXiv:1709.03489).

With an XY mixer the state stays among the configurations, which have an amplitude each; with the X mixer it has all bit strings
of an encoding.  Angles are those of the standardised cost, so they carry over from one cost to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Alternating, Angles
from qednas.qnas.optimisers.angles import STRATEGIES, Tuning, draw, spread
from qednas.qnas.optimisers.cost_circuit import MIXERS, Diagonal, alternating_circuit, check_encoding
from qednas.qnas.optimisers.objectives import objective
from qednas.qnas.optimisers.ramps import shipped_ramp
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import optimiser


@dataclass(frozen=True)
class OptimisedCircuit:
    """A circuit with the angles found for it; ``evaluations`` of the circuit that this took."""

    circuit: Alternating
    diagonal: Diagonal
    angles: Angles
    evaluations: int

    def probabilities(self) -> np.ndarray:
        """(N,) of the basis states, whose energies are ``diagonal.energies``."""
        return self.circuit.probabilities(self.angles)


@optimiser("qaoa", place=1)
@dataclass(frozen=True)
class QAOA(Optimiser):
    """depth: layers p.  mixer: "xy-complete", "xy-ring" or "x".  encoding, penalty (in standard deviations of the cost): for "x"
    only.  strategy: "standard", "ramp", "interp" or "multi-angle".  objective: "expectation" or "cvar" of the lowest ``alpha``.
    steps: iterations of every optimisation; 0 takes angles as they are.  restarts: random starts of "standard".
    objective_shots: measurements of every estimate of the objective, None for its exact value.  share: of the classical choice
    in a biased start (Egger et al., arXiv:2009.10095), None for an equal one.

    Raises InputError for other names and numbers.
    """

    depth: int = 4
    mixer: str = "xy-complete"
    encoding: str = "binary"
    penalty: float = 2.0
    strategy: str = "standard"
    objective: str = "expectation"
    alpha: float = 0.2
    steps: int = 30
    restarts: int = 0
    objective_shots: int | None = None
    share: float | None = None

    def __post_init__(self):
        for name, allowed in (("mixer", MIXERS), ("strategy", STRATEGIES), ("objective", ("expectation", "cvar"))):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} {getattr(self, name)!r}: one of {', '.join(allowed)}")
        check_encoding(self.encoding)
        for name, least in (("depth", 1), ("steps", 0), ("restarts", 0), ("objective_shots", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"{name} = {value}: at least {least}")
        if not 0 < self.alpha <= 1:
            raise InputError(f"alpha = {self.alpha}: above 0 and at most 1")

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """calls: "circuits", evaluations of the circuit, counting value and gradient as one (a device would need two circuits per
        gate and angle for the gradient by parameter shifts), and the one that is measured.  found: "angles", [gammas, betas].

        Angles of ``earlier`` are where the optimisation starts, or are used as they are where steps = 0.  A cost that is the same
        everywhere is not optimised: configurations are drawn at random.
        Raises InputError above 2^22 configurations or 20 qubits, and for angles of another circuit.
        """
        try:
            standard = cost.standardised()
        except ValueError:
            warm_start = {key: value for key, value in (earlier or {}).items() if key == "angles"}
            return Samples(cost.space.draw(shots, rng), calls={"circuits": 0}, found=warm_start)
        fit = self.optimise(standard, rng, earlier)
        index = draw(fit.probabilities(), shots, rng)
        digits, feasible = fit.diagonal.decode(index)
        gammas, betas = fit.angles
        return Samples(
            digits[feasible],
            int(shots - feasible.sum()),
            {"circuits": fit.evaluations + 1},
            {"angles": [gammas.tolist(), betas.tolist()]},
        )

    def optimise(
        self, cost: Pairwise, rng: np.random.Generator, earlier: Mapping[str, Any] | None = None
    ) -> OptimisedCircuit:
        """The circuit of a cost and its angles. Raises as :meth:`sample`, and ValueError for a constant cost."""
        circuit, diagonal = alternating_circuit(
            cost.standardised(), self.mixer, self.encoding, self.penalty, self.share
        )
        multi_angle = self.strategy == "multi-angle"
        if multi_angle and circuit.terms is None:
            raise InputError("multi-angle with binary encoding: needs columns of 2, 4, 8, ... choices")

        def initial(depth: int) -> Angles:
            return shipped_ramp(self.mixer, self.encoding, depth, cost.space.sizes, len(circuit.energies))

        given = None if earlier is None or "angles" not in earlier else self.check_angles(circuit, earlier["angles"])
        tuning = Tuning(
            circuit,
            objective(self.objective, circuit.energies, self.alpha),
            self.depth,
            initial,
            given,
            self.steps,
            self.restarts,
            self.objective_shots,
            rng,
        )
        angles = STRATEGIES[self.strategy](tuning) if self.steps else tuning.start()
        if multi_angle:
            angles = spread(angles, circuit)
        return OptimisedCircuit(circuit, diagonal, angles, circuit.evaluations)

    def check_angles(self, circuit: Alternating, angles: Sequence[Any]) -> Angles:
        """Angles [gammas, betas] as arrays; raises InputError where they do not fit."""
        gammas, betas = circuit.checked((np.array(angles[0]), np.array(angles[1])))
        if len(gammas) != self.depth:
            raise InputError(f"angles of {len(gammas)} layers: the depth is {self.depth}")
        return gammas, betas
