"""The measurements of the chapter on time series: what is trained on what, and what the runs are said to tell."""

import numpy as np
import pytest
import torch

from qednas.base.parallel import Work
from qednas.data.series import SERIES, windows
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.recurrent import Recurrent
from qednas.diffqas.tasks.forecast import train_forecasters
from studies.ch09.classification import SEARCHED
from studies.ch09.published import FORECAST
from studies.ch10 import forecasting_figures as pictures
from studies.ch10.campaign import CIRCUITS, pool_of
from studies.ch10.forecasting import (
    best_settings,
    forecast_runs,
    held_out,
    networks,
    run_series,
    simple_errors,
    single_precision,
    units,
)
from studies.ch10.forecasting_verdict import COLUMNS, configuration, judge_forecasts, rank, table

CONTROLS = ["random", "bits", "coordinates", "direct", "full"]


def test_held_out_windows_are_the_last_of_those_that_are_trained_on():
    data = windows(SERIES["bessel"]())
    part = held_out(data)
    assert torch.equal(torch.cat([part.train[0], part.test[0]]), data.train[0])
    assert torch.equal(torch.cat([part.train[1], part.test[1]]), data.train[1])
    assert len(part.test[0]) == int(0.2 * len(data.train[0]))


def test_every_method_trains_as_many_numbers_as_it_may():
    """135 of the search, 123 of a circuit alone, at most 135 of controls; five units of an LSTM would be 146."""
    assert units(135) == 4
    assert sum(p.numel() for p in Recurrent(units(135)).parameters()) == 101
    assert units(146) == 5
    for method in CONTROLS[:4]:
        assert 100 < networks([method], [0], 10, 135, 1.0).trained_parameters <= 135
    assert networks(["full"], [0], 10, 135, 1.0).trained_parameters == 1781
    assert len(CIRCUITS) == 9
    assert pool_of(SEARCHED) == PAPER
    assert pool_of("fixed/2") == [PAPER[1]]


def test_a_run_of_a_task_is_that_run_alone():
    task = {"dataset": "narma5", "group": "paper", "methods": ["searched", "fixed/7"], "seeds": [0, 3],
            "rates": [0.01, 0.01], "depth": 2, "epochs": 3, "parameters": 135, "held": False,
            "start": 0.5}  # fmt: skip
    runs = run_series(task)["runs"]
    assert [(r["method"], r["seed"]) for r in runs] == [("searched", 0), ("fixed/7", 3)]
    assert "predictions" in runs[0]
    assert "predictions" not in runs[1]
    data = single_precision(windows(SERIES["narma5"]()))
    alone = train_forecasters(networks(["fixed/7"], [3], 2, 135, 0.5), data, [3], 3)
    assert runs[1]["mse"] == pytest.approx(alone["test"][0][-1], rel=1e-3)


def test_the_rate_of_each_method_is_the_best_by_geometric_mean():
    runs = [
        {"dataset": "a", "method": "x", "rate": r, "start": 1.0, "mse": e}
        for r, e in ((0.1, 1e-4), (0.1, 1e-2), (0.2, 4e-4), (0.2, 4e-4))
    ]
    assert best_settings(runs) == {"a x": [0.2, 1.0]}


def test_simple_forecasts_are_those_of_a_line():
    """Least squares, against the normal equations solved by hand; the last value of a window, by its definition."""
    found = simple_errors(["narma10"])["narma10"]
    data = windows(SERIES["narma10"]())
    (x, y), (u, v) = ((i[..., 0].numpy(), t[:, 0].numpy()) for i, t in (data.train, data.test))
    assert found["last value"] == pytest.approx(np.mean((u[:, 3] - v) ** 2), rel=1e-12)
    a = np.column_stack([x, np.ones(len(x))])
    slopes = np.linalg.solve(a.T @ a, a.T @ y)
    assert found["linear"] == pytest.approx(np.mean((u @ slopes[:4] + slopes[4] - v) ** 2), rel=1e-8)


def test_ranks_share_the_better_place():
    assert rank([0.2, 0.1, 0.2, 0.3]) == [2, 1, 2, 4]
    published = {name: rank([FORECAST[k][c] for k in range(13)])[0] for c, name in enumerate(COLUMNS)}
    assert published == {"bessel": 1, "damped-pendulum": 1, "delayed-control": 9, "narma5": 9, "narma10": 8}
    assert [configuration(k) for k in (0, 1, 6, 7, 12)] == [SEARCHED, "fixed/1", "fixed/1", "fixed/7", "fixed/9"]


def made(factors: dict[str, float], seeds: int = 3) -> list[dict]:
    """Runs whose errors are the factor of a method times one of the seed."""
    out = []
    for name in ("bessel", "narma5"):
        for group, methods in (("paper", CIRCUITS), ("tuned", [SEARCHED, *CONTROLS])):
            for method in methods:
                for seed in range(seeds):
                    mse = factors.get(method, 1.0) * 1e-3 * (1 + seed)
                    out.append({"dataset": name, "method": method, "group": group, "seed": seed, "mse": mse})
    return out


def test_ratios_and_ranks_are_read_off_the_runs():
    factors = {SEARCHED: 0.1, "fixed/8": 0.05, "fixed/1": 10.0, "random": 0.01, "full": 0.001}
    found = judge_forecasts({"10/series": {"runs": made(factors)}})
    gains = {name: own["gain"] for name, own in found["summary"].items()}
    assert gains["over_uniform"] == pytest.approx(2)
    assert gains["over_best_fixed"] == pytest.approx(np.log10(0.5))
    assert gains["over_median_fixed"] == pytest.approx(1)
    assert gains["over_random"] == pytest.approx(-1)
    assert gains["over_full"] == pytest.approx(-2)
    assert found["best_fixed"] == "fixed/8"
    assert pictures.ratios(found)["over_median_fixed"].startswith("10.00 (")
    assert found["p"]["over_uniform"] < 1e-6  # the same ratio for every seed
    first = found["counts"].pop("first_on")
    assert found["counts"] == {"mean_rank": 2.0, "best_on": 0, "linear_better": found["counts"]["linear_better"]}
    assert (first["value"], first["low"], first["against"], first["units"]) == (0, 0, 3, 3)
    assert first["p"] < 0.01  # of two series three cannot be won
    lines = table(made(factors))["bessel"]
    assert lines[0]["mse"] == pytest.approx(0.1 * 2e-3)
    assert lines[0]["sem"] == pytest.approx(0.1 * 1e-3 / 3**0.5)
    assert [lines[k]["rank"] for k in (0, 8, 1)] == [2, 1, 10]
    assert lines[3]["mse"] == lines[1]["mse"]


def test_the_campaign_runs_and_is_shown():
    settings = {"datasets": ["bessel", "narma10"], "controls": ["random", "direct", "full"], "rates": [0.01, 0.1],
                "starts": [0.25, 1.0], "trial_seeds": 1,
                "depth": 1, "epochs": 2, "parameters": 135, "seeds": 2, "together": 2}  # fmt: skip
    found = forecast_runs(**settings, work=Work(1))
    assert len(found["runs"]) == 2 * 2 * (len(CIRCUITS) + 4)
    assert {r["rate"] for r in found["runs"] if r["group"] == "paper"} == {0.01}
    assert set(found["chosen"]) == {
        f"{d} {m}" for d in settings["datasets"] for m in (SEARCHED, "random", "direct", "full")
    }
    for run in found["runs"]:
        if run["group"] == "tuned":
            assert [run["rate"], run["start"]] == found["chosen"][f"{run['dataset']} {run['method']}"]
    verdict = judge_forecasts({"10/series": found})
    for picture in (pictures.comparison(verdict), pictures.forecasts(found["runs"]), pictures.structure(found["runs"]),
                    pictures.controls(found["runs"], verdict)):  # fmt: skip
        picture.canvas.draw()
    assert len(pictures.error_rows(verdict)) == len(pictures.published_rows(verdict)) == 13
    assert pictures.published_rows(verdict)[0]["Bessel"].endswith("| 1")
    assert [r["error of"] for r in pictures.ratio_rows(verdict)][-3:] == [
        "random numbers, settings chosen", "small LSTM, settings chosen", "whole LSTM, settings chosen"]  # fmt: skip
