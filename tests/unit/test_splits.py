"""Held-out parts are really held out, rivals are measured on the same systems, and figures are what they say."""

import numpy as np
import pytest

from qednas.base.parallel import Work
from qednas.companion.weights import result_arrays
from qednas.physics.entanglement import PROXIES
from qednas.qed.predictor.inputs import predictor_inputs
from qednas.qed.predictor.predictor import Calibration, Predictor, refine_shapes
from qednas.qed.predictor.refine import Widths, basis, posterior
from studies.ch02.dataset import build_dataset
from studies.ch03 import splits
from studies.ch03.calibration import fit_widths
from studies.ch03.inputs import tabulate_inputs
from studies.ch03.training import TrainingSettings, answers, error_summary

SMALL = {"width": 8, "members": 2, "epochs": 3}


@pytest.fixture(scope="module")
def stored():
    dataset = build_dataset(points=6, sizes=[6, 8], seed=1, work=Work(1))
    return {"02/dataset": dataset, "03/inputs": tabulate_inputs({"02/dataset": dataset}, work=Work(1))}


@pytest.fixture(scope="module")
def data(stored):
    return splits.gather_inputs(stored)


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
    from studies.ch03.calibration import calibrate

    test = splits.hold_out_points(data, 1 / 3, seed=0)
    predictor = splits.fit(data, ~test, TrainingSettings(**SMALL), 0)
    held = splits.half_chain(data, test)
    fitted = predictor.calibrated(calibrate(predictor, held))
    mean, std = answers(fitted, held)
    error = np.abs(mean - held.target)
    assert (np.abs((error <= std).mean(0) - 0.683) <= 1.5 / len(error)).all()
    assert (np.abs((error <= std * fitted.wide).mean(0) - 0.9) <= 1.5 / len(error)).all()


def test_every_variant_changes_what_it_says(stored):
    plain = splits.gather_inputs(stored).table
    bare = splits.gather_inputs(stored, TrainingSettings(mean_field=False)).table
    assert not bare.base.any()
    assert (bare.gate == 1).all()
    still = splits.gather_inputs(stored, TrainingSettings(growth=False)).table
    assert plain.grows.any()
    assert not still.grows.any()
    blind = splits.gather_inputs(stored, TrainingSettings(local=False)).table
    assert (blind.x != plain.x).any()
    np.testing.assert_array_equal(blind.base, plain.base)


def test_the_drift_is_a_part_of_the_design(data):
    """The variant without it trains other weights; every variant is a set of known settings."""
    assert splits.VARIANTS["corrections free to drift"] == {"drift": 0.0}
    chosen = [TrainingSettings(**(SMALL | variant)) for variant in splits.VARIANTS.values()]
    assert len(set(chosen)) == len(splits.VARIANTS)
    whole = np.full(len(data.systems), True)
    held, free = (splits.fit(data, whole, TrainingSettings(**SMALL, drift=d), 0) for d in (0.2, 0.0))
    assert (held.arrays["w0"] != free.arrays["w0"]).any()


@pytest.fixture(scope="module")
def refinable(data):
    """A predictor, and every larger system with its smaller exact parts, by kind of parts."""
    whole = np.full(len(data.systems), True)
    predictor = splits.fit(data, whole, TrainingSettings(**SMALL), 0)
    return predictor, {kind: splits.refinement_cases(data, predictor, whole, kind) for kind in splits.KINDS}


def test_refinements_are_asked_one_size_beyond_their_parts(data, refinable):
    """Each corrected system of 8 sites once: disordered ones with windows of 6, the others with the same point at 6 sites."""
    predictor, cases = refinable
    assert tuple(splits.KINDS) == ("rebuilt", "windows")
    wanted = data.corrected & data.usable & (data.sites == 8)
    drawn = np.array(["disorder_seed" in s.parameters for s in data.systems])
    for kind, mask in (("windows", wanted & drawn), ("rebuilt", wanted & ~drawn)):
        rows = np.flatnonzero(mask)
        assert len(cases[kind]) == len(rows) > 3
        for row, (seen, phi, r, truth, parts, sites) in zip(rows, cases[kind], strict=True):
            assert (sites, [p.sites for p in parts]) == (8, [6])
            assert parts[0].window == (kind == "windows")
            np.testing.assert_array_equal(truth, data.truth[row])
            mean, _ = predictor.profile(predictor_inputs(data.systems[row].hamiltonian()))
            np.testing.assert_allclose(mean[3] + r * seen.unit, truth, atol=1e-9)
            np.testing.assert_array_equal(phi, basis(np.array([8.0]), np.array([4.0]), parts[0].window)[0])
            assert len(seen.r) == (1 if parts[0].window else 5)
            if kind == "rebuilt":
                own = np.flatnonzero((data.names == data.names[row]) & (data.sites == 6))
                np.testing.assert_array_equal(parts[0].proxies, data.systems[own[0]].proxies)


@pytest.mark.parametrize("kind", splits.KINDS)
def test_a_refinement_is_judged_by_its_own_error_bars(refinable, kind):
    """Errors before and after it; of the systems that its widths were fitted on 90 % are inside, to within two of them."""
    _, every = refinable
    cases = every[kind]
    widths = fit_widths([case[:3] for case in cases])
    record = splits.judge_refinement(widths, cases)
    assert record["systems"] == len(cases)
    truth = np.array([case[3] for case in cases])
    before = np.array([r * seen.unit for seen, _, r, *_ in cases])
    after = np.array([(r - posterior(seen, phi[None])[0][0]) * seen.unit for seen, phi, r, *_ in cases])
    for k, name in enumerate(PROXIES):
        for part, error in (("before", before), ("after", after)):
            want = np.median(np.abs(error[:, k]) / np.abs(truth[:, k]))
            assert record[part][name]["relative_median"] == pytest.approx(want, rel=1e-6)
        assert abs(record["after"][name]["covered"] - 0.9) <= 2 / len(cases)
    narrow = splits.judge_refinement(Widths(widths.factor * 1e-9, widths.wide), cases)
    assert narrow["after"]["entropy"]["covered"] == 0


def test_what_is_shipped_has_the_widths_and_error_bars_of_the_splits(stored, tmp_path):
    rng = np.random.default_rng(0)
    widths = {name: rng.uniform(1, 2, shape).astype(np.float32) for name, shape in refine_shapes().items()}
    calibration = Calibration(rng.uniform(0, 1, (5, 3)), rng.uniform(1, 2, 5), np.zeros(5))
    growth = rng.uniform(0, 0.5, 5)
    splits_of = {"03/random": {"calibration": calibration.arrays(), "widths": widths}, "03/sizes": {"growth": growth}}
    final = splits.train_final(stored | splits_of, SMALL)
    predictor, path = Predictor(result_arrays(final), final["record"]), tmp_path / "weights.safetensors"
    predictor.save(path)
    again = Predictor.load(path).arrays
    for name, array in widths.items():
        np.testing.assert_array_equal(again[name], array)
    np.testing.assert_allclose(again["error_shares"], calibration.shares, rtol=1e-6)
    np.testing.assert_allclose(again["error_growth"], growth, rtol=1e-6)
    assert final["record"]["corrected"] < final["record"]["systems"]


def test_error_summary_against_numbers_by_hand():
    truth = np.array([1.0, 2.0, 4.0])
    out = error_summary(truth + [0.1, -0.4, 1.2], truth, 1.0, np.full(3, 0.5))
    assert out["relative_median"] == pytest.approx(0.2)
    assert out["median"] == pytest.approx(0.4 / 3)
    assert out["covered"] == pytest.approx(2 / 3)
    assert "covered" not in error_summary(truth, truth, 1.0)
