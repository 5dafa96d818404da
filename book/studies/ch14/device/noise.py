"""QAOA circuits with noise, as exact density matrices in Qiskit Aer: what any number of shots would be drawn from.

"depolarising e": every cz is followed by a depolarising channel of probability e, every sx and x by one of e / 10, and every bit
is read wrongly with the probability READ; all qubits are coupled.  "device Name": the best connected region of a device of IBM as
its makers measured it: gates, relaxation also while a qubit waits, read-out, and its couplings only.  "none": nothing of this.

A region is chosen for its small errors, so a device looks better here than on average.  There is no crosstalk and no drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Angles
from studies.ch14.device.gate_circuits import Gate, GateCircuit, to_qiskit
from studies.ch14.device.routing import BASIS, backend, compile_circuit, count_gates, final_places

READ = 0.01  # of "depolarising"; about the median of the devices
MOST_MIXED = 10  # qubits of a density matrix: 16 MB, and half a minute for a thousand gates


@dataclass(frozen=True)
class Noise:
    """model: of Aer, None without noise.  readout: (qubits, 2, 2) probabilities (read, true).  target: of Qiskit, with couplings,
    times and errors; None where all qubits are coupled and nothing waits."""

    model: Any
    readout: np.ndarray
    target: Any = None


def noise_of(name: str, qubits: int) -> Noise:
    """The noise of that name, see the head of this file; raises InputError for another, and for a strength that is no
    probability."""
    kind, _, value = name.partition(" ")
    if name == "none":
        return Noise(None, np.stack([np.eye(2)] * qubits))
    if kind == "depolarising":
        try:
            return depolarising(float(value), qubits)
        except ValueError:
            raise InputError(f"noise {name!r}: a probability from 0 to 1 has to follow") from None
    if kind == "device":
        return device(value, qubits)
    raise InputError(f"noise {name!r}: none, depolarising and a probability, or device and its name")


def depolarising(strength: float, qubits: int, read: float = READ) -> Noise:
    """See the head of this file; raises ValueError for what is no probability."""
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    if not 0 <= strength <= 1:
        raise ValueError(strength)
    model = NoiseModel(basis_gates=list(BASIS))
    model.add_all_qubit_quantum_error(depolarizing_error(strength, 2), ["cz"])
    model.add_all_qubit_quantum_error(depolarizing_error(strength / 10, 1), ["sx", "x"])
    return Noise(model, np.stack([np.array([[1 - read, read], [read, 1 - read]])] * qubits))


def region(name: str, qubits: int) -> list[int]:
    """The connected qubits of a device with the least errors: of read-out, and of the couplings to those before.

    Grown from every qubit by the neighbour that adds least; raises InputError where it has fewer qubits.
    """
    target = backend(name).target
    if not 1 <= qubits <= target.num_qubits:
        raise InputError(f"device {name!r} has {target.num_qubits} qubits: {qubits} are too many")
    read = [target["measure"][(q,)].error for q in range(target.num_qubits)]
    gate = {pair: properties.error for pair, properties in target["cz"].items()}
    around: dict[int, dict[int, float]] = {}
    for (a, b), error in gate.items():
        around.setdefault(a, {})[b] = error
    best: tuple[float, list[int]] = (np.inf, [])
    for first in range(target.num_qubits):
        chosen, total = [first], read[first]
        while len(chosen) < qubits:
            edges = [(error + read[b], b) for a in chosen for b, error in around.get(a, {}).items() if b not in chosen]
            if not edges:
                break
            added, new = min(edges)
            chosen.append(new)
            total += added
        if len(chosen) == qubits:
            best = min(best, (total, sorted(chosen)))
    if not best[1]:
        raise InputError(f"device {name!r} has no {qubits} qubits that are connected")
    return best[1]


@cache
def device(name: str, qubits: int) -> Noise:
    """The best region of a device; raises InputError for a name that is not one, and for too many qubits."""
    from qiskit.circuit import Delay, Measure, Parameter
    from qiskit.circuit.library import CZGate, RZGate, SXGate, XGate
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors

    whole, chosen = backend(name).target, region(name, qubits)
    target = Target(
        num_qubits=qubits, dt=whole.dt, granularity=whole.granularity, min_length=whole.min_length,
        qubit_properties=[whole.qubit_properties[q] for q in chosen],
    )  # fmt: skip
    one = [(q,) for q in range(qubits)]
    two = [(a, b) for a in range(qubits) for b in range(qubits) if (chosen[a], chosen[b]) in whole["cz"]]
    for gate, wires in (
        (RZGate(Parameter("angle")), one),
        (SXGate(), one),
        (XGate(), one),
        (Measure(), one),
        (CZGate(), two),
    ):
        target.add_instruction(gate, {qargs: whole[gate.name][tuple(chosen[q] for q in qargs)] for qargs in wires})
    target.add_instruction(Delay(Parameter("time")), dict.fromkeys(one))
    model = NoiseModel(basis_gates=list(BASIS))
    for gate, wires, error in basic_device_gate_errors(target=target):
        if gate in BASIS:
            model.add_quantum_error(error, gate, wires)
    properties = backend(name).properties()
    readout = []
    for q in chosen:
        zero, one_ = (properties.qubit_property(q, key)[0] for key in ("prob_meas1_prep0", "prob_meas0_prep1"))
        readout.append([[1 - zero, one_], [zero, 1 - one_]])
    return Noise(model, np.array(readout), target)


def region_backend(name: str, qubits: int, seed: int = 0) -> Any:
    """An Aer backend of the best region of a device, for ``qiskit.remote``: its couplings, gate errors and read-out.

    With so many qubits alone it compiles and runs in a fraction of what the whole device takes.  Nothing happens to qubits that
    wait, unless the compiler writes delays.  seed: of its shots.  Raises InputError as :func:`device`.
    """
    from qiskit.providers import BackendV2, Options
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import ReadoutError

    noise = device(name, qubits)

    class Region(BackendV2):
        """What Aer asks for: a name and a target."""

        target, max_circuits = noise.target, None

        @classmethod
        def _default_options(cls) -> Options:
            return Options()

        def run(self, run_input: Any, **options: Any) -> Any:
            raise NotImplementedError("simulated by Aer")

    model = deepcopy(noise.model)  # the other is kept
    for qubit, matrix in enumerate(noise.readout):
        model.add_readout_error(ReadoutError(matrix.T), [qubit])
    region_of = Region(name=f"{qubits} qubits of {name}")
    return AerSimulator.from_backend(region_of, noise_model=model, max_parallel_threads=1, seed_simulator=seed)


class NoisyCircuit:
    """QAOA of some depth under a noise, compiled once with its angles left open.  seeds: of the compiler, the shortest is taken.

    Raises InputError above 10 qubits.
    """

    def __init__(self, gates: GateCircuit, depth: int, noise: Noise, seeds: Sequence[int] = (0,)):
        from qiskit.circuit import ParameterVector

        if gates.qubits > MOST_MIXED:
            raise InputError(f"a density matrix of {gates.qubits} qubits: at most {MOST_MIXED} are allowed")
        self.qubits, self.depth, self.noise = gates.qubits, depth, noise
        self.gammas, self.betas = ParameterVector("gamma", depth), ParameterVector("beta", depth)
        circuit = to_qiskit(gates.gates((self.gammas, self.betas)), gates.qubits)
        couplings = None if noise.target is None else noise.target.build_coupling_map()
        candidates = [compile_circuit(circuit, couplings, seed) for seed in seeds]
        self.compiled = min(candidates, key=lambda candidate: count_gates(candidate)["two"])
        self.places = final_places(self.compiled)

    def bind(self, angles: Angles) -> list[Gate]:
        """The gates of BASIS on the places of the device, for angles (gammas, betas)."""
        circuit = self.compiled.assign_parameters({self.gammas: list(angles[0]), self.betas: list(angles[1])})
        return [
            (gate.name, tuple(circuit.find_bit(q).index for q in gate.qubits), float(gate.params[0]) if gate.params else None)
            for gate in circuit.data
        ]  # fmt: skip

    def probabilities(self, angles: Sequence[Angles]) -> np.ndarray:
        """(circuits, 2^qubits) of what is read, qubit 0 the most significant bit."""
        return self.run([self.bind(each) for each in angles])

    def run(self, circuits: Sequence[Sequence[Gate]]) -> np.ndarray:
        """The same of lists of gates as :meth:`bind` gives them."""
        wrong = [self.noise.readout[place] for place in self.places]
        return apply_readout(np.stack(simulate(circuits, self.noise, self.qubits, self.places)), wrong)

    def duration(self, angles: Angles) -> float:
        """Seconds from the first gate to the end of the last; 0 where the noise knows no times."""
        if self.noise.target is None:
            return 0.0
        ends = np.zeros(self.qubits)
        for name, wires, _ in self.bind(angles):
            qubits = list(wires)
            ends[qubits] = ends[qubits].max() + self.noise.target[name][wires].duration
        return float(ends.max())


def schedule(circuit: Any, target: Any) -> Any:
    """With the waits of every qubit written down, gates as late as possible."""
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import ALAPScheduleAnalysis, PadDelay, TimeUnitConversion

    passes = [TimeUnitConversion(target=target), ALAPScheduleAnalysis(target=target), PadDelay(target=target)]
    return PassManager(passes).run(circuit)


def simulate(circuits: Sequence[Sequence[Gate]], noise: Noise, qubits: int, order: Sequence[int]) -> list[np.ndarray]:
    """Probabilities (2^qubits,) before read-out, the qubit at order[0] the most significant bit."""
    from qiskit.transpiler import PassManager
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import RelaxationNoisePass

    qiskit_circuits = [to_qiskit(gates, qubits) for gates in circuits]
    if noise.target is not None:
        times = noise.target.qubit_properties
        from qiskit.circuit import Delay

        waiting = RelaxationNoisePass(
            [qubit.t1 for qubit in times],
            [min(qubit.t2, 2 * qubit.t1) for qubit in times],
            dt=noise.target.dt,
            op_types=Delay,
        )
        qiskit_circuits = [PassManager([waiting]).run(schedule(circuit, noise.target)) for circuit in qiskit_circuits]
    for circuit in qiskit_circuits:
        circuit.save_probabilities(list(order)[::-1])
    simulator = AerSimulator(method="density_matrix", noise_model=noise.model, max_parallel_threads=1)
    result = simulator.run(qiskit_circuits).result()
    return [np.asarray(result.data(k)["probabilities"]) for k in range(len(qiskit_circuits))]


def apply_readout(p: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Probabilities (..., 2^n) after every bit went through its matrix (read, true), qubit 0 the most significant."""
    n = len(matrices)
    out = p.reshape(-1, *(2,) * n)
    for qubit, matrix in enumerate(matrices):
        out = np.moveaxis(np.tensordot(matrix, out, (1, qubit + 1)), 0, qubit + 1)
    return out.reshape(p.shape)
