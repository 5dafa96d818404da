"""Local search (White, Nolen and Savani 2021, arXiv:2005.02960): climb among neighbours, at a local maximum start again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.registry import searcher


@searcher("local", place=2)
@dataclass(frozen=True)
class LocalSearch:
    """starts: random configurations, the best of which a climb begins at.  whole: evaluate all neighbours (one column different),
    then move to the best (the hill climbing of the paper); otherwise evaluate them in random order and move as soon as one is
    better (saves evaluations, and is the default of the authors' later code, naszilla, as are 10 starts).

    What was evaluated earlier is known and not asked for again.  memory["climb"]: "since", the length of the history when it
    began, and "at", where it has come to.
    """

    starts: int = 10
    whole: bool = False

    def __post_init__(self):
        if self.starts < 1:
            raise InputError(f"{self.starts} starts of a local search: at least 1")

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations; fewer where fewer neighbours are left."""
        climb = memory.setdefault("climb", {"since": 0, "at": None})
        recent = History(history.digits[climb["since"] :], history.scores[climb["since"] :]).valid()
        if climb["at"] is None:
            if len(history) - climb["since"] < self.starts or not len(recent):
                return candidates.draw(count, rng)
            climb["at"] = recent.digits[recent.scores.argmax()].tolist()
        left = self.move(history.valid(), candidates, climb)
        if len(left):
            return rng.permutation(left)[:count]
        climb.update(since=len(history), at=None)
        return candidates.draw(count, rng)

    def move(self, history: History, candidates: Candidates, climb: dict[str, Any]) -> np.ndarray:
        """As far up as is known; returns the neighbours (n, columns) that may be asked for there, none at a maximum."""
        known = {tuple(digits): score for digits, score in zip(history.digits.tolist(), history.scores, strict=True)}
        while True:
            around = candidates.space.neighbours(np.array(climb["at"]))
            left = around[candidates.allowed(around)]
            if len(left) and self.whole:
                return left
            best = max(
                (tuple(digits) for digits in around.tolist()), key=lambda neighbour: known.get(neighbour, -np.inf)
            )
            if known.get(best, -np.inf) <= known[tuple(climb["at"])]:
                return left
            climb["at"] = list(best)
