"""Held-out parts are really held out, rivals are measured on the same systems, and figures are what they say."""

import numpy as np
import pytest

from qednas.physics.entanglement import PROXIES
from qednas.qed import splits
from qednas.qed.dataset import build_dataset
from qednas.qed.inputs import tabulate_inputs
from qednas.qed.training import TrainingSettings, answers, error_summary

SMALL = {"width": 8, "members": 2, "epochs": 3}


@pytest.fixture(scope="module")
def stored():
    dataset = build_dataset(points=6, sizes=[6, 8], seed=1, workers=1)
    return {"02/dataset": dataset, "03/inputs": tabulate_inputs({"02/dataset": dataset}, workers=1)}


@pytest.fixture(scope="module")
def data(stored):
    return splits.gathered(stored)


def test_a_point_is_held_out_with_all_its_sizes(data):
    test = splits.hold_out_points(data, 1 / 3, seed=0)
    assert 0 < test.sum() < len(test)
    assert not set(data.names[test]) & set(data.names[~test])
    for family in set(data.family) - {"mhs"}:
        assert len({n for n in data.names[test] if n.startswith(f"{family}/")}) == 2


def test_hold_out_depends_on_the_seed_only(data):
    first = splits.hold_out_points(data, 1 / 3, seed=0)
    np.testing.assert_array_equal(first, splits.hold_out_points(data, 1 / 3, seed=0))
    assert (first != splits.hold_out_points(data, 1 / 3, seed=1)).any()


def test_tables_line_up_with_the_systems(data):
    table = data.table.half_chain
    np.testing.assert_allclose(table.target, data.truth[table.system], rtol=1e-6)
    assert data.corrected[table.system].all()
    assert (table.cut == table.sites // 2).all()
    assert len(table.x) == data.corrected.sum()


def test_a_held_out_family_does_not_enter_training(data):
    test = data.family == "annni"
    predictor = splits.fit(data, ~test, TrainingSettings(**SMALL), 0)
    again = splits.fit(data, ~test & (np.arange(len(test)) >= 0), TrainingSettings(**SMALL), 0)
    for name, array in predictor.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    changed = data._replace(table=data.table.take(np.arange(len(data.table.x))))
    changed.table.target[test[changed.table.system]] += 1.0  # labels that must not matter
    other = splits.fit(changed, ~test, TrainingSettings(**SMALL), 0)
    np.testing.assert_array_equal(predictor.arrays["w0"], other.arrays["w0"])


def test_the_report_holds_every_method_with_error_bars(data):
    test = splits.hold_out_points(data, 1 / 3, seed=0)
    predictor = splits.fit(data, ~test, TrainingSettings(**SMALL), 0)
    record = splits.report(data, predictor, test, ~test, 0)
    assert record["test"] == (test & data.corrected & data.usable).sum()
    for part in ("errors", "mean_field", "nearest", "boosting"):
        assert set(record[part]) == set(PROXIES)
        for found in record[part].values():
            assert found["relative_p95"] >= found["relative_median"] >= 0 < found["relative_median_sem"]
    assert 0 <= record["errors"]["entropy"]["covered"] <= 1


def test_calibration_covers_the_systems_it_was_fitted_on(data):
    from qednas.qed.calibration import calibrate

    test = splits.hold_out_points(data, 1 / 3, seed=0)
    predictor = splits.fit(data, ~test, TrainingSettings(**SMALL), 0)
    held = splits.half_chain(data, test)
    fitted = predictor.calibrated(calibrate(predictor, held))
    mean, std = answers(fitted, held)
    error = np.abs(mean - held.target)
    assert (np.abs((error <= std).mean(0) - 0.683) <= 1.5 / len(error)).all()
    assert (np.abs((error <= std * fitted.wide).mean(0) - 0.9) <= 1.5 / len(error)).all()


def test_every_variant_changes_what_it_says(stored):
    plain = splits.gathered(stored).table
    bare = splits.gathered(stored, TrainingSettings(mean_field=False)).table
    assert not bare.base.any()
    assert (bare.gate == 1).all()
    still = splits.gathered(stored, TrainingSettings(growth=False)).table
    assert plain.grows.any()
    assert not still.grows.any()
    blind = splits.gathered(stored, TrainingSettings(local=False)).table
    assert (blind.x != plain.x).any()
    np.testing.assert_array_equal(blind.base, plain.base)


def test_error_summary_against_numbers_by_hand():
    truth = np.array([1.0, 2.0, 4.0])
    out = error_summary(truth + [0.1, -0.4, 1.2], truth, 1.0, np.full(3, 0.5))
    assert out["relative_median"] == pytest.approx(0.2)
    assert out["median"] == pytest.approx(0.4 / 3)
    assert out["covered"] == pytest.approx(2 / 3)
    assert "covered" not in error_summary(truth, truth, 1.0)
