"""Random search: every allowed configuration with the same probability (Li and Talwalkar 2019, arXiv:1902.07638)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.registry import searcher


@searcher("random", place=5)
@dataclass(frozen=True)
class RandomSearch:
    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations."""
        return candidates.draw(count, rng)


def first_allowed(proposed: np.ndarray, candidates: Candidates, count: int) -> np.ndarray:
    """The first ``count`` different allowed rows of proposed (n, columns).

    They are looked at a few at a time: what is allowed may take long to find out.
    """
    chosen: dict[bytes, np.ndarray] = {}
    start, size = 0, count
    while start < len(proposed) and len(chosen) < count:
        part = proposed[start : start + size]
        for row in part[candidates.allowed(part)]:
            chosen.setdefault(row.tobytes(), row)
        start, size = start + size, 2 * size
    return np.array(list(chosen.values())[:count], np.int64).reshape(-1, proposed.shape[1])


def fill_randomly(
    chosen: np.ndarray, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
) -> np.ndarray:
    """chosen (n, columns), up to ``count`` with random ones after them, whose number is added to memory["random"]."""
    missing = count - len(chosen)
    if not missing:
        return chosen
    drawn = candidates.draw(count, rng)
    new = drawn[~(drawn[:, None] == chosen).all(2).any(1)][:missing]
    memory["random"] = memory.get("random", 0) + len(new)
    return np.concatenate([chosen, new])
