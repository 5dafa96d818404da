"""Before any search: what encodings need, what a circuit starts from, how one layer depends on its angles, and whether good
angles of one cost serve another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.optimisers.mixers import XMixer, xy_mixer
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.optimisers.ramps import shipped_ramp, units
from qednas.qnas.space.encoding import counts
from studies.ch12.depths import quality, stacked
from studies.ch12.instances import cells, instance
from studies.spaces.nasbench201 import tables_identity

MOST_GAMMA = 4.0  # times the standard deviation of the cost
BETAS = {
    "xy-complete": np.pi / 5,
    "xy-ring": 1.5,
    "x": np.pi / 2,
}  # periods end there, but for the ring, which has none
PENALTY = 2.0  # of infeasible strings; the spaces here have none


@declare(version=1)
def encodings() -> dict[str, Any]:
    """Qubits, terms and feasible share of every encoding for the ``cells`` of NAS-Bench-201 and those ``without_none``.

    most_feasible: the largest share for the cells.  start_error: largest distance of an amplitude of the start from
    1 / sqrt(configurations), for the XY mixers on the cells and for X on the 12 qubits of those without "none".
    """
    starts = [
        mixer.complex_amplitudes(mixer.start())
        for mixer in (xy_mixer((5,) * 6, "xy-complete"), xy_mixer((5,) * 6, "xy-ring"), XMixer(12))
    ]
    spaces = {name: counts(cells(choices)[0]) for name, choices in (("cells", 5), ("without_none", 4))}
    return spaces | {
        "most_feasible": max(row["feasible"] for row in spaces["cells"].values()),
        "start_error": max(float(np.abs(start - len(start) ** -0.5).max()) for start in starts),
    }


@declare(version=1, data=(tables_identity,))
def run_landscape(task: Task) -> dict[str, Any]:
    """One layer on one cost: ``ratio`` and ``optimum`` (gammas, betas).

    ramp: the shipped angles.  unmixed: by how much, relative to 1/N, phases of the cost alone (beta = 0) change the chance of the
    optimum, the largest over gammas.
    """
    cost, mixer = instance(task["kind"], task["choices"], task["seed"]), task["mixer"]
    circuit, diagonal = alternating_circuit(cost, mixer, "binary", PENALTY)
    gammas = np.linspace(0, MOST_GAMMA, task["points"])
    betas = np.linspace(-BETAS[mixer], BETAS[mixer], task["points"])

    def measure(gamma: float, beta: float) -> dict[str, float]:
        return quality(diagonal.energies, circuit.probabilities((np.array([gamma]), np.array([beta]))))

    grid = [[measure(gamma, beta) for beta in betas] for gamma in gammas]
    still = [measure(gamma, 0.0)["optimum"] * cost.space.size - 1 for gamma in gammas]
    ramp = shipped_ramp(mixer, "binary", 1, cost.space.sizes, len(diagonal.energies))
    return {
        "mixer": mixer,
        "choices": task["choices"],
        "gammas": gammas,
        "betas": betas,
        **{name: np.array([[point[name] for point in row] for row in grid]) for name in ("ratio", "optimum")},
        "ramp": [float(angles[0]) for angles in ramp],
        "unmixed": float(np.abs(still).max()),
    }


@declare(version=1, pieces=(run_landscape,))
def landscape_runs(circuits: list[list[Any]], points: int, instance_seed: int, work: Work = Work()) -> dict[str, Any]:
    """One layer of each of ``circuits`` ([mixer, choices per column]) on a fitted cost; ``runs`` as of :func:`run_landscape`."""
    tasks = [
        {"mixer": mixer, "choices": choices, "points": points, "kind": "fitted", "seed": instance_seed}
        for mixer, choices in circuits
    ]
    return {"runs": map_tasks(run_landscape, tasks, work=work)}


@declare(version=1, data=(tables_identity,))
def run_ends(task: Task) -> dict[str, Any]:
    """The best linear ramp of one cost.  ends: its largest gamma and beta; in_units: in those of the shipped ramps; relative:
    approximation ratio with the shipped ramp over that with the own one."""
    cost = instance(task["kind"], task["choices"], task["seed"], task["columns"])
    mixer, depth = task["mixer"], task["depth"]
    states = [
        QAOA(depth, mixer, strategy="ramp", steps=s).optimise(cost, np.random.default_rng(0))
        for s in (0, task["steps"])
    ]
    shipped, tuned = (quality(state.diagonal.energies, state.probabilities())["ratio"] for state in states)
    ends = np.array([states[1].angles[0][-1], -states[1].angles[1][0]])
    scale = units(mixer, cost.space.sizes, cost.space.size)
    return {"ends": ends, "in_units": ends / scale, "relative": shipped / tuned}


@declare(version=1, pieces=(run_ends,))
def concentration_runs(
    mixers: list[str],
    places: list[list[Any]],
    depth: int,
    instances: int,
    steps: int,
    work: Work = Work(),
) -> dict[str, Any]:
    """Best ramps of costs of many sizes.  places: [kind, choices per column, columns].

    Returns ``found``: {mixer: [as of :func:`run_ends`, with an axis over instances in front, for every place]}.
    """
    tasks = [
        {"mixer": mixer, "kind": kind, "choices": choices, "columns": columns, "depth": depth, "seed": seed, "steps": steps}
        for mixer in mixers for kind, choices, columns in places for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_ends, tasks, work=work)
    parts = [stacked(runs[start : start + instances]) for start in range(0, len(tasks), instances)]
    ramps = {mixer: parts[k * len(places) : (k + 1) * len(places)] for k, mixer in enumerate(mixers)}
    return {"found": ramps, "places": places, "depth": depth}


@declare(version=1, data=(tables_identity,))
def run_own(task: Task) -> dict[str, Any]:
    """Angles (2, depth) found for one cost, in the units of the shipped ramps."""
    cost = instance(task["kind"], task["choices"], task["seed"], task["columns"])
    fit = QAOA(task["depth"], task["mixer"], steps=task["steps"]).optimise(cost, np.random.default_rng(0))
    scale = units(task["mixer"], cost.space.sizes, cost.space.size)
    return {"angles": (np.array(fit.angles) / scale[:, None]).tolist()}


@declare(version=1, data=(tables_identity,))
def run_moved(task: Task) -> dict[str, Any]:
    """Approximation ratios (sources,) of one cost with the angles found for others, and of a uniform measurement."""
    cost = instance(task["kind"], task["choices"], task["seed"], task["columns"])
    circuit, diagonal = alternating_circuit(cost, task["mixer"], "binary", PENALTY)
    scale = units(task["mixer"], cost.space.sizes, cost.space.size)

    def ratio(angles: Sequence[Any]) -> float:
        gammas, betas = np.array(angles) * scale[:, None]
        return quality(diagonal.energies, circuit.probabilities((gammas, betas)))["ratio"]

    depth = task["depth"]
    return {
        "ratio": np.array([ratio(angles) for angles in task["angles"]]),
        "uniform": ratio([[0.0] * depth, [0.0] * depth]),
    }


@declare(
    version=1,
    pieces=(
        run_own,
        run_moved,
    ),
)
def transfer_runs(
    mixer: str,
    groups: list[list[Any]],
    depth: int,
    instances: int,
    steps: int,
    work: Work = Work(),
) -> dict[str, Any]:
    """Angles of every cost on every cost.  groups: [kind, choices per column, columns].

    Returns ``ratio`` (groups, instances, groups, instances), of the costs of the first two axes with the angles of the last two;
    ``uniform`` (groups, instances), of a uniform measurement.
    """
    places = [
        {"kind": kind, "choices": choices, "columns": columns, "seed": seed, "mixer": mixer, "depth": depth}
        for kind, choices, columns in groups for seed in range(instances)
    ]  # fmt: skip

    tuned = map_tasks(run_own, [{**place, "steps": steps} for place in places], work=work.at("own"))
    angles = [run["angles"] for run in tuned]
    transferred = map_tasks(
        run_moved,
        [{**place, "angles": angles} for place in places],
        work=work.at("moved"),
    )
    shape = (len(groups), instances)
    return {
        "ratio": np.array([run["ratio"] for run in transferred]).reshape(shape + shape),
        "uniform": np.array([run["uniform"] for run in transferred]).reshape(shape),
        "groups": groups,
        "depth": depth,
    }
