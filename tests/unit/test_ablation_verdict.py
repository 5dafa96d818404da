"""What the ablations are said to tell, from runs that were made up."""

import numpy as np
import pytest

from studies.ch11 import figures as pictures
from studies.ch11.ablation import RULES
from studies.ch11.device_noise import MITIGATIONS
from studies.ch11.verdict import entropy_correlation, judge_ablations, scaling

NAMES, SEEDS = ("bessel", "narma10"), range(3)
LIVE = (2, 5, 7, 8, 10, 11)


def variants(factors: dict[str, float]) -> list[dict]:
    """Errors are a factor of the variant times one of the seed; entropies of candidates alone go with their number."""
    names = ["depth 5", "depth 10", "depth 15", "separate angles", "repaired pool", "equal weights"]
    names += [f"fixed/{k}" for k in LIVE] + [f"weights of {name}" for name in NAMES]
    rows = []
    for d in NAMES:
        for variant in names:
            for s in SEEDS:
                own = variant == f"weights of {d}"
                factor = factors.get("own" if own else variant, 1.0)
                after = [[0.5, int(variant.split("/")[1]) + 0.01 * s]] if "/" in variant else [[0.5, 1.0]]
                rows.append({"dataset": d, "variant": variant, "seed": s, "mse": factor * 1e-3 * (1 + s),
                             "before": [[0.5, 0.5]], "after": after})  # fmt: skip
    return rows


def inputs(factors: dict[str, float]) -> dict:
    discrete = []
    for variant in ["searched", "searched, trained on", *(f"{r}, {h}" for r in RULES for h in
                                                           ("as found", "trained on", "from the start"))]:  # fmt: skip
        for s in SEEDS:
            row = {
                "dataset": "bessel",
                "variant": variant,
                "seed": s,
                "mse": factors.get(variant, 1.0) * 1e-3 * (1 + s),
            }
            discrete.append(row | ({"count": 1, "inert": 0} if "," in variant else {}))
    shots = [
        {"dataset": "bessel", "searched_with": a, "read_with": b, "seed": s, "mse": 1e-3 * (1 + 100 / a if a else 1)
         * (1 + 1000 / b if b else 1), "spread": 0.0}
        for a in (0, 100) for b in (0, 1000) for s in SEEDS
    ]  # fmt: skip
    gradients = [
        {"candidate": c, "qubits": n, "depth": m, "weights": 0.5 if c > 1 else 0.0, "weights_sem": 0.1,
         "expectation": 2.0**-n if c > 1 else 0.0, "expectation_sem": 0.1}
        for c in (1, 2, 8) for n in (4, 6, 8) for m in (1, 10)
    ]  # fmt: skip
    kinds = [("exact", "none"), ("shots", "none"), ("uniform", "none"), *(("device", m) for m in MITIGATIONS)]
    noise = [
        {"dataset": "bessel", "seed": s, "noise": k, "mitigation": m, "mse": 1e-3 * (1 if k == "exact" else 4),
         "distance": 0.1, "qubits": 9}
        for k, m in kinds for s in SEEDS
    ]  # fmt: skip
    return {
        "11/variants": {"runs": variants(factors), "default": "depth 10"},
        "11/discrete": {"runs": discrete}, "11/shots": {"runs": shots},
        "11/gradients": {"runs": gradients}, "11/noise": {"runs": noise},
    }  # fmt: skip


def test_ratios_are_read_off_the_runs():
    factors = {"depth 5": 10.0, "separate angles": 0.1, "own": 0.5, "weights of bessel": 2.0, "weights of narma10": 2.0,
               "equal weights": 4.0, "top 1, as found": 100.0, "searched, trained on": 0.1}  # fmt: skip
    found = judge_ablations(inputs(factors))
    gains = {name: own["gain"] for name, own in found["summary"].items() if "gain" in own}
    assert gains["over_depth_5"] == pytest.approx(1)
    assert gains["over_depth_15"] == pytest.approx(0)
    assert gains["over_separate_angles"] == pytest.approx(-1)
    assert gains["gain_of_separate_angles"] == pytest.approx(1)
    assert gains["foreign_over_own"] == pytest.approx(np.log10(4))
    assert gains["foreign_over_learned"] == pytest.approx(np.log10(2))
    assert gains["equal_over_foreign"] == pytest.approx(np.log10(2))
    assert gains["top_1_as_found"] == pytest.approx(2)
    assert gains["top_3_trained_on"] == pytest.approx(1)
    assert gains["threshold_from_the_start"] == pytest.approx(0)
    assert found["summary"]["reading"]["1000"]["gain"] == pytest.approx(np.log10(2))
    assert found["summary"]["searching"]["100"]["gain"] == pytest.approx(np.log10(2))
    assert found["summary"]["noise"]["device_both"]["gain"] == pytest.approx(np.log10(4))
    assert found["p"]["over_depth_15"] == 1
    assert "over_fixed/2" not in gains


def test_entropy_and_error_are_ranked_within_a_series():
    """Errors that fall with the entropy in each series, at different levels: -1; its sign turned is the gain."""
    runs = variants({f"fixed/{k}": 1.0 / k**9 for k in LIVE})
    for run in runs:
        if run["dataset"] == "bessel":
            run["mse"] *= 1e6
    for run in runs:
        run["mse"] /= 1 + run["seed"] * 1.01  # of a candidate's seeds the entropy rises by less than to the next one
    found = entropy_correlation(runs)
    assert found["rho"] == pytest.approx(-1, abs=0.03)
    assert found["p"] < 1e-6
    made = inputs({})
    made["11/variants"]["runs"] = runs
    assert judge_ablations(made)["entanglement"]["gain"] == pytest.approx(-found["rho"])


def test_slopes_are_those_of_the_deepest_live_circuits():
    found = scaling(inputs({})["11/gradients"]["runs"])
    assert found["weights"]["slope"] == pytest.approx(0, abs=1e-12)
    assert found["expectation"]["slope"] == pytest.approx(-1, abs=1e-12)


def test_everything_is_shown():
    made = inputs({"depth 5": 2.0})
    verdict = judge_ablations(made)
    runs = {name.split("/")[1]: own["runs"] for name, own in made.items()}
    for picture in (pictures.entanglement(runs["variants"]), pictures.gradients(runs["gradients"]), pictures.shots(verdict),
                    pictures.noise(runs["noise"])):  # fmt: skip
        picture.canvas.draw()
    first = pictures.variant_rows(verdict)[0]
    assert first["variant / the search"] == "depth 5"
    assert first["ratio of errors"].startswith("2.00 (2.00 to 2.00)")
    assert len(pictures.moved_rows(verdict)) == 3
    assert [row["kept"] for row in pictures.discrete_rows(verdict, runs["discrete"])] == list(RULES)
    rows = pictures.noise_rows(runs["noise"])
    assert rows[0]["error / exact"] == "1"
    assert rows[-1]["error / exact"].startswith("4.00")
