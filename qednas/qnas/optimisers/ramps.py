"""Linear ramps to begin with, found on random costs: good angles concentrate, so they serve any cost of standard deviation 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.angles import linear_ramp

# {mixer and encoding: {depth: ends}} from ``book/studies/ch12/ramp_finding.py``, in the units of :func:`units`.
RAMPS: dict[str, dict[int, tuple[float, float]]] = {
    "xy-complete": {1: (0.49, 1.11), 2: (0.66, 1.5), 4: (0.82, 1.64), 8: (0.92, 1.62), 16: (0.87, 1.81)},
    "xy-ring": {1: (0.49, 0.41), 2: (0.62, 0.58), 4: (0.76, 0.65), 8: (0.81, 0.68), 16: (0.85, 0.63)},
    "x binary": {1: (0.38, 0.4), 2: (0.41, 0.54), 4: (0.57, 0.55), 8: (0.59, 0.53), 16: (0.62, 0.47)},
    "x domain-wall": {1: (0.52, 0.46), 2: (0.72, 0.62), 4: (0.92, 0.7), 8: (1.04, 0.65), 16: (1.17, 0.53)},
    "x one-hot": {1: (0.54, 0.4), 2: (0.74, 0.42), 4: (1.29, 0.59), 8: (1.21, 0.6), 16: (1.29, 0.57)},
}


def kind(mixer: str, encoding: str) -> str:
    """The name of a ramp."""
    return f"x {encoding}" if mixer == "x" else mixer


def units(mixer: str, sizes: Sequence[int], states: int) -> np.ndarray:
    """What the ends of a ramp are given in, for columns of these sizes and so many basis states.

    gamma_max: sqrt(log N), the ratio of the range of energies of N states to their standard deviation.  beta_max: for xy-complete
    one over the mean size, since the gap of a column's mixer is its size.
    """
    return np.array([np.log(states) ** 0.5, 1 / np.mean(sizes) if mixer == "xy-complete" else 1.0])


def shipped_ramp(mixer: str, encoding: str, depth: int, sizes: Sequence[int], states: int) -> Angles:
    """Angles for a depth; between the depths of the table linear in log depth, and constant beyond."""
    table = RAMPS[kind(mixer, encoding)]
    log_depths = np.log(list(table))
    ends = np.array([np.interp(np.log(depth), log_depths, values) for values in zip(*table.values(), strict=True)])
    gamma_max, beta_max = ends * units(mixer, sizes, states)
    return linear_ramp(depth, gamma_max, beta_max)
