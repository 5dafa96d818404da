"""Large targets: drawn by a seed, compared only where the reference is converged, judged by figures that add up."""

import numpy as np
import pytest

from qednas.companion import paths
from qednas.companion.results.store import load
from qednas.physics.entanglement import PROXIES
from qednas.physics.families import build
from studies.ch04 import references, targets

COMMITTED = paths.paper_results(paths.project_root())


def test_there_are_sixty_targets_of_every_class_and_some_of_two_hundred_sites():
    classes = [label for label, *_ in references.TARGETS]
    assert len(classes) >= 60
    for label in ("gapped", "gapless", "critical", "topological", "long-range", "disordered", "two-dimensional"):
        assert classes.count(label) >= 4
    sizes = [sites for _, _, sites, _ in references.TARGETS]
    assert min(sizes) >= 50
    assert sizes.count(200) >= 4
    for _, family, sites, parameters in references.TARGETS:
        build(family, sites, **parameters)


def test_targets_are_drawn_by_the_seed():
    assert references.draw_targets() == references.draw_targets()
    assert references.TARGETS == references.CHOSEN + references.draw_targets()


def row(entropy, predicted, exact=False, label="gapped", width=0.3):
    truth = dict.fromkeys(PROXIES, entropy)
    found = dict.fromkeys(PROXIES, predicted)
    own = {
        "reference": truth,
        "exact": exact,
        "class": label,
        "family": "tfim",
        "half_width": dict.fromkeys(PROXIES, width),
    }
    methods = dict.fromkeys(("mean_field", "boosting", "nearest", "largest", "scaling_fit"), found)
    return own | methods | {"predicted": found, "refined": found, "refined_half_width": dict.fromkeys(PROXIES, 0.01)}


def test_summary_figures_and_groups():
    rows = [row(1.0, 1.1), row(2.0, 2.0, exact=True), row(1.0, 0.5, label="critical")]
    out = targets.summarise(rows)
    assert {k: out[k]["targets"] for k in ("all", "corrected", "gapped", "critical", "tfim")} == {
        "all": 3,
        "corrected": 2,
        "gapped": 2,
        "critical": 1,
        "tfim": 3,
    }
    errors = out["corrected"]["predicted"]["entropy"]
    assert errors["relative_median"] == pytest.approx(0.3)
    assert errors["covered"] == 0.5  # 0.1 is inside 0.3, 0.5 is not
    assert out["corrected"]["refined"]["entropy"]["covered"] == 0
    assert out["all"]["predicted"]["entropy"]["relative_median"] == pytest.approx(0.1)


def test_bars_are_judged_over_both_groups():
    rows = [row(1.0, 1.02)] * 19 + [row(1.0, 1.5, exact=True)]
    found = {(b["bar"], b["group"]): b["met"] for b in targets.judge_bars(targets.summarise(rows))}
    assert found["entropy, median", "all"]
    assert found["entropy, 95th percentile", "corrected"]
    assert not found["90 % interval, refined", "corrected"]


def test_a_small_target_is_solved_and_agrees_with_free_fermions():
    task = {"class": "gapped", "family": "tfim", "sites": 20, "parameters": {"h": 1.5}, "chi": 32}
    found = references.solve_target(task)
    assert found["converged"]
    assert found["method"] == "dmrg"
    assert found["energy"] == pytest.approx(found["exact_energy"], rel=1e-9)
    assert found["proxies"]["entropy"] == pytest.approx(found["exact_entropy"], abs=1e-7)


def test_long_free_chains_stand_on_their_exact_solution():
    task = {"class": "critical", "family": "tfim", "sites": 128, "parameters": {"h": 1.0}, "chi": 32}
    found = references.solve_target(task)
    assert found["method"] == "free-fermion"
    assert found["converged"]
    assert found["seconds"] < 5


def test_cost_stops_at_the_accuracy_that_is_asked_for():
    task = {"family": "tfim", "sites": 20, "parameters": {"h": 2.0}, "entropy": 0.0888429}
    runs = targets.cost_of(task)["runs"]
    assert runs[-1]["error"] <= targets.COST_ERROR
    assert all(r["error"] > targets.COST_ERROR for r in runs[:-1])
    assert all(r["seconds"] > 0 for r in runs)


def test_committed_comparison_leaves_out_what_did_not_converge():
    result, large = load(COMMITTED, "04/targets"), load(COMMITTED, "04/references")
    converged = [t for t in large["targets"] if t["converged"]]
    assert (
        result["compared"]
        == len(result["rows"])
        == len(converged)
        == len(large["targets"]) - len(result["unconverged"])
    )
    for found, target in zip(result["rows"], converged, strict=True):
        assert found["reference"] == pytest.approx(target["proxies"])
    exact = [r for r in result["rows"] if r["exact"]]
    assert exact
    for found in exact:  # DMRG keeps levels above 1e-10
        assert found["predicted"]["entropy"] == pytest.approx(found["reference"]["entropy"], abs=2e-5)
    covered = np.mean(
        [
            abs(r["predicted"]["entropy"] - r["reference"]["entropy"]) <= r["half_width"]["entropy"]
            for r in result["rows"]
            if not r["exact"]
        ]
    )
    assert covered == pytest.approx(result["summary"]["corrected"]["predicted"]["entropy"]["covered"])
