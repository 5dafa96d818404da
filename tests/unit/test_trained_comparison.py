"""Searches of a trained space, what they end with, and what stands beside it, on the table of pixels of a satellite."""

import csv

import numpy as np
import pytest
from scipy.special import stdtr

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.base.statistics import compare_unpaired
from qednas.qnas.space.table import draw_scores
from studies.ch13 import trained_verdict
from studies.ch13.trained_comparison import compare_on_trained
from studies.ch13.trained_figures import (
    architecture_text,
    counterpart_rows,
    landscapes,
    paper_rows,
    space_rows,
    transfer_rows,
)
from studies.ch13.trained_verdict import best_hand_designed, counterparts, gradient_result, hand_designed_values
from studies.ch13.verdict import judge_comparison
from studies.ch14.devices import device_runs, optimiser
from studies.ch14.transfer import commonest_choices, transferred
from studies.spaces.trained_tables import FOLDER, read_hand_designed, table_files, trained_table, trained_values

SEARCHES = {
    "QAOA": {"method": "qaoa", "options": {"depth": 1, "steps": 0}},
    "evolution": {"method": "evolution"},
    "random": {"method": "random"},
}


@pytest.fixture(scope="module")
def found():
    return compare_on_trained(["satellite"], SEARCHES, evaluations=20, seeds=4, work=Work(1))


def test_what_is_found_has_the_best_value_that_was_seen(found):
    table = trained_table("satellite")
    for own in found["curves"]["satellite"].values():
        assert own["incumbent"].shape == (4, 20)
        regret = table.means.max() - table.means[own["found"]]
        assert own["incumbent"][:, -1] == pytest.approx(regret, abs=1e-5)
        assert (np.diff(own["reached"], axis=1) <= 1e-6).all()
        for seed, row in enumerate(own["found"]):
            assert draw_scores(table, seed)[row] >= np.median(draw_scores(table, seed))


def test_all_architectures_asked_for_leave_no_regret_but_that_of_one_training():
    own = compare_on_trained(["satellite"], {"random": SEARCHES["random"]}, evaluations=256, seeds=2, work=Work(1))
    own = own["curves"]["satellite"]["random"]
    assert own["reached"][:, -1] == pytest.approx(0, abs=1e-5)
    seen = draw_scores(trained_table("satellite"), 1)
    assert seen[own["found"][1]] == seen.max()
    assert own["trained"] == pytest.approx(trained_values("satellite")["seconds"].mean(1).sum())


def test_the_same_verdict_reads_any_comparison(found):
    verdict = judge_comparison(
        {"13/trained": found}, "QAOA", ["evolution", "random"], ["evolution"], source="13/trained"
    )
    assert set(verdict["regret"]["satellite"]) == set(SEARCHES)
    assert set(verdict["summary"]) == {"evolution", "random"}


def test_counterparts_are_test_values_of_what_was_found(found, monkeypatch):
    monkeypatch.setitem(trained_verdict.ROWS, "satellite", ("a row", 2.0, 1.0, 1.0))
    told = counterparts({"13/trained": found}, "QAOA", "evolution")
    own = told["spaces"]["satellite"]
    test = trained_values("satellite")["test accuracy"].mean(1)
    ends = {name: test[one["found"]] for name, one in found["curves"]["satellite"].items()}
    assert own["searches"]["random"]["test"] == pytest.approx(ends["random"].mean())
    row = told["rows"]["satellite"]
    assert row["evolution"]["gain"] == pytest.approx((ends["QAOA"] - ends["evolution"]).mean())
    trained = read_hand_designed("satellite")["perceptron"]["test"]
    assert row["hand-designed"]["gain"] == pytest.approx(ends["QAOA"].mean() - trained.mean())
    # The scatter of five trainings counts too: it is larger than that of what was found.
    assert row["hand-designed"]["gain_sem"] > trained.std(ddof=1) / 5**0.5
    assert own["gradient"] is None
    assert own["best"] == pytest.approx(test.max())
    assert set(told["p"]) == {"satellite evolution", "satellite hand-designed"}
    assert len(counterpart_rows(told, ["QAOA"])) == 1
    assert [row["against"] for row in paper_rows(told)] == ["evolution", "hand-designed"]
    assert {row["paper"] for row in paper_rows(told)} == {"a row: 2 against 1"}
    assert len(landscapes(told, ["QAOA", "random"]).axes) == 1
    assert space_rows(["satellite"])[0]["trainings"] == "768"


def test_unpaired_gains_have_the_errors_of_both():
    # Means 3 and 1, variances 1 and 4, three and four values: t = 2 / sqrt(1/3 + 1).
    first, second = np.array([2.0, 3.0, 4.0]), np.array([-1.0, 1.0 - 6**0.5, 1.0 + 6**0.5, 3.0])
    second = 1 + (second - 1) * 2 / second.std(ddof=1)
    found = compare_unpaired(first, second)
    assert found["gain"] == pytest.approx(2)
    assert found["gain_sem"] == pytest.approx((1 / 3 + 1) ** 0.5)
    freedom = (4 / 3) ** 2 / ((1 / 3) ** 2 / 2 + 1 / 3)
    assert found["gain_df"] == pytest.approx(freedom)
    assert found["p"] == pytest.approx(2 * stdtr(freedom, -2 / (4 / 3) ** 0.5))


def test_held_out_data_choose_among_networks_by_hand():
    hand = {"a": {"held": 70.0, "test": 60.0}, "b": {"held": 65.0, "test": 72.0}}
    assert best_hand_designed(hand, lambda value: value) == "a"
    assert best_hand_designed(hand, lambda value: -value) == "b"  # of perplexities the lower is better


def test_networks_by_hand_and_by_gradient_are_read_from_their_files(tmp_path):
    with (FOLDER / "satellite-hand-designed.csv").open() as file:
        values = [float(row["test accuracy"]) for row in csv.DictReader(file)]
    assert hand_designed_values("satellite")["perceptron"]["test"] == pytest.approx(np.mean(values))
    table = trained_table("satellite")
    names, rows = table.space.names, [3, 200]
    lines = [["seed", *names, "seconds"]]
    lines += [[k, *table.space.named(table.digits[row]).values(), 2.0] for k, row in enumerate(rows)]
    with (tmp_path / "satellite-differentiable.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    told = gradient_result("satellite", tmp_path)
    assert told["chosen"] == rows
    assert told["test"] == pytest.approx(trained_verdict.test_values("satellite")[rows].mean())
    assert told["trainings"] == pytest.approx(2.0 / trained_values("satellite")["seconds"].mean())
    assert gradient_result("satellite") is None


def test_files_that_results_depend_on():
    assert [path.name for path in table_files(["satellite"])] == ["satellite-trainings.csv"]
    with pytest.raises(InputError, match="trained space 'speech'"):
        table_files(["speech"])


def test_the_cell_found_most_often_is_carried_over():
    index = np.array([255, 3, 255])
    inputs = {"13/trained": {"curves": {"images": {"QAOA": {"found": index}}}}}
    assert commonest_choices(inputs, "QAOA") == {
        "1<-0": "conv",
        "2<-0": "conv",
        "2<-1": "conv",
        "width": "16",
        "cells": "2",
    }
    inputs["13/trained"]["curves"]["images"]["QAOA"]["found"] = np.array([0, 0])
    told = transferred(inputs, "QAOA", ["LSTM"], "digits", epochs=1, seeds=2, work=Work(1))
    assert set(told["networks"]) == {"found", "LSTM"}
    runs = [run for run in told["runs"] if run["network"] == "found"]
    assert told["networks"]["found"]["test"] == pytest.approx(np.mean([run["test"] for run in runs]))
    assert told["networks"]["found"]["parameters"] == 1442
    assert [row["network"] for row in transfer_rows(told)] == ["found", "LSTM"]
    assert architecture_text(told["choices"]).startswith("1<-0 skip, ")


def test_a_search_on_a_device_without_noise_is_as_good_as_our_own_simulation():
    specs = {
        "ours": {"device": "our simulator"},
        "theirs": {"device": "default.qubit", "shots": 64, "mixer": "x", "encoding": "binary"},
    }
    told = device_runs("satellite", specs, evaluations=30, seeds=3, work=Work(1))
    assert told["devices"]["ours"]["circuits"] == 0
    assert told["devices"]["theirs"]["circuits"] == 4  # after ten at random, of five each
    spread = trained_table("satellite").means
    for own in told["devices"].values():
        assert 0 <= own["regret"] < spread.max() - np.median(spread)
        assert own["infeasible"] == 0  # eight qubits for 2^8 architectures


def test_a_device_that_is_not_installed_is_one_line():
    with pytest.raises(InputError, match=r"device = 'no.such' is not installed"):
        optimiser(
            {"device": "no.such", "shots": 10, "mixer": "x", "encoding": "binary"}, trained_table("satellite").space
        )
