"""Pauli strings as minors of the correlation matrix of a Gaussian state, and the energy and its gradient made of them.

With the Majoranas of :mod:`qednas.physics.gaussian.free_fermion` every string that is even in X and Y and real is a product of n
operators a_j and n operators b_k; by Wick's theorem its value is a minor of order n of C_jk = -<i a_j b_k>.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qednas.physics.hamiltonian import Hamiltonian

LONGEST = 7  # minors to this order are kept: couplings of X to this range, with their strings
GENERIC = 1e-9 * np.cos(np.arange(1.0, LONGEST**2 + 1) ** 2).reshape(
    LONGEST, LONGEST
)  # makes singular matrices invertible


@dataclass(frozen=True)
class Minors:
    """Strings that are minors of order n of C: value of string s = couplings[s] det C[rows[s], columns[s]]."""

    rows: np.ndarray  # (strings, n)
    columns: np.ndarray  # (strings, n)
    couplings: np.ndarray  # (strings,)


def minors(hamiltonian: Hamiltonian) -> tuple[dict[int, Minors], np.ndarray]:
    """The strings as minors by order, and the mask (terms,) of those left out: odd or imaginary ones have no value in a
    real Gaussian state, and orders above LONGEST cost too much."""
    x, z = hamiltonian.x, hamiltonian.z
    later = (np.cumsum(x[:, ::-1], 1)[:, ::-1] - x) % 2 == 1  # an odd number of X or Y stands to the right
    # a site holds a for X, b for Y, a b for Z; a string of Z from the right turns these into b, a, nothing
    a, b = x ^ z ^ later, z ^ later
    order = a.sum(1)
    keep = (x.sum(1) % 2 == 0) & (order == b.sum(1)) & (order <= LONGEST)
    x, z, later, a, b, order = (array[keep] for array in (x, z, later, a, b, order))
    # each of Z, and of nothing, X under a string, brings -i; Y under a string brings i
    power = 3 * np.where(later, ~z, z & ~x).sum(1) + (later & x & z).sum(1)
    swaps = (a * (np.cumsum(b, 1) - b)).sum(1)  # to bring every a before every b
    power = power + 2 * swaps + order * (order - 1) + order
    couplings = hamiltonian.couplings[keep] * np.where(power % 4 == 0, 1.0, -1.0)
    out = {}
    for n in np.unique(order[order > 0]).tolist():
        rows = order == n
        out[n] = Minors(np.nonzero(a[rows])[1].reshape(-1, n), np.nonzero(b[rows])[1].reshape(-1, n), couplings[rows])
    return out, ~keep


def shortened(hamiltonian: Hamiltonian) -> Hamiltonian:
    """XX and YY couplings beyond the range LONGEST brought back to it, half from each of their ends.

    A correlation that far out changes little with the distance (to the square of the order parameter, or to nothing).
    """
    x, z = hamiltonian.x, hamiltonian.z
    first, last = x.argmax(1), x.shape[1] - 1 - x[:, ::-1].argmax(1)
    kind = z.sum(1)  # 0 for XX, 2 for YY
    far = (x.sum(1) == 2) & ((x | z).sum(1) == 2) & (last - first > LONGEST) & (kind != 1)
    if not far.any():
        return hamiltonian
    moved = np.zeros((2, hamiltonian.sites))  # coupling of the pair that starts at a site, by kind
    for start in (first[far], last[far] - LONGEST):
        np.add.at(moved, (kind[far] // 2, start), hamiltonian.couplings[far] / 2)
    letter, start = np.nonzero(moved)
    extra = np.zeros((len(start), hamiltonian.sites), bool)
    for end in (0, LONGEST):
        extra[np.arange(len(start)), start + end] = True
    return replace(
        hamiltonian,
        x=np.concatenate([x[~far], extra]),
        z=np.concatenate([z[~far], extra & (letter == 1)[:, None]]),
        couplings=np.concatenate([hamiltonian.couplings[~far], moved[letter, start]]),
    )


def gradient(strings: dict[int, Minors], c: np.ndarray) -> tuple[np.ndarray, float]:
    """dE/dC (n, n) and E of a Gaussian state C: the cofactors of every minor, added up."""
    matrix, energy = np.zeros_like(c), 0.0
    for order, s in strings.items():
        if order == 1:
            block, weighted = c[s.rows[:, 0], s.columns[:, 0]], s.couplings[:, None, None]
            energy += s.couplings @ block
        else:
            block = c[s.rows[:, :, None], s.columns[:, None, :]]
            if order == 2:
                value = block[:, 0, 0] * block[:, 1, 1] - block[:, 0, 1] * block[:, 1, 0]
                cofactors = block[:, ::-1, ::-1] * np.array([[1, -1], [-1, 1]])
            else:
                block = block + GENERIC[:order, :order]  # a singular block still has cofactors
                value = np.linalg.det(block)
                cofactors = value[:, None, None] * np.linalg.inv(block).transpose(0, 2, 1)
            energy += s.couplings @ value
            weighted = s.couplings[:, None, None] * cofactors
        np.add.at(matrix, (s.rows[:, :, None], s.columns[:, None, :]), weighted)
    return matrix, float(energy)
