"""Holm's correction and the paired comparison against numbers worked out by hand and against chance."""

import numpy as np
import pytest

from qednas.qed.paired import compare, compare_all, holm


def test_holm_is_the_textbook_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_comparison_counts_what_it_says():
    found = compare([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 3.0, 3.0, 6.0, 7.0, 5.0])
    assert found["mean"] == pytest.approx(5 / 6)
    assert found["wins"] == pytest.approx((4 + 0.5) / 6)
    assert found["pairs"] == 6
    assert found["mean_sem"] == pytest.approx(np.std([1, 1, 0, 2, 2, -1], ddof=1) / 6**0.5)


def test_what_is_always_smaller_is_told_from_what_is_not():
    mine = np.arange(12.0)
    assert compare(mine, mine + 1)["p"] == pytest.approx(2 / 2**12)
    assert compare(mine, mine)["p"] == 1.0
    assert compare(mine[:4], mine[:4] + 1)["p"] == 1.0  # too few pairs to say


def test_chance_is_called_significant_as_rarely_as_it_should():
    """At 5 %: 400 draws, 4 sigma."""
    rng = np.random.default_rng(1)
    called = np.mean([compare(rng.normal(size=15), rng.normal(size=15))["p"] < 0.05 for _ in range(400)])
    assert called < 0.05 + 4 * (0.05 * 0.95 / 400) ** 0.5


def test_all_comparisons_are_corrected_together():
    mine = np.zeros(8)
    found = compare_all(mine, {"worse": mine + 1, "same": mine})
    assert found["worse"]["p_holm"] == pytest.approx(2 * found["worse"]["p"])
    assert found["same"]["p_holm"] == 1.0
