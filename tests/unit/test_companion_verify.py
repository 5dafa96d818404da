"""Comparison by tolerance class."""

import numpy as np
import pytest

from qednas.companion.verify import deviations, tolerance_class


def verdict(new, old, tolerance):
    """Paths that are not within tolerance."""
    return [deviation.path for deviation in deviations(new, old, tolerance) if not deviation.ok]


@pytest.mark.parametrize(("kind", "limit"), [("exact", 1e-12), ("converged", 1e-8), ("seeded", 1e-6)])
def test_each_class_has_its_limit(kind, limit):
    old = {"energy": -80.0, "small": 0.1, "cuts": np.linspace(0, 1, 5), "list": [1.0, 2.0]}
    for key, size in (("energy", 80.0), ("small", 1.0), ("cuts", 1.0), ("list", 1.0)):
        for factor, wrong in ((0.5, []), (2.0, [key])):
            new = dict(old)
            shift = factor * limit * size
            new[key] = [value + shift for value in old[key]] if key == "list" else old[key] + shift
            assert verdict(new, old, kind) == wrong


def test_statistical_values_need_and_use_standard_errors():
    old = {"mean": 1.0, "mean_sem": 0.1, "curve": np.ones(3), "curve_sem": np.full(3, 0.1), "runs": 5}
    combined = np.hypot(0.1, 0.1)
    assert verdict({**old, "mean": 1 + 2.9 * combined}, old, "statistical") == []
    assert verdict({**old, "mean": 1 + 3.1 * combined}, old, "statistical") == ["mean"]
    assert verdict({**old, "curve": np.array([1, 1, 1.5])}, old, "statistical") == ["curve"]
    assert verdict({**old, "mean_sem": 0.2}, old, "statistical") == []
    assert verdict({"mean": 1.1}, {"mean": 1.0}, "statistical") == ["mean"]  # no standard error
    assert verdict({"mean": 1.1, "mean_sem": 0.0}, {"mean": 1.0, "mean_sem": 0.0}, "statistical") == ["mean"]
    assert verdict({**old, "runs": 6}, old, "statistical") == ["runs"]


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
