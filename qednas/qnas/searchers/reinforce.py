"""REINFORCE (Williams 1992) with an independent softmax per column, as the baseline of NAS-Bench-201 (arXiv:2001.00326)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.searchers.random_search import fill_randomly, first_allowed
from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.registry import searcher
from qednas.qnas.space.space import Space

DECAYS, EPSILON = (0.9, 0.999), 1e-8  # of Adam, as published


@searcher("reinforce", place=3)
@dataclass(frozen=True)
class Reinforce:
    """rate: of Adam, which moves a logit by about that at an evaluation: .1 can become certain within a hundred.  The authors ran
    .001 and .5, and .01 for NATS-Bench, the same space.  momentum: of the baseline, a moving average of the rewards that includes
    the newest, as theirs.  Logits begin at 0, not at random values of .001.

    Scores may have any scale, so what is learnt from is (score - baseline) / standard deviation of all scores so far.  The policy
    depends on the evaluations alone, in their order, wherever they came from.  What it draws but is not allowed, or evaluated
    already, is drawn again, ``tries`` times per configuration asked for; then random ones take the places, counted in
    memory["random"].  memory["policy"] only saves repeating what was learnt.
    """

    rate: float = 0.1
    momentum: float = 0.9
    tries: int = 100

    def __post_init__(self):
        if not (self.rate > 0 and 0 <= self.momentum < 1 and self.tries >= 1):
            settings = f"rate {self.rate}, momentum {self.momentum}, {self.tries} tries"
            raise InputError(f"{settings} of REINFORCE: above 0; from 0 to below 1; at least 1")

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations."""
        chances = probabilities(candidates.space, np.array(self.learn(history.valid(), candidates.space, memory)))
        below = np.cumsum(chances, axis=1)[:, :-1]
        uniform = rng.random((count * self.tries, len(below), 1))
        return fill_randomly(first_allowed((uniform > below).sum(2), candidates, count), candidates, count, rng, memory)

    def learn(self, history: History, space: Space, memory: dict[str, Any]) -> list[list[float]]:
        """Logits (columns, most choices) after all of the history; memory["policy"] is brought up to it."""
        zeros = np.zeros((len(space.sizes), max(space.sizes)))
        state = memory.get("policy") or {"seen": 0, "average": 0.0, "logits": zeros, "first": zeros, "second": zeros}
        logits, first, second = (np.array(state[key]) for key in ("logits", "first", "second"))
        average, columns = state["average"], np.arange(len(space.sizes))
        for step in range(state["seen"] + 1, len(history) + 1):
            score, scores = history.scores[step - 1], history.scores[:step]
            average = self.momentum * average + (1 - self.momentum) * score
            reward = score - average / (1 - self.momentum**step)
            spread = scores.std()
            gradient = probabilities(space, logits)
            gradient[columns, history.digits[step - 1]] -= 1
            gradient *= reward / spread if spread > 0 else 0.0
            first = DECAYS[0] * first + (1 - DECAYS[0]) * gradient
            second = DECAYS[1] * second + (1 - DECAYS[1]) * gradient**2
            size = np.sqrt(second / (1 - DECAYS[1] ** step)) + EPSILON
            logits = logits - self.rate * first / (1 - DECAYS[0] ** step) / size
        memory["policy"] = {"seen": len(history), "average": float(average)}
        memory["policy"] |= {"logits": logits.tolist(), "first": first.tolist(), "second": second.tolist()}
        return memory["policy"]["logits"]


def probabilities(space: Space, logits: np.ndarray) -> np.ndarray:
    """(columns, most choices) of every choice; 0 where a column has fewer."""
    valid = np.arange(logits.shape[1]) < np.array(space.sizes)[:, None]
    weights = np.where(valid, np.exp(logits - logits.max(1, keepdims=True)), 0)
    return weights / weights.sum(1, keepdims=True)
