"""Probabilities of all basis states of many circuits at once, and their gradient with respect to the shared angles.

What makes it quick, beside compiled loops over a state that stays in the cache:

- probabilities that no angle changes are not computed (:attr:`Candidate.fixed`);
- a layer of CNOTs is a permutation of amplitudes, done while they are gathered for the rotations;
- circuits of Ry are real; Rx is Ry between fixed powers of i, Rz a phase;
- Rx after |0...0> is, seen in the basis of X, a permutation and a phase in every layer.  All phases together are one
  Walsh-Hadamard transform of the angles, so such a circuit of any depth costs the same (:class:`Phased`);
- the gradient runs the circuit backwards from its last state, so nothing between is kept (:class:`Layered`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.circuits.generator_kernels import (
    phased,
    phased_back,
    times_power,
    turned,
    turned_back,
    walsh_hadamard,
    workspace,
)
from qednas.diffqas.candidates import Candidate, bit, preimages

MOST_QUBITS = 20
DTYPES = {torch.float64: np.float64, torch.float32: np.float32}
State = list[np.ndarray]  # planes of 2^n amplitudes: real parts, or real and imaginary parts


def count_ones(n: int) -> np.ndarray:
    """Number of ones (2^n,) of every index, modulo 4."""
    count: np.ndarray = np.zeros(1, dtype=np.int8)
    for _ in range(n):
        count = np.concatenate([count, count + 1])
    return count % 4


def z_sums(weight: np.ndarray) -> np.ndarray:
    """sum_x z_q(x) weight_x (n,) of every qubit, for weights (2^n,)."""
    sums = []
    while len(weight) > 1:  # qubit 0 is the most significant
        up, down = weight.reshape(2, -1)
        sums.append(up.sum() - down.sum())
        weight = up + down
    return np.array(sums)


class Layered:
    """A circuit simulated layer by layer."""

    def __init__(self, candidate: Candidate, n: int, depth: int, dtype: type):
        self.candidate, self.n, self.dtype = candidate, n, dtype
        self.source = preimages(candidate.gates(n), n)
        self.planes = 1 if {candidate.axis(m) for m in range(depth)} == {"Ry"} else 2
        self.room = workspace(1 << n, dtype)
        if self.planes == 2:
            self.after = count_ones(n)
            self.before = np.empty_like(self.after)  # of where a layer of CNOTs takes each state
            self.before[self.source] = self.after

    def allocate(self) -> State:
        return [np.empty(1 << self.n, self.dtype) for _ in range(self.planes)]

    def halves(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """cos and sin of half the angles (n,), by bits of the index."""
        half = 0.5 * angles[::-1]
        return np.cos(half).astype(self.dtype), np.sin(half).astype(self.dtype)

    def phases(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Real and imaginary parts (2^n,) of what a layer of Rz multiplies amplitudes by."""
        out = np.ones(1, complex)
        for angle in angles:
            out = np.outer(out, np.exp([-0.5j * angle, 0.5j * angle])).ravel()
        return out.real.astype(self.dtype), out.imag.astype(self.dtype)

    def forward(self, theta: np.ndarray) -> State:
        """The last state, for angles (depth, n)."""
        state: State = [np.zeros_like(plane) for plane in self.allocate()]
        spare = self.allocate()
        if self.candidate.hadamard:
            state[0][:] = 2.0 ** (-self.n / 2)
        else:
            state[0][0] = 1.0
        for m, angles in enumerate(theta):
            axis = self.candidate.axis(m)
            if axis == "Rz":
                phased(*state, self.source, *self.phases(angles), *spare)
            else:
                if axis == "Rx":  # i^-k Ry i^k, where k is the number of ones
                    times_power(*state, self.before)
                for old, new in zip(state, spare, strict=True):
                    turned(old, self.source, *self.halves(angles), new, self.room)
                if axis == "Rx":
                    times_power(*spare, -self.after % 4)
            state, spare = spare, state
        return state

    def gradient(self, theta: np.ndarray, state: State, slope: State) -> np.ndarray:
        """Of a loss with respect to the angles (depth, n), from the last state and the loss's ``slope`` there; uses both up."""
        spare, spare_slope = self.allocate(), self.allocate()
        out = np.zeros(theta.shape)
        for m in reversed(range(len(theta))):
            axis = self.candidate.axis(m)
            if axis == "Rz":
                (re, im), (u, v) = state, slope
                out[m] = -0.5 * z_sums(v.astype(np.float64) * re - u.astype(np.float64) * im)
                phases = self.phases(theta[m])
                phased_back(*state, self.source, *phases, *spare)
                phased_back(*slope, self.source, *phases, *spare_slope)
            else:
                if axis == "Rx":
                    times_power(*state, self.after)
                    times_power(*slope, self.after)
                sums = np.zeros(self.n)
                for planes in zip(state, slope, spare, spare_slope, strict=True):
                    new, new_slope, old, old_slope = planes
                    turned_back(
                        new, new_slope, self.source, *self.halves(theta[m]), old, old_slope, self.room, sums
                    )  # fmt: skip
                out[m] = 0.5 * sums[::-1]
                if axis == "Rx":
                    back = -self.before % 4
                    times_power(*spare, back)
                    times_power(*spare_slope, back)
            state, spare, slope, spare_slope = spare, state, spare_slope, slope
        return out


class Phased:
    """Rx and CNOTs after |0...0>, of any depth, by Walsh-Hadamard transforms.

    In the basis of X the start is uniform, CNOTs exchange control and target, and Rx multiplies basis state y by
    exp(-i theta z_q / 2) with z_q = (-1)^(parity of y & mask): the CNOTs of the layers after it only change the mask.  So the
    last state is u_y = exp(i phi_y) with phi the transform of -theta/2 put at the masks, and its transform the amplitudes.
    """

    def __init__(self, candidate: Candidate, n: int, depth: int, dtype: type):
        self.n, self.dtype = n, dtype
        source = preimages([(target, control) for control, target in candidate.gates(n)], n)
        images = 1 << np.arange(n)  # of every single bit, before the layers that are still to come
        masks = np.zeros((depth, n), dtype=np.int64)
        for m in reversed(range(depth)):
            for qubit in range(n):
                masks[m, qubit] = (((images >> bit(qubit, n)) & 1) << np.arange(n)).sum()
            images = source[images]
        self.masks = masks.ravel()
        self.cached: tuple[np.ndarray, State] | None = None  # angles, and their waves

    def waves(self, theta: np.ndarray) -> State:
        """u (2^n,), real and imaginary; the gradient asks for those of the forward pass again."""
        if self.cached and np.array_equal(self.cached[0], theta):
            return self.cached[1]
        phi = np.zeros(1 << self.n)
        np.add.at(phi, self.masks, -0.5 * theta.ravel())
        walsh_hadamard(phi)
        self.cached = theta.copy(), [np.cos(phi), np.sin(phi)]
        return self.cached[1]

    def forward(self, theta: np.ndarray) -> State:
        state: State = [wave.astype(self.dtype) for wave in self.waves(theta)]
        for plane in state:
            walsh_hadamard(plane)
            plane *= 2.0**-self.n
        return state

    def gradient(self, theta: np.ndarray, state: State, slope: State) -> np.ndarray:
        for plane in slope:
            walsh_hadamard(plane)
        re, im = self.waves(theta)
        weight = (slope[1] * re - slope[0] * im) * 2.0**-self.n
        walsh_hadamard(weight)
        return -0.5 * weight[self.masks].reshape(theta.shape)


def circuit(candidate: Candidate, n: int, depth: int, dtype: type) -> Layered | Phased:
    if not candidate.hadamard and {candidate.axis(m) for m in range(depth)} == {"Rx"}:
        return Phased(candidate, n, depth, dtype)
    return Layered(candidate, n, depth, dtype)


class Probabilities(torch.autograd.Function):
    """Probabilities (circuits, 2^n) for angles (depth, n); the gradient goes backwards through every circuit."""

    @staticmethod
    def forward(ctx, theta, circuits, dtype):
        angles = theta.detach().double().numpy()
        states = [simulated.forward(angles) for simulated in circuits]
        ctx.circuits, ctx.angles, ctx.states, ctx.kind = circuits, angles, states, theta.dtype
        out = np.empty((len(states), 1 << angles.shape[1]), dtype)
        for row, state in zip(out, states, strict=True):
            np.multiply(state[0], state[0], out=row)
            for plane in state[1:]:
                row += plane * plane
        return torch.from_numpy(out)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        total = np.zeros(ctx.angles.shape)
        for simulated, state, row in zip(ctx.circuits, ctx.states, slope.numpy(), strict=True):
            total += simulated.gradient(ctx.angles, [p.copy() for p in state], [2 * row * plane for plane in state])
        return torch.from_numpy(total).to(ctx.kind), None, None


class Simulator:
    """Probabilities of the circuits of a pool on ``n`` qubits with ``depth`` layers.

    dtype: torch.float64, or torch.float32 for about twice the speed.  Raises InputError for a size that is not possible.
    """

    def __init__(self, pool: Sequence[Candidate], n: int, depth: int, dtype: torch.dtype = torch.float64):
        if not 1 <= n <= MOST_QUBITS:
            raise InputError(f"qubits = {n}: from 1 to {MOST_QUBITS}")
        if depth < 1:
            raise InputError(f"depth = {depth}: at least one layer")
        if dtype not in DTYPES:
            raise InputError(f"dtype = {dtype}: torch.float64 or torch.float32")
        if not pool:
            raise InputError("the pool has no candidate")
        self.pool, self.n, self.depth, self.dtype = tuple(pool), n, depth, dtype
        self.alive = [k for k, c in enumerate(self.pool) if not self.constant(c)]
        self.circuits = [circuit(self.pool[k], n, depth, DTYPES[dtype]) for k in self.alive]
        self.fixed = torch.zeros(len(self.pool), 1 << n, dtype=dtype)
        for row, candidate in zip(self.fixed, self.pool, strict=True):
            if self.constant(candidate) == "uniform":
                row += 2.0**-n
            elif self.constant(candidate) == "zero":
                row[0] = 1.0

    def constant(self, candidate: Candidate) -> str:
        """:attr:`Candidate.fixed` of its first ``depth`` layers."""
        axes = tuple(candidate.axis(m) for m in range(self.depth))
        return Candidate(candidate.hadamard, candidate.entangler, axes).fixed

    def __call__(self, theta: torch.Tensor) -> torch.Tensor:
        """Probabilities (candidates, 2^n) for the shared angles (depth, n) in radians; differentiable once."""
        if theta.shape != (self.depth, self.n):
            raise InputError(f"angles of shape {tuple(theta.shape)}: ({self.depth}, {self.n}) is needed")
        if not self.alive:
            return self.fixed.clone()
        return self.fixed.index_add(
            0, torch.tensor(self.alive), Probabilities.apply(theta, self.circuits, DTYPES[self.dtype])
        )
