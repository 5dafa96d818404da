"""Before any search: what encodings need, what a circuit starts from, how one layer depends on its angles, and whether good
angles of one cost serve another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

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


class EncodingCounts(TypedDict):
    """What an encoding needs, as :func:`~qednas.qnas.space.encoding.counts` tells it."""

    qubits: int
    linear: int  # terms of a full pairwise cost, like the next two
    quadratic: int
    higher: int
    constraint: int  # couplings that the penalty adds
    feasible: float  # share of bit strings that stand for a configuration


class Encodings(TypedDict):
    """Every encoding, {encoding: ...}, of two spaces."""

    cells: dict[str, EncodingCounts]  # of NAS-Bench-201
    without_none: dict[str, EncodingCounts]
    most_feasible: float  # the largest share for the cells
    start_error: float  # largest distance of an amplitude of the start from 1 / sqrt(configurations)


@declare(version=1)
def encodings() -> Encodings:
    """What encodings need; starts are those of the XY mixers on the cells and of X on the 12 qubits of those without "none"."""
    starts = [
        mixer.complex_amplitudes(mixer.start())
        for mixer in (xy_mixer((5,) * 6, "xy-complete"), xy_mixer((5,) * 6, "xy-ring"), XMixer(12))
    ]
    spaces = {name: counts(cells(choices)[0]) for name, choices in (("cells", 5), ("without_none", 4))}
    return cast(
        Encodings,
        spaces
        | {
            "most_feasible": max(row["feasible"] for row in spaces["cells"].values()),
            "start_error": max(float(np.abs(start - len(start) ** -0.5).max()) for start in starts),
        },
    )


class Landscape(TypedDict):
    """One layer on one cost, over its two angles."""

    mixer: str
    choices: int  # per column
    gammas: np.ndarray  # (points,) over the standard deviation of the cost
    betas: np.ndarray  # (points,)
    ratio: np.ndarray  # (gammas, betas) approximation ratio
    optimum: np.ndarray  # (gammas, betas) chance of it
    ramp: list[float]  # the shipped gamma and beta
    unmixed: float  # largest change of the chance of the optimum by phases alone (beta = 0), relative to 1/N


class Landscapes(TypedDict):
    """One layer of several circuits."""

    runs: list[Landscape]


@declare(version=1, data=(tables_identity,))
def run_landscape(task: Task) -> Landscape:
    """One layer on one cost."""
    cost, mixer = instance(task["kind"], task["choices"], task["seed"]), task["mixer"]
    circuit, diagonal = alternating_circuit(cost, mixer, "binary", PENALTY)
    gammas = np.linspace(0, MOST_GAMMA, task["points"])
    betas = np.linspace(-BETAS[mixer], BETAS[mixer], task["points"])

    def measure(gamma: float, beta: float) -> dict[str, float]:
        return quality(diagonal.energies, circuit.probabilities((np.array([gamma]), np.array([beta]))))

    grid = [[measure(gamma, beta) for beta in betas] for gamma in gammas]
    still = [measure(gamma, 0.0)["optimum"] * cost.space.size - 1 for gamma in gammas]
    ramp = shipped_ramp(mixer, "binary", 1, cost.space.sizes, len(diagonal.energies))
    return cast(
        Landscape,
        {
            "mixer": mixer,
            "choices": task["choices"],
            "gammas": gammas,
            "betas": betas,
            **{name: np.array([[point[name] for point in row] for row in grid]) for name in ("ratio", "optimum")},
            "ramp": [float(angles[0]) for angles in ramp],
            "unmixed": float(np.abs(still).max()),
        },
    )


@declare(version=1, pieces=(run_landscape,))
def landscape_runs(circuits: list[list[Any]], points: int, instance_seed: int, work: Work = Work()) -> Landscapes:
    """One layer of each of ``circuits`` ([mixer, choices per column]) on a fitted cost."""
    tasks = [
        {"mixer": mixer, "choices": choices, "points": points, "kind": "fitted", "seed": instance_seed}
        for mixer, choices in circuits
    ]
    return {"runs": map_tasks(run_landscape, tasks, work=work)}


class RampEnds(TypedDict):
    """The best linear ramp of one cost; of several costs, everything with an axis over instances in front."""

    ends: np.ndarray  # (2,) its largest gamma and beta
    in_units: np.ndarray  # (2,) in those of the shipped ramps
    relative: float  # approximation ratio with the shipped ramp over that with the own one


class BestRamps(TypedDict):
    """Best ramps of costs of many sizes."""

    found: dict[str, list[RampEnds]]  # {mixer: of every place}
    places: list[list[Any]]  # [kind, choices per column, columns]
    depth: int


@declare(version=1, data=(tables_identity,))
def run_ends(task: Task) -> RampEnds:
    """The best linear ramp of one cost."""
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
) -> BestRamps:
    """Best ramps of costs of many sizes.  places: [kind, choices per column, columns]."""
    tasks = [
        {"mixer": mixer, "kind": kind, "choices": choices, "columns": columns, "depth": depth, "seed": seed, "steps": steps}
        for mixer in mixers for kind, choices, columns in places for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_ends, tasks, work=work)
    parts = [stacked(runs[start : start + instances]) for start in range(0, len(tasks), instances)]
    ramps = {mixer: parts[k * len(places) : (k + 1) * len(places)] for k, mixer in enumerate(mixers)}
    return {"found": ramps, "places": places, "depth": depth}


class OwnAngles(TypedDict):
    """Angles found for one cost."""

    angles: list[list[float]]  # (2, depth) gammas and betas, in the units of the shipped ramps


class MovedRatios(TypedDict):
    """Approximation ratios of one cost with the angles found for others."""

    ratio: np.ndarray  # (sources,)
    uniform: float  # of a uniform measurement


class TransferRuns(TypedDict):
    """Approximation ratios with the angles of every cost on every cost."""

    ratio: (
        np.ndarray
    )  # (groups, instances, groups, instances) of the costs of the first two axes, with angles of the last two
    uniform: np.ndarray  # (groups, instances) of a uniform measurement
    groups: list[list[Any]]  # [kind, choices per column, columns]
    depth: int


@declare(version=1, data=(tables_identity,))
def run_own(task: Task) -> OwnAngles:
    """Tune all angles for one cost."""
    cost = instance(task["kind"], task["choices"], task["seed"], task["columns"])
    fit = QAOA(task["depth"], task["mixer"], steps=task["steps"]).optimise(cost, np.random.default_rng(0))
    scale = units(task["mixer"], cost.space.sizes, cost.space.size)
    return {"angles": (np.array(fit.angles) / scale[:, None]).tolist()}


@declare(version=1, data=(tables_identity,))
def run_moved(task: Task) -> MovedRatios:
    """One cost with the angles found for others."""
    cost = instance(task["kind"], task["choices"], task["seed"], task["columns"])
    circuit, diagonal = alternating_circuit(cost, task["mixer"], "binary", PENALTY)
    scale = units(task["mixer"], cost.space.sizes, cost.space.size)

    def ratio(angles: Sequence[Sequence[float]]) -> float:
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
) -> TransferRuns:
    """Angles of every cost on every cost.  groups: [kind, choices per column, columns]."""
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
