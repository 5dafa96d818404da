"""Gates of every circuit on every coupling map, and what QAOA reaches with as many layers as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.pairwise import Pairwise
from studies.ch12.depths import NEAR, stacked
from studies.ch12.instances import instance
from studies.ch14.device.gate_circuits import CIRCUITS, GateCircuit
from studies.ch14.device.routing import MAPS, DeviceMedians, column_matrix, medians, product_error, route

PENALTY = 2.0  # of infeasible strings
RINGS = 1  # rounds of the product formula of a ring, as it is counted
COUNTS = ("two", "depth", "one")


class Routed(TypedDict):
    """One circuit on one map: counts (depths, seeds), see :func:`~.device.routing.count_gates`."""

    two: np.ndarray
    depth: np.ndarray
    one: np.ndarray
    qubits: int


class Routing(TypedDict):
    """All circuits on all maps."""

    found: dict[str, dict[str, dict[str, Routed]]]  # {choices as text: {"mixer, encoding": {map: ...}}}
    device: DeviceMedians
    product: dict[str, dict[str, float]]  # {mixer: {rounds as text: error of the product formula on a column of 5}}
    depths: list[int]  # layers


class Layers(TypedDict):
    """A circuit without noise, (depths,) or, of several costs, (instances, depths)."""

    ratio: np.ndarray  # approximation ratio of feasible shots
    optimum: np.ndarray  # chance of a shot of it
    near: np.ndarray  # of the best 1 %
    exact: np.ndarray  # the same with the exact mixer, where a ring is run with its product formula
    feasible: np.ndarray  # share of shots


class DepthLimit(TypedDict):
    """QAOA of few layers."""

    found: dict[str, Layers]  # {"mixer, encoding, choices": ...}
    circuits: list[list[Any]]  # [mixer, encoding, choices per column]
    depths: list[int]


def counted_circuit(cost: Pairwise, mixer: str, encoding: str) -> GateCircuit:
    """As it is counted: a ring with one round."""
    return GateCircuit(cost, mixer, encoding, PENALTY, RINGS if mixer == "xy-ring" else 0)


@declare(version=1)
def run_routing(task: Task) -> Routed:
    """One circuit on one map."""
    cost = instance("fitted", task["choices"], task["instance_seed"])
    gates = counted_circuit(cost, *task["circuit"])
    rows = [route(gates, depth, task["map"], task["seeds"]) for depth in task["depths"]]
    return cast(
        Routed,
        {key: np.array([[counts[key] for counts in row] for row in rows]) for key in COUNTS} | {"qubits": gates.qubits},
    )


def fits_network(mixer: str, encoding: str) -> bool:
    """Whether the swap network takes the circuit: the cost has pairs of qubits only, and the mixer neighbours."""
    return encoding != "binary" and mixer != "xy-ring"


@declare(version=1, pieces=(run_routing,))
def routing_runs(
    choices: list[int],
    depths: list[int],
    seeds: list[int],
    instance_seed: int,
    device: str,
    work: Work = Work(),
) -> Routing:
    """All of CIRCUITS for a cost fitted to cells of 5 or 4 operations, on all MAPS and by swap network.  depths: layers.

    Product formulas are tried at the shipped angle of one layer.
    """
    tasks: list[Task] = [
        {"choices": size, "circuit": list(circuit), "map": name, "depths": depths, "seeds": seeds, "instance_seed": instance_seed}
        for size in choices for circuit in CIRCUITS for name in (*MAPS, "network")
        if name != "network" or fits_network(*circuit)
    ]  # fmt: skip
    runs = map_tasks(run_routing, tasks, work=work)
    by_choices: dict[str, dict[str, dict[str, Routed]]] = {}
    for task, run in zip(tasks, runs, strict=True):
        place = by_choices.setdefault(str(task["choices"]), {}).setdefault(", ".join(task["circuit"]), {})
        place[task["map"]] = run
    cost, product = instance("fitted", 5, instance_seed), {}
    for mixer in ("xy-complete", "xy-ring"):
        beta = float(counted_circuit(cost, mixer, "one-hot").ramp(1)[1][0])
        product[mixer] = {str(rounds): product_error(5, mixer, beta, rounds) for rounds in (1, 2, 4, 8)}
    return {"found": by_choices, "device": medians(device), "product": product, "depths": depths}


def configuration_probabilities(gates: GateCircuit, p: np.ndarray) -> np.ndarray:
    """(configurations,) of the probabilities of bit strings."""
    space = gates.cost.space
    strings = ENCODINGS[gates.encoding].encode(space, space.digits()).astype(np.int64)
    return p[strings @ (1 << np.arange(gates.qubits)[::-1])]


def product_formula_probabilities(
    energies: np.ndarray, sizes: Sequence[int], kind: str, rounds: int, angles: Angles
) -> np.ndarray:
    """(N,) probabilities of configurations where every column's mixer is its product formula."""
    state = np.full(sizes, len(energies) ** -0.5, dtype=complex)
    for gamma, beta in zip(*angles, strict=True):
        state = state * np.exp(-1j * gamma * energies).reshape(sizes)
        for axis, size in enumerate(sizes):
            mixer = column_matrix(size, kind, float(beta), rounds)
            state = np.moveaxis(np.tensordot(mixer, state, (1, axis)), 0, axis)
    return np.abs(state.ravel()) ** 2


@declare(version=1)
def run_layers(task: Task) -> Layers:
    """One circuit on one cost, without noise; a ring with its product formula, at the angles tuned for the exact mixer."""
    mixer, encoding = task["circuit"]
    cost = instance("fitted", task["choices"], task["seed"])
    costs = cost.listed().ravel()
    near = costs <= np.partition(costs, (count := int(np.ceil(NEAR * len(costs)))) - 1)[count - 1]
    rows = []
    for depth in task["depths"]:
        fit = QAOA(depth, mixer, encoding, PENALTY, steps=task["steps"]).optimise(cost, np.random.default_rng(0))
        exact = p = fit.probabilities()
        if mixer == "xy-ring":
            p = product_formula_probabilities(fit.diagonal.energies, cost.space.sizes, mixer, RINGS, fit.angles)
        elif mixer == "x":
            exact = p = configuration_probabilities(GateCircuit(cost, mixer, encoding, PENALTY), p)
        share = p.sum()
        rows.append({
            "ratio": (costs.max() - p @ costs / share) / np.ptp(costs), "optimum": p[costs.argmin()],
            "near": p[near].sum(), "exact": exact[near].sum(), "feasible": share,
        })  # fmt: skip
    return cast(Layers, {key: np.array([float(row[key]) for row in rows]) for key in rows[0]})


@declare(version=1, pieces=(run_layers,))
def depth_limit_runs(
    circuits: list[list[Any]],
    depths: list[int],
    steps: int,
    instances: int,
    work: Work = Work(),
) -> DepthLimit:
    """QAOA of few layers, all angles tuned exactly.  circuits: [mixer, encoding, choices per column]."""
    tasks = [
        {"circuit": circuit[:2], "choices": circuit[2], "depths": depths, "steps": steps, "seed": seed}
        for circuit in circuits for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_layers, tasks, work=work)
    parts = [stacked(runs[start : start + instances]) for start in range(0, len(tasks), instances)]
    by_circuit = {", ".join(map(str, circuit)): part for circuit, part in zip(circuits, parts, strict=True)}
    return {"found": by_circuit, "circuits": circuits, "depths": depths}
