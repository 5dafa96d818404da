"""REINFORCE: its policy against automatic derivatives, and what it asks for."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from qednas.qnas.searchers.reinforce import Reinforce, probabilities
from qednas.qnas.space.interfaces import History
from qednas.qnas.space.space import Space
from qnas_candidates import candidates, space

SPACE = Space.of({"a": range(3), "b": range(2), "c": range(4)})


def test_the_policy_is_that_of_torch():
    """Adam on -log p (score - baseline) / deviation, as an automatic derivative; learnt at once or step by step."""
    draws = np.random.default_rng(6)
    history = History(SPACE.draw(40, draws), draws.normal(30, 5, size=40))
    logits = [torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in SPACE.sizes]
    adam = torch.optim.Adam(logits, lr=0.03)
    top = bottom = 0.0
    for step, (digits, score) in enumerate(zip(history.digits, history.scores, strict=True), 1):
        top, bottom = 0.8 * top + 0.2 * score, 0.8 * bottom + 0.2
        spread = np.std(history.scores[:step]) or np.inf
        chance = sum(torch.log_softmax(own, 0)[int(d)] for own, d in zip(logits, digits, strict=True))
        adam.zero_grad()
        (-chance * (score - top / bottom) / spread).backward()
        adam.step()
    searcher = Reinforce(rate=0.03, momentum=0.8)
    found = np.array(searcher.learn(history, SPACE, {}))
    for own, row in zip(logits, found, strict=True):
        assert row[: len(own)] == pytest.approx(own.detach().numpy(), abs=1e-12)
    memory = {}
    for length in (0, 7, 8, 40):
        stepwise = searcher.learn(History(history.digits[:length], history.scores[:length]), SPACE, memory)
    assert np.array_equal(stepwise, found)
    moved = searcher.learn(History(history.digits, 1e-9 * history.scores - 4e-7), SPACE, {})
    assert np.allclose(moved, found, atol=1e-5)


def test_what_is_asked_for_follows_the_policy():
    large = space(12, 3)
    logits = np.random.default_rng(7).normal(size=(12, 3))
    zero = np.zeros((12, 3)).tolist()
    memory = {"policy": {"seen": 0, "average": 0.0, "logits": logits.tolist(), "first": zero, "second": zero}}
    own = candidates(large, np.zeros((0, 12), int))
    nothing = History(np.zeros((0, 12), int), np.zeros(0))
    asked = np.concatenate([Reinforce().ask(nothing, own, 1, np.random.default_rng(k), memory) for k in range(1000)])
    for column, expected in enumerate(probabilities(large, logits)):
        assert (
            chisquare(np.bincount(asked[:, column], minlength=3), 1000 * expected).pvalue > 1e-5
        )  # once in 8,000 seeds
    sizes = probabilities(SPACE, np.zeros((3, 4)))
    assert sizes == pytest.approx(np.array([[1 / 3] * 3 + [0], [1 / 2] * 2 + [0] * 2, [1 / 4] * 4]))


def test_a_policy_that_is_certain_gives_up():
    logits = np.zeros((3, 4))
    logits[:, 1] = 100
    zero = np.zeros((3, 4)).tolist()
    memory = {"policy": {"seen": 1, "average": 0.0, "logits": logits.tolist(), "first": zero, "second": zero}}
    history = History(np.array([[1, 1, 1]]), np.ones(1))
    asked = Reinforce(tries=10).ask(history, candidates(SPACE, history.digits), 2, np.random.default_rng(0), memory)
    assert len(asked) == 2
    assert memory["random"] == 2
