"""Rules of chapter 8 on tables that are made up: a planted rule is found, chance is not, a family left out is not seen."""

import numpy as np
import pytest

from qednas.physics.families import build
from studies.ch08.block_table import best_blocks, correlation_length, draw_targets, part_error
from studies.ch08.design_rules import PROXIES, by_family, design_rules, majority, predict_left_out, regret

FAMILIES = [f"family {k}" for k in range(10)]


def table(rule, seed: int = 0, each: int = 3) -> dict:
    """Targets with random features whose best block is ``rule(entropy, correlation length, rng)``."""
    rng = np.random.default_rng(seed)
    targets, best = [], []
    for family in FAMILIES:
        for _ in range(each):
            entanglement = dict(zip(PROXIES, rng.uniform(0, 1, 5), strict=True))
            control = {"wrong_signs": 0.0, "correlation_length": rng.uniform(0, 1), "conserves_z": 1.0}
            targets.append({"family": family, "entanglement": entanglement, "control": control})
            label = rule(entanglement["entropy"], control["correlation_length"], rng)
            errors = {"rbm": -4.0, "mps": -4.0} | {label: -6.0}
            best.append({"number": len(best), "budget": 40, "errors": errors, "best": label})
    return {"08/table": {"targets": targets, "best": best, "budgets": [40]}}


def test_a_rule_on_entanglement_is_found_by_those_that_see_it():
    found = design_rules(table(lambda entropy, length, rng: "mps" if entropy < 0.5 else "rbm"))
    summary = found["summary"]
    assert summary["tree_entanglement"] > 0.8
    assert found["compared"]["entanglement"]["gain"] > 0
    assert found["compared"]["entanglement"]["p"] < 0.01
    assert summary["tree_control"] < 0.7
    assert found["compared"]["both_over_control"]["p"] < 0.05
    assert "entropy" in found["trees"]["40"]
    weights = found["linear"]["40"]
    assert max(weights["rbm"], key=lambda name: weights["rbm"][name]) == "entropy"
    assert weights["mps"]["entropy"] == pytest.approx(-weights["rbm"]["entropy"])


def test_a_rule_on_the_correlation_length_is_no_rule_on_entanglement():
    found = design_rules(table(lambda entropy, length, rng: "mps" if length < 0.5 else "rbm"))
    summary, over = found["summary"], found["compared"]["both_over_control"]
    assert summary["tree_control"] > 0.8
    assert summary["tree_entanglement"] < 0.7
    assert over["p"] > 0.05


def test_chance_is_called_a_rule_as_rarely_as_it_should():
    """At 5 %, 40 tables without any rule: at most 7, exceeded once in 200 if the level is kept."""
    called = sum(
        design_rules(table(lambda e, c, rng: str(rng.choice(["mps", "rbm"])), seed))["compared"]["both"]["p"] < 0.05
        for seed in range(40)
    )
    assert called <= 7


def test_a_family_that_is_left_out_is_not_seen():
    x = np.array([[0.0], [0.0], [1.0], [1.0], [9.0], [9.0]])
    labels = ["a", "a", "b", "b", "c", "c"]
    told = predict_left_out(x, labels, ["f", "f", "g", "g", "h", "h"], "tree")
    assert all(said != own for said, own in zip(told, labels, strict=True))


def test_regret_and_majority_and_families():
    row = {"errors": {"rbm": -5.0, "mps": -7.0}, "best": "mps"}
    assert regret(row, "mps") == 0.0
    assert regret(row, "rbm") == 2.0
    assert regret(row, "dense") == 2.0  # no size fits
    assert majority(["b", "a", "a", "b"]) == "a"
    assert by_family({"per_target": [1, 0, 0.5, 1]}, ["f", "f", "g", "h"]) == [0.5, 0.5, 1]


def test_the_best_block_has_a_size_within_the_budget():
    runs = [
        {"number": 0, "part": part, "relative": error, "relative_error": 1e-9, "r_hat": r_hat}
        for part, error, r_hat in (
            ("rbm/4x4", 1e-3, 1.0),
            ("rbm/full", 1e-5, 1.0),
            ("mps/2", 1e-4, 1.0),
            ("jastrow/distance", 1e-9, 1.6),
        )
    ]
    counts = [{"rbm/4x4": 36, "rbm/full": 1250, "mps/2": 392, "jastrow/distance": 49}]
    small, large = best_blocks(runs, counts, [50], [10, 40])
    assert small["sizes"]["rbm"] == "rbm/4x4"
    assert small["best"] == "mps"
    assert large["sizes"]["rbm"] == "rbm/full"
    assert large["best"] == "rbm"
    assert part_error([runs[3]]) == 0.0  # chains that do not agree prove nothing


def test_targets_are_drawn_once_and_for_all():
    targets = draw_targets(["tfim", "tfim_2d", "mhs"], 2, 50)
    assert targets == draw_targets(["tfim", "tfim_2d", "mhs"], 2, 50)
    assert [t["family"] for t in targets] == ["tfim", "tfim", "tfim_2d", "tfim_2d", "mhs"]
    assert all(t["sites"] % t["parameters"].get("width", 1) == 0 for t in targets)
    for t in targets:
        build(t["family"], t["sites"], **t["parameters"])


def test_correlations_reach_furthest_at_the_critical_point():
    lengths = [correlation_length(build("tfim", 48, h=h)) for h in (3.0, 1.5, 1.0)]
    assert lengths[0] < lengths[1] < lengths[2]
    assert lengths[0] < 2
