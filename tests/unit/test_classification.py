"""The measurements of the chapter on classification: what is trained on what, and what the runs are said to tell."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from qednas.base.parallel import Work
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.networks import convolutional
from qednas.diffqas.tasks.classify import Data
from studies.ch09 import figures as pictures
from studies.ch09.classification import (
    CONTROLS,
    DISTINCT,
    FROZEN,
    OPTIONS,
    SEARCHED,
    best_rates,
    build_generated,
    held_out,
    images,
    option_runs,
    paper_classifier,
    paper_runs,
    run_paper,
    run_ten,
    ten_runs,
)
from studies.ch09.verdict import compare_paired, judge_classification, option_rows, same_as

TARGETS = [["mnist", "1,5"], ["fashion-mnist", "1,5"], ["fashion-mnist", "5,7"]]


def data(classes: int = 2, count: int = 60) -> Data:
    pixels = torch.rand(count, 784, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % classes
    return Data((pixels, labels), (pixels, labels), tuple(range(classes)))


def trained(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def test_digits_are_enlarged_to_the_size_of_the_other_images():
    found = images("digits", "0,1")
    assert found.pixels == 784
    large = found.train[0][0].view(28, 28)
    assert large[:2].abs().sum() == 0
    assert torch.equal(large[2:26:3, 2:26:3], large[4:26:3, 4:26:3])
    from qednas.diffqas.tasks.classify import load

    assert torch.equal(large[2:26:3, 2:26:3].flatten(), load("digits", "0,1").train[0][0])


def test_held_out_images_are_not_trained_on_and_test_images_are_not_seen():
    whole = data(count=60)
    part = held_out(whole)
    rows = {tuple(x[:5].tolist()) for x in part.train[0]}
    out = {tuple(x[:5].tolist()) for x in part.test[0]}
    assert len(rows) == 50
    assert len(out) == 10
    assert not rows & out
    assert rows | out == {tuple(x[:5].tolist()) for x in whole.train[0]}


def test_every_way_trains_what_it_is_said_to():
    """286 of the paper; 12 fewer of a circuit alone; the map and the structural weights of frozen angles."""
    counts = {
        m: trained(paper_classifier(data(), m, 15, 0, 286, {}))
        for m in (SEARCHED, FROZEN, "fixed/2", "full", *CONTROLS)
    }
    assert counts[SEARCHED] == 286
    assert counts["fixed/2"] == 274
    assert counts[FROZEN] == 31
    assert counts["full"] == 108_866
    assert all(200 < counts[m] <= 286 for m in CONTROLS)
    for method in ("circuit", "frozen circuit", "random", "bits", "coordinates"):
        assert 640 < trained(build_generated(convolutional(), method, 688, 8, 0)) <= 688


def test_only_distinct_candidates_are_run():
    assert [k + 1 for k in DISTINCT] == [1, 2, 5, 7, 8, 9, 10, 11]
    assert [same_as(k) for k in range(1, 13)] == [1, 2, 1, 1, 5, 1, 7, 8, 9, 10, 11, 9]


def test_the_rate_of_each_method_is_the_best_on_its_own_images():
    runs = [
        {"dataset": d, "method": m, "rate": r, "accuracy": a}
        for d, m, r, a in (("a", "x", 0.1, 0.5), ("a", "x", 0.2, 0.6), ("b", "x", 0.1, 0.9), ("a", "y", 0.2, 0.1))
    ]
    assert best_rates(runs) == {"a all x": 0.2, "b all x": 0.1, "a all y": 0.2}


@pytest.mark.parametrize("method", ["fixed/7", "random", "direct"])
def test_a_run_of_two_classes_tells_its_course(method):
    task = {"dataset": "digits", "classes": "0,1", "method": method, "depth": 1, "parameters": 286, "epochs": 2, "points": 2,
            "seed": 0, "rate": 0.01}  # fmt: skip
    found = run_paper(task)
    assert found["step"] == [2, 3, 5, 6]  # three batches an epoch
    assert len(found["curve"]) == 4
    assert found["accuracy"] == found["curve"][-1]
    assert found["trained"] <= 286


def test_a_run_of_ten_classes_is_the_same_again():
    task = {
        "dataset": "digits",
        "method": "circuit",
        "depth": 1,
        "parameters": 200,
        "epochs": 1,
        "seed": 1,
        "rate": 0.03,
    }
    first, second = run_ten(task), run_ten(task)
    assert first["curve"] == second["curve"]
    assert first["trained"] <= 200
    assert run_ten(task | {"held": True})["curve"] != first["curve"]


def test_campaigns_tune_the_controls_alone_and_keep_every_run(tmp_path):
    small = {"epochs": 1, "seeds": 2}
    two = paper_runs([["digits", "0,1"]], ["fixed/1", "direct"], [0.003, 0.03], 1, 1, points=1, parameters=286,
                     work=Work(1, tmp_path / "two"), **small)  # fmt: skip
    assert list(two["rates"]) == ["digits 0,1 direct"]
    assert {(r["method"], r["seed"], r["rate"]) for r in two["runs"]} == {
        (m, s, rate) for m, rate in (("fixed/1", 1e-3), ("direct", two["rates"]["digits 0,1 direct"])) for s in (0, 1)
    }
    assert len(list((tmp_path / "two").rglob("*.json"))) == 2 + 4  # two trials of the one control, four runs
    ten = ten_runs(["digits"], ["random", "direct"], [200], [0.01, 0.03], 200, 1, 1, work=Work(1), **small)
    assert set(ten["rates"]) == {"digits all random", "digits all direct"}
    assert all(r["rate"] == ten["rates"][f"digits all {r['method']}"] for r in ten["runs"])
    assert len(ten["runs"]) == 4
    options = option_runs(["digits", "0,1"], ["bounded scale"], 1, 1, 1, work=Work(1))
    assert [r["option"] for r in options["runs"]] == ["bounded scale"]


def made_up(gain: float = 0.01) -> dict:
    """Runs in which the search is better than candidate k by (k + 1) gains, and than each control by one."""
    rng = np.random.default_rng(0)
    methods = [SEARCHED, FROZEN, "full", *CONTROLS, *(f"fixed/{k + 1}" for k in DISTINCT)]
    behind = {SEARCHED: 0.0, FROZEN: 3.0, "full": -2.0} | dict.fromkeys(CONTROLS, 1.0)
    behind |= {f"fixed/{k + 1}": 2.0 + k for k in DISTINCT}
    runs = [
        {"dataset": d, "classes": c, "method": m, "seed": s, "accuracy": 0.9 - behind[m] * gain + 1e-4 * rng.normal(),
         "trained": 286, "step": [1, 2], "curve": [0.5, 0.8], "structure": [0.1] * 12}
        for d, c in TARGETS for m in methods for s in range(5)
    ]  # fmt: skip
    ten = [
        {"dataset": d, "method": m, "parameters": p, "seed": s, "accuracy": 0.94 - (m != "circuit") * gain + 1e-4 * s}
        for d in ("mnist", "fashion-mnist") for m in ("circuit", "frozen circuit", "random")
        for p in (688, 1497) for s in range(3)
    ]  # fmt: skip
    return {"09/paper": {"runs": runs}, "09/ten": {"runs": ten}}


def test_gains_are_those_that_were_put_in():
    found = judge_classification(made_up())
    summary = found["summary"]
    assert summary["least"] == pytest.approx(0.9, abs=1e-3)
    assert summary["most_lost"] == pytest.approx(0.02, abs=1e-3)
    assert found["best_fixed"] == "1 H-Ent-Rx"
    assert summary["over_best_fixed"]["gain"] == pytest.approx(0.02, abs=1e-3)
    mean = 0.01 * np.mean([1 + same_as(k) for k in range(1, 13)])
    assert summary["over_mean_fixed"]["gain"] == pytest.approx(mean, abs=1e-3)
    assert summary["over_random"]["gain"] == pytest.approx(0.01, abs=1e-3)
    assert summary["circuit_over_random"]["gain"] == pytest.approx(0.01, abs=1e-9)
    assert all(p < 0.05 for p in found["p"].values())
    assert found["alive"] == 6
    assert found["pairs"]["mnist 1,5"]["lost"] == pytest.approx(0.02, abs=1e-3)
    assert found["pairs"]["mnist 1,5"]["lost_units"] == 5
    assert (summary["over_random"]["tasks"], summary["over_random"]["pairs"]) == (len(TARGETS), 5 * len(TARGETS))
    assert found["margins"]["mnist_688"] == pytest.approx(0.9401 - 0.9329, abs=1e-9)
    assert found["margins"]["mnist_3292"] == pytest.approx(0.9401 - 0.955, abs=1e-9)  # the largest size that was run


def test_no_gain_is_not_significant():
    found = judge_classification(made_up(gain=0.0))
    assert found["p"]["over_random"] > 0.05
    assert abs(found["summary"]["over_random"]["gain"]) < 4 * found["summary"]["over_random"]["gain_sem"]


def test_differences_are_paired_within_each_task():
    found = compare_paired({"a": [1, 2, 3], "b": [4, 5, 6]}, {"a": [0, 0, 0], "b": [0, 0, 0]})
    assert found["gain"] == 3.5
    assert found["gain_sem"] == pytest.approx((1 / 3 + 1 / 3) ** 0.5 / 2)
    assert found["p"] == pytest.approx(2 * stats.t.sf(3.5 / found["gain_sem"], 4))
    assert compare_paired({"a": [1.0]}, {"a": [0.0]})["p"] == 1.0


def test_options_are_compared_after_as_many_steps():
    runs = made_up()["09/paper"]["runs"]
    options = [
        {"dataset": "fashion-mnist", "classes": "5,7", "method": SEARCHED, "option": name, "seed": s, "step": [1],
         "accuracy": 0.7}
        for name in list(OPTIONS)[1:] for s in range(3)
    ]  # fmt: skip
    rows = option_rows(options, runs)
    assert [r["option"] for r in rows] == list(OPTIONS)
    assert rows[0]["accuracy"][0] == pytest.approx(0.5)
    assert rows[1]["accuracy"] == pytest.approx((0.7, 0.0))
    options[0]["accuracy"] = 0.5  # one of three seeds of the first option
    shown = pictures.options_table(options, runs)[1]
    assert shown["seeds that stay at chance"] == "1 of 3"
    assert shown["accuracy of the others (%)"] == "70.00 ± 0.00"
    assert pictures.options_table(options, runs)[0]["seeds that stay at chance"].startswith(
        f"{len(rows[0]['values'])} of"
    )


def test_pictures_and_tables_show_every_way():
    found = made_up()
    runs, verdict = found["09/paper"]["runs"], judge_classification(found)
    axes = pictures.comparison(runs).axes
    assert len(axes) == 3
    assert pictures.differences(verdict)["over_random"].count("±") == 1
    assert [label.get_text() for label in axes[0].get_yticklabels()][2:14] == [
        f"{k} {c}" for k, c in enumerate(PAPER, 1)
    ]
    assert len(pictures.curves(runs).axes) == 3
    assert len(pictures.structure(runs).axes[0].get_xticklabels()) == 12
    assert len(pictures.ten_classes(verdict).axes) == 2
    assert len(pictures.accuracy_rows(runs)) == 2 + len(DISTINCT) + len(CONTROLS) + 1
    assert [row["candidate"].split()[0] for row in pictures.inert_rows()] == ["1", "3", "4", "6", "9", "12"]
    assert len(pictures.paired_rows(verdict)) == 8
    assert len(pictures.ten_rows(verdict, "mnist")) == 3
