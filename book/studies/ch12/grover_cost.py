"""Grover adaptive search of a list step by step, and what it costs on average in closed form."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.grover import GROWTH, check_limit, default_limit, ranked, search_steps

# What is spent on the mean until the minimum is found.
MeanCost = TypedDict("MeanCost", {"oracle calls": float, "measurements": float})


def expected_cost(count: int) -> MeanCost:
    """Without a limit, until the lowest of ``count`` different values is the threshold.

    Exact: the value with M lower ones is a threshold with probability 1 / (M + 1) (Dürr and Høyer, lemma 1), and every threshold
    is one search of Boyer et al., whose stages have success probabilities in closed form (their lemma 2).
    """
    marked = np.arange(1, count)
    angle = np.arcsin(np.sqrt(marked / count))
    calls, measurements, going = np.zeros(count - 1), np.zeros(count - 1), np.ones(count - 1)
    top, last = 1.0, False
    while not last:
        last = top == math.sqrt(count)
        choices = math.ceil(top)
        hit = 0.5 - np.sin(4 * choices * angle) / (4 * choices * np.sin(2 * angle))
        visits = going / hit if last else going  # the last stage repeats until it succeeds
        calls += visits * (choices - 1) / 2
        measurements += visits
        going = going * (1 - hit)
        top = min(top * GROWTH, math.sqrt(count))
    reached = 1 / (marked + 1)
    return {"oracle calls": float(calls @ reached), "measurements": 1 + float(measurements @ reached)}


# A search; the lists have an entry for the first draw, for every improvement and for the end.
SearchTrace = TypedDict(
    "SearchTrace",
    {
        "oracle calls": list[int],  # spent until then
        "measurements": list[int],
        "rank": list[int],  # how many values are lower than the best so far
        "index": int,  # of the best
    },
)


def adaptive_search(values: np.ndarray, rng: np.random.Generator, limit: int | None = None) -> SearchTrace:
    """One search for the lowest of values (N,), within ``limit`` oracle calls (22.5 sqrt(N) + 1.4 log2(N)^2 without it).

    Raises InputError for fewer than two values, values that are not finite, and a negative limit.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(f"values of shape {values.shape} to search: at least two, all finite, in one row")
    check_limit(limit)
    order, below = ranked(values)
    steps = list(search_steps(below, rng, default_limit(len(values)) if limit is None else limit))
    calls, measurements, places = (list(part) for part in zip(*steps, strict=True))
    ranks = [int(below[place]) for place in places]
    return {"oracle calls": calls, "measurements": measurements, "rank": ranks, "index": int(order[places[-1]])}
