"""Held-out parts are really held out, baselines and calibration do what they say."""

import numpy as np
import pytest

from qednas.physics.entanglement import PROXIES
from qednas.qed import splits
from qednas.qed.dataset import build_dataset
from qednas.qed.training import COVERAGE, TrainingSettings, calibrate, error_summary, half_chain_table, tabulate

SMALL = {"width": 8, "members": 2, "epochs": 3}


@pytest.fixture(scope="module")
def systems():
    return splits.usable(build_dataset(points=3, sizes=[6, 8], seed=1, workers=1))


def test_a_point_is_held_out_with_all_its_sizes(systems):
    test = splits.hold_out_points(systems, 1 / 3, seed=0)
    names = splits.point_names(systems)
    assert 0 < test.sum() < len(test)
    assert not set(names[test]) & set(names[~test])
    for family in {s.family for s in systems} - {"mhs"}:
        own = [n for n in set(names[test]) if n.startswith(f"{family}/")]
        assert len(own) == 1


def test_hold_out_depends_on_the_seed_only(systems):
    first = splits.hold_out_points(systems, 1 / 3, seed=0)
    np.testing.assert_array_equal(first, splits.hold_out_points(systems, 1 / 3, seed=0))
    assert (first != splits.hold_out_points(systems, 1 / 3, seed=1)).any()


def test_nearest_neighbour_of_a_known_chain_is_itself_at_the_largest_size(systems):
    table = tabulate(systems)
    large = np.flatnonzero(table.sites[:, 0] == 8)
    small = np.flatnonzero((table.sites[:, 0] == 6) & [s.family == "tfim" for s in systems])
    guess = splits.nearest_neighbour(table, large, small)
    truth = [
        next(s for s in systems if s.family == "tfim" and s.sites == 8 and s.point == systems[i].point) for i in small
    ]
    np.testing.assert_allclose(guess, [[s.half_chain[name] for name in PROXIES] for s in truth], rtol=1e-6)


def test_calibration_covers_the_systems_it_was_fitted_on(systems):
    test = splits.hold_out_points(systems, 1 / 3, seed=0)
    _, predictor, held = splits.measure(systems, test, TrainingSettings(**SMALL), 0, None)
    predictor.arrays["floor"] = calibrate(predictor, held).astype(np.float32)
    mean, std, truth = half_chain_table(predictor, held)
    covered = (np.abs(mean - truth) <= std * (1 + 1e-5)).mean(0)
    assert (covered >= COVERAGE - 1 / len(mean)).all()
    assert (covered <= COVERAGE + 0.25).all()


def test_the_report_holds_every_proxy_with_error_bars(systems):
    test = splits.hold_out_points(systems, 1 / 3, seed=0)
    record, _, _ = splits.measure(systems, test, TrainingSettings(**SMALL), 0, None)
    assert record["train"] + record["test"] == len(systems)
    for part in (record["errors"], record["nearest"]):
        assert set(part) == set(PROXIES)
        assert all(part[name]["p95"] >= part[name]["median"] >= 0 < part[name]["median_sem"] for name in PROXIES)


def test_error_summary_against_numbers_by_hand():
    truth = np.array([1.0, 2.0, 4.0])
    out = error_summary(truth + [0.1, -0.4, 1.2], np.full(3, 0.5), truth, offset=0.0)
    assert out["median"] == pytest.approx(0.2)
    assert out["mean_absolute"] == pytest.approx(1.7 / 3)
    assert out["covered"] == pytest.approx(2 / 3)
