"""Comparison by tolerance class."""

import numpy as np
import pytest
from scipy import stats

from qednas.companion.comparison.comparing import FALSE_ALARM, Ground, deviations, judge_deviations
from qednas.companion.results.tolerance import tolerance_class


def verdict(new, old, tolerance):
    """Paths that are not within tolerance."""
    return [deviation.path for deviation in deviations(new, old, tolerance) if not deviation.ok]


@pytest.mark.parametrize(("kind", "limit"), [("exact", 1e-12), ("converged", 1e-8), ("seeded", 1e-6)])
def test_each_class_has_its_limit(kind, limit):
    old = {"energy": -80.0, "small": 0.1, "cuts": np.linspace(0, 1, 5), "list": [1.0, 2.0]}
    small = 0.1 if kind == "seeded" else 1.0  # what one processor computes twice is small relative to small values too
    for key, size in (("energy", 80.0), ("small", small), ("cuts", 1.0), ("list", 1.0)):
        for factor, wrong in ((0.5, []), (2.0, [key])):
            new = dict(old)
            shift = factor * limit * size
            new[key] = [value + shift for value in old[key]] if key == "list" else old[key] + shift
            assert verdict(new, old, kind) == wrong


OTHER = Ground(same=False, seeds=5)


def test_statistical_values_are_the_same_on_one_kind_of_processor_and_within_errors_on_another():
    old = {"mean": 1.0, "mean_sem": 0.1, "curve": np.ones(3), "curve_sem": np.full(3, 0.1), "runs": 5, "kind": "mps"}
    for new in ({**old, "mean": 1.0 + 2e-6}, {**old, "mean_sem": 0.2}, {**old, "kind": "rbm"}):
        assert len(verdict(new, old, "statistical")) == 1
    combined = np.hypot(0.1, 0.1)
    for distance in (0.5, 3.0, 9.0):
        (found,) = [one for one in deviations({**old, "mean": 1 + distance * combined}, old, "statistical", OTHER)
                    if one.path == "mean"]  # fmt: skip
        assert found.size == pytest.approx(distance)
        assert found.chance == pytest.approx(2 * stats.t.sf(distance, 8))
        (judged,) = judge_deviations([found], 1)
        assert judged.ok == (found.chance > FALSE_ALARM)
        assert judge_deviations([found], 10**9)[0].ok  # shared among many values
    kinds = {one.path: one.kind for one in deviations({**old, "kind": "rbm", "runs": 6}, old, "statistical", OTHER)}
    assert kinds == {
        "mean": "statistical",
        "curve": "statistical",
        "runs": "other processor",
        "kind": "other processor",
    }


def test_rows_that_differ_in_their_seed_are_compared_by_their_means():
    def rows(shift, rng):
        return {
            "runs": [
                {"method": method, "seed": seed, "error": shift * (method == "b") + 0.1 * rng.normal()}
                for method in "ab"
                for seed in range(8)
            ]
        }

    old = rows(0.0, np.random.default_rng(0))
    sizes = {shift: max(one.size for one in deviations(rows(shift, np.random.default_rng(1)), old, "statistical", OTHER))
             for shift in (0.0, 1.0)}  # fmt: skip
    assert sizes[0.0] < 4 < 10 < sizes[1.0]
    lost = {"runs": old["runs"][:-1]}
    renumbered = {"runs": [*old["runs"][:-1], {**old["runs"][-1], "seed": 99}]}
    for new in (lost, renumbered):
        assert not all(one.ok for one in deviations(new, old, "statistical", OTHER))


@pytest.mark.parametrize("seeds", [3, 5, 30])
def test_honest_reruns_on_another_processor_raise_a_false_alarm_in_at_most_one_of_a_hundred(seeds):
    """2,000 simulated verifies of 400 values each, whose standard errors are themselves estimated from few seeds."""
    rng, values, runs = np.random.default_rng(seeds), 400, 2000
    alarms = 0
    for _ in range(runs):
        sides = rng.normal(size=(2, values, seeds))
        means, sems = sides.mean(-1), sides.std(-1, ddof=1) / seeds**0.5
        old, new = ({"x": m, "x_sem": s} for m, s in zip(means, sems, strict=True))
        found = [
            one
            for one in deviations(new, old, "statistical", Ground(same=False, seeds=seeds))
            if one.chance is not None
        ]
        alarms += not all(one.ok for one in judge_deviations(found, len(found)))
    # Binomial: 1 % of 2,000 is 20; 33 or more have a chance below 0.5 %.
    assert alarms < 33


def test_timing_is_recorded_never_asserted():
    assert verdict({"seconds": 9.0, "e": 1.0}, {"seconds": 1.0, "e": 1.0}, {"seconds": "timing", "*": "exact"}) == []
    assert verdict({"e": 1.0}, {"seconds": 1.0, "e": 1.0}, {"seconds": "timing", "*": "exact"}) == []


def test_classes_go_by_the_longest_prefix():
    tolerance = {"a": "exact", "a.b": "seeded", "*": "converged"}
    assert [tolerance_class(tolerance, path) for path in ("a.x", "a.b.c", "z", "ab")] == [
        "exact",
        "seeded",
        "converged",
        "converged",
    ]
    assert tolerance_class({"a": "exact"}, "b") == "seeded"
    assert tolerance_class({"rows.*.e": "exact", "rows": "converged"}, "rows.3.e") == "exact"
    assert tolerance_class({"rows.*.e": "exact", "rows": "converged"}, "rows.3.f") == "converged"


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"a": "x"}, {"a": "y"}),
        ({"a": True}, {"a": False}),
        ({"a": None}, {"a": 1.0}),
        ({"a": [1, [2]]}, {"a": [1, [3]]}),
        ({"a": np.ones(3)}, {"a": np.ones(4)}),
        ({"a": np.array([1.0, np.nan])}, {"a": np.array([np.nan, 1.0])}),
        ({"a": np.array(["u", "v"])}, {"a": np.array(["u", "w"])}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({}, {"a": 1}),
        ({"a": [{"e": 1.0}, {"e": 2.0}]}, {"a": [{"e": 1.0}, {"e": 2.1}]}),
        ({"a": {"b": {"c": 1 + 1j}}}, {"a": {"b": {"c": 1 + 2j}}}),
        ({"a": 2}, {"a": 1}),
    ],
)
def test_what_differs_in_kind_or_shape_is_a_mismatch(new, old):
    assert len(verdict(new, old, "seeded")) == 1
    assert verdict(old, old, "seeded") == []


def test_measured_times_are_known_by_their_names():
    old = {"seconds": 1.0, "timing": {"median": 2.0}, "rows": [{"build_seconds": 1.0}], "e": 1.0}
    new = {"seconds": 9.0, "timing": {"median": 3.0}, "rows": [{"build_seconds": 7.0}], "e": 1.0}
    assert verdict(new, old, "exact") == []


def test_between_kinds_of_processors_nothing_is_judged_by_a_standard_error_of_zero():
    """One seed has none, and seeds that happen to agree tell nothing of the scatter."""
    elsewhere = Ground(same=False, seeds=2)
    one_seed = {"gain": 0.3, "gain_sem": 0.0, "runs": [{"method": "a", "seed": s, "x": 1.0} for s in range(2)]}
    other = {"gain": 0.1, "gain_sem": 0.0, "runs": [{"method": "a", "seed": s, "x": 1.2} for s in range(2)]}
    found = list(deviations(other, one_seed, "statistical", elsewhere))
    assert all(one.ok for one in judge_deviations(found, len(found)))
    assert {one.kind for one in found if one.path in ("gain", "runs.0.x")} == {"other processor"}
    assert not all(one.ok for one in deviations(other, one_seed, "statistical", Ground()))
    # Where an array has both, its other entries are still judged.
    old = {"curve": np.array([1.0, 1.0]), "curve_sem": np.array([0.0, 0.01])}
    (far,) = judge_deviations(
        list(deviations({**old, "curve": np.array([1.5, 1.9])}, old, "statistical", elsewhere)), 10
    )
    assert far.size == pytest.approx(0.9 / (0.01 * 2**0.5))


def test_between_kinds_of_processors_what_was_found_may_have_another_name():
    old = {"shares": {"mps": 0.6, "dense": 0.4}, "best": "mps"}
    new = {"shares": {"mps": 0.6, "rbm": 0.4}, "best": "rbm"}
    assert all(one.ok for one in deviations(new, old, "statistical", Ground(same=False)))
    assert [one.path for one in deviations(new, old, "statistical", Ground()) if not one.ok] == [
        "shares.dense",
        "shares.rbm",
        "best",
    ]
    assert not all(one.ok for one in deviations({"best": "mps"}, old, "statistical", Ground(same=False)))
