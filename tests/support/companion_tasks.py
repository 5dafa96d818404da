"""Functions that the companion's tests give to the store and to workers, which import them by name."""

import os
import time
from pathlib import Path

import numpy as np

from qednas.companion.parallel import map_tasks
from qednas.errors import InputError


def count(log):
    """Append one line to the file `log`: one per call, also across processes."""
    with open(log, "a") as handle:
        handle.write(f"{os.getpid()}\n")


def calls(log):
    """How often `count` was called."""
    return len(Path(log).read_text().splitlines()) if Path(log).exists() else 0


def small(log, n=3):
    count(log)
    return {
        "energy": -1.25,
        "spectra": {"tfim": np.linspace(0, 1, n), "gap": np.float64(0.5)},
        "levels": [1, 2.5, None],
    }


def plain(log, value):
    count(log)
    return {"value": value}


def slow(log, seconds):
    count(log)
    time.sleep(seconds)
    return {"value": 7}


def timed(value, note):
    return {"value": value, "seconds": note, "timing": {"each": np.full(2, note)}}


def doubled(inputs):
    (upstream,) = inputs.values()
    return {"value": 2 * upstream["value"]}


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


def campaign(tasks, workers, checkpoint, log, seconds=0.0, progress=None):
    """A result made of many tasks, resumable."""
    jobs = [{"seed": seed, "log": log, "seconds": seconds} for seed in range(tasks)]
    rows = map_tasks(noisy_mean, jobs, workers=workers, checkpoint=checkpoint, progress=progress)
    return {"means": [row["mean"] for row in rows], "spectra": np.stack([row["spectrum"] for row in rows])}
