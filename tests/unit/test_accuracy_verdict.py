"""How right the predictor is, from results that were made up; and the error of what proxies recover."""

import numpy as np
import pytest

from studies.ch02.proxy_information import determination, determination_sem
from studies.ch03.verdict import MEDIAN, TAIL, relative_errors, unseen
from studies.ch04.verdict import large, tail


def test_a_point_counts_once():
    """Two points of four sizes: three and one of them within the bar of the median."""
    truth = np.ones((8, 5))
    mean = truth + np.array([0.01, 0.02, 0.0, 0.04, 0.05, 0.05, 0.01, 0.5])[:, None]
    families = {f"f{k}": {"errors": {"entropy": {"relative_median": MEDIAN / 2}}} for k in range(8)}
    random = {"predicted": mean, "truth": truth, "point": ["a"] * 4 + ["b"] * 4}
    found = unseen({"03/random": random, "03/families": {"families": families}})
    assert found["within_median"] == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert found["within_median_units"] == found["within_tail_units"] == 2
    assert found["within_median_sem"] == pytest.approx(0.25)
    assert found["within_tail"] == pytest.approx((1 + 3 / 4) / 2)
    assert found["family"]["gain"] == pytest.approx(np.log(2))
    assert found["family"]["p"] == 2 / 2**8


def target(name, predicted, largest, exact=False):
    own = {"reference": {"entropy": 0.5}, "predicted": {"entropy": predicted}, "largest": {"entropy": largest}}
    return {"name": name, "exact": exact, **own}


def test_large_targets_are_compared_with_the_value_at_16_sites():
    rows = [target(f"t{k}", 0.501 + 0.005 * k, 0.7) for k in range(10)] + [target("easy", 0.5, 0.5, exact=True)]
    runs = [{"seconds": 1.0, "error": 0.03}, {"seconds": 3.0, "error": 0.004}, {"seconds": 9.0, "error": 1e-5}]
    cost = {"targets": [{"name": "t1", "predict": 0.01, "runs": runs}, {"name": "easy", "predict": 0.1, "runs": runs}]}
    found = large({"04/targets": {"rows": rows}, "04/cost": cost})
    assert found["within_median"] == {"hits": 3, "units": 10}  # errors of 0.2, 1.2, 2.2, 3.2 % ...
    assert found["over_largest"]["pairs"] == 10
    assert found["over_largest"]["gain"] == pytest.approx(0.4 - 0.047)
    # The prediction of t1 is off by 0.006 nats, that of the other by nothing, which no run reaches.
    assert found["timing"]["least_ratio"] == pytest.approx(min(3.0 / 0.01, 9.0 / 0.1))


def test_the_tail_has_an_error():
    errors = np.random.default_rng(0).exponential(0.02, 41)
    found = tail(errors, np.random.default_rng(0))
    assert found["low"] < found["value"] < found["high"]
    assert (found["against"], found["units"]) == (TAIL, 41)
    assert 0.05 < found["p"] < 0.5  # its upper end is beyond the bar
    assert tail(np.array([]), np.random.default_rng(0))["p"] == 1
    assert relative_errors(np.full((2, 5), 1.1), np.ones((2, 5))) == pytest.approx([0.1, 0.1])


def test_the_error_of_r2_is_that_of_points():
    """Rows of a point that are all the same tell no more than one; the scatter over new draws agrees with the bootstrap."""
    rng = np.random.default_rng(1)

    def drawn():
        truth = rng.normal(size=(200, 1))
        return truth + 0.3 * rng.normal(size=truth.shape), truth

    guess, truth = drawn()
    points = np.arange(200)
    sem = determination_sem(guess, truth, points, np.random.default_rng(0))
    repeated = determination_sem(
        np.repeat(guess, 4, 0), np.repeat(truth, 4, 0), np.repeat(points, 4), np.random.default_rng(0)
    )
    assert sem == pytest.approx(repeated)
    scatter = np.std([determination(*drawn()) for _ in range(300)])
    assert sem[0] == pytest.approx(scatter, rel=0.35)
