"""QAOA on any PennyLane device by name, as an optimiser of the loop: simulators, plug-ins, hardware.

    Search(space, SurrogateSearch(DeviceQAOA("lightning.qubit", shots=512)))

On hardware nothing changes but the name and the options, which go to ``pennylane.device`` as they are.  With an account saved by
its own tool (``QiskitRuntimeService.save_account``, ``aws configure``):

    backend = QiskitRuntimeService().least_busy(operational=True, simulator=False)
    DeviceQAOA("qiskit.remote", options={"backend": backend, "optimization_level": 3})
    DeviceQAOA("braket.aws.qubit", options={"device_arn": "arn:aws:braket:..."})   # needs amazon-braket-pennylane-plugin

No account is needed for a backend with the noise of a real device, as in chapter 14 (``book/studies/ch14/device/noise.py``):

    DeviceQAOA("qiskit.remote", options={"backend": region_backend("FakeMarrakesh", qubits), "optimization_level": 3})

Shots of one proposal are one job.  Circuits are of gates of one and two qubits (:mod:`~studies.ch14.device.gate_circuits`); the
device or its plug-in compiles and routes them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.circuits.devices import check_device, memory, one_line, takes_seed
from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.pairwise import Pairwise
from studies.ch14.device.gate_circuits import GateCircuit, apply_in_pennylane

VECTORS, MATRICES = ("default.qubit", "lightning.qubit", "qiskit.aer"), ("default.mixed",)


@dataclass(frozen=True)
class DeviceQAOA(Optimiser):
    """device: a name that PennyLane knows.  shots: of every proposal, None for what the search asks for.  depth, mixer, encoding,
    penalty, rounds: of the circuit, see :class:`~studies.ch14.device.gate_circuits.GateCircuit`.  steps: of tuning the angles by
    exact simulation before every job, as :class:`~qednas.qnas.optimisers.qaoa.QAOA` does; 0 takes the shipped ramp, for circuits
    of any size. options: further arguments of the device.

    Raises InputError for names and numbers that are not allowed, and for a device that is not installed.
    """

    device: str = "lightning.qubit"
    shots: int | None = None
    depth: int = 1
    mixer: str = "xy-complete"
    encoding: str = "one-hot"
    penalty: float = 2.0
    rounds: int = 0
    steps: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        check_device(self.device, self.shots)
        for name, least in (("depth", 1), ("steps", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} = {getattr(self, name)}: at least {least}")
        if taken := {"wires", "shots"} & set(self.options):
            raise InputError(f"device option {min(taken)!r}: both come from the circuit")

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """calls: "device circuits", jobs that were run, and "circuits", evaluations of the simulation that tuned the angles.

        A cost that is the same everywhere is not put on the device: configurations are drawn at random.
        Raises InputError for a circuit that the device cannot run, with what it said.
        """
        shots = self.shots or shots
        try:
            gates = GateCircuit(cost.standardised(), self.mixer, self.encoding, self.penalty, self.rounds)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            return Samples(cost.space.draw(shots, rng), calls={"device circuits": 0, "circuits": 0})
        angles, evaluations = self.angles(gates, rng, earlier)
        digits, feasible = ENCODINGS[self.encoding].decode(cost.space, self.bits(gates, angles, shots, rng))
        return Samples(
            digits[feasible],
            int(len(digits) - feasible.sum()),
            {"device circuits": 1, "circuits": evaluations},
            {"angles": [values.tolist() for values in angles]},
        )

    def angles(
        self, gates: GateCircuit, rng: np.random.Generator, earlier: dict[str, Any] | None
    ) -> tuple[Angles, int]:
        """Shipped, or tuned by simulation from those of the call before on; and the evaluations that it took."""
        if not self.steps:
            return gates.ramp(self.depth), 0
        solver = QAOA(self.depth, self.mixer, self.encoding, self.penalty, steps=self.steps)
        fit = solver.optimise(gates.cost, rng, earlier)
        return fit.angles, fit.evaluations

    def bits(self, gates: GateCircuit, angles: Angles, shots: int, rng: np.random.Generator) -> np.ndarray:
        """(shots, qubits) as the device measured them."""
        check_size(self.device, self.options, gates.qubits)
        options = dict(self.options) | self.seed_option(rng)
        logging.getLogger("stevedore").setLevel(logging.CRITICAL)  # Qiskit tells of a plug-in that it does not load

        def circuit(layer_angles: Angles) -> None:
            apply_in_pennylane(gates.gates(layer_angles))

        try:
            outcomes = qnode(circuit, gates.qubits, self.device, shots, **options)(angles)
        except Exception as error:  # every plug-in has its own
            raise InputError(
                f"device {self.device!r} cannot run {gates.qubits} qubits, {shots} shots: {one_line(error)}"
            ) from None
        return np.asarray(outcomes).reshape(shots, gates.qubits).astype(np.int64)

    def seed_option(self, rng: np.random.Generator) -> dict[str, int]:
        """A seed from the search's generator, for devices that take one; hardware does not."""
        seed = int(rng.integers(2**31))
        if self.device == "qiskit.aer":
            return {} if "seed_simulator" in self.options else {"seed_simulator": seed}
        backend = self.options.get("backend")
        if backend is not None and hasattr(backend, "set_options"):  # Aer, elsewhere or with the noise of a device
            backend.set_options(seed_simulator=seed)
            return {}
        return {"seed": seed} if "seed" not in self.options and takes_seed(self.device) else {}


def check_size(device: str, options: Mapping[str, Any], qubits: int) -> None:
    """Raises InputError where a backend has fewer qubits, or a simulated state does not fit into memory."""
    backend = options.get("backend")
    most = getattr(backend, "num_qubits", None)
    if most is not None and qubits > most:
        name = getattr(backend, "name", backend)
        raise InputError(f"backend {name!s} of device {device!r} has {most} qubits: the circuit needs {qubits}")
    if device not in VECTORS + MATRICES:
        return
    need, have = 2 * 16 * (4.0 if device in MATRICES else 2.0) ** qubits, memory()
    if need > have:
        raise InputError(
            f"device {device!r} needs {need / 1e9:.3g} GB for {qubits} qubits: here are {have / 1e9:.3g} GB"
        )


def qnode(
    circuit: Callable[[Any], None], qubits: int, device: str = "default.qubit", shots: int | None = None, **options: Any
) -> Callable[[Any], np.ndarray]:
    """A QNode of angles on a PennyLane device: probabilities (2^n,), or with shots the bits measured (shots, n).

    circuit: applies its gates on wires 0 to n - 1, wire 0 the most significant bit, and measures nothing.  options: further
    arguments of the device, such as seed.  Raises InputError for a device that is not installed, and for shots below 1.
    """
    import pennylane as qml

    check_device(device, shots)

    def measure(angles: Any) -> Any:
        circuit(angles)
        return qml.probs(wires=range(qubits)) if shots is None else qml.sample(wires=range(qubits))

    return qml.set_shots(qml.QNode(measure, qml.device(device, wires=qubits, **options)), shots=shots)
