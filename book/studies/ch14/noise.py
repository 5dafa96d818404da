"""What noise does to QAOA: to what is measured, to how many shots the best cell takes, and to where the best angles are.

Costs are small enough for density matrices: some edges of a cell, with some operations each, of a cost fitted to 100 evaluated
cells; the other edges keep the operation that suits the fitted cost best.  Angles are the two ends of a linear ramp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.alternating import Alternating, Angles
from qednas.qnas.optimisers.angles import linear_ramp
from qednas.qnas.optimisers.cost_circuit import classical_choice
from qednas.qnas.optimisers.descent import lbfgs
from qednas.qnas.optimisers.mixers import XMixer, xy_mixer
from qednas.qnas.optimisers.objectives import Expectation
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from studies.ch12.depths import stacked
from studies.ch12.instances import fitted_cost
from studies.ch14.device.gate_circuits import GateCircuit
from studies.ch14.device.noise import NoisyCircuit, noise_of
from studies.ch14.device.routing import count_gates
from studies.spaces.nasbench201 import tables_identity

OPERATIONS = 4  # of the fitted cost: without "none"
NEAR = 0.05  # the share of all configurations that counts as near the best
PENALTY = 2.0
SEEDS = (0, 1, 2)  # of the compiler
STENCIL = 0.05  # of the angles, where they are tuned with noise
SURE = 0.9  # chance to have seen the best configuration


def restricted_cost(cost: Pairwise, selected: Mapping[int, Sequence[int]], fixed: np.ndarray) -> Pairwise:
    """The cost of some columns and choices of theirs, all other columns being ``fixed`` (columns,)."""
    names, columns = cost.space.names, sorted(selected)
    space = Space(
        tuple(names[c] for c in columns), tuple(tuple(cost.space.choices[c][d] for d in selected[c]) for c in columns)
    )
    constant = cost.constant + sum(float(cost.single[c][fixed[c]]) for c in range(len(names)) if c not in selected)
    single = [cost.single[c][list(selected[c])].astype(float) for c in columns]
    pair = {}
    for (i, j), table in cost.pair.items():
        if i in selected and j in selected:
            pair[columns.index(i), columns.index(j)] = table[np.ix_(selected[i], selected[j])]
        elif i in selected:
            single[columns.index(i)] = single[columns.index(i)] + table[list(selected[i]), fixed[j]]
        elif j in selected:
            single[columns.index(j)] = single[columns.index(j)] + table[fixed[i], list(selected[j])]
        else:
            constant += float(table[fixed[i], fixed[j]])
    return Pairwise(space, constant, tuple(single), pair)


def small_cost(columns: int, choices: int, seed: int) -> Pairwise:
    """A part of a fitted cost: edges and operations drawn at random, of mean 0 and standard deviation 1."""
    whole, rng = fitted_cost(OPERATIONS, seed), np.random.default_rng([seed, 14])
    edges = sorted(rng.choice(len(whole.space.names), columns, replace=False).tolist())
    selected = {edge: sorted(rng.choice(OPERATIONS, choices, replace=False).tolist()) for edge in edges}
    return restricted_cost(whole, selected, classical_choice(whole)).standardised()


class Reading:
    """What probabilities of bit strings say about a cost."""

    def __init__(self, gates: GateCircuit):
        space, code = gates.cost.space, ENCODINGS[gates.encoding]
        self.strings = code.encode(space, space.digits()) @ (1 << np.arange(gates.qubits)[::-1])
        self.costs = gates.cost.listed().ravel()
        self.energies = gates.energies()
        count = int(np.ceil(NEAR * len(self.costs)))
        self.near = np.argsort(self.costs, kind="stable")[:count]
        self.best = int(self.costs.argmin())

    def quality(self, p: np.ndarray) -> dict[str, float]:
        """Of probabilities (2^qubits,): ``energy`` of all strings; ``feasible``; ``ratio``, approximation ratio of the
        feasible ones; chance of the ``optimum`` and of the best 5 % (``near``) in one shot; ``shots`` until the optimum was seen
        with a chance of 90 %, as a logarithm to the base 10."""
        feasible = p[self.strings]
        share = float(feasible.sum())
        mean = float(feasible @ self.costs) / share
        return {
            "energy": float(p @ self.energies),
            "feasible": share,
            "ratio": float((self.costs.max() - mean) / np.ptp(self.costs)),
            "optimum": float(feasible[self.best]),
            "near": float(feasible[self.near].sum()),
            "shots": float(np.log10(np.log(1 - SURE) / np.log1p(-feasible[self.best]))),
        }


def tuned_ramp(gates: GateCircuit, depth: int, steps: int) -> np.ndarray:
    """(2,) ends of the ramp of lowest energy without noise, from the shipped ones, by L-BFGS on the exact simulation.

    The X mixer is simulated on all strings, XY mixers on configurations.
    """
    circuit = exact_circuit(gates)
    by_gamma, by_beta = linear_ramp(depth, 1.0, 1.0)
    aim = Expectation(circuit.energies)

    def value_and_gradient(ends: np.ndarray) -> tuple[float, np.ndarray]:
        value, (gammas, betas) = circuit.value_and_gradient(linear_ramp(depth, *ends), aim)
        return value, np.array([by_gamma @ gammas, by_beta @ betas])

    gammas, betas = gates.ramp(depth)
    return lbfgs(value_and_gradient, np.array([gammas[-1], -betas[0]]), steps)[0]


def exact_circuit(gates: GateCircuit) -> Alternating:
    """The same circuit without gates; a ring without its product formula."""
    if gates.mixer == "x":
        return Alternating(gates.energies(), XMixer(gates.qubits))
    return Alternating(gates.cost.listed().ravel(), xy_mixer(gates.cost.space.sizes, gates.mixer))


def exact_probabilities(gates: GateCircuit, angles: Angles) -> np.ndarray:
    """(2^qubits,) of all strings, without noise."""
    p = exact_circuit(gates).probabilities(angles)
    if gates.mixer == "x":
        return p
    whole = np.zeros(2**gates.qubits)
    whole[Reading(gates).strings] = p
    return whole


def tune_with_noise(circuit: NoisyCircuit, energies: np.ndarray, start: np.ndarray, rounds: int) -> np.ndarray:
    """(2,) ends of the ramp of lowest energy under noise: Newton's method from ``start`` on, six circuits a round.

    A round that would raise the energy is left out.
    """
    step = STENCIL * np.abs(start)
    places = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]])

    def values(points: np.ndarray) -> np.ndarray:
        return circuit.probabilities([linear_ramp(circuit.depth, *ends) for ends in points]) @ energies

    here, lowest = np.array(start, float), np.inf
    best = here
    for left in reversed(range(rounds + 1)):
        stencil = values(here + (places if left else places[:1]) * step)
        if stencil[0] >= lowest:
            break
        best, lowest = here, stencil[0]
        if not left:
            break
        middle, east, west, up, down, corner = stencil
        slope = np.array([east - west, up - down]) / 2
        mixed = corner - east - up + middle
        bent = np.array([[east + west - 2 * middle, mixed], [mixed, up + down - 2 * middle]])
        if np.linalg.eigvalsh(bent)[0] <= 0:
            break
        here = here - step * np.linalg.solve(bent, slope)
    return best


# Of every depth, with the ramp tuned without noise, (depths,) each: the quality that Reading tells, and more.
Samples = TypedDict(
    "Samples",
    {
        "energy": np.ndarray,
        "feasible": np.ndarray,
        "ratio": np.ndarray,
        "optimum": np.ndarray,
        "near": np.ndarray,
        "shots": np.ndarray,
        "distance": np.ndarray,  # total variation from the noiseless probabilities
        "two": np.ndarray,  # gates of two qubits
        "one": np.ndarray,  # of one
        "gate depth": np.ndarray,
        "qubits": np.ndarray,
        "signal": np.ndarray,  # what is left of the energy, from that of all strings alike
        "microseconds": np.ndarray,
    },
)


class AnglesRead(TypedDict):
    """Quality of the samples at some angles, as Reading tells it."""

    noisy: dict[str, float]  # with noise
    true: dict[str, float]  # without


class TunedWithNoise(TypedDict):
    """Depth 1, with angles of two kinds."""

    moved: float  # root mean square change of the angles, relative to them
    transferred: AnglesRead  # tuned without noise
    own: AnglesRead  # tuned with it


class UniformDraw(TypedDict):
    """The quality of configurations alike."""

    ratio: float
    optimum: float
    near: float
    shots: float


class NoisyRun(TypedDict):
    """One circuit under one noise; of several costs, everything with an axis over instances in front."""

    samples: Samples
    tuned: NotRequired[TunedWithNoise]  # where there is noise
    uniform: UniformDraw


class NoiseRuns(TypedDict):
    """Every circuit under every noise."""

    found: dict[str, dict[str, NoisyRun]]  # {circuit: {noise: ...}}
    circuits: list[list[Any]]  # [mixer, encoding, columns, choices]
    noises: list[str]
    depths: list[int]


@declare(version=1, data=(tables_identity,))
def run_qaoa_noise(task: Task) -> NoisyRun:
    """One circuit on one cost under one noise."""
    mixer, encoding, columns, choices = task["circuit"]
    cost = small_cost(columns, choices, task["seed"])
    gates = GateCircuit(cost, mixer, encoding, PENALTY)
    reading, noise = Reading(gates), noise_of(task["noise"], gates.qubits)
    rows = []
    flat = float(reading.energies.mean())
    for depth in task["depths"]:
        ends = tuned_ramp(gates, depth, task["steps"])
        angles: Angles = linear_ramp(depth, *ends)
        circuit = NoisyCircuit(gates, depth, noise, SEEDS)
        exact = exact_probabilities(gates, angles)
        p = exact if task["noise"] == "none" else circuit.probabilities([angles])[0]
        counts = count_gates(circuit.compiled)
        rows.append(reading.quality(p) | {
            "distance": float(np.abs(p - exact).sum() / 2), "two": counts["two"], "one": counts["one"],
            "gate depth": counts["depth"], "qubits": gates.qubits,
            "signal": float((p @ reading.energies - flat) / (exact @ reading.energies - flat)),
            "microseconds": 1e6 * circuit.duration(angles),
        })  # fmt: skip
    result: dict[str, Any] = {"samples": {key: np.array([row[key] for row in rows]) for key in rows[0]}}
    if task["rounds"] and task["noise"] != "none":
        circuit = NoisyCircuit(gates, 1, noise, SEEDS)
        before = tuned_ramp(gates, 1, task["steps"])
        after = tune_with_noise(circuit, reading.energies, before, task["rounds"])
        both: list[Angles] = [linear_ramp(1, *before), linear_ramp(1, *after)]
        noisy, true = circuit.probabilities(both), [exact_probabilities(gates, angles) for angles in both]
        result["tuned"] = {"moved": float(np.linalg.norm((after - before) / before)) / 2**0.5}
        for place, name in enumerate(("transferred", "own")):
            result["tuned"][name] = {"noisy": reading.quality(noisy[place]), "true": reading.quality(true[place])}
    costs = reading.costs
    result["uniform"] = {
        "ratio": float((costs.max() - costs.mean()) / np.ptp(costs)), "optimum": 1 / len(costs),
        "near": len(reading.near) / len(costs), "shots": float(np.log10(np.log(1 - SURE) / np.log1p(-1 / len(costs)))),
    }  # fmt: skip
    return cast(NoisyRun, result)


@declare(version=1, pieces=(run_qaoa_noise,))
def qaoa_noise_runs(
    circuits: list[list[Any]],
    noises: list[str],
    depths: list[int],
    steps: int,
    rounds: int,
    instances: int,
    work: Work = Work(),
) -> NoiseRuns:
    """Every circuit ([mixer, encoding, columns, choices]) under every noise.

    rounds: of Newton's method with noise, 0 for none.
    """
    tasks: list[Task] = [
        {"circuit": circuit, "noise": noise, "depths": depths, "steps": steps, "rounds": rounds, "seed": seed}
        for circuit in circuits for noise in noises for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_qaoa_noise, tasks, work=work)
    by_circuit: dict[str, dict[str, NoisyRun]] = {}
    for start in range(0, len(tasks), instances):
        first = tasks[start]
        place = by_circuit.setdefault(circuit_name(first["circuit"]), {})
        place[first["noise"]] = stacked(runs[start : start + instances])
    return {"found": by_circuit, "circuits": circuits, "noises": noises, "depths": depths}


def circuit_name(circuit: Sequence[Any]) -> str:
    """ "x, domain-wall, 3 x 4" of a list as in the settings."""
    mixer, encoding, columns, choices = circuit
    return f"{mixer}, {encoding}, {columns} x {choices}"
