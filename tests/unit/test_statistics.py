"""The one statistics module: tests, effects and intervals against values by hand, SciPy, all signs, and simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from qednas.base.statistics import (
    bootstrap_interval,
    bootstrap_p,
    compare,
    compare_all,
    compare_unpaired,
    compare_within,
    estimate,
    holm,
    mean_and_sem,
    mean_interval,
    needed_for_share,
    needed_units,
    share_interval,
    share_p,
    signed_ranks,
    smallest_p,
    two_sided,
    wilcoxon,
)
from studies.ch13.effect_sizes import a12, paired_t, rank_biserial

FAILED = np.nan


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


def test_the_mean_and_its_error():
    assert mean_and_sem([1.0, 2, 3, 6]) == pytest.approx((3, np.std([1, 2, 3, 6], ddof=1) / 2))
    assert mean_and_sem(np.array([[1.0, 2], [3, 6]])) == ([2, 4], [1, 2])
    assert mean_and_sem([5.0]) == (5, 0)
    assert estimate((2.0 for _ in range(3)), "lost") == {"lost": 2, "lost_sem": 0, "lost_units": 3}


def test_the_smallest_p_of_a_test():
    for count in range(1, 12):
        assert smallest_p("ranks", count) == wilcoxon(np.arange(1.0, count + 1))
        assert smallest_p("share", count, 0.5) == pytest.approx(share_p(count, count, 0.5))
    assert 7 * smallest_p("ranks", 8) == pytest.approx(0.0546875)  # eight pairs and Holm over seven cannot reach 5 %
    assert smallest_p("t", 2) == 0


def test_the_comparison_counts_what_it_says():
    found = compare([2.0, 3.0, 3.0, 6.0, 7.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert found["gain"] == pytest.approx(5 / 6)
    assert found["wins"] == pytest.approx((4 + 0.5) / 6)
    assert found["pairs"] == 6
    assert found["gain_sem"] == pytest.approx(np.std([1, 1, 0, 2, 2, -1], ddof=1) / 6**0.5)


def test_what_is_always_smaller_is_told_from_what_is_not():
    mine = np.arange(12.0)
    assert compare(mine + 1, mine)["p"] == pytest.approx(2 / 2**12)
    assert compare(mine, mine)["p"] == 1.0
    found = compare_all({"worse": mine + 1, "same": mine}, mine)
    assert found["worse"]["gain"] == 1
    assert found["same"]["p"] == 1


def test_chance_is_called_significant_as_rarely_as_it_should():
    """At 5 %: 400 draws, 4 sigma."""
    rng = np.random.default_rng(1)
    called = np.mean([compare(rng.normal(size=15), rng.normal(size=15))["p"] < 0.05 for _ in range(400)])
    assert called < 0.05 + 4 * (0.05 * 0.95 / 400) ** 0.5


def test_fixed_tasks_do_not_count_as_seeds():
    """Of one task it is the t-test; of several the error is that of seeds, however far apart the tasks are."""
    values = np.array([0.2, 0.5, 0.1, 0.4])
    found = compare_within({"one": values})
    assert found["p"] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert (found["gain_df"], found["pairs"], found["tasks"]) == (pytest.approx(3), 4, 1)
    apart = compare_within({"one": values, "other": values + 100, "third": values - 100})
    assert apart["gain"] == pytest.approx(found["gain"])
    assert apart["gain_sem"] == pytest.approx(found["gain_sem"] / 3**0.5)
    assert apart["gain_df"] == pytest.approx(9)
    assert compare_within({"one": [1.0], "other": [2.0]})["p"] == 1


def test_false_alarms_over_fixed_tasks_stay_below_the_level():
    """Three tasks of unlike spread, five seeds: at 5 % in 1,000 simulations, exceeded once in 10,000 if the level is kept."""
    rng = np.random.default_rng(2)
    alarms = sum(
        compare_within({k: spread * rng.normal(size=5) for k, spread in enumerate((0.1, 1.0, 3.0))})["p"] <= 0.05
        for _ in range(1000)
    )
    assert alarms <= stats.binom(1000, 0.05).isf(1e-4)


def test_unpaired_is_welch_and_shares_are_binomial():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.5, 1, 30), rng.normal(0, 3, 5)
    found = compare_unpaired(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert found["p"] == pytest.approx(expected.pvalue)
    assert found["gain_df"] == pytest.approx(expected.df)
    assert found["pairs"] == 35
    assert share_p(1, 8, 0.5) == pytest.approx(2 * 9 / 256)
    assert share_p(4, 8, 0.5) == 1
    assert share_interval(0, 20) == pytest.approx((0, 1 - 0.025 ** (1 / 20)))
    assert two_sided(0.0, 0.0, 3) == 1
    assert two_sided(0.1, 0.0, 3) == 0
    low, high = mean_interval(1.0, 0.5, 9)
    assert (low + high, high - 1) == pytest.approx((2, 0.5 * stats.t.ppf(0.975, 9)))


def test_a_bootstrap_p_counts_the_smaller_side():
    values = np.repeat([0.0, 1.0, 2.0], [10, 80, 10])
    assert bootstrap_p(values, 1.5) == pytest.approx(0.2)
    assert bootstrap_p(values, 5) == pytest.approx(2 / 100)
    assert bootstrap_interval(values) == (0, 2)


def test_as_many_units_as_are_needed_decide():
    """Simulated: the power at that number is 0.8, within what 400 draws leave, for means, ranks and shares."""
    rng = np.random.default_rng(4)
    needed = needed_units(0.5, 1 / 10**0.5, 10)  # an effect of half a standard deviation
    assert 30 <= needed <= 36
    draws = [rng.normal(0.5, 1, needed) for _ in range(400)]
    power = np.mean([stats.ttest_1samp(own, 0).pvalue <= 0.05 for own in draws])
    assert abs(power - 0.8) < 0.08
    ranks = needed_units(0.5, 1 / 10**0.5, 10, by="ranks")
    assert abs(np.mean([wilcoxon(rng.normal(0.5, 1, ranks)) <= 0.05 for _ in range(400)]) - 0.8) < 0.08
    count = needed_for_share(0.2, 0.5, 8)
    assert abs(np.mean([share_p(h, count, 0.5) <= 0.05 for h in rng.binomial(count, 0.2, 400)]) - 0.8) < 0.1
    assert needed_units(0.0, 1.0, 10) is None
    assert needed_units(1e-6, 1.0, 10) is None
    assert needed_for_share(0.5, 0.5, 10) is None
