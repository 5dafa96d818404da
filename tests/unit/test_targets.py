"""Large targets: chosen by class, compared only where the reference is converged."""

import numpy as np
import pytest

from qednas.physics.entanglement import PROXIES
from qednas.qed import references, targets
from qednas.qed.predictor import Predictor


def test_every_class_has_at_least_four_targets_of_fifty_sites_or_more():
    classes = [label for label, *_ in references.TARGETS]
    named = {"gapped", "gapless", "critical", "topological", "long-range", "disordered"}
    assert named <= set(classes)
    assert all(classes.count(label) >= 4 for label in set(classes))
    assert all(sites >= 50 for _, _, sites, _ in references.TARGETS)


def record(converged, entropy):
    truth = dict.fromkeys(PROXIES, 1.0) | {"entropy": entropy}
    return {
        "class": "gapped",
        "family": "tfim",
        "sites": 64,
        "parameters": {"h": 1.5},
        "converged": converged,
        "energy": -1.0,
        "proxies": truth,
        "profile": [entropy] * 63,
    }


@pytest.fixture
def inputs(monkeypatch):
    answer = {"proxies": dict.fromkeys(PROXIES, 1.0), "std": dict.fromkeys(PROXIES, 0.3), "profile": [1.0] * 63}
    monkeypatch.setattr(Predictor, "predict", lambda self, h: answer | {"in_domain": True})
    monkeypatch.setattr(targets, "stored_predictor", lambda result: Predictor({}))
    rows = [record(True, 0.8), record(False, 50.0), record(True, 2.0)]
    return {"03/predictor": None, "04/references": {"targets": rows, "timing": {"seconds": [2.0, 9.0, 4.0]}}}


def test_unconverged_references_are_named_and_not_compared(inputs):
    out = targets.compare(inputs)
    assert out["unconverged"] == ["tfim(h=1.5) N=64"]
    assert out["compared"] == len(out["rows"]) == 2


def test_summary_figures(inputs):
    out = targets.compare(inputs)["summary"]["all"]["entropy"]
    errors = np.array([0.2 / 0.85, 1.0 / 2.05])
    assert out["median"] == pytest.approx(np.median(errors))
    assert out["largest"] == pytest.approx(errors.max())
    assert out["mean_sem"] == pytest.approx(errors.std(ddof=1) / np.sqrt(2))
    assert out["inside_two_std"] == 0.5  # 0.2 is inside 2 x 0.3, 1.0 is not


def test_cost_ratio_counts_compared_targets_only(inputs):
    timing = targets.compare(inputs)["timing"]
    assert timing["reference_median"] == 3.0
    assert timing["ratio"] == pytest.approx(3.0 / timing["predict_median"])


def test_a_small_target_is_solved_and_agrees_with_free_fermions():
    task = {"class": "gapped", "family": "tfim", "sites": 20, "parameters": {"h": 1.5}, "chi": 32}
    found = references.solve_target(task)
    assert found["converged"]
    assert found["energy"] == pytest.approx(found["exact_energy"], rel=1e-9)
    assert found["proxies"]["entropy"] == pytest.approx(found["exact_entropy"], abs=1e-7)
