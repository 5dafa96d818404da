"""The judgement of chapter 7 on numbers that are made up, and its searchers on a short chain."""

import numpy as np
import pytest
import torch

from qednas.qed.search.architecture import Architecture
from qednas.qed.search.search import CHOSEN
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import CostClass, measured_costs
from studies.ch06.every_architecture import every_part
from studies.ch07.evaluation import (
    BLIND,
    RANDOM,
    SEARCH,
    SUPERNET,
    best_sizes,
    draw_architectures,
    run_searcher,
    slow_sizes,
    target_of,
)
from studies.ch07.verdict import entropy_missed, judge_evaluation, log_error

TARGET = {"class": "critical", "family": "tfim", "sites": 8, "parameters": {"h": 1.0}}


def made_up(errors: dict[str, list[float]], sites: int = 50, wanted: float = 0.4) -> dict:
    """Runs with two seeds whose relative errors are those given, one number a target."""
    count = len(next(iter(errors.values())))
    runs = [
        {"target": k, "method": method, "seed": seed, "relative": values[k] * (1.1 if seed else 1 / 1.1),
         "relative_error": 1e-9, "r_hat": 1.0, "renyi2": 0.4, "renyi2_error": 0.01}
        for method, values in errors.items() for k in range(count) for seed in range(2)
    ]  # fmt: skip
    targets, references = [{**TARGET, "sites": sites}] * count, [{"renyi2": wanted}] * count
    return {"07/runs": {"targets": targets, "references": references, "runs": runs}}


def test_better_than_every_block_means_every_block():
    blocks = {"jastrow": [1e-2, 1e-2], "rbm": [1e-3, 1e-5], "mps": [1e-3, 1e-3], "dense": [1e-1, 1e-1]}
    searches = {SEARCH: [1e-4, 1e-4], BLIND: [2e-4, 1e-4], RANDOM: [1e-3, 1e-4]}
    found = judge_evaluation(made_up(blocks | searches))
    first, second = found["rows"]
    assert first["better_than_blocks"]
    assert first["best"]
    assert not second["better_than_blocks"]
    assert second["best_block"] == "rbm"
    assert not second["not_worse"]
    assert found["summary"]["share_better_than_blocks"] == 0.5
    assert found["summary"]["share_handled"] == 1.0
    assert found["compared"][BLIND]["gain"] == pytest.approx(np.log(2) / 2)
    assert found["summary"]["best"] == {"hits": 1, "units": 2}
    assert found["summary"]["precise"]["gain"] == pytest.approx(np.log(10))
    # Twice the best block's errors, 1e-3 and 1e-5, over 1e-4.
    assert found["summary"]["over_best_block"]["gain"] == pytest.approx((np.log(20) + np.log(0.2)) / 2)
    assert found["summary"]["least_gain"] == pytest.approx(np.log(2) / 2)


def test_the_same_network_is_not_better_than_itself():
    same = dict.fromkeys(("jastrow", "rbm", "mps", "dense", SEARCH, BLIND, RANDOM), [1e-3])
    row = judge_evaluation(made_up(same))["rows"][0]
    assert not row["better_than_blocks"]
    assert row["best"]
    assert row["not_worse"]


def test_short_systems_do_not_count_as_handled_at_50():
    same = dict.fromkeys(("jastrow", "rbm", "mps", "dense", SEARCH, BLIND, RANDOM), [1e-3])
    assert judge_evaluation(made_up(same, sites=20))["summary"]["share_handled"] == 0.0


def test_the_entropy_counts_beyond_its_own_error():
    run = {"renyi2": 0.5, "renyi2_error": 0.01}
    assert entropy_missed(run, 0.4) == pytest.approx(0.08 / 0.4)
    assert entropy_missed(run, 0.49) == 0
    assert entropy_missed({"renyi2": 0.05, "renyi2_error": None}, 0.01) == pytest.approx(0.4)  # in shares of 0.1 nats
    assert entropy_missed({"renyi2": None, "renyi2_error": None}, 0.4) == 1
    same = dict.fromkeys(("jastrow", "rbm", "mps", "dense", SEARCH, BLIND, RANDOM), [1e-3])
    summary = judge_evaluation(made_up(same, wanted=0.2))["summary"]
    assert summary["worst_missed"] == summary["long_worst_missed"] == pytest.approx(0.18 / 0.2)
    assert summary["worst_relative"] == pytest.approx(1e-3, rel=0.02)
    assert summary["worst_missed_units"] == 2


def test_an_error_below_its_own_error_bar_is_told_as_that():
    assert log_error({"relative": -1e-5, "relative_error": 1e-4}) == pytest.approx(np.log(1e-4))
    assert log_error({"relative": 1e-3, "relative_error": 1e-4}) == pytest.approx(np.log(1e-3))


def test_the_best_size_is_one_whose_chains_agree():
    tasks = [{"target": TARGET, "part": p} for p in ("rbm/4x4", "rbm/full", "mps/2")]
    found = [{"energy": -9.0, "r_hat": 1.5}, {"energy": -8.0, "r_hat": 1.0}, {"energy": -7.0, "r_hat": None}]
    assert best_sizes([TARGET], tasks, found) == [{"rbm": "rbm/full", "mps": "mps/2"}]


def test_an_attention_network_takes_part_where_it_keeps_to_the_budget():
    assert slow_sizes({**TARGET, "sites": 50}, 40) == {"attention": "attention/8"}
    assert slow_sizes({**TARGET, "sites": 50}, 10) == {}


def test_random_search_draws_every_architecture_alike_and_none_twice():
    """First draws of 600 seeds over the space: chi-square, once in 10,000."""
    from scipy.stats import chisquare

    _, given = target_of(TARGET)
    parts = every_part(given, ("jastrow", "rbm", "mps"), 60)
    several = draw_architectures(given, parts, 60, 5, 0)
    assert len(set(several)) == 5
    assert all(a.parameters(given) <= 60 for a in several)
    firsts = [str(draw_architectures(given, parts, 60, 1, seed)[0]) for seed in range(600)]
    every = draw_architectures(given, parts, 60, 1000, 0)
    counts = [firsts.count(str(a)) for a in every]
    assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("method", [SEARCH, RANDOM])
def test_a_searcher_keeps_to_its_cost_and_its_budget(method):
    torch.set_num_threads(1)
    task = {"target": TARGET, "method": method, "seed": 1, "seconds": 1.0, "search_seconds": 4.0, "budget": 12}
    found = run_searcher(task)
    assert found["parameters"] <= 96
    hamiltonian, given = target_of(TARGET)
    costs, where = measured_costs(), CostClass.of(hamiltonian, given)
    if method == SEARCH:
        expected = costs.of_search(where, SearchSettings(**CHOSEN), 12).steps(SUPERNET * 4.0)
        assert found["supernet_steps"] == expected
    whole = found["train_steps"] * costs.of(where, Architecture(tuple(found["architecture"]))).seconds
    assert 0.4 < whole < 1.2  # its start comes on top
    assert found["energy"] > -9.8379514474593 - 5 * found["error"]  # exact
    # How far training gets in so few steps is no bar; where it starts (all amplitudes alike, energy -8) and which way it
    # goes are. The bars are judged in chapter 7.
    assert found["energy"] < -8.0 + 5 * found["error"]
    assert ("supernet_steps" in found) == (method == SEARCH)
    assert found["architecture"] in [c["architecture"] for c in found["candidates"]]


def test_a_training_that_fails_is_recorded_and_counts_as_nothing(monkeypatch):
    from qednas.base.errors import NumericalError
    from studies.ch07 import evaluation

    def failing(*_):
        raise NumericalError("fewer than 0.001 of the samples have it")

    monkeypatch.setattr(evaluation, "train_alone", failing)
    found = evaluation.run_single({"target": TARGET, "part": "mps/2", "seed": 0, "seconds": 1.0})
    assert found["energy"] == 0.0
    assert found["failed"].startswith("fewer than 0.001")
    assert log_error({"relative": 1.0, "relative_error": 0.0}) == 0.0
