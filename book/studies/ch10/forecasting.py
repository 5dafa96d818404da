"""The measurements of the chapter on time series: the table of the paper with seeds, and controls without a circuit.

Every series is forecast by the searched circuit, by every candidate alone, and by networks that no circuit generates.  All have
the settings of the paper.  The controls, and the search once more, also take the learning rate and the width of the weights at
the start that serve best on the last windows of the training part, so that none is judged by settings chosen for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

import numpy as np
import torch
from torch import nn

from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from qednas.data.series import SERIES, Windows, windows
from qednas.diffqas.recurrent import UNITS, Recurrent
from qednas.diffqas.tasks.forecast import RATE, train_forecasters
from studies.ch09.classification import SEARCHED, build_generated
from studies.ch10.campaign import CIRCUITS, Runs, circuits, each_run, narrow_weights, task_entries
from studies.ch10.side_by_side import SideBySide
from studies.ch10.stacked import Stacked

START = 0.25  # the paper does not tell where training starts; by held-out windows and other seeds than those reported
HELD = 0.2  # share of the training windows, the last ones, that rates are chosen on
SHOWN = (SEARCHED, "fixed/1")  # methods whose forecasts are kept, of one seed


def units(parameters: int) -> int:
    """Of the largest recurrent network with at most so many weights."""
    return max(u for u in range(1, parameters) if 4 * u * (u + 2) + u + 1 <= parameters)


def seeded_network(units: int, seed: int) -> Recurrent:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Recurrent(units)


def networks(methods: Sequence[str], seeds: Sequence[int], depth: int, parameters: int, start: float) -> nn.Module:
    """One run for every method and seed, side by side: circuits ("searched", "fixed/k") or one other method.

    "random", "bits", "coordinates": see :func:`build_generated`; "direct": the largest network with at most ``parameters``
    weights; "full": that of the paper, all its weights trained.  start: how wide generated weights are at the start, times
    sqrt(fan-in); of "direct" and "full" it is torch's own.
    """
    if methods[0] in CIRCUITS:
        return circuits(Recurrent(), methods, seeds, depth, spread=start)
    if methods[0] == "full":
        return Stacked([seeded_network(UNITS, s) for s in seeds])
    if methods[0] == "direct":
        return Stacked([seeded_network(units(parameters), s) for s in seeds])
    generated = [build_generated(Recurrent(), m, parameters, depth, s) for m, s in zip(methods, seeds, strict=True)]
    return Stacked([narrow_weights(net, start) for net in generated])


def single_precision(data: Windows) -> Windows:
    """The same windows in single precision."""
    train, test = ((x.float(), y.float()) for x, y in (data.train, data.test))
    return Windows(train, test)


def held_out(data: Windows) -> Windows:
    """The training windows alone, the last fifth of them to test on."""
    inputs, targets = data.train
    split = len(inputs) - max(1, int(HELD * len(inputs)))
    return Windows((inputs[:split], targets[:split]), (inputs[split:], targets[split:]))


class SeriesRun(TypedDict):
    """One network and its forecasts."""

    dataset: str
    method: str
    group: str  # "paper", "tuned", or "trials" that choose the settings of these
    seed: int
    rate: float
    start: float  # width of the weights at the start
    mse: float  # on the test windows after the last epoch, of the series scaled to -1 to 1
    structure: list[float]  # structural weights at the end; empty without them
    predictions: NotRequired[list[float]]  # of the test windows; SHOWN methods with seed 0


class ForecastRuns(TypedDict):
    """Every series by every method."""

    runs: list[SeriesRun]  # of groups "paper" and "tuned"
    chosen: dict[str, list[float]]  # settings of "tuned", as of best_settings


@declare(version=1)
def run_series(task: Task) -> Runs[SeriesRun]:
    """One training, side by side, of ``methods`` by ``seeds`` at ``rates``, as many each."""
    data = single_precision(windows(SERIES[task["dataset"]]()))
    if task["held"]:
        data = held_out(data)
    net = networks(task["methods"], task["seeds"], task["depth"], task["parameters"], task["start"])
    history = train_forecasters(net, data, task["seeds"], task["epochs"], rates=task["rates"])
    structure = net.structure().tolist() if isinstance(net, SideBySide) else [[]] * len(task["seeds"])
    runs = []
    for place, (method, seed, rate) in enumerate(zip(task["methods"], task["seeds"], task["rates"], strict=True)):
        run = {"dataset": task["dataset"], "method": method, "group": task["group"], "seed": seed, "rate": rate}
        run["start"] = task["start"]
        run["mse"] = history["test"][place][-1]
        run["structure"] = [round(w, 4) for w in structure[place]]
        if seed == 0 and method in SHOWN and task["group"] == "paper":
            run["predictions"] = [round(v, 4) for v in history["predictions"][place]]
        runs.append(run)
    return {"runs": cast(list[SeriesRun], runs)}


def best_settings(runs: Sequence[SeriesRun]) -> dict[str, list[float]]:
    """{"series method": [rate, start]} with the lowest error on the held-out windows, geometric mean over seeds."""
    errors: dict[str, dict[tuple[float, float], list[float]]] = {}
    for run in runs:
        place = errors.setdefault(f"{run['dataset']} {run['method']}", {})
        place.setdefault((run["rate"], run["start"]), []).append(float(np.log(run["mse"])))
    return {
        name: list(min(by_setting.items(), key=lambda item: np.mean(item[1]))[0]) for name, by_setting in errors.items()
    }


@declare(version=1, pieces=(run_series,))
def forecast_runs(
    datasets: list[str],
    controls: list[str],
    rates: list[float],
    starts: list[float],
    trial_seeds: int,
    depth: int,
    epochs: int,
    parameters: int,
    seeds: int,
    together: int,
    work: Work = Work(),
) -> ForecastRuns:
    """Forecast every series with circuits (rate of the paper), then with the search and ``controls``, rates and starts chosen.

    together: how many seeds are trained side by side.
    """
    common = {"depth": depth, "epochs": epochs, "parameters": parameters, "held": False, "start": START}
    tuned = (SEARCHED, *controls)
    longest = sorted(datasets, key=lambda d: -len(SERIES[d]()))
    trials = [(r, 1000 + s) for r in rates for s in range(trial_seeds)]
    trial_tasks = [
        {**common, "dataset": d, "group": "trials", "held": True, "start": w, **task_entries([(m, s, r) for r, s in trials])}
        for d in longest for m in tuned for w in (starts if m not in ("direct", "full") else starts[:1])
    ]  # fmt: skip
    chosen = best_settings(each_run(run_series, trial_tasks, "trials", work))
    tasks = []
    for d in longest:
        for first in range(0, seeds, together):
            block = range(first, min(first + together, seeds))
            paper = task_entries([(m, s, RATE) for m in CIRCUITS for s in block])
            tasks.append({**common, "dataset": d, "group": "paper", **paper})
            for m in tuned:
                rate, start = chosen[f"{d} {m}"]
                tasks.append(
                    {
                        **common,
                        "dataset": d,
                        "group": "tuned",
                        "start": start,
                        **task_entries([(m, s, rate) for s in block]),
                    }
                )
    return {"runs": each_run(run_series, tasks, "runs", work), "chosen": chosen}


# Test mean squared errors of one series.
SimpleErrors = TypedDict("SimpleErrors", {"last value": float, "linear": float})


def simple_errors(datasets: list[str]) -> dict[str, SimpleErrors]:
    """Errors without a network: the last value again, and least squares on the window (5 numbers)."""
    out: dict[str, SimpleErrors] = {}
    for name in datasets:
        data = windows(SERIES[name]())
        (x, y), (unseen, coming) = ((i[..., 0].numpy(), t[:, 0].numpy()) for i, t in (data.train, data.test))

        def with_intercept(v: np.ndarray) -> np.ndarray:
            return np.column_stack([v, np.ones(len(v))])

        slopes = np.linalg.lstsq(with_intercept(x), y, rcond=None)[0]
        out[name] = {
            "last value": float(np.mean((unseen[:, -1] - coming) ** 2)),
            "linear": float(np.mean((with_intercept(unseen) @ slopes - coming) ** 2)),
        }
    return out
