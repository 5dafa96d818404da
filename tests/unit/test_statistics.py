"""Tests, effects and intervals against values by hand, SciPy, all signs written out, and simulated error rates."""

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from qednas.errors import InputError
from qednas.qnas.statistics import (
    a12,
    compare,
    compare_pair,
    evaluations_to,
    holm,
    mean_ranks,
    median_evaluations,
    paired_t,
    rank_biserial,
    regret_curves,
    signed_ranks,
    wilcoxon,
)

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


def test_signed_ranks_by_hand():
    """Zeros take the first two ranks, the tie of 3 shares 4 and 5."""
    assert signed_ranks(np.array([0.0, 3, -3, 1, 0, -7])).tolist() == [0, 4.5, -4.5, 3, 0, -6]


@pytest.mark.parametrize("count", [3, 10, 25, 50])
def test_wilcoxon_without_ties_is_that_of_scipy(count):
    for seed in range(5):
        differences = np.random.default_rng(seed).normal(0.3, 1, count)
        assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-10)


def test_wilcoxon_with_ties_and_zeros_counts_all_signs():
    for seed in range(20):
        differences = np.random.default_rng(seed).integers(-2, 4, 9).astype(float)
        ranks = np.abs(signed_ranks(differences))
        signs = np.array(list(itertools.product([1, -1], repeat=9)))
        sums = np.abs(signs @ ranks)
        assert wilcoxon(differences) == pytest.approx(
            (sums >= abs(signed_ranks(differences).sum()) - 1e-9).mean(), rel=1e-12
        )


def test_wilcoxon_of_many_is_normal():
    """Beyond 200 that of SciPy; at 200 the two agree."""
    draws = np.random.default_rng(2)
    differences = np.rint(4 * draws.normal(0.1, 1, 600))
    expected = stats.wilcoxon(differences, zero_method="pratt", correction=True, method="asymptotic").pvalue
    assert wilcoxon(differences) == pytest.approx(expected, rel=1e-10)
    differences = draws.normal(0.15, 1, 200)
    expected = stats.wilcoxon(differences, correction=True, method="asymptotic").pvalue
    assert wilcoxon(differences) == pytest.approx(expected, abs=1e-4)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_effects_by_hand():
    first, second = np.array([3.0, 5, 1, 4]), np.array([1.0, 5, 2, 2])
    differences = first - second  # 2, 0, -1, 2: ranks 3.5, 1, 2, 3.5 of 10 in all
    assert rank_biserial(differences) == pytest.approx(0.5)
    assert a12(first, second) == pytest.approx((3 + 3.5 + 0.5 + 3) / 16)
    draws = np.random.default_rng(3)
    first, second = draws.integers(0, 6, 30), draws.integers(0, 5, 20)
    assert a12(first, second) == pytest.approx(stats.mannwhitneyu(first, second).statistic / 600)
    assert a12(first, second) + a12(second, first) == pytest.approx(1)


def test_paired_t_is_that_of_scipy():
    first, second = np.random.default_rng(4).normal(size=(2, 17))
    found, expected = paired_t(first - second), stats.ttest_rel(first, second)
    assert found["t_p"] == pytest.approx(expected.pvalue)
    assert (found["mean_low"], found["mean_high"]) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert paired_t(np.zeros(5)) == {"mean": 0, "mean_low": 0, "mean_high": 0, "t_p": 1}
    assert paired_t(np.full(5, 0.5)) == {"mean": 0.5, "mean_low": 0.5, "mean_high": 0.5, "t_p": 0}


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
    assert [row["holm"] for row in rows] == holm([row["p"] for row in rows]).tolist()
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
    assert (row["p"], row["holm"], row["t_p"], row["rank_biserial"], row["a12"], row["mean"], row["zeros"]) == (
        1, 1, 1, 0, 0.5, 0, 6,
    )  # fmt: skip
    assert found["table"]["ranks"] == {"one": 1.5, "two": 1.5}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_false_positives_stay_below_the_level():
    """Six comparisons of four methods that are the same, 12 seeds, with ties: any at .05 in at most 5 % of 600 simulations.

    A single test at .05 is exact too. Each bound fails once in 10,000 seeds for a rate of exactly 5 %.
    """
    draws = np.random.default_rng(6)
    single = any_of_six = 0
    for _ in range(600):
        values = draws.integers(0, 12, (4, 12)) + draws.integers(
            0, 3, 12
        )  # a part that all have in common, as by a seed
        chances = [wilcoxon(values[a] - values[b]) for a, b in itertools.combinations(range(4), 2)]
        single += chances[0] <= 0.05
        any_of_six += (holm(chances) <= 0.05).any()
    bound = stats.binom(600, 0.05).isf(1e-4)
    assert single <= bound
    assert any_of_six <= bound
    assert single > 600 * 0.02  # it is not merely never significant


def test_a_difference_is_found():
    """A shift of .9 standard deviations of the differences in 30 seeds, among six comparisons: 4 times in 5 at least."""
    draws = np.random.default_rng(7)
    found = 0
    for _ in range(100):
        values = draws.normal(size=(4, 30)) + np.array([1.3, 0, 0, 0])[:, None]
        found += holm([wilcoxon(values[a] - values[b]) for a, b in itertools.combinations(range(4), 2)])[0] <= 0.05
    assert found >= 80


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
