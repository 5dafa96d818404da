"""The loop on PennyLane devices: the same search with its proposals measured on simulators, exact and with a device's noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Required, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.statistics import mean_sem
from qednas.base.task import declare
from qednas.qnas.loop import Search
from qednas.qnas.methods import batch_of
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.searchers.surrogate_search import SurrogateSearch
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.space import Configuration, Space
from qednas.qnas.space.table import draw_scores
from studies.ch14.device.hardware import DeviceQAOA
from studies.ch14.device.noise import region_backend
from studies.spaces.trained_tables import trained_table

EXACT = "our simulator"


class DeviceSpec(TypedDict, total=False):
    """A device as the settings have it; EXACT needs no more than its name."""

    device: Required[str]
    shots: int  # of one proposal
    encoding: str
    mixer: str
    backend: str  # a fake one, whose best qubits Aer simulates


class DeviceSearch(TypedDict):
    """One search on one device."""

    regret: float  # at the end, points
    infeasible: int  # shots, of those measured
    measured: int
    circuits: int  # that ran on the device


class DeviceMeans(TypedDict):
    """Searches on one device, means over seeds."""

    regret: float  # points
    regret_sem: float
    infeasible: float  # share of all shots
    circuits: float  # of one search


class DeviceComparison(TypedDict):
    """The same search on every device."""

    devices: dict[str, DeviceMeans]
    runs: list[DeviceSearch]  # device after device, every seed


def optimiser(spec: DeviceSpec, space: Space) -> DeviceQAOA | QAOA:
    """Of a specification."""
    if spec["device"] == EXACT:
        return QAOA(depth=1, steps=0)
    options = {}
    if spec.get("backend"):
        region = region_backend(spec["backend"], ENCODINGS[spec["encoding"]].qubits(space))
        options = {"backend": region, "optimization_level": 3, "seed_transpiler": 0}
    return DeviceQAOA(spec["device"], spec["shots"], mixer=spec["mixer"], encoding=spec["encoding"], options=options)


@declare(version=2)  # 2: shots of Aer are seeded
def run_device(task: Task) -> DeviceSearch:
    """One search of a trained space."""
    table, seed = trained_table(task["table"]), task["seed"]
    values = draw_scores(table, seed)
    searcher = SurrogateSearch(optimiser(task["spec"], table.space))
    search = Search(table.space, searcher, seed, rows=table.digits, batch=batch_of("qaoa"))
    rows: list[int] = []

    def evaluate(configuration: Configuration) -> float:
        rows.append(table.row(configuration))
        return float(values[rows[-1]])

    counts = search.run(evaluate, task["evaluations"])["counts"]
    incumbent = rows[int(np.argmax(values[rows]))]
    calls = counts.get("calls", {})
    return {
        "regret": float(table.means.max() - table.means[incumbent]),
        "infeasible": int(counts.get("infeasible", 0)),
        "measured": int(counts.get("measured", 0)),
        "circuits": int(calls.get("device circuits", 0)),
    }


@declare(version=1, pieces=(run_device,))
def device_runs(
    table: str,
    devices: Mapping[str, DeviceSpec],
    evaluations: int,
    seeds: int,
    work: Work = Work(),
) -> DeviceComparison:
    """The same search on every device ({name: specification})."""
    tasks = [
        {"table": table, "spec": dict(spec), "evaluations": evaluations, "seed": seed}
        for spec in devices.values()
        for seed in range(seeds)
    ]
    parts = map_tasks(run_device, tasks, work=work)
    by_device: dict[str, DeviceMeans] = {}
    for place, name in enumerate(devices):
        searches = parts[place * seeds : (place + 1) * seeds]
        shots = sum(run["measured"] for run in searches)
        by_device[name] = cast(
            DeviceMeans,
            mean_sem(np.array([run["regret"] for run in searches]), "regret")
            | {
                "infeasible": sum(run["infeasible"] for run in searches) / shots if shots else 0.0,
                "circuits": float(np.mean([run["circuits"] for run in searches])),
            },
        )
    return {"devices": by_device, "runs": parts}
