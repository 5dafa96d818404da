"""Weights made on noisy devices: what is lost, and what mitigation brings back.

A generator is searched exactly; then its circuits are run with noise, and the network with the weights that come of it is tested.
Circuits are density matrices with shots, through PennyLane and Qiskit Aer.  "depolarising e": every CNOT is followed by a
depolarising channel of probability e, every other gate by one of e / 10, and every qubit is read wrongly with the probability
READ.  "device": gates, relaxation and read-out of a device as its makers measured them, on a line of its qubits.

Mitigation of probabilities: *readout* undoes wrong readings, qubit by qubit; *zero noise* runs each circuit U as U U^-1 U too and
extrapolates linearly to none (Temme, Bravyi and Gambetta, PRL 119, 180509 (2017)).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from qednas.data.series import SERIES, windows
from qednas.diffqas.candidates import PAPER, Candidate
from qednas.diffqas.device import Device
from qednas.diffqas.generator import Generator
from qednas.diffqas.tasks.forecast import Alone, train_forecasters
from studies.ch10.campaign import Runs, each_run
from studies.ch10.forecasting import START, seeded_network, single_precision
from studies.ch11.finite_shots import error_of

READ = 0.02  # probability to read a qubit wrongly, where it is not that of a device
LINE = (0, 1, 4, 7, 10, 12, 15, 18, 21)  # neighbours on the device
FOLDS = (1, 3)
MITIGATIONS = ("none", "readout", "zero noise", "both")


def backend() -> Any:
    """The 27-qubit device as its makers measured it, as a simulator of density matrices."""
    from qiskit_aer import AerSimulator
    from qiskit_ibm_runtime.fake_provider import FakeMontrealV2

    return AerSimulator.from_backend(FakeMontrealV2(), method="density_matrix", max_parallel_threads=1)


def depolarising_model(strength: float) -> Any:
    """The noise model of the head of this file; raises InputError for a probability below 0 or above 1."""
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    if not 0 <= strength <= 1:
        raise InputError(f"noise = {strength}: a probability, from 0 to 1")
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(strength, 2), ["cx"])
    model.add_all_qubit_quantum_error(depolarizing_error(strength / 10, 1), ["rx", "ry", "rz", "h"])
    model.add_all_qubit_readout_error(ReadoutError([[1 - READ, READ], [READ, 1 - READ]]))
    return model


def noisy_device(
    noise: str, n: int, depth: int, shots: int, pool: Sequence[Candidate] = PAPER, seed: int | None = None
) -> Device:
    """The pool with noise, "depolarising e" or "device" (at most nine qubits); seed: of the shots.

    Circuits are run as they are written: a compiler that optimises would undo the folding.
    """
    # Qiskit tells of a plug-in that it does not load whenever it compiles.
    logging.getLogger("stevedore").setLevel(logging.CRITICAL)
    if noise == "device":
        if n > len(LINE):
            raise InputError(f"qubits = {n}: the line on the device has {len(LINE)}")
        options = {
            "backend": backend(),
            "initial_layout": list(LINE[:n]),
            "optimization_level": 0,
            "seed_transpiler": 0,
        }
        return Device("qiskit.remote", pool, n, depth, shots=shots, options=options, seed=seed)
    model = depolarising_model(float(noise.split()[1]))
    options = {"noise_model": model, "method": "density_matrix", "optimization_level": 0}
    return Device("qiskit.aer", pool, n, depth, shots=shots, options=options, seed=seed)


def estimates(device: Device, angles: torch.Tensor) -> dict[int, np.ndarray]:
    """Probabilities (candidates, 2^n) of the circuits, folded as often as FOLDS say."""
    import pennylane as qml

    probabilities = {}
    with torch.no_grad():
        for fold in FOLDS:
            nodes = [node if fold == 1 else qml.noise.fold_global(node, scale_factor=fold) for node in device.nodes]
            probabilities[fold] = np.array([seeded_run(device, node, angles) for node in nodes], float)
    return probabilities


def seeded_run(device: Device, node: Any, angles: torch.Tensor) -> np.ndarray:
    device.reseed()
    return np.asarray(node(angles))


def confusions(noise: str, n: int, shots: int) -> list[np.ndarray]:
    """For every qubit the matrix (read, true) of probabilities; of a device, from its qubits prepared in 0 and in 1."""
    if noise != "device":
        return [np.array([[1 - READ, READ], [READ, 1 - READ]])] * n
    from qiskit import QuantumCircuit, transpile

    simulator, ones = backend(), []
    for prepared in (0, 1):
        circuit = QuantumCircuit(n, n)
        if prepared:
            circuit.x(range(n))
        circuit.measure(range(n), range(n))
        compiled = transpile(circuit, simulator, initial_layout=list(LINE[:n]), optimization_level=0)
        counts = simulator.run(compiled, shots=shots, seed_simulator=prepared).result().get_counts()
        bits = np.array([[int(b) for b in reversed(key)] for key in counts])
        weight = np.array(list(counts.values())) / shots
        ones.append(weight @ bits)  # of qubit 0, 1, ...
    return [np.array([[1 - zero, 1 - one], [zero, one]]) for zero, one in zip(*ones, strict=True)]


def undo_readout(p: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Probabilities (..., 2^n) before they were read with these confusions, qubit 0 the most significant."""
    n = len(matrices)
    out = p.reshape(-1, *(2,) * n)
    for qubit, matrix in enumerate(matrices):
        out = np.moveaxis(np.tensordot(np.linalg.inv(matrix), out, (1, qubit + 1)), 0, qubit + 1)
    return out.reshape(p.shape)


def clip_and_normalise(p: np.ndarray) -> np.ndarray:
    """Without negative probabilities, and normalised again."""
    clipped = np.maximum(p, 0)
    return clipped / clipped.sum(-1, keepdims=True)


def mitigate(by_fold: dict[int, np.ndarray], matrices: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Probabilities (candidates, 2^n) by each of MITIGATIONS."""
    corrected = {fold: undo_readout(p, matrices) for fold, p in by_fold.items()}
    near, far = FOLDS

    def extrapolate(values: dict[int, np.ndarray]) -> np.ndarray:
        return (far * values[near] - near * values[far]) / (far - near)

    by_method = {
        "none": by_fold[near],
        "readout": corrected[near],
        "zero noise": extrapolate(by_fold),
        "both": extrapolate(corrected),
    }
    return {name: clip_and_normalise(p) for name, p in by_method.items()}


def distance(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation distance, mean over circuits (circuits, 2^n)."""
    return float(0.5 * np.abs(p - q).sum(1).mean())


class ConstantSimulator:
    """Stands in for a simulator of the paper's pool: always these probabilities."""

    pool = PAPER

    def __init__(self, p: np.ndarray):
        self.p = torch.from_numpy(p)

    def __call__(self, angles: torch.Tensor) -> torch.Tensor:
        return self.p.to(angles.dtype)


class NoiseRun(TypedDict):
    """One network whose weights were made under one noise, on one series."""

    dataset: str
    seed: int
    noise: str  # "exact": without; "shots": with these alone; "uniform": probabilities that say nothing
    mitigation: str  # one of MITIGATIONS
    mse: float  # on the test windows, of the series scaled to -1 to 1
    distance: float  # total variation of the live circuits' probabilities from the exact ones
    qubits: int


@declare(version=2)  # 2: shots of Aer are seeded
def run_generator_noise(task: Task) -> Runs[NoiseRun]:
    """Search exactly, make the weights under each noise, and test: one run for each noise and mitigation."""
    data = single_precision(windows(SERIES[task["dataset"]]()))
    net: Any = Generator(seeded_network(task["units"], task["seed"]), task["depth"], seed=task["seed"], spread=START)
    train_forecasters(Alone(net), data, [task["seed"]], task["epochs"], rates=[task["rate"]])
    exact, angles, n = net.simulate, net.angles.detach(), net.qubits
    true = exact(angles).double().numpy()
    alive = exact.alive
    rows: dict[tuple[str, str], np.ndarray] = {("exact", "none"): true}
    draws = np.random.default_rng(task["seed"])
    rows["shots", "none"] = np.array([draws.multinomial(task["shots"], p / p.sum()) for p in true]) / task["shots"]
    rows["uniform", "none"] = np.full_like(true, 2.0**-n)
    for noise in task["noises"]:
        by_fold = estimates(noisy_device(noise, n, task["depth"], task["shots"], seed=task["seed"]), angles.double())
        for name, p in mitigate(by_fold, confusions(noise, n, task["shots"])).items():
            rows[noise, name] = p
    runs: list[NoiseRun] = []
    for (noise, name), p in rows.items():
        net.simulate = ConstantSimulator(p)
        runs.append({
            "dataset": task["dataset"], "seed": task["seed"], "noise": noise, "mitigation": name,
            "mse": error_of(net, data), "distance": distance(p[alive], true[alive]), "qubits": n,
        })  # fmt: skip
    return {"runs": runs}


@declare(version=1, pieces=(run_generator_noise,))
def generator_noise_runs(
    datasets: list[str],
    noises: list[str],
    units: int,
    depth: int,
    rate: float,
    epochs: int,
    shots: int,
    seeds: int,
    work: Work = Work(),
) -> Runs[NoiseRun]:
    """Generators of recurrent networks with ``units`` hidden units under every noise."""
    common = {"noises": noises, "units": units, "depth": depth, "rate": rate, "epochs": epochs, "shots": shots}
    tasks = [{**common, "dataset": d, "seed": s} for d in datasets for s in range(seeds)]
    return {"runs": each_run(run_generator_noise, tasks, "noise", work)}
