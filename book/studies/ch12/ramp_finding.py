"""How the shipped ramps of angles were found: on random costs, none of which is a benchmark."""

from __future__ import annotations

import numpy as np

from qednas.qnas.optimisers.angles import linear_ramp
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.optimisers.descent import lbfgs
from qednas.qnas.optimisers.objectives import Expectation
from qednas.qnas.optimisers.ramps import units
from studies.ch12.instances import random_cost

# What they were found on: two random costs of every one of these spaces, seed 0.  No benchmark table was looked at.
SIZES = ((2,) * 8, (3,) * 5, (4,) * 4, (5,) * 3, (2, 3, 5))
DRAWS, PENALTY = 2, 2.0
STARTS = ((0.5, 0.4), (1.0, 1.2))  # the better end of two descents
STEPS = 50


def find_ramp(mixer: str, encoding: str, depth: int) -> tuple[float, float]:
    """The ends, in their units, of the lowest mean energy of the random costs."""
    rng = np.random.default_rng(0)
    costs = [random_cost(sizes, rng) for sizes in SIZES for _ in range(DRAWS)]
    circuits = [alternating_circuit(cost, mixer, encoding, PENALTY)[0] for cost in costs]
    scales = [
        units(mixer, cost.space.sizes, len(circuit.energies)) for cost, circuit in zip(costs, circuits, strict=True)
    ]
    unit_ramp = linear_ramp(depth, 1.0, 1.0)

    def value_and_gradient(ends: np.ndarray) -> tuple[float, np.ndarray]:
        total, pull = 0.0, np.zeros(2)
        for circuit, scale in zip(circuits, scales, strict=True):
            angles = linear_ramp(depth, *(ends * scale))
            value, gradient = circuit.value_and_gradient(angles, Expectation(circuit.energies))
            total += value
            pull += scale * [ramp @ slope for ramp, slope in zip(unit_ramp, gradient, strict=True)]
        return total / len(circuits), pull / len(circuits)

    ends, _ = min(
        (lbfgs(value_and_gradient, np.array(start), STEPS) for start in STARTS), key=lambda minimum: minimum[1]
    )
    return float(ends[0]), float(ends[1])
