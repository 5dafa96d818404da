"""One task on another kind of processor: its values beside the scatter of tasks that differ from it in their seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import stdtr

from qednas.base import files
from qednas.companion.comparison.comparing import SEED, Deviation, numbers
from qednas.companion.results.records import TaskRecord, Tasks
from qednas.companion.results.result import MEASURED_TIME

LEAST = 3  # tasks whose scatter is a yardstick


def against_scatter(
    output: Mapping[str, Any], stored: Mapping[str, Any], recorded: Tasks, identity: str
) -> list[Deviation]:
    """Deviations of single numbers of ``output`` from those of tasks alike, as prediction intervals of a normal sample tell;
    without enough tasks alike nothing can be told between kinds of processors."""
    task = recorded.known[identity]
    alike = [run for run in recorded.tasks if run.output is not None and without_seed(run) == without_seed(task)]
    if len(alike) < LEAST:
        return [Deviation("task", "other processor", 0.0, True)]
    deviations = []
    columns = [dict(scalars(run.output or {})) for run in alike]
    for path, value in scalars(output):
        sample = np.array([column[path] for column in columns if path in column])
        if len(sample) < LEAST or abs(value - dict(scalars(stored)).get(path, np.inf)) <= 1e-6 * max(1.0, abs(value)):
            continue
        spread = float(sample.std(ddof=1)) * (1 + 1 / len(sample)) ** 0.5
        size = abs(value - float(sample.mean())) / max(spread, 1e-12)
        chance = float(2 * stdtr(len(sample) - 1, -size))
        deviations.append(Deviation(path, "statistical", size, True, "", chance))
    return deviations


def without_seed(record: TaskRecord) -> str:
    rest = {key: value for key, value in record.arguments.items() if key != SEED}
    return files.canonical([record.task, rest])


def scalars(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a nested value with its path, measured times left out."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not MEASURED_TIME.fullmatch(str(key)):
                yield from scalars(item, f"{path}.{key}" if path else str(key))
        return
    number = numbers(value)
    if number is not None and number.shape == () and number.dtype.kind in "iuf" and np.isfinite(number):
        yield path, float(number)
