"""What Grover adaptive search costs on average, in closed form."""

from __future__ import annotations

import math

import numpy as np

from qednas.qnas.optimisers.grover import GROWTH


def expected_cost(count: int) -> dict[str, float]:
    """Mean "oracle calls" and "measurements", without a limit, until the lowest of ``count`` different values is the threshold.

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
