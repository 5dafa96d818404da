"""How good QAOA gets with its depth, how its angles are found, what shots cost it, and what classical methods do instead."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.angles import flatten, interpolated
from qednas.qnas.optimisers.cost_circuit import alternating_circuit, classical_choice
from qednas.qnas.optimisers.descent import PROBES, spsa
from qednas.qnas.optimisers.qaoa import QAOA, OptimisedCircuit
from qednas.qnas.optimisers.ramps import shipped_ramp
from qednas.qnas.space.encoding import centred
from qednas.qnas.space.pairwise import Pairwise
from studies.ch12.circuit_quality import approximation_ratio, optimum_probability
from studies.ch12.depth_records import DepthRun, DepthRuns, Descents, EstimatedRun, EstimatedRuns, LookTimes, LookTiming
from studies.ch12.instances import KINDS, instance
from studies.spaces.nasbench201 import tables_identity

STRATEGIES = ("shipped ramp", "ramp", "standard", "cvar", "interp", "multi-angle")
QUANTITIES = ("ratio", "optimum", "near", "circuits")
NEAR = 0.01  # the share of all configurations that counts as near the best
PENALTY = 2.0  # of infeasible strings; the spaces here have none


def quality(energies: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Of one measurement: ``ratio``, the approximation ratio; the chance of the ``optimum``, and of the best 1 % (``near``)."""
    count = int(np.ceil(NEAR * len(energies)))
    near = energies <= np.partition(energies, count - 1)[count - 1]
    return {
        "ratio": approximation_ratio(energies, probabilities),
        "optimum": optimum_probability(energies, probabilities),
        "near": float(probabilities[near].sum()),
    }


def descents(cost: Pairwise) -> Descents:
    """Steepest descents of a cost, all at once."""
    costs = cost.listed()
    place = np.arange(costs.size).reshape(costs.shape)
    lowest, to = costs.copy(), place.copy()
    for axis in range(costs.ndim):
        minimum = costs.min(axis, keepdims=True)
        minimum_place = np.take_along_axis(place, costs.argmin(axis, keepdims=True), axis)
        better = minimum < lowest
        lowest, to = np.where(better, minimum, lowest), np.where(better, minimum_place, to)
    to, here = to.ravel(), np.arange(costs.size)
    steps = 0
    while (moved := to[here] != here).any():
        steps += int(moved.sum())
        here = to[here]
    return {
        "reached": float((here == costs.argmin()).mean()),
        "steps": steps / costs.size,
        "minima": int((to == np.arange(costs.size)).sum()),
    }


def pair_share(cost: Pairwise) -> float:
    """Share of the variance of a cost that no sum over single columns can have."""
    pairs = sum(float((table**2).mean()) for table in centred(cost).pair.values())
    return pairs / cost.moments()[1]


def by_depth(
    strategy: str, cost: Pairwise, mixer: str, depths: Sequence[int], steps: int, alpha: float
) -> Iterator[tuple[OptimisedCircuit, int]]:
    """The circuit of every depth with the angles that a strategy of STRATEGIES finds, and how many circuits that took.

    "shipped ramp": as it is.  "standard" and "cvar": all angles from it on, by the expectation or the mean of the lowest
    ``alpha``.  "interp": what was found at one depth serves the next, so its circuits add up.
    """
    rng = np.random.default_rng(0)  # nothing is drawn: objectives are exact
    if strategy == "interp":
        total = 0
        earlier: dict[str, Angles] | None = None
        for depth in range(1, max(depths) + 1):
            fit = QAOA(depth, mixer, strategy="interp", steps=steps).optimise(cost, rng, earlier)
            total += fit.evaluations
            earlier = {"angles": interpolated(fit.angles)}
            if depth in depths:
                yield fit, total
        return
    named: dict[str, dict[str, Any]] = {
        "shipped ramp": {"steps": 0},
        "standard": {"steps": steps},
        "cvar": {"steps": steps, "objective": "cvar", "alpha": alpha},
    }
    options = named.get(strategy, {"steps": steps, "strategy": strategy})
    for depth in depths:
        fit = QAOA(depth, mixer, **options).optimise(cost, rng)
        yield fit, fit.evaluations


@declare(version=1, data=(tables_identity,))
def run_depths(task: Task) -> DepthRun:
    """One circuit on one cost, and what is there without a circuit."""
    cost = instance(task["kind"], task["choices"], task["seed"])
    measures: dict[str, Any] = {name: np.zeros((len(STRATEGIES), len(task["depths"]))) for name in QUANTITIES}
    for row, strategy in enumerate(STRATEGIES):
        runs = by_depth(strategy, cost, task["mixer"], task["depths"], task["steps"], task["alpha"])
        for column, (fit, circuits) in enumerate(runs):
            measured = quality(fit.diagonal.energies, fit.probabilities()) | {"circuits": circuits}
            for name in QUANTITIES:
                measures[name][row, column] = measured[name]
    costs = cost.listed().ravel()
    measures["uniform"] = quality(costs, np.full(len(costs), 1 / len(costs)))
    single = cost.costs(classical_choice(cost)[None])[0]
    measures["descent"] = descents(cost) | {"from_singles": float(single <= costs.min() + 1e-9)}
    measures["pair_share"] = pair_share(cost)
    return cast(DepthRun, measures)


@declare(version=1, pieces=(run_depths,))
def depth_runs(
    circuits: list[list[Any]],
    depths: list[int],
    instances: int,
    steps: int,
    alpha: float,
    work: Work = Work(),
) -> DepthRuns:
    """Every strategy at every depth, for ``circuits`` ([mixer, choices per column]) on fitted and on random costs."""
    common = {"depths": sorted(depths), "steps": steps, "alpha": alpha}
    tasks = [
        {"mixer": mixer, "choices": choices, "kind": kind, "seed": seed, **common}
        for mixer, choices in circuits for kind in KINDS for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_depths, tasks, work=work)
    by_circuit: dict[str, dict[str, DepthRun]] = {}
    for start in range(0, len(tasks), instances):
        first, group = tasks[start], runs[start : start + instances]
        place = by_circuit.setdefault(f"{first['mixer']}, {first['choices']}", {})
        place[first["kind"]] = stacked(group)
    return cast(
        DepthRuns, {"found": by_circuit, "strategies": list(STRATEGIES), "depths": common["depths"], "alpha": alpha}
    )


def stacked(runs: Sequence[Any]) -> Any:
    """Nested dictionaries of numbers or arrays, one per run, as one of arrays with an axis over runs in front."""
    if isinstance(runs[0], dict):
        return {key: stacked([run[key] for run in runs]) for key in runs[0]}
    return np.stack([np.asarray(run, float) for run in runs])


def start_of(cost: Pairwise, mixer: str, depth: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The shipped ramp with all its angles times ``share``."""
    gammas, betas = shipped_ramp(mixer, "binary", depth, cost.space.sizes, cost.space.size)
    return share * gammas, share * betas


def run_exact_spsa(cost: Pairwise, mixer: str, depth: int, share: float, steps: int, rng: np.random.Generator):
    """(energies, probabilities) after SPSA as QAOA runs it, but with exact expectations: what is left without shot noise."""
    circuit, diagonal = alternating_circuit(cost, mixer, "binary", PENALTY)

    def value(point: np.ndarray) -> float:
        return float(circuit.probabilities((point[:depth], point[depth:])) @ diagonal.energies)

    ends = [np.abs(angles).max() for angles in start_of(cost, mixer, depth, 1.0)]
    point = spsa(value, flatten(start_of(cost, mixer, depth, share)), np.repeat(ends, depth), steps, rng)
    return diagonal.energies, circuit.probabilities((point[:depth], point[depth:]))


@declare(version=1, data=(tables_identity,))
def run_qaoa_shots(task: Task) -> EstimatedRun:
    """One cost, from every start, with every number of shots and of circuits."""
    cost, mixer, depth = instance(task["kind"], task["choices"], task["seed"]), task["mixer"], task["depth"]
    shape = (len(task["starts"]), len(task["shots"]), len(task["circuits"]))
    measures: dict[str, Any] = {name: np.zeros(shape) for name in ("ratio", "optimum")}
    measures |= {where: {name: np.zeros(shape[0]) for name in QUANTITIES} for where in ("start", "lbfgs")}
    for i, share in enumerate(task["starts"]):
        earlier = {"angles": start_of(cost, mixer, depth, share)}
        for where, steps in (("start", 0), ("lbfgs", task["steps"])):
            fit = QAOA(depth, mixer, steps=steps).optimise(cost, np.random.default_rng(0), earlier)
            measured = quality(fit.diagonal.energies, fit.probabilities()) | {"circuits": fit.evaluations}
            for name in QUANTITIES:
                measures[where][name][i] = measured[name]
        for j, shots in enumerate(task["shots"]):
            for k, circuits in enumerate(task["circuits"]):
                rng = np.random.default_rng([task["seed"], i, j, k])
                steps = (circuits - 2 * PROBES) // 2
                if shots:
                    solver = QAOA(depth, mixer, steps=steps, objective_shots=shots)
                    fit = solver.optimise(cost, rng, earlier)
                    state = fit.diagonal.energies, fit.probabilities()
                else:
                    state = run_exact_spsa(cost, mixer, depth, share, steps, rng)
                measured = quality(*state)
                for name in ("ratio", "optimum"):
                    measures[name][i, j, k] = measured[name]
    measures["uniform"] = 1 / cost.space.size
    return cast(EstimatedRun, measures)


@declare(version=1, pieces=(run_qaoa_shots,))
def qaoa_shot_runs(
    mixer: str,
    choices: int,
    depth: int,
    starts: list[float],
    shots: list[int],
    circuits: list[int],
    steps: int,
    instances: int,
    work: Work = Work(),
) -> EstimatedRuns:
    """Angles from estimated expectations.  starts: shares of the shipped ramp.  shots: of each estimate, 0 for the exact value.
    circuits: estimates in all.  steps: of L-BFGS, which is shown beside."""
    axes = {"starts": starts, "shots": shots, "circuits": circuits}
    common = {"mixer": mixer, "choices": choices, "depth": depth, "steps": steps, **axes}
    tasks = [{**common, "kind": kind, "seed": seed} for kind in KINDS for seed in range(instances)]
    runs = map_tasks(run_qaoa_shots, tasks, work=work)
    by_kind = {kind: stacked(runs[k * instances : (k + 1) * instances]) for k, kind in enumerate(KINDS)}
    return cast(EstimatedRuns, {"found": by_kind, "depth": depth, "mixer": mixer, **axes})


@declare(version=1, data=(tables_identity,))
def look_times(mixer: str, choices: int, depth: int, steps: int, repeats: int) -> LookTimes:
    """On one fitted cost.  A simulation has to list all costs before its first gate."""
    cost = instance("fitted", choices, 0)
    rng = np.random.default_rng(0)
    calls = {
        "look": lambda: cost.listed().argmin(),
        "circuit": lambda: QAOA(depth, mixer, steps=0).optimise(cost, rng).probabilities(),
        "search": lambda: QAOA(depth, mixer, steps=steps).optimise(cost, rng).probabilities(),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:  # the first compiles and loads code
                seconds[name].append(time.perf_counter() - start)
    medians = {f"{name}_seconds": float(np.median(times)) for name, times in seconds.items()}
    slowdown = medians["search_seconds"] / medians["look_seconds"]
    return {
        "timing": cast(LookTiming, {**medians, "slowdown": slowdown}),
        "configurations": cost.space.size,
        "depth": depth,
    }
