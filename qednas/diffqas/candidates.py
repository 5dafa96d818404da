"""The candidate circuits of DiffQAS-QT (Chen et al., arXiv:2505.09653), and a pool in which every candidate can learn.

A candidate starts from |0...0>, perhaps with a Hadamard gate on every qubit; each of its layers is a fixed layer of CNOTs and
then one rotation on every qubit, by angles that all candidates share.

Six of the twelve candidates of the paper give the same probabilities whatever the angles:

- H with Rx (1, 4): |+...+> is an eigenstate of every Rx and is mapped to itself by every CNOT, so the state only gets a phase;
- H with Rz (3, 6): CNOTs permute basis states and Rz multiplies each by a phase, so all probabilities stay 2^-n;
- Rz without H (9, 12): for the same reason the state stays |0...0>.

The repaired pool turns about Y in every other layer, so that no state is left alone.  It has the same number of angles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from qednas.base.errors import InputError

Gates = list[tuple[int, int]]  # (control, target) of CNOTs, in order


def brick(n: int) -> Gates:
    """Ent: CNOTs on neighbours of an open chain, even ones first."""
    return [(i, i + 1) for first in (0, 1) for i in range(first, n - 1, 2)]


def ring(n: int) -> Gates:
    """Cyc: CNOTs around a ring, one after the other."""
    return [(i, (i + 1) % n) for i in range(n)] if n > 1 else []


ENTANGLERS: dict[str, Callable[[int], Gates]] = {"Ent": brick, "Cyc": ring}
AXES = ("Rx", "Ry", "Rz")


@dataclass(frozen=True)
class Candidate:
    """One circuit.  axes: of the rotations of the layers, from the first on and then again from the front."""

    hadamard: bool
    entangler: str
    axes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.entangler not in ENTANGLERS:
            raise InputError(f"entangler = {self.entangler!r}: one of {', '.join(ENTANGLERS)}")
        if wrong := [a for a in self.axes if a not in AXES] or ([] if self.axes else ["none"]):
            raise InputError(f"axis = {wrong[0]!r}: one of {', '.join(AXES)}")

    def __str__(self) -> str:
        return "-".join([*(["H"] if self.hadamard else []), self.entangler, "".join(self.axes)])

    def axis(self, layer: int) -> str:
        return self.axes[layer % len(self.axes)]

    def gates(self, n: int) -> Gates:
        """The CNOTs of one layer on ``n`` qubits."""
        return ENTANGLERS[self.entangler](n)

    @property
    def fixed(self) -> str:
        """What the probabilities always are: "uniform", "zero" (all weight on |0...0>), or "" where angles change them."""
        if set(self.axes) == {"Rz"}:
            return "uniform" if self.hadamard else "zero"
        return "uniform" if self.hadamard and set(self.axes) == {"Rx"} else ""


def pool_of(axes: tuple[tuple[str, ...], ...]) -> tuple[Candidate, ...]:
    return tuple(Candidate(h, e, a) for h, e, a in product((True, False), ENTANGLERS, axes))


PAPER = pool_of((("Rx",), ("Ry",), ("Rz",)))  # numbered from 1 in this order
REPAIRED = pool_of((("Ry", "Rx"), ("Ry",), ("Ry", "Rz")))
POOLS = {"paper": PAPER, "repaired": REPAIRED}


def bit(qubit: int, n: int) -> int:
    """The bit of an index that holds a qubit: qubit 0 is the most significant."""
    return n - 1 - qubit


def preimages(gates: Gates, n: int) -> np.ndarray:
    """For every basis state (2^n,) the one that a layer of CNOTs takes to it."""
    index = np.arange(1 << n, dtype=np.int32)
    for control, target in reversed(gates):  # each CNOT is its own inverse
        index ^= ((index >> bit(control, n)) & 1) << bit(target, n)
    return index
