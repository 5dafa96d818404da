"""Local energies E(s) = sum_s' <s|H|s'> psi(s') / psi(s) of any Hamiltonian and any block, a batch at a time."""

from __future__ import annotations

import numpy as np
import torch

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block, Flip, spins


def flips_of(rows: np.ndarray) -> list[Flip]:
    """The sites that each of the rows bool (flips, sites) turns over; rows that turn none are left out."""
    return [tuple(np.flatnonzero(r).tolist()) for r in rows if r.any()]


class LocalEnergy:
    """The flips that H makes and what it takes to tell its matrix elements, worked out once.

    A string i^(x z) X^x Z^z turns over the spins of x and multiplies by a phase and by the product of the spins of z.
    Strings with the same x are one flip; ``flips`` leaves out the diagonal.
    """

    flips: list[Flip]

    def __init__(self, hamiltonian: Hamiltonian):
        self.sites = hamiltonian.sites
        rows, group = np.unique(hamiltonian.x, axis=0, return_inverse=True)
        group = group.reshape(-1)
        diagonal = ~rows.any(1)  # at most one
        self.flips = flips_of(rows)
        place = np.cumsum(~diagonal) - 1  # row -> flip
        # Z acts on s' = s with the flip, whose spins at each Y are those of s turned over: i^n (-1)^n with n the number of Y
        phase = np.array([1, -1j, -1, 1j])[(hamiltonian.x & hamiltonian.z).sum(1) % 4] * hamiltonian.couplings
        on = diagonal[group]
        self.diagonal = Products(hamiltonian.z[on], phase[on].real, np.zeros(int(on.sum()), int), 1)
        elements = phase[~on] if np.abs(phase.imag).any() else phase[~on].real
        self.off_diagonal = Products(hamiltonian.z[~on], elements, place[group[~on]], len(self.flips))

    def elements(self, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """<s|H|s> (batch,) and <s|H|s with flip f> (batch, flips) of spins (batch, sites)."""
        return self.diagonal(s)[:, 0].real, self.off_diagonal(s)

    def __call__(self, block: Block, configurations: torch.Tensor) -> torch.Tensor:
        """E(s) (batch,) of bits (batch, sites): float64 where the elements and the state are real, else complex128."""
        diagonal, off = self.elements(spins(configurations))
        if not self.flips:
            return diagonal
        zero = off == 0
        ratios = block.flip_ratios(configurations, self.flips, ~zero if bool(zero.any()) else None)
        return diagonal + torch.where(zero, 0.0, off * ratios).sum(1)


class Products:
    """Sums of coefficient x product of some spins, one sum per group.

    support bool (terms, sites), coefficients (terms,), group (terms,) with numbers below ``groups``.
    """

    def __init__(self, support: np.ndarray, coefficients: np.ndarray, group: np.ndarray, groups: int):
        self.parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self.groups = groups
        weight = support.sum(1)
        for w in np.unique(weight):
            rows = np.flatnonzero(weight == w)
            places = np.nonzero(support[rows])[1].reshape(len(rows), w)
            self.parts.append(
                (torch.from_numpy(places), torch.from_numpy(coefficients[rows]), torch.from_numpy(group[rows]))
            )
        self.dtype = torch.complex128 if np.iscomplexobj(coefficients) else torch.float64

    def __call__(self, s: torch.Tensor) -> torch.Tensor:
        """(batch, groups) of spins (batch, sites)."""
        total = torch.zeros(len(s), self.groups, dtype=self.dtype)
        for places, coefficients, group in self.parts:
            product = torch.ones(len(s), len(places), dtype=torch.float64)
            for column in places.T:
                product = product * s[:, column]
            total.index_add_(1, group, product * coefficients)
        return total
