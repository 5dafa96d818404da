"""What the measurements of QAOA by its depth hand on: the records of :mod:`~studies.ch12.depths`."""

from __future__ import annotations

from typing import TypedDict

import numpy as np


class Descents(TypedDict):
    """Steepest descents by changes of one column, from every configuration."""

    reached: float  # share that ends at the optimum
    steps: float  # mean number of changes
    minima: int  # configurations where they end


class Quality(TypedDict):
    """Of one measurement, as :func:`~studies.ch12.depths.quality` tells it."""

    ratio: float
    optimum: float
    near: float


class DescentQuality(Descents):
    """What classical methods do instead."""

    from_singles: float  # 1 where the best choices of the single columns, all columns alone, are the optimum, else 0


class DepthRun(TypedDict):
    """One circuit on one cost; of several costs, everything with an axis over instances in front."""

    ratio: np.ndarray  # (strategies, depths) approximation ratio
    optimum: np.ndarray  # (strategies, depths) chance of it
    near: np.ndarray  # (strategies, depths) chance of the best 1 %
    circuits: np.ndarray  # (strategies, depths) evaluated until the angles were found
    uniform: Quality  # of configurations alike
    descent: DescentQuality
    pair_share: float  # of the variance of the cost


class DepthRuns(TypedDict):
    """Every strategy at every depth."""

    found: dict[str, dict[str, DepthRun]]  # {"mixer, choices": {kind of costs: ...}}
    strategies: list[str]
    depths: list[int]
    alpha: float  # share of the lowest energies that CVaR looks at


class FromStarts(TypedDict):
    """Without estimates, of every start: (starts,) each."""

    ratio: np.ndarray
    optimum: np.ndarray
    near: np.ndarray
    circuits: np.ndarray  # evaluated


class EstimatedRun(TypedDict):
    """Angles of one cost from estimated expectations; of several costs, everything with an axis over instances in front."""

    ratio: np.ndarray  # (starts, shots, circuits) approximation ratio after SPSA
    optimum: np.ndarray  # (starts, shots, circuits) chance of it
    start: FromStarts  # without any step
    lbfgs: FromStarts  # with exact gradients
    uniform: float  # chance of the optimum where configurations are alike


class EstimatedRuns(TypedDict):
    """Angles from estimated expectations."""

    found: dict[str, EstimatedRun]  # {kind of costs: ...}
    depth: int
    mixer: str
    starts: list[float]  # shares of the shipped ramp
    shots: list[int]  # of each estimate, 0 for the exact value
    circuits: list[int]  # estimates in all


class LookTiming(TypedDict):
    """Medians over repeats."""

    look_seconds: float  # for a look at every cost
    circuit_seconds: float  # for one simulated circuit
    search_seconds: float  # for QAOA with its angles found
    slowdown: float  # of the search over the look


class LookTimes(TypedDict):
    """What a look at every cost takes, and what its simulation takes."""

    timing: LookTiming
    configurations: int
    depth: int
