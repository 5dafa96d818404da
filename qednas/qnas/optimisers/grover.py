"""Grover adaptive search: the minimum of a list by amplitude amplification of everything below a falling threshold.

Dürr and Høyer, quant-ph/9607014; the number of iterations, with the marked items uncounted, by Boyer, Brassard, Høyer and Tapp,
quant-ph/9605034; as a method of optimisation Baritompa, Bulger and Wood, SIAM J. Optim. 15, 1170 (2005).

Simulated exactly without state vectors: with M of N items marked, a measurement after k iterations gives a marked one with
probability sin^2((2k+1) theta), sin^2 theta = M/N, all marked ones alike.  One iteration is one oracle call, which evaluates the
list in superposition; a measurement is followed by one ordinary evaluation.  The two are counted apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import optimiser
from qednas.qnas.space.space import MOST_LISTED

GROWTH = 6 / 5  # lambda of Boyer et al.: by this the range of iterations grows after every failure


@optimiser("grover", place=3)
@dataclass(frozen=True)
class Grover(Optimiser):
    """Every shot is a search of its own over the whole listed space; what it ends with is the shot.

    limit: oracle calls of one shot; without it sqrt(N), which ends at good configurations that differ.  With 22.5 sqrt(N) +
    1.4 log2(N)^2 (:func:`default_limit`) nearly every shot ends at the minimum, as a look at all configurations would.
    """

    limit: int | None = None

    def __post_init__(self):
        check_limit(self.limit)

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """calls: "oracle calls" of the cost given and "measurements". Nothing is taken from ``earlier``.

        Raises InputError above 2^22 configurations.
        """
        size = cost.space.size
        if size > MOST_LISTED:
            raise InputError(f"Grover search over {size:.3g} configurations: at most {MOST_LISTED} can be listed")
        order, below = ranked(cost.listed().ravel())
        limit = math.ceil(size**0.5) if self.limit is None else self.limit
        ends = [_last(search_steps(below, rng, limit)) for _ in range(shots)]
        calls, measurements, places = np.array(ends, dtype=np.int64).reshape(shots, 3).T
        spent = {"oracle calls": int(calls.sum()), "measurements": int(measurements.sum())}
        return Samples(cost.space.digits(order[places]), calls=spent)


def default_limit(count: int) -> int:
    """22.5 sqrt(N) + 1.4 log2(N)^2 oracle calls for N items (Dürr and Høyer, theorem 1)."""
    return math.ceil(22.5 * math.sqrt(count) + 1.4 * math.log2(count) ** 2)


def success(marked: int, count: int, iterations: int) -> float:
    """Probability to measure one of the marked among count items after so many iterations (Boyer et al., section 3)."""
    return math.sin((2 * iterations + 1) * math.asin(math.sqrt(marked / count))) ** 2


def ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices from the lowest value up, and for each place in that order the number of values strictly lower."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.searchsorted(ordered, ordered)


def search_steps(below: np.ndarray, rng: np.random.Generator, limit: int) -> Iterator[tuple[int, int, int]]:
    """(oracle calls, measurements, place of the best) after the first draw, after every improvement and at the end."""
    count = len(below)
    widest = math.sqrt(count)
    place, calls, measurements, top = int(rng.integers(count)), 0, 1, 1.0
    yield calls, measurements, place
    while True:
        iterations = int(rng.random() * math.ceil(top))
        if calls + iterations > limit:  # interrupted: the last state is not measured
            yield calls, measurements, place
            return
        calls += iterations
        measurements += 1
        marked = int(below[place])
        if rng.random() < success(marked, count, iterations):
            place, top = int(rng.random() * marked), 1.0
            yield calls, measurements, place
        else:
            top = min(top * GROWTH, widest)


def _last(steps: Iterator[tuple[int, int, int]]) -> tuple[int, int, int]:
    for step in steps:
        last = step
    return last


def check_limit(limit: int | None) -> None:
    if limit is not None and limit < 0:
        raise InputError(f"limit = {limit} oracle calls: at least 0")
