"""The other optimisers that the paper names, on the same costs: VQE, annealing and Grover search."""

from __future__ import annotations

import math
import time
from typing import TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.annealing import Annealer, QuantumAnnealing, SimulatedAnnealing
from qednas.qnas.optimisers.cost_circuit import on_qubits
from qednas.qnas.optimisers.grover import default_limit, success
from qednas.qnas.optimisers.vqe import VQE, RealCircuit
from studies.ch12.depths import quality, stacked
from studies.ch12.grover_cost import adaptive_search, expected_cost
from studies.ch12.instances import KINDS, instance
from studies.spaces.nasbench201 import tables_identity

AIMS = ("expectation", "cvar")
ANNEALERS: dict[str, type[Annealer]] = {"thermal": SimulatedAnnealing, "quantum": QuantumAnnealing}
PENALTY = 2.0  # of infeasible strings; the space of VQE has none
LONG = 10  # times its usual limit: so long every search is at the minimum


class VqeRun(TypedDict):
    """VQE on one cost, (objectives, layers) each; of several costs, everything with an axis over instances in front."""

    ratio: np.ndarray  # approximation ratio
    optimum: np.ndarray  # chance of it
    near: np.ndarray  # chance of the best 1 %


class VqeRuns(TypedDict):
    """VQE on 12 qubits."""

    found: dict[str, VqeRun]  # {kind of costs: ...}
    objectives: list[str]
    layers: list[int]
    steps: int
    alpha: float  # share of the lowest energies that CVaR looks at


@declare(version=1, data=(tables_identity,))
def run_vqe(task: Task) -> VqeRun:
    """One cost by every objective with every number of layers."""
    cost = instance(task["kind"], 4, task["seed"])
    energies = on_qubits(cost, "binary", PENALTY).energies
    qubits = len(energies).bit_length() - 1
    measures = {name: np.zeros((len(AIMS), len(task["layers"]))) for name in ("ratio", "optimum", "near")}
    for row, aim in enumerate(AIMS):
        for column, layers in enumerate(task["layers"]):
            solver = VQE(layers, objective=aim, alpha=task["alpha"], steps=task["steps"])
            angles = solver.sample(cost, 1, np.random.default_rng(task["seed"])).found["angles"]
            measured = quality(energies, RealCircuit(qubits, layers).probabilities(np.array(angles)))
            for name, table in measures.items():
                table[row, column] = measured[name]
    return cast(VqeRun, measures)


@declare(version=1, pieces=(run_vqe,))
def vqe_runs(layers: list[int], steps: int, alpha: float, instances: int, work: Work = Work()) -> VqeRuns:
    """VQE on 12 qubits, all whose strings are configurations."""
    common = {"layers": layers, "steps": steps, "alpha": alpha}
    tasks = [{**common, "kind": kind, "seed": seed} for kind in KINDS for seed in range(instances)]
    runs = map_tasks(run_vqe, tasks, work=work)
    by_kind = {kind: stacked(runs[k * instances : (k + 1) * instances]) for k, kind in enumerate(KINDS)}
    return cast(VqeRuns, {"found": by_kind, "objectives": list(AIMS), **common})


class AnnealingRun(TypedDict):
    """One annealer on one cost, (sweeps, penalties) each; of several costs, everything with an axis over instances in front."""

    feasible: np.ndarray  # share of shots
    optimum: np.ndarray  # share of shots at it
    seconds: np.ndarray  # of a shot


class AnnealingRuns(TypedDict):
    """Annealing of 30 one-hot qubits."""

    found: dict[str, dict[str, AnnealingRun]]  # {annealer: {kind of costs: ...}}
    sweeps: dict[str, list[int]]  # {annealer: numbers of them}
    penalties: list[float]  # standard deviations of the cost
    shots: int


@declare(version=1, data=(tables_identity,))
def run_annealing(task: Task) -> AnnealingRun:
    """One annealer on one cost with every number of sweeps and every penalty."""
    cost = instance(task["kind"], 5, task["seed"])
    best = int(cost.listed().argmin())
    shape = (len(task["sweeps"]), len(task["penalties"]))
    measures = {name: np.zeros(shape) for name in ("feasible", "optimum", "seconds")}
    for i, sweeps in enumerate(task["sweeps"]):
        for j, penalty in enumerate(task["penalties"]):
            solver = ANNEALERS[task["annealer"]](penalty=penalty, sweeps=sweeps)
            start = time.perf_counter()
            samples = solver.sample(cost, task["shots"], np.random.default_rng([task["seed"], i, j]))
            measures["seconds"][i, j] = (time.perf_counter() - start) / task["shots"]
            measures["feasible"][i, j] = len(samples.digits) / task["shots"]
            measures["optimum"][i, j] = (cost.space.index(samples.digits) == best).sum() / task["shots"]
    return cast(AnnealingRun, measures)


@declare(version=1, pieces=(run_annealing,))
def annealing_runs(
    sweeps: dict[str, list[int]],
    penalties: list[float],
    shots: int,
    instances: int,
    work: Work = Work(),
) -> AnnealingRuns:
    """Annealing of 30 one-hot qubits.  sweeps: {"thermal" or "quantum": numbers of sweeps}; penalties: in standard deviations."""
    tasks = [
        {"annealer": name, "sweeps": counts, "kind": kind, "seed": seed, "penalties": penalties, "shots": shots}
        for name, counts in sweeps.items() for kind in KINDS for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_annealing, tasks, work=work)
    parts = [stacked(runs[start : start + instances]) for start in range(0, len(tasks), instances)]
    by_annealer = {name: dict(zip(KINDS, parts[k * len(KINDS) :], strict=False)) for k, name in enumerate(sweeps)}
    return {"found": by_annealer, "sweeps": sweeps, "penalties": penalties, "shots": shots}


class GroverRun(TypedDict):
    """Searches of one random cost: what each spent until the minimum was measured."""

    calls: np.ndarray  # (searches,) of the oracle
    measurements: np.ndarray  # (searches,)


class ExpectedCosts(TypedDict):
    """What is expected of searches, by size."""

    calls: list[float]  # (sizes,) of the oracle
    measurements: list[float]  # (sizes,)


class GroverRuns(TypedDict):
    """Grover adaptive search of spaces of several sizes."""

    sizes: list[int]
    calls: np.ndarray  # (sizes, searches) of the oracle until the minimum
    measurements: np.ndarray  # (sizes, searches)
    expected: ExpectedCosts
    slope: float  # of log(expected calls) by log(size), between the two large sizes
    iterations: int  # of the paper's equation, for one marked item of 15,625
    success: float  # their chance


@declare(version=1, data=(tables_identity,))
def run_grover(task: Task) -> GroverRun:
    """Searches of one random cost."""
    values = instance("random", task["choices"], task["seed"], task["columns"]).listed().ravel()
    limit = LONG * default_limit(len(values))
    spent = np.zeros((2, task["searches"]))
    for search in range(task["searches"]):
        trace = adaptive_search(values, np.random.default_rng([task["seed"], search]), limit)
        end = trace["rank"].index(0)
        spent[:, search] = trace["oracle calls"][end], trace["measurements"][end]
    return {"calls": spent[0], "measurements": spent[1]}


@declare(version=1, pieces=(run_grover,))
def grover_runs(
    choices: int,
    columns: list[int],
    large: list[int],
    searches: int,
    seed: int,
    work: Work = Work(),
) -> GroverRuns:
    """Grover adaptive search of spaces of ``columns`` of ``choices``; two ``large`` ones are not searched."""
    tasks = [{"choices": choices, "columns": k, "searches": searches, "seed": seed} for k in columns]
    runs = map_tasks(run_grover, tasks, work=work)
    sizes = [choices**k for k in columns]
    expected = [expected_cost(size) for size in sizes]
    cells = 5**6
    iterations = round(math.pi / 4 * math.sqrt(cells))
    first, last = (expected_cost(choices**k)["oracle calls"] for k in large)
    return {
        "sizes": sizes,
        "calls": np.stack([run["calls"] for run in runs]),
        "measurements": np.stack([run["measurements"] for run in runs]),
        "expected": {
            "calls": [cost["oracle calls"] for cost in expected],
            "measurements": [cost["measurements"] for cost in expected],
        },
        "slope": math.log(last / first, choices) / (large[1] - large[0]),
        "iterations": iterations,
        "success": success(1, cells, iterations),
    }
