"""Regrets, evaluations needed and comparisons of searchers against values by hand, SciPy and simulation."""

import json

import numpy as np
import pytest
from scipy import stats

from qednas.base.errors import InputError
from studies.ch13.regrets import compare, compare_pair, evaluations_to, mean_ranks, median_evaluations, regret_curves

FAILED = np.nan


def test_curves_and_evaluations():
    scores = np.array([[1.0, 3, 2, 5], [FAILED, 2, FAILED, 4], [4, 1, 1, FAILED]])
    assert regret_curves(scores, 5).tolist() == [[4, 2, 2, 0], [np.inf, 3, 3, 1], [1, 1, 1, 1]]
    assert evaluations_to(scores, 3).tolist() == [2, 4, 1]
    assert evaluations_to(scores, 5).tolist() == [4, 5, 5]
    assert evaluations_to(scores[1], 2) == 2


def test_a_median_of_censored_counts():
    counts = np.array([10, 20, 30, 101, 101])
    found = median_evaluations(counts, 100, np.random.default_rng(0))
    assert {key: found[key] for key in ("median", "runs", "reached", "censored")} == {
        "median": 30, "runs": 5, "reached": 3, "censored": False,
    }  # fmt: skip
    assert (found["low"], found["high"]) == (10, 101)
    assert found == median_evaluations(np.where(counts > 100, 10**6, counts), 100, np.random.default_rng(0))
    assert median_evaluations(counts[2:], 100, np.random.default_rng(0))["censored"]


def test_the_interval_of_a_median_covers_it():
    """35, of 40 geometric counts: 400 intervals within what a binomial of 92 to 98 % leaves in all but one of 10,000 seeds."""
    draws = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        found = median_evaluations(draws.geometric(0.02, 40), 1000, draws, draws=200)
        covered += found["low"] <= stats.geom(0.02).median() <= found["high"]
    assert stats.binom(400, 0.92).ppf(5e-5) <= covered <= stats.binom(400, 0.98).ppf(1 - 5e-5)


def test_mean_ranks_by_hand():
    values = {"a": np.array([1.0, 2, 3]), "b": np.array([2.0, 2, 1]), "c": np.array([3.0, 0, 2])}
    assert mean_ranks(values) == pytest.approx({"a": 5.5 / 3, "b": 6.5 / 3, "c": 2})
    assert mean_ranks(values, lower_is_better=True) == pytest.approx({"a": 6.5 / 3, "b": 5.5 / 3, "c": 2})


def test_comparisons():
    """Every pair or against references, adjusted over all tables, the better one positive whichever way the values run."""
    draws = np.random.default_rng(5)
    tables = {table: {name: draws.normal(k, 1, 20) for k, name in enumerate("abc")} for table in ("x", "y")}
    found = compare(tables, np.random.default_rng(0))
    rows = found["x"]["comparisons"] + found["y"]["comparisons"]
    assert [(row["first"], row["second"]) for row in rows] == 2 * [("a", "b"), ("a", "c"), ("b", "c")]
    assert rows[1]["rank_biserial"] < -0.9
    assert rows[1]["a12"] < 0.2
    assert rows[1]["mean"] == pytest.approx((tables["x"]["a"] - tables["x"]["c"]).mean())
    lower = compare(tables, np.random.default_rng(0), lower_is_better=True, references=["b"])
    rows = lower["x"]["comparisons"]
    assert [(row["first"], row["second"]) for row in rows] == [("a", "b"), ("c", "b")]
    assert rows[0]["mean"] == pytest.approx((tables["x"]["b"] - tables["x"]["a"]).mean())
    assert rows[0]["a12"] > 0.5
    assert lower["x"]["ranks"]["a"] < lower["x"]["ranks"]["b"] < lower["x"]["ranks"]["c"]


@pytest.mark.parametrize("values", [np.arange(6.0), np.full(6, 0.1)])
def test_the_same_values_do_not_differ(values):
    found = compare({"table": {"one": values, "two": values.copy()}}, np.random.default_rng(0))
    row = found["table"]["comparisons"][0]
    assert (row["p"], row["t_p"], row["rank_biserial"], row["a12"], row["mean"], row["zeros"]) == (1, 1, 0, 0.5, 0, 6)
    assert found["table"]["ranks"] == {"one": 1.5, "two": 1.5}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_interval_of_a12_covers_it():
    """Of values with half of the variance in common, both N(0, 1), one moved by 1: A12 is P(N(1, 2) > 0), .760.

    Coverage of 300 within what a binomial of 90 to 98 % leaves in all but one of 5,000 seeds.
    """
    draws = np.random.default_rng(8)
    covered = 0
    for _ in range(300):
        shared = draws.normal(0, 0.5**0.5, 30)
        first, second = shared + draws.normal(1, 0.5**0.5, 30), shared + draws.normal(0, 0.5**0.5, 30)
        found = compare_pair(first, second, draws, draws=200)
        covered += found["a12_low"] <= stats.norm.cdf(1 / 2**0.5) <= found["a12_high"]
    assert stats.binom(300, 0.90).ppf(1e-4) <= covered <= stats.binom(300, 0.98).ppf(1 - 1e-4)


@pytest.mark.parametrize(
    ("values", "references", "line"),
    [
        (
            {"a": [1.0, 2], "b": [1.0]},
            None,
            r"t: b has values \(1,\); every method needs one for each seed, of 2 or more",
        ),
        ({"a": [1.0], "b": [1.0]}, None, r"t: a has values \(1,\); every method needs one for each seed, of 2 or more"),
        ({"a": [1.0, 2], "b": [1.0, np.inf]}, None, "t: b has a value inf; only finite values can be compared"),
        ({"a": [1.0, 2], "b": [1.0, 3]}, ["c"], "t: no method 'c' to compare with; there are a, b"),
    ],
)
def test_what_cannot_be_compared(values, references, line):
    with pytest.raises(InputError, match=line):
        compare({"t": values}, np.random.default_rng(0), references=references)
