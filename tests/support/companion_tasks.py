"""Functions that the companion's tests give to the store and to workers, which import them by name."""

import os
import time
from pathlib import Path

import numpy as np

from qednas.base.errors import InputError
from qednas.base.parallel import Work, map_tasks
from qednas.base.task import declare


def count(log):
    """Append one line to the file `log`: one per call, also across processes."""
    with open(log, "a") as handle:
        handle.write(f"{os.getpid()}\n")


def calls(log):
    """How often `count` was called."""
    return len(Path(log).read_text().splitlines()) if Path(log).exists() else 0


@declare(version=1)
def small(log, n=3):
    count(log)
    return {
        "energy": -1.25,
        "spectra": {"tfim": np.linspace(0, 1, n), "gap": np.float64(0.5)},
        "levels": [1, 2.5, None],
    }


@declare(version=1)
def plain(log, value):
    count(log)
    return {"value": value}


@declare(version=1)
def slow(log, seconds):
    count(log)
    time.sleep(seconds)
    return {"value": 7}


@declare(version=1)
def timed(value, note):
    return {"value": value, "seconds": note, "timing": {"each": np.full(2, note)}}


@declare(version=1)
def doubled(inputs):
    (upstream,) = inputs.values()
    return {"value": 2 * upstream["value"]}


@declare(version=1)
def returning(kind):
    """Values that the store must refuse."""
    values = {
        "nan": {"a": {"b": [1.0, float("nan")]}},
        "inf": {"a": np.float64("inf")},
        "object": {"a": np.array([{}, None])},
        "set": {"a": {1, 2}},
        "keys": {"a": {1: 2}},
        "list": [1, 2],
    }
    return values[kind]


@declare(version=1)
def noisy_mean(task):
    """A task with its own seed; slow enough to be interrupted, with an array and a number."""
    count(task["log"]) if task.get("log") else None
    time.sleep(task.get("seconds", 0.0))
    draws = np.random.default_rng(task["seed"]).normal(size=(200, 200))
    return {"mean": draws.mean(), "spectrum": np.linalg.svd(draws, compute_uv=False), "seed": task["seed"]}


def failing(task):
    if task["seed"] == 3:
        raise InputError("no such family") if task.get("input") else ZeroDivisionError("division by zero")
    return {"seed": task["seed"]}


def dying(task):
    os._exit(9)


@declare(version=1, pieces=(noisy_mean,))
def campaign(tasks, log, seconds=0.0, work=Work()):
    """A result made of many tasks, resumable."""
    jobs = [{"seed": seed, "log": log, "seconds": seconds} for seed in range(tasks)]
    rows = map_tasks(noisy_mean, jobs, work=work)
    return {"means": [row["mean"] for row in rows], "spectra": np.stack([row["spectrum"] for row in rows])}


def undeclared(value):
    return {"value": value}


@declare(version=1)
def scatter(task):
    """A training as it were: chaotic, so that only its distribution over seeds is the same on another machine."""
    draw = np.random.default_rng(task["seed"]).normal()
    return {"seed": task["seed"], "error": 1.0 + 0.1 * draw, "method": task["method"]}


@declare(version=1)
def mean_error(inputs):
    """What a verdict does: means over seeds with standard errors."""
    (upstream,) = inputs.values()
    values = np.array([row["error"] for row in upstream["runs"]])
    return {"mean": values.mean(), "mean_sem": values.std(ddof=1) / len(values) ** 0.5, "count": len(values)}


@declare(version=1, pieces=(noisy_mean,))
def taken_apart(seeds, work=Work()):
    """A study that takes apart what its tasks gave."""
    rows = map_tasks(noisy_mean, [{"seed": seed} for seed in range(seeds)], work=work)
    return {"means": [row.pop("mean") for row in rows], "rest": rows}


@declare(version=1, pieces=(scatter,))
def trainings(methods, seeds, work=Work()):
    """A study as the chapters have them: one row for each method and seed."""
    jobs = [{"method": method, "seed": seed} for method in methods for seed in range(seeds)]
    return {"runs": map_tasks(scatter, jobs, work=work)}


@declare(version=1, pieces=())
def careless(tasks):
    """Runs tasks that it does not declare."""
    return {
        "means": [row["mean"] for row in map_tasks(noisy_mean, [{"seed": seed} for seed in range(tasks)], work=Work(1))]
    }
