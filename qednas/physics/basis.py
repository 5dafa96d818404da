"""Basis states of a symmetry sector and the sparse or matrix-free Hamiltonian on them.

Each string P = phase X^x Z^z maps one basis state to one basis state, so the strings that share their ``x`` mask form one
"flip": a signed permutation with a diagonal.  The CSR matrix is one column of entries per flip, ready-made, without sorting.
On the whole space a Hamiltonian of short range is faster still as dense blocks on a few overlapping windows of sites.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian, Sector

WINDOW_SPAN = 4  # widest string (in sites) that is put into a window; wider ones make the blocks too large to pay
WINDOW_MARGIN = 2  # sites by which a window is wider than the widest string


class Basis:
    """The basis states of one sector of ``sites`` spins.

    For ``parity_x`` a state stands for (|s> + value |~s>) / sqrt 2 with the top bit of s clear; otherwise for |s>.
    Raises InputError when the sector is empty (a magnetisation of the wrong parity) or not resolved (value None).
    """

    def __init__(self, sites: int, sector: Sector):
        if sector.kind != "none" and sector.value is None:
            raise InputError("a basis needs one sector, not the lowest of several")
        self.sites, self.sector = sites, sector
        self.sign = float(sector.value or 0)  # of |~s> beside |s>, for parity_x
        self._lookup: np.ndarray | None = None
        every = np.arange(1 << (sites - (sector.kind == "parity_x")), dtype=np.int64)
        if sector.kind in ("none", "parity_x"):
            self.states = every
            return
        down = np.bitwise_count(every)
        keep: np.ndarray
        if sector.kind == "parity_z":
            keep = (down % 2) == (0 if sector.value == 1 else 1)
        else:
            keep = sites - 2 * down.astype(np.int64) == sector.value
        self.states = every[keep]
        if not self.states.size:
            raise InputError(f"sector {sector} of {sites} sites is empty: sum Z has the parity of the number of sites")
        self._lookup = np.full(1 << sites, -1, dtype=np.int32)
        self._lookup[self.states] = np.arange(self.states.size, dtype=np.int32)

    def __len__(self) -> int:
        return self.states.size

    def locate(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Index of each state in this basis (-1 outside it) and, for ``parity_x``, the sign it enters with."""
        if self.sector.kind == "parity_x":
            top = states >> (self.sites - 1) != 0
            index = np.where(top, states ^ ((1 << self.sites) - 1), states).astype(np.int32)
            return index, np.where(top, self.sign, 1.0)
        if self._lookup is None:
            return states.astype(np.int32), None
        return self._lookup[states], None

    def expand(self, vector: np.ndarray) -> np.ndarray:
        """Amplitudes (2**sites,) of the full space from amplitudes (len(self),) of the sector."""
        full = np.zeros(1 << self.sites, vector.dtype)
        if self.sector.kind == "parity_x":
            full[self.states] = vector / np.sqrt(2)
            full[self.states ^ ((1 << self.sites) - 1)] = self.sign * vector / np.sqrt(2)
        else:
            full[self.states] = vector
        return full


class Flips:
    """H on a sector as a short list of flips: for each x mask, where a row reads from and with what weight."""

    def __init__(self, hamiltonian: Hamiltonian, basis: Basis):
        if not hamiltonian.conserves(basis.sector):
            raise InputError(f"the Hamiltonian does not conserve {basis.sector}")
        self.basis = basis
        self.dtype = np.dtype(float if hamiltonian.is_real else complex)
        x, z, weight = hamiltonian.masks()
        if hamiltonian.is_real:
            weight = weight.real
        self.masks = np.unique(x)
        self._strings = [(z[x == mask], weight[x == mask]) for mask in self.masks]

    def row(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Flip ``k``: for every row of the sector, the column it reads (int32) and the matrix element."""
        column = self.basis.states ^ self.masks[k] if self.masks[k] else self.basis.states
        value: np.ndarray = np.zeros(len(self.basis), self.dtype)
        for z, weight in zip(*self._strings[k], strict=True):
            if z:
                value += weight * (1.0 - 2.0 * (np.bitwise_count(column & z) & 1))
            else:
                value += weight
        index, sign = self.basis.locate(column)
        return index, value if sign is None else value * sign

    def to_csr(self) -> sp.csr_matrix:
        """CSR matrix (dimension, dimension); every stored row has at most one entry per flip."""
        size, count = len(self.basis), len(self.masks)
        column = np.empty((size, count), np.int32)
        value = np.empty((size, count), self.dtype)
        for k in range(count):
            column[:, k], value[:, k] = self.row(k)
        keep = (value != 0) & (column >= 0)
        pointer = np.concatenate(([0], np.cumsum(keep.sum(1)))).astype(np.int32 if size * count < 2**31 else np.int64)
        return sp.csr_matrix((value[keep], column[keep], pointer), shape=(size, size))

    def multiply(self, vector: np.ndarray) -> np.ndarray:
        """H v without storing H: memory of a few vectors, time of rebuilding the flips."""
        out = np.zeros(len(self.basis), np.result_type(self.dtype, vector.dtype))
        for k in range(len(self.masks)):
            index, value = self.row(k)
            # X X and Y Y cancel on the rows that leave the sector (index -1)
            out += np.where(index >= 0, value * vector[index], 0)
        return out


class Windows:
    """H on the whole space as a diagonal plus one dense block per window of neighbouring sites.

    The amplitudes, seen as (left, window, right), are multiplied by the block of each window: a few small matrix
    products that stay in the cache, where the CSR product has to stream the whole matrix from memory.
    Pure Z strings of any range are in the diagonal; :meth:`fits` tells whether the others are narrow enough.
    """

    def __init__(self, hamiltonian: Hamiltonian):
        sites = hamiltonian.sites
        self.dtype = np.dtype(float if hamiltonian.is_real else complex)
        first, span = _extent(hamiltonian)
        flipping = np.asarray(hamiltonian.x.any(1))
        widest = int(span[flipping].max(initial=1))
        width = widest + WINDOW_MARGIN
        starts = [0]
        while sites - starts[-1] > width + WINDOW_MARGIN:  # the last window takes what is left
            starts.append(starts[-1] + width - widest + 1)
        ends = [start + width for start in starts[:-1]] + [sites]
        self.diagonal = None
        if not flipping.all():
            _, self.diagonal = Flips(_part(hamiltonian, ~flipping, 0, sites), Basis(sites, Sector())).row(0)
        self.blocks: list[tuple[tuple[int, int, int], np.ndarray]] = []
        left = flipping.copy()
        for start, end in zip(starts, ends, strict=True):
            inside = np.asarray(left & (first + span <= end))
            left &= ~inside
            if inside.any():
                part = Flips(_part(hamiltonian, inside, start, end), Basis(end - start, Sector()))
                shape = (1 << start, 1 << (end - start), 1 << (sites - end))
                self.blocks.append((shape, part.to_csr().toarray().astype(self.dtype)))

    @staticmethod
    def fits(hamiltonian: Hamiltonian) -> bool:
        """Whether every string that flips a spin spans at most WINDOW_SPAN sites."""
        return int(_extent(hamiltonian)[1][hamiltonian.x.any(1)].max(initial=1)) <= WINDOW_SPAN

    def multiply(self, vector: np.ndarray) -> np.ndarray:
        """H v for amplitudes (2**sites,)."""
        vector = vector.reshape(-1)
        out = np.zeros(vector.size, np.result_type(self.dtype, vector.dtype))
        if self.diagonal is not None:
            out += self.diagonal * vector
        for shape, block in self.blocks:
            if shape[2] == 1:  # one product of two matrices instead of many by a vector
                out += (vector.reshape(shape[:2]) @ block.T).reshape(-1)
            else:
                out += (block @ vector.reshape(shape)).reshape(-1)
        return out


def _extent(hamiltonian: Hamiltonian) -> tuple[np.ndarray, np.ndarray]:
    """First site of each string and how many sites it spans, gaps included."""
    support = hamiltonian.x | hamiltonian.z
    first = support.argmax(1)
    return first, hamiltonian.sites - support[:, ::-1].argmax(1) - first


def _part(hamiltonian: Hamiltonian, rows: np.ndarray, start: int, end: int) -> Hamiltonian:
    """The chosen strings on the sites start .. end - 1 alone."""
    return replace(
        hamiltonian,
        sites=end - start,
        x=hamiltonian.x[rows, start:end],
        z=hamiltonian.z[rows, start:end],
        couplings=hamiltonian.couplings[rows],
        sector=Sector(),
    )


def multiply(hamiltonian: Hamiltonian, vector: np.ndarray) -> np.ndarray:
    """Matrix-free H v on the whole space; ``vector`` has shape (2**sites,)."""
    if Windows.fits(hamiltonian):
        return Windows(hamiltonian).multiply(vector)
    return Flips(hamiltonian, Basis(hamiltonian.sites, Sector())).multiply(vector)
