"""Mixers of the quantum alternating operator ansatz (Hadfield et al., arXiv:1709.03489), their starts and their gradients.

A state is its real and imaginary parts (2, N).  A mixer has one angle per qubit or column, so that QAOA gives all of them the
same and multi-angle QAOA (arXiv:2109.11455) does not.  A slope is the gradient of a loss by the two parts of a state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from qednas.base.errors import InputError
from qednas.circuits.statevector import (
    add_projection,
    first_to_last,
    projection_slope,
    times,
    transpose,
    turn,
    turn_slopes,
)
from qednas.qnas.space.ising import MOST_QUBITS
from qednas.qnas.space.space import MOST_LISTED

MOST_AMPLITUDES = MOST_LISTED  # of a tensor with an axis per column
STRIP = 256  # entries of a row that stay in the cache while an axis is multiplied


class Mixer(Protocol):
    """exp(-i sum_k beta_k B_k) with commuting B_k."""

    amplitudes: int
    angles: int

    def start(self) -> np.ndarray:
        """The state (2, amplitudes) before the first layer."""
        ...

    def apply(self, state: np.ndarray, betas: np.ndarray) -> None:
        """Multiply a state by the mixer, in place; betas (angles,)."""
        ...

    def undo(self, slope: np.ndarray, state: np.ndarray, betas: np.ndarray) -> np.ndarray:
        """Gradient (angles,) of the loss, from its slope after :meth:`apply` and the state there; takes the slope back."""
        ...

    def complex_amplitudes(self, state: np.ndarray) -> np.ndarray:
        """Complex amplitudes (N,)."""
        ...


def check_qubits(qubits: int) -> None:
    """Raises InputError where 2^qubits amplitudes are too many."""
    if not 1 <= qubits <= MOST_QUBITS:
        raise InputError(f"a state of {qubits} qubits: 1 to {MOST_QUBITS} are allowed")


def count_amplitudes(starts: Sequence[np.ndarray]) -> int:
    """Of a tensor with an axis per column; raises InputError where they are too many."""
    count = math.prod(len(start) for start in starts)
    if count > MOST_AMPLITUDES:
        raise InputError(f"a state of {count:.7g} amplitudes: at most {MOST_AMPLITUDES} are allowed")
    return count


def product(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Entries of a product state, the first factor the slowest."""
    if len(factors) < 2:
        return factors[0] if factors else np.ones(1)
    half = len(factors) // 2  # halves are small: only the last of the products is as long as the state
    return np.multiply.outer(product(factors[:half]), product(factors[half:])).ravel()


def real_state(amplitudes: np.ndarray) -> np.ndarray:
    """A state (2, N) without imaginary part."""
    return np.stack([amplitudes, np.zeros_like(amplitudes)])


def _transpose(state: np.ndarray, rows: int, new: np.ndarray) -> None:
    for plane, transposed in zip(state, new, strict=True):
        transpose(plane, rows, transposed)


class XMixer:
    """B_q = X on qubit q; the start is uniform.

    States are multiplied by i^(number of ones) here: X becomes Y, exp(-i beta Y) is real, and no diagonal changes.
    """

    def __init__(self, qubits: int):
        check_qubits(qubits)
        self.angles, self.amplitudes = qubits, 1 << qubits
        power = np.ones(1, dtype=complex)
        for _ in range(qubits):
            power = np.concatenate([power, 1j * power])
        self.power = power

    def start(self) -> np.ndarray:
        both = self.power / math.sqrt(self.amplitudes)
        return np.stack([both.real, both.imag])

    def apply(self, state: np.ndarray, betas: np.ndarray) -> None:
        by_bit = betas[::-1]  # qubit 0 is the most significant bit
        for plane in state:
            turn(plane, np.cos(by_bit), np.sin(by_bit))

    def undo(self, slope: np.ndarray, state: np.ndarray, betas: np.ndarray) -> np.ndarray:
        gradient = np.zeros(self.angles)
        for plane, plane_slope in zip(state, slope, strict=True):
            turn_slopes(plane, plane_slope, gradient)
        self.apply(slope, -betas)
        return gradient[::-1].copy()

    def complex_amplitudes(self, state: np.ndarray) -> np.ndarray:
        return (state[0] + 1j * state[1]) * self.power.conj()


class ProjectorMixer:
    """B_c = d |s><s| on axis c of a tensor, with d its size; the start is the product of the s.  starts: real unit vectors (d,).

    Columns with equal s have all pairs (XX + YY)/2, plus 1.  Raises InputError above 2^22 amplitudes.

    Axes behind the middle are multiplied in the transposed tensor: there is more behind an axis then, to be taken at once.
    """

    def __init__(self, starts: Sequence[np.ndarray]):
        self.angles, self.amplitudes = len(starts), count_amplitudes(starts)
        sizes = [len(start) for start in starts]
        sides = [(math.prod(sizes[:k]), math.prod(sizes[k:])) for k in range(len(sizes) + 1)]
        self.middle = min(range(1, len(sides)), key=lambda k: max(sides[k]))
        self.rows, columns = sides[self.middle]
        self.axes = []
        for axis, start in enumerate(starts):
            end, others = (self.middle, columns) if axis < self.middle else (len(sizes), self.rows)
            after = math.prod(sizes[axis + 1 : end]) * others
            self.axes.append((np.ascontiguousarray(start, dtype=float), after, np.empty((4, after))))
        self.transposed = np.empty((2, 2, self.amplitudes))  # of the state and of its slope

    def start(self) -> np.ndarray:
        return real_state(product([start for start, _, _ in self.axes]))

    def apply(self, state: np.ndarray, betas: np.ndarray) -> None:
        self._turn(state, self.transposed[0], betas)

    def undo(self, slope: np.ndarray, state: np.ndarray, betas: np.ndarray) -> np.ndarray:
        transposed, transposed_slope = self.transposed
        _transpose(state, self.rows, transposed)
        _transpose(slope, self.rows, transposed_slope)
        gradient = np.empty(self.angles)
        for axis, (start, after, room) in enumerate(self.axes):
            planes = (*state, *slope) if axis < self.middle else (*transposed, *transposed_slope)
            gradient[axis] = len(start) * projection_slope(*planes, start, after, room)
        self._turn(slope, transposed_slope, -betas)
        return gradient

    def complex_amplitudes(self, state: np.ndarray) -> np.ndarray:
        return state[0] + 1j * state[1]

    def _turn(self, state: np.ndarray, transposed: np.ndarray, betas: np.ndarray) -> None:
        for axis, (beta, (start, after, room)) in enumerate(zip(betas, self.axes, strict=True)):
            if axis == self.middle:
                _transpose(state, self.rows, transposed)
            factor = np.exp(-1j * beta * len(start)) - 1
            planes = state if axis < self.middle else transposed
            add_projection(*planes, start, after, factor.real, factor.imag, room[:2])
        if self.middle < self.angles:
            _transpose(transposed, self.amplitudes // self.rows, state)


class ColumnMixer:
    """B_c acts on axis c of a tensor.  matrices: per axis, B_c, real and symmetric; starts: real unit vectors (sizes[c],).

    Raises InputError above 2^22 amplitudes.
    """

    def __init__(self, matrices: Sequence[np.ndarray], starts: Sequence[np.ndarray]):
        self.angles, self.amplitudes = len(starts), count_amplitudes(starts)
        self.starts = list(starts)
        self.values, vectors = zip(*(np.linalg.eigh(matrix) for matrix in matrices), strict=True)
        self.vectors = [np.ascontiguousarray(matrix) for matrix in vectors]
        self.inverses = [np.ascontiguousarray(matrix.T) for matrix in vectors]
        self.room = np.empty((max(len(matrix) for matrix in self.vectors), STRIP))
        self.spare = np.empty(self.amplitudes)

    def start(self) -> np.ndarray:
        return real_state(product(self.starts))

    def apply(self, state: np.ndarray, betas: np.ndarray) -> None:
        self._transform(state, self.inverses)
        times(*state, *self._phases(betas))
        self._transform(state, self.vectors)

    def undo(self, slope: np.ndarray, state: np.ndarray, betas: np.ndarray) -> np.ndarray:
        state = state.copy()
        self._transform(state, self.inverses)
        self._transform(slope, self.inverses)
        weight = slope[0] * state[1] - slope[1] * state[0]  # Im(conj(slope) state)
        gradient = np.empty(self.angles)
        for axis, eigenvalues in enumerate(self.values):
            rows = weight.reshape(len(eigenvalues), -1)
            gradient[axis] = eigenvalues @ rows.sum(1)
            weight = rows.sum(0)
        times(*slope, *self._phases(-betas))
        self._transform(slope, self.vectors)
        return gradient

    def complex_amplitudes(self, state: np.ndarray) -> np.ndarray:
        return state[0] + 1j * state[1]

    def _transform(self, state: np.ndarray, matrices: Sequence[np.ndarray]) -> None:
        """Multiply every axis by its matrix, in place."""
        for plane in state:
            old, new = plane, self.spare
            for matrix in matrices:
                first_to_last(old, matrix, new, self.room)
                old, new = new, old
            if old is not plane:
                plane[:] = old

    def _phases(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = product(
            [np.exp(-1j * beta * eigenvalues) for beta, eigenvalues in zip(betas, self.values, strict=True)]
        )
        return whole.real.copy(), whole.imag.copy()


def adjacency(size: int, kind: str) -> np.ndarray:
    """Sum of (XX + YY)/2 over pairs of a column's one-hot qubits, where one of them is 1: (size, size).

    kind: "xy-complete", all pairs, or "xy-ring", neighbours on a ring (Wang et al., arXiv:1904.09314); InputError for another.
    """
    if kind not in ("xy-complete", "xy-ring"):
        raise InputError(f"mixer {kind!r}: xy-complete or xy-ring")
    if kind == "xy-complete":
        return 1.0 - np.eye(size)
    shift = np.roll(np.eye(size), 1, axis=0)
    return np.maximum(shift, shift.T)


def xy_mixer(sizes: Sequence[int], kind: str) -> Mixer:
    """On configurations (one amplitude each, in the order of their index); the start is uniform, a W state per column."""
    starts = [np.full(size, size**-0.5) for size in sizes]
    if kind == "xy-complete":
        return ProjectorMixer(starts)
    return ColumnMixer([adjacency(size, kind) for size in sizes], starts)


def biased_mixer(probabilities: Sequence[np.ndarray]) -> ProjectorMixer:
    """Starts at sqrt(probabilities[c]), which is the eigenstate of the highest eigenvalue of B_c.

    Equal probabilities give "xy-complete"; for qubits, columns of two, it is the mixer of Egger et al., arXiv:2009.10095.
    """
    return ProjectorMixer([np.sqrt(column) for column in probabilities])


def biased_probabilities(digits: Sequence[int] | np.ndarray, sizes: Sequence[int], share: float) -> list[np.ndarray]:
    """Probabilities of every column: ``share`` for its digit, the same for all others.

    Raises InputError unless the share lies between the uniform one and 1: at 1 nothing would be left to mix.
    """
    probabilities = []
    for digit, size in zip(digits, sizes, strict=True):
        if not 1 / size <= share < 1:
            raise InputError(f"share = {share} of a choice among {size}: from {1 / size:.3g} to below 1")
        column = np.full(size, (1 - share) / (size - 1))
        column[digit] = share
        probabilities.append(column)
    return probabilities
