"""The candidate circuits on any PennyLane device: simulators with shots or noise, plug-ins, hardware.

    Generator(module, depth, device="default.mixed")
    Generator(module, depth, device="default.qubit", shots=1000)

Every candidate is run, also those whose probabilities no angle changes: a device with noise or shots does not know that.
PennyLane is imported only when a device is named: it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.circuits.devices import check_device, memory, one_line, takes_seed
from qednas.diffqas.candidates import Candidate
from qednas.diffqas.simulator import DTYPES, MOST_QUBITS, Simulator

OVERHEAD = 2.0  # of what backpropagation keeps, over the states alone: 0.8 to 2 measured with 9 to 16 qubits


def quantum_function(
    candidate: Candidate, n: int, depth: int, measure: Callable[[], Any] | None = None
) -> Callable[[Any], Any]:
    """A candidate as a quantum function of PennyLane: angles (depth, n) in radians to what is measured.

    measure: makes the measurement, by default of the probabilities (2^n,) of all wires.
    """
    import pennylane as qml

    def circuit(theta: Any) -> Any:
        for q in range(n if candidate.hadamard else 0):
            qml.Hadamard(q)
        for m in range(depth):
            for control, target in candidate.gates(n):
                qml.CNOT([control, target])
            for q in range(n):
                getattr(qml, candidate.axis(m).upper())(theta[m, q], wires=q)
        return measure() if measure else qml.probs(wires=range(n))

    return circuit


@contextmanager
def double_precision() -> Iterator[None]:
    """float64 as the default of torch: PennyLane makes the phases of RZ for a density matrix in the default precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Again(torch.autograd.Function):
    """A circuit that is simulated again on the way back: memory then has to hold the states of one circuit, not of the pool.

    The checkpoints of torch keep a part of every circuit (0.1 GB of 0.5 for default.mixed with 9 qubits and 3 layers).
    """

    @staticmethod
    def forward(ctx, angles, measure):
        ctx.angles, ctx.measure = angles.detach(), measure
        return measure(ctx.angles)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        with torch.enable_grad():
            angles = ctx.angles.requires_grad_()
            (gradient,) = torch.autograd.grad(ctx.measure(angles), angles, slope)
        return gradient, None


class Device:
    """Probabilities of the circuits of a pool on a PennyLane device; stands in for :class:`Simulator`.

    name: of the device, as `qml.device` takes it.  shots: samples a circuit, or None for exact probabilities where the device has
    them.  options: further arguments of the device, such as {"method": "statevector"}.  seed: of the shots, of devices that take
    one and of Aer behind Qiskit's plug-ins, which gets another for every circuit.  dtype: of what is returned.
    Gradients are by PennyLane's best method for the device (``self.method``), by parameter shift where that would be finite
    differences; with shots, values and gradients are unbiased estimates, drawn anew in every call.

    Raises InputError for a device that is not installed, does not take its options or cannot run these circuits (the first one
    is tried), for shots that are not positive, and for a size that is not possible or that memory does not hold.
    """

    def __init__(
        self,
        name: str,
        pool: Sequence[Candidate],
        n: int,
        depth: int,
        dtype: torch.dtype = torch.float64,
        *,
        shots: int | None = None,
        options: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ):
        check_device(name, shots)
        if not 1 <= n <= MOST_QUBITS or depth < 1:
            raise InputError(f"qubits = {n}, depth = {depth}: from 1 to {MOST_QUBITS} qubits and at least one layer")
        if dtype not in DTYPES or not pool:
            raise InputError(f"dtype = {dtype}, {len(pool)} candidates: torch.float64 or torch.float32, at least one")
        self.name, self.pool, self.n, self.depth, self.dtype, self.shots = name, tuple(pool), n, depth, dtype, shots
        self.options = dict(options or {})
        if reserved := {"wires", "shots"} & set(self.options):
            raise InputError(
                f"device option {min(reserved)!r}: there are {n} wires, and shots are an argument of their own"
            )
        # PennyLane takes the roots of a density matrix's probabilities and squares them: no slope where one is zero.
        self.diagonal = name == "default.mixed" and shots is None
        if name == "qiskit.aer" and shots is None:  # else it would quietly take 1024 shots
            self.options.setdefault("method", "statevector")
        self.check_memory(1)
        self.device = self.make_device(seed)
        self.seeds = None if seed is None else np.random.default_rng(seed)
        self.method = self.choose_method()
        self.nodes = [self.node(candidate, self.method) for candidate in self.pool]

    @property
    def numbers(self) -> int:
        """Complex numbers of one state: 4^n of a density matrix, 2^n of a vector."""
        mixed = self.name == "default.mixed" or self.options.get("method") == "density_matrix"
        return 4**self.n if mixed else 2**self.n

    def check_memory(self, states: int) -> None:
        need, have = OVERHEAD * 16 * self.numbers * states, memory()
        if need > have:
            size = f"{self.numbers:,} numbers a state, {states} states"
            raise InputError(
                f"{self.name} with {self.n} qubits and depth {self.depth} needs {need / 1e9:.3g} GB ({size}): "
                f"this machine has {have / 1e9:.3g} GB; fewer qubits or layers, or another device"
            )

    def make_device(self, seed: int | None) -> Any:
        """The device of PennyLane."""
        import pennylane as qml

        try:
            if seed is not None and takes_seed(self.name):
                self.options.setdefault("seed", seed)
            return qml.device(self.name, wires=self.n, **self.options)
        except Exception as error:  # every plug-in has its own
            raise InputError(f"device {self.name!r} cannot be made for {self.n} qubits: {one_line(error)}") from None

    def node(self, candidate: Candidate, method: str) -> Any:
        """A candidate on the device, differentiable for torch."""
        import pennylane as qml

        circuit = quantum_function(candidate, self.n, self.depth, qml.state if self.diagonal else None)
        return qml.set_shots(qml.QNode(circuit, self.device, interface="torch", diff_method=method), shots=self.shots)

    def choose_method(self) -> str:
        """Run the first candidate once; returns how it is differentiated."""
        import pennylane as qml

        node, angles = self.node(self.pool[0], "best"), torch.full((self.depth, self.n), 0.1, dtype=torch.float64)
        try:
            method = qml.workflow.get_best_diff_method(node)(angles)
            if method == "backprop":  # one state after each gate; a circuit at a time, see __call__
                layer = self.n + max(len(candidate.gates(self.n)) for candidate in self.pool)
                self.check_memory(self.n + self.depth * layer)
            total = float(self.measure(node, angles).sum())
        except InputError:
            raise
        except Exception as error:  # every plug-in has its own
            raise InputError(f"device {self.name!r} cannot run these circuits: {one_line(error)}") from None
        if not abs(total - 1) < 1e-4:
            raise InputError(
                f"device {self.name!r} cannot run these circuits: its probabilities sum to {total:.3g}, not 1"
            )
        return "parameter-shift" if method == "finite-diff" else method

    def __call__(self, theta: torch.Tensor) -> torch.Tensor:
        """Probabilities (candidates, 2^n) for the shared angles (depth, n) in radians; differentiable once."""
        if theta.shape != (self.depth, self.n):
            raise InputError(f"angles of shape {tuple(theta.shape)}: ({self.depth}, {self.n}) is needed")
        return torch.stack([self.run(node, theta.double()) for node in self.nodes]).to(self.dtype)

    def reseed(self) -> None:
        """Give Aer the seed of the next circuit: left to itself it draws its shots anew in every process."""
        backend = getattr(getattr(self.device, "target_device", self.device), "backend", None)
        if (
            self.seeds is not None
            and self.shots is not None
            and backend is not None
            and hasattr(backend, "set_options")
        ):
            backend.set_options(seed_simulator=int(self.seeds.integers(2**31)))

    def run(self, node: Any, angles: torch.Tensor) -> torch.Tensor:
        self.reseed()
        if self.method == "backprop":
            return Again.apply(angles, lambda theta: self.measure(node, theta))
        return self.measure(node, angles)

    def measure(self, node: Any, angles: torch.Tensor) -> torch.Tensor:
        if not self.diagonal:
            return node(angles)
        with double_precision():
            return node(angles).diagonal().real


def simulator(
    pool: Sequence[Candidate],
    n: int,
    depth: int,
    dtype: torch.dtype,
    device: str | None,
    shots: int | None,
    options: Mapping[str, Any] | None,
    seed: int,
) -> Simulator | Device:
    """The pool on a device that is named, or in our own simulator.  Raises InputError as the two do."""
    check_device(device, shots)
    if device is not None:
        return Device(device, pool, n, depth, dtype, shots=shots, options=options, seed=seed)
    if options:
        raise InputError(f"device option {min(options)!r}: no device is named")
    return Simulator(pool, n, depth, dtype)
