"""What a circuit costs on a device: gates of two qubits and their depth, where only neighbours can be coupled.

Circuits are compiled by Qiskit to cz, rz, sx and x, the gates of IBM's Heron processors (rz takes no time and has no error).
Sabre (Li, Ding and Xie, arXiv:1809.02573) chooses places and swaps from a random start, so it is run with several seeds.  Beside
it stands the odd-even swap network (Kivlichan et al., arXiv:1711.04789): on a line, n rounds of swaps of neighbours bring every
pair together once and reverse the order.  A coupling and the swap after it are one gate of three cz.  Grids and heavy hexagons
have long lines in them, so its counts hold there too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Angles
from studies.ch14.device.gate_circuits import Gate, GateCircuit, exact_mixing, to_qiskit

BASIS = ("cz", "rz", "sx", "x")
MAPS = ("all-to-all", "line", "grid", "heavy-hex")
LEVEL = 3  # of Qiskit's optimisation, the highest


def coupling_map(name: str, qubits: int) -> Any:
    """A CouplingMap of that form with at least so many qubits, None for all-to-all; InputError for another name."""
    from qiskit.transpiler import CouplingMap

    if name not in MAPS:
        raise InputError(f"coupling map {name!r}: one of {', '.join(MAPS)}")
    if name == "all-to-all":
        return None
    if name == "line":
        return CouplingMap.from_line(qubits)
    if name == "grid":
        rows = max(1, math.isqrt(qubits))
        return CouplingMap.from_grid(rows, -(-qubits // rows))
    distance = 1
    while (5 * distance**2 - 2 * distance - 1) // 2 < qubits:
        distance += 2  # the code of that distance needs it to be odd
    return CouplingMap.from_heavy_hex(distance)


def compile_circuit(circuit: Any, couplings: Any, seed: int, layout: Sequence[int] | None = None) -> Any:
    """A Qiskit circuit in BASIS for these couplings; ``layout``: where its qubits begin, chosen by Sabre without it."""
    from qiskit.transpiler import generate_preset_pass_manager

    # Qiskit tells of a plug-in that it does not load whenever it compiles.
    logging.getLogger("stevedore").setLevel(logging.CRITICAL)
    if couplings is None:
        layout = range(circuit.num_qubits)
    passes = generate_preset_pass_manager(
        LEVEL, basis_gates=list(BASIS), coupling_map=couplings, seed_transpiler=seed,
        initial_layout=None if layout is None else list(layout),
    )  # fmt: skip
    return passes.run(circuit)


def final_places(compiled: Any) -> list[int]:
    """Where every qubit is at the end of a compiled circuit."""
    layout = compiled.layout
    return list(range(compiled.num_qubits)) if layout is None else list(layout.final_index_layout())


def count_gates(compiled: Any) -> dict[str, int]:
    """``two``: gates of two qubits; ``depth``: how many of them one after the other; ``one``: sx and x."""
    counts = compiled.count_ops()
    two = sum(count for name, count in counts.items() if name not in ("rz", "sx", "x", "barrier"))
    return {
        "two": int(two),
        "depth": int(compiled.depth(lambda instruction: len(instruction.qubits) == 2)),
        "one": int(counts.get("sx", 0) + counts.get("x", 0)),
    }


def swap_network(gates: GateCircuit, angles: Angles) -> tuple[list[Gate], list[int]]:
    """The circuit with gates of neighbours on a line only, and where every qubit is at its end.

    Raises InputError where the cost has products of more than two Z, and for a product formula of the mixer.
    """
    if any(len(word) > 2 for word in gates.words) or gates.rounds or gates.mixer == "xy-ring":
        raise InputError(
            f"swap network of mixer {gates.mixer!r} with {gates.encoding}: for pairs, and xy-complete without rounds"
        )
    n = gates.qubits
    circuit, order = list(gates.start()), list(range(n))  # order: the qubit at each place
    place = np.arange(n)
    for gamma, beta in zip(*angles, strict=True):
        for word, value in gates.words.items():
            if len(word) == 1:
                circuit.append(("rz", (int(place[word[0]]),), 2 * gamma * value))
        for step in range(n):
            for left in range(step % 2, n - 1, 2):
                word = tuple(sorted(order[left : left + 2]))
                circuit += coupled_swap((left, left + 1), 2 * gamma * gates.words.get(word, 0.0))
                order[left : left + 2] = order[left + 1], order[left]
        place[order] = np.arange(n)
        if gates.mixer == "x":
            circuit += [("rx", (qubit,), 2 * beta) for qubit in range(n)]
        else:
            for column in gates.columns:
                circuit += exact_mixing(sorted(int(place[qubit]) for qubit in column), beta)
    return circuit, place.tolist()


def coupled_swap(pair: tuple[int, int], angle: Any) -> list[Gate]:
    """e^(-i angle ZZ/2), then a swap: two CNOTs in the middle cancel, three are left.

    Spelt out, since a compiler that meets a swap gate takes it out and finds places anew.
    """
    back = (pair[1], pair[0])
    return [("cx", pair, None), ("rz", pair[1:], angle), ("cx", back, None), ("cx", pair, None)]


def route(gates: GateCircuit, depth: int, name: str, seeds: Sequence[int]) -> list[dict[str, int]]:
    """Counts of the circuit at the shipped angles on a map, one for every seed; "network" is the swap network on a line."""
    angles = gates.ramp(depth)
    if name == "network":
        on_line, _ = swap_network(gates, angles)
        line = coupling_map("line", gates.qubits)
        return [count_gates(compile_circuit(to_qiskit(on_line, gates.qubits), line, seeds[0], range(gates.qubits)))]
    circuit = to_qiskit(gates.gates(angles), gates.qubits)
    if name == "all-to-all":  # nothing is placed, so nothing is drawn
        seeds = seeds[:1]
    return [count_gates(compile_circuit(circuit, coupling_map(name, gates.qubits), seed)) for seed in seeds]


def column_matrix(size: int, kind: str, beta: float, rounds: int) -> np.ndarray:
    """(size, size) what the mixer of a column does to its one-hot states: gate by gate, or exactly for rounds = 0."""
    from scipy.linalg import expm

    from qednas.qnas.optimisers.mixers import adjacency

    pairs = adjacency(size, kind)
    if rounds == 0:
        return expm(-1j * beta * pairs)
    once = np.eye(size, dtype=complex)
    for a, b in np.argwhere(np.triu(pairs)):
        turned = np.eye(size, dtype=complex)
        turned[[a, b], [a, b]] = np.cos(beta / rounds)
        turned[[a, b], [b, a]] = -1j * np.sin(beta / rounds)
        once = turned @ once
    return np.linalg.matrix_power(once, rounds)


def product_error(size: int, kind: str, beta: float, rounds: int) -> float:
    """Largest change of a one-hot state of a column by ``rounds`` of the product formula: the spectral norm of the difference."""
    exact, approximate = column_matrix(size, kind, beta, 0), column_matrix(size, kind, beta, rounds)
    return float(np.linalg.norm(exact - approximate, 2))


@cache
def backend(name: str) -> Any:
    """A device as its makers measured it, of qiskit_ibm_runtime.fake_provider; InputError for another name."""
    from qiskit_ibm_runtime import fake_provider

    if not name.startswith("Fake") or not hasattr(fake_provider, name):
        raise InputError(f"device {name!r}: a fake backend of qiskit_ibm_runtime, such as FakeMarrakesh")
    return getattr(fake_provider, name)()


class DeviceMedians(TypedDict):
    """A device in numbers, medians over its gates and qubits."""

    two: float  # error of a gate of two qubits
    one: float  # of one
    readout: float  # error
    seconds: float  # that a gate of two qubits takes
    t1: float  # seconds
    t2: float
    qubits: int


def medians(name: str) -> DeviceMedians:
    """Of a device with cz; InputError for one without."""
    target = backend(name).target
    if "cz" not in target.operation_names:
        raise InputError(f"device {name!r} has no cz: one of the Heron processors is needed")

    def median(gate: str, what: str) -> float:
        values = [getattr(properties, what) for properties in target[gate].values() if properties is not None]
        return float(np.median([value for value in values if value is not None]))

    return {
        "two": median("cz", "error"),
        "one": median("sx", "error"),
        "readout": median("measure", "error"),
        "seconds": median("cz", "duration"),
        "t1": float(np.median([qubit.t1 for qubit in target.qubit_properties])),
        "t2": float(np.median([qubit.t2 for qubit in target.qubit_properties])),
        "qubits": target.num_qubits,
    }
