"""What error mitigation recovers of the energy that noise takes, with how many shots, and whether better samples come of it.

Samples stay what they are: mitigation corrects mean values.  So it can help a search only through the angles that are tuned on
these, which is measured apart: angles are chosen on a grid by energies with and without mitigation, and the samples, always with
noise, are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.optimisers.angles import linear_ramp
from studies.ch12.depths import stacked
from studies.ch14.device.gate_circuits import GateCircuit
from studies.ch14.device.mitigation import (
    FITS,
    FOLDS,
    calibration,
    confusion_matrices,
    corrected_energies,
    extrapolator,
    fold,
)
from studies.ch14.device.noise import NoisyCircuit, noise_of
from studies.ch14.noise import PENALTY, SEEDS, Reading, circuit_name, exact_circuit, small_cost, tuned_ramp
from studies.spaces.nasbench201 import tables_identity

LIBRARY = {"circuit": "pennylane", "gates": "mitiq"}  # what folds and extrapolates
METHODS = (
    "none",
    "read-out",
    "feasible only",
    *(f"{how}, {fit}" for how in LIBRARY for fit in FITS),
    *(f"read-out and circuit, {fit}" for fit in FITS),
)
TUNERS = ("none", "read-out", "zero noise", "both")
GRID = (0.4, 1.6)  # times the shipped angles
CALIBRATION = 10_000  # shots of each of the two calibration circuits, where shots are counted


def draw_frequencies(p: np.ndarray, shots: int, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """(repeats, ...) frequencies in place of probabilities (..., strings); themselves, once, for shots = 0."""
    if shots == 0:
        return p[None]
    clean = np.maximum(p, 0)
    return rng.multinomial(shots, clean / clean.sum(-1, keepdims=True), (repeats, *p.shape[:-1])) / shots


def estimates(
    folded: dict[str, np.ndarray],
    reading: Reading,
    wrong: np.ndarray,
    shots: int,
    repeats: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """{method: (repeats,) energies}.  folded: {folding: probabilities (FOLDS, strings)}.  wrong: (2, strings) of the calibration.

    shots: of an energy in all, divided among the circuits it takes, 0 for exact values; calibration circuits serve all energies
    and are not counted.
    """
    flat = float(reading.energies.mean())
    matrices = confusion_matrices(*draw_frequencies(wrong, CALIBRATION if shots else 0, 1, rng)[0])
    undone = corrected_energies(reading.energies, matrices)
    whole = draw_frequencies(folded["circuit"][0], shots, repeats, rng)
    feasible = whole[:, reading.strings]
    out = {"none": whole @ reading.energies, "read-out": whole @ undone}
    out["feasible only"] = feasible @ reading.energies[reading.strings] / np.maximum(feasible.sum(1), 1e-12)
    for how, library in LIBRARY.items():
        split = draw_frequencies(folded[how], shots // len(FOLDS), repeats, rng)
        for fit in FITS:
            call = extrapolator(fit, FOLDS, library, flat)
            out[f"{how}, {fit}"] = call(split @ reading.energies)
            if how == "circuit":
                out[f"read-out and circuit, {fit}"] = call(split @ undone)
    return {name: out[name] for name in METHODS}


class RecoveredEnergy(TypedDict):
    """One circuit under one noise; of several costs, everything with an axis over instances in front."""

    recovered: np.ndarray  # (methods, shots) share of the lost energy that mitigation brings back, mean over repeats
    error: np.ndarray  # (methods, shots) root mean square error over the loss, 1 is no better than nothing
    loss: float | np.ndarray  # what noise takes of the energy, in standard deviations of the cost


class TunedByEstimates(TypedDict):
    """One layer under one noise, angles chosen by estimated energies; of several costs, with an axis over instances in front."""

    near: np.ndarray  # (tuners, shots) chance of the best 5 % in one shot with noise, mean over repeats
    optimum: np.ndarray  # (tuners, shots) of the optimum
    true: np.ndarray  # (tuners, shots) energy without noise
    best: dict[str, float]  # these, of the grid's angles of lowest energy without noise
    shipped: dict[str, float]  # these, of the shipped angles
    uniform: dict[str, float]  # near and optimum, of configurations alike


class MitigationRuns(TypedDict):
    """What mitigation recovers, and what it does for tuning."""

    recovery: dict[str, dict[str, RecoveredEnergy]]  # {circuit and depth: {noise: ...}}
    tuning: dict[str, dict[str, TunedByEstimates]]  # {circuit: {noise: ...}}
    circuits: list[list[Any]]  # of tuning: [mixer, encoding, columns, choices]
    noises: list[str]
    shots: list[int]  # of an energy in all, 0 for exact values
    methods: list[str]
    tuners: list[str]


def run_recovery(task: Task) -> RecoveredEnergy:
    """One circuit on one cost under one noise, at the angles tuned without it."""
    mixer, encoding, columns, choices = task["circuit"]
    gates = GateCircuit(small_cost(columns, choices, task["seed"]), mixer, encoding, PENALTY)
    reading, noise = Reading(gates), noise_of(task["noise"], gates.qubits)
    angles = linear_ramp(task["depth"], *tuned_ramp(gates, task["depth"], task["steps"]))
    circuit = NoisyCircuit(gates, task["depth"], noise, SEEDS)
    plain = circuit.bind(angles)
    folded = {how: circuit.run([fold(plain, scale, how) for scale in FOLDS]) for how in LIBRARY}
    wrong = calibration(noise, gates.qubits, circuit.places)
    true_circuit = exact_circuit(gates)
    true = float(true_circuit.probabilities(angles) @ true_circuit.energies)
    loss = float(folded["circuit"][0] @ reading.energies) - true
    shape = (len(METHODS), len(task["shots"]))
    recovered, error = np.zeros(shape), np.zeros(shape)
    for place, shots in enumerate(task["shots"]):
        rng = np.random.default_rng([task["seed"], place])
        for row, values in enumerate(estimates(folded, reading, wrong, shots, task["repeats"], rng).values()):
            recovered[row, place] = 1 - (values.mean() - true) / loss
            error[row, place] = np.sqrt(((values - true) ** 2).mean()) / loss
    return {"recovered": recovered, "error": error, "loss": loss}


def run_tuning(task: Task) -> TunedByEstimates:
    """One layer on one cost under one noise; angles from a grid around the shipped ones, by the lowest estimated energy."""
    mixer, encoding, columns, choices = task["circuit"]
    gates = GateCircuit(small_cost(columns, choices, task["seed"]), mixer, encoding, PENALTY)
    reading, noise = Reading(gates), noise_of(task["noise"], gates.qubits)
    circuit, exact = NoisyCircuit(gates, 1, noise, SEEDS), exact_circuit(gates)
    gammas, betas = gates.ramp(1)
    factors = np.linspace(*GRID, task["points"])
    grid = [(gammas * a, betas * b) for a in factors for b in factors] + [(gammas, betas)]
    plain = [circuit.bind(angles) for angles in grid]
    scales = FOLDS[:2]
    p = np.stack([circuit.run([fold(gate_list, scale, "circuit") for gate_list in plain]) for scale in scales], 1)
    true = np.array([float(exact.probabilities(angles) @ exact.energies) for angles in grid])
    read = [reading.quality(by_scale[0]) for by_scale in p]
    quality = {
        "near": np.array([sample["near"] for sample in read]),
        "optimum": np.array([sample["optimum"] for sample in read]),
        "true": true,
    }
    wrong = calibration(noise, gates.qubits, circuit.places)
    line = extrapolator("linear", scales, "pennylane")
    means = {name: np.zeros((len(TUNERS), len(task["shots"]))) for name in quality}
    for place, shots in enumerate(task["shots"]):
        rng = np.random.default_rng([task["seed"], place])
        for _ in range(task["repeats"] if shots else 1):
            matrices = confusion_matrices(*draw_frequencies(wrong, CALIBRATION if shots else 0, 1, rng)[0])
            whole = draw_frequencies(p[:-1, 0], shots, 1, rng)[0]
            split = draw_frequencies(p[:-1], shots // len(scales), 1, rng)[0]
            undone = corrected_energies(reading.energies, matrices)
            energies = (whole @ reading.energies, whole @ undone, line(split @ reading.energies), line(split @ undone))
            for row, estimated in enumerate(energies):
                for name, values in quality.items():
                    means[name][row, place] += values[estimated.argmin()] / (task["repeats"] if shots else 1)
    return cast(
        TunedByEstimates,
        means
        | {
            "best": {name: float(values[:-1][true[:-1].argmin()]) for name, values in quality.items()},
            "shipped": {name: float(values[-1]) for name, values in quality.items()},
            "uniform": {"near": len(reading.near) / len(reading.costs), "optimum": 1 / len(reading.costs)},
        },
    )


RUNS: dict[str, Callable[[Task], RecoveredEnergy | TunedByEstimates]] = {"recovery": run_recovery, "tuning": run_tuning}


@declare(version=1, data=(tables_identity,))
def run_one(task: Task) -> RecoveredEnergy | TunedByEstimates:
    return RUNS[task["part"]](task)


@declare(version=1, pieces=(run_one,))
def mitigation_runs(
    recovery: list[list[Any]],
    tuning: list[list[Any]],
    noises: list[str],
    shots: list[int],
    steps: int,
    points: int,
    repeats: int,
    instances: int,
    work: Work = Work(),
) -> MitigationRuns:
    """recovery: [mixer, encoding, columns, choices, depth]; tuning: [mixer, encoding, columns, choices], of one layer.  shots: of
    an energy in all, 0 for exact values.  repeats: of everything drawn."""
    common = {"shots": shots, "steps": steps, "points": points, "repeats": repeats}
    jobs = [("recovery", circuit[:4], circuit[4]) for circuit in recovery] + [
        ("tuning", circuit, 1) for circuit in tuning
    ]
    tasks = [
        {"part": name, "circuit": circuit, "depth": depth, "noise": noise, "seed": seed, **common}
        for name, circuit, depth in jobs for noise in noises for seed in range(instances)
    ]  # fmt: skip
    runs = map_tasks(run_one, tasks, work=work)
    by_part: dict[str, dict[str, dict[str, RecoveredEnergy | TunedByEstimates]]] = {name: {} for name in RUNS}
    for start in range(0, len(tasks), instances):
        first = tasks[start]
        title = circuit_name(first["circuit"]) + (f", p = {first['depth']}" if first["part"] == "recovery" else "")
        by_part[first["part"]].setdefault(title, {})[first["noise"]] = stacked(runs[start : start + instances])
    return cast(
        MitigationRuns,
        by_part
        | {
            "circuits": tuning,
            "noises": noises,
            "shots": shots,
            "methods": list(METHODS),
            "tuners": list(TUNERS),
        },
    )
