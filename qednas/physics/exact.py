"""Exact ground states of up to 20 spins in their symmetry sector, with the spectrum of every cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse.linalg as spla

from qednas.base.errors import InputError
from qednas.physics.basis import Basis, Flips, Windows
from qednas.physics.entanglement import schmidt_spectra
from qednas.physics.hamiltonian import Hamiltonian, Sector

MAX_SITES = 20
MAX_BYTES = 8 << 30  # of the sparse matrix; beyond it the product is made matrix-free
DEGENERATE_GAP = 1e-6  # gap inside the sector, relative to the strongest coupling, below which a label means nothing
TIE = 1e-9  # relative energy difference under which two sectors count as degenerate


@dataclass(frozen=True)
class ExactState:
    """Ground state in one sector: energy and gap (Pauli units; gap to the next state of the same sector, inf if none),
    amplitudes (2**sites,), spectra of the sites - 1 cuts, the sector it lives in."""

    energy: float
    gap: float
    vector: np.ndarray
    spectra: list[np.ndarray]
    sector: Sector


def sectors_to_try(hamiltonian: Hamiltonian) -> list[Sector]:
    """The single sector asked for, or all the candidates in order of preference when its value is "lowest"."""
    sector, sites = hamiltonian.sector, hamiltonian.sites
    if sector.kind == "none" or sector.value is not None:
        return [sector]
    if sector.kind == "magnetisation":
        return [Sector("magnetisation", m) for m in sorted(range(-sites, sites + 1, 2), key=lambda m: (abs(m), m))]
    return [Sector(sector.kind, 1), Sector(sector.kind, -1)]


def lowest_two(hamiltonian: Hamiltonian, sector: Sector) -> tuple[np.ndarray, np.ndarray, Basis]:
    """The two lowest energies (2,) (second inf in a sector of one state), the ground vector of the sector, its basis."""
    basis = Basis(hamiltonian.sites, sector)
    flips, size = Flips(hamiltonian, basis), len(basis)
    if size <= 256:
        values, vectors = np.linalg.eigh(flips.to_csr().toarray())
        return np.append(values, np.inf)[:2], vectors[:, 0], basis
    if sector.kind == "none" and Windows.fits(hamiltonian):
        operator = spla.LinearOperator((size, size), matvec=Windows(hamiltonian).multiply, dtype=flips.dtype)
    elif size * len(flips.masks) * (flips.dtype.itemsize + 4) <= MAX_BYTES:
        operator = flips.to_csr()
    else:
        operator = spla.LinearOperator((size, size), matvec=flips.multiply, dtype=flips.dtype)
    start = np.random.default_rng(0).standard_normal(size)
    values, vectors = spla.eigsh(operator, k=2, which="SA", v0=start.astype(flips.dtype), tol=1e-13)
    order = np.argsort(values)
    return values[order], vectors[:, order[0]], basis


def ground_state(hamiltonian: Hamiltonian) -> ExactState:
    """Exact ground state in the Hamiltonian's sector.

    With the sector value "lowest", all sectors of that symmetry are compared; energies within a relative 1e-9 tie and
    the first one (+1, or the smallest \\|sum Z\\|) is taken.
    Raises InputError above 20 sites.
    """
    if hamiltonian.sites > MAX_SITES:
        raise InputError(
            f"exact diagonalisation of {hamiltonian.sites} sites does not fit in memory: at most {MAX_SITES} sites; use dmrg"
        )
    first, *others = sectors_to_try(hamiltonian)
    values, vector, basis = lowest_two(hamiltonian, first)
    for sector in others:
        candidate = lowest_two(hamiltonian, sector)
        if candidate[0][0] < values[0] - TIE * abs(values[0]):
            values, vector, basis = candidate
    psi = basis.expand(vector)
    spectra = schmidt_spectra(psi, hamiltonian.sites)
    return ExactState(float(values[0]), float(values[1] - values[0]), psi, spectra, basis.sector)
