"""Error mitigation of expectation values: zero-noise extrapolation, read-out correction, and keeping feasible strings only.

Zero-noise extrapolation (Temme, Bravyi and Gambetta, arXiv:1612.02058; Li and Benjamin, arXiv:1611.09301) runs the circuit with
its noise made larger, 1, 3, 5 times, and extrapolates to none.  Noise grows by folding after compilation: "circuit", U -> U U^-1
U, by PennyLane; "gates", every cz three times or five, by mitiq (LaRose et al., arXiv:2009.04417), which leaves other gates as
they are.  Energies are extrapolated by a line or a polynomial through all points (Richardson), which is linear in them, or by an
exponential that ends at the energy of all strings alike.

Read-out correction inverts the confusion matrix of every qubit, as two calibration circuits tell it, all zeros and all ones.
Negative probabilities that come of it are kept: they serve an expectation value without bias, and cannot be sampled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from studies.ch14.device.gate_circuits import Gate
from studies.ch14.device.noise import Noise, apply_readout, simulate

FOLDS = (1, 3, 5)
FITS = ("linear", "Richardson", "exponential")


def fold(circuit: Sequence[Gate], scale: int, how: str) -> list[Gate]:
    """A compiled circuit (gates cz, rz, sx, x) with its noise ``scale`` times as large, 1, 3, 5, ...; how: "circuit" or "gates".

    Raises InputError for others.
    """
    if scale < 1 or scale % 2 == 0:
        raise InputError(f"noise {scale} times as large: 1, 3, 5 and so on are allowed")
    if how == "circuit":
        return fold_circuit(circuit, scale)
    if how == "gates":
        return fold_gates(circuit, scale)
    raise InputError(f"folding {how!r}: circuit or gates")


def fold_circuit(circuit: Sequence[Gate], scale: int) -> list[Gate]:
    """U -> U (U^-1 U)^k with 2 k + 1 = scale, by pennylane.noise.fold_global."""
    import pennylane as qml

    makers = {"cz": qml.CZ, "rz": qml.RZ, "sx": qml.SX, "x": qml.X}
    operations = [makers[name](*([] if angle is None else [angle]), wires=wires) for name, wires, angle in circuit]
    (tape,), _ = qml.noise.fold_global(qml.tape.QuantumScript(operations), scale_factor=scale)
    gates: list[Gate] = []
    for gate in tape.operations:
        wires = tuple(int(wire) for wire in gate.wires)
        match gate.name:
            case "RZ":
                gates.append(("rz", wires, float(gate.parameters[0])))
            case "Adjoint(RZ)":
                gates.append(("rz", wires, -float(gate.parameters[0])))
            case "Adjoint(SX)":  # rz has no error and takes no time
                gates += [("rz", wires, np.pi), ("sx", wires, None), ("rz", wires, -np.pi)]
            case name:
                plain = name.removeprefix("Adjoint(").removesuffix(")")
                gates.append(({"CZ": "cz", "SX": "sx", "X": "x", "PauliX": "x"}[plain], wires, None))
    return gates


def mitiq_zne() -> Any:
    """Its module of zero-noise extrapolation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook a progress bar that is not used asks for widgets
        from mitiq import zne
    return zne


def fold_gates(circuit: Sequence[Gate], scale: int) -> list[Gate]:
    """Every cz as often as scale says, by mitiq.zne.scaling.fold_all."""
    import cirq

    fold_all = mitiq_zne().scaling.fold_all

    def cirq_gate(name: str, qubits: tuple[int, ...], angle: Any) -> Any:
        wires = [cirq.LineQubit(k) for k in qubits]
        if name == "cz":
            return cirq.CZ(*wires)
        return {"rz": lambda: cirq.rz(angle), "sx": lambda: cirq.X**0.5, "x": lambda: cirq.X}[name]()(*wires)

    folded = fold_all(cirq.Circuit(cirq_gate(*gate) for gate in circuit), scale, exclude=frozenset({"single"}))
    gates: list[Gate] = []
    for gate in folded.all_operations():
        wires = tuple(int(wire.x) for wire in gate.qubits)
        if len(wires) == 2:  # its inverse too is a cz
            gates.append(("cz", wires, None))
        elif isinstance(gate.gate, cirq.ZPowGate):
            gates.append(("rz", wires, float(np.pi * gate.gate.exponent)))
        else:
            gates.append(("x" if abs(gate.gate.exponent) == 1 else "sx", wires, None))
    return gates


def extrapolator(
    fit: str, scales: Sequence[float], library: str, end: float = 0.0
) -> Callable[[np.ndarray], np.ndarray]:
    """Energies (..., scales) to their value without noise (...,), by "pennylane" or "mitiq"; end: of the exponential.

    Raises InputError for another fit or library.
    """
    if fit not in FITS or library not in ("pennylane", "mitiq"):
        raise InputError(f"extrapolation {fit!r} by {library!r}: {', '.join(FITS)} by pennylane or mitiq")
    call = (pennylane_fit if library == "pennylane" else mitiq_fit)(fit, scales, end)
    if fit != "exponential":
        weights = np.array([float(call(unit)) for unit in np.eye(len(scales))])
        return lambda energies: np.asarray(energies) @ weights
    return lambda energies: np.apply_along_axis(lambda row: float(call(row)), -1, np.asarray(energies, float))


def pennylane_fit(fit: str, scales: Sequence[float], end: float) -> Callable[[np.ndarray], Any]:
    import pennylane as qml

    x = np.asarray(scales, float)
    if fit == "linear":
        return lambda y: qml.noise.poly_extrapolate(x, y, 1)
    if fit == "Richardson":
        return lambda y: qml.noise.richardson_extrapolate(x, y)
    return lambda y: qml.noise.exponential_extrapolate(x, y, asymptote=end)


def mitiq_fit(fit: str, scales: Sequence[float], end: float) -> Callable[[np.ndarray], Any]:
    inference = mitiq_zne().inference
    x = [float(scale) for scale in scales]
    if fit == "linear":
        return lambda y: inference.LinearFactory.extrapolate(x, list(y))
    if fit == "Richardson":
        return lambda y: inference.RichardsonFactory.extrapolate(x, list(y))
    return lambda y: inference.ExpFactory.extrapolate(x, list(y), asymptote=end)


def calibration(noise: Noise, qubits: int, order: Sequence[int]) -> np.ndarray:
    """(2, 2^qubits) exact probabilities of what is read of all zeros and of all ones, the qubit at order[0] first."""
    ones: list[Gate] = [("x", (qubit,), None) for qubit in range(qubits)]
    p = np.stack(simulate([[], ones], noise, qubits, order))
    return apply_readout(p, [noise.readout[place] for place in order])


def confusion_matrices(zeros: np.ndarray, ones: np.ndarray) -> np.ndarray:
    """(qubits, 2, 2) probabilities (read, true) of every qubit, from those (2^qubits,) of the two calibration circuits."""
    qubits = len(zeros).bit_length() - 1
    wrong = []
    for p in (zeros, ones):
        table = p.reshape((2,) * qubits)
        wrong.append([float(np.moveaxis(table, q, 0)[1].sum()) for q in range(qubits)])
    return np.array([[[1 - zero, 1 - one], [zero, one]] for zero, one in zip(*wrong, strict=True)])


def undo_readout(values: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Probabilities (..., 2^n) before they were read with these confusions; some may be negative.

    Raises InputError where a qubit's readings say nothing about it.
    """
    if (np.abs(np.linalg.det(matrices)) < 1e-6).any():
        raise InputError("read-out calibration: a qubit is read alike for 0 and for 1")
    return apply_readout(values, list(np.linalg.inv(matrices)))


def corrected_energies(energies: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """(2^n,) what to count for every string that is read, so that the mean is the energy before read-out: the transpose of
    :func:`undo_readout`, which so need not be applied to every set of counts."""
    if (np.abs(np.linalg.det(matrices)) < 1e-6).any():
        raise InputError("read-out calibration: a qubit is read alike for 0 and for 1")
    return apply_readout(energies, [np.linalg.inv(matrix).T for matrix in matrices])
