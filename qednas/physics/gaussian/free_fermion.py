"""Ground states of open quadratic-fermion chains (tfim, xy, xx, ssh and disordered relatives) to 1,000 sites.

Jordan-Wigner with Majoranas a_j = (prod_{k<j} Z_k) X_j and b_j = (prod_{k<j} Z_k) Y_j gives
Z_j = -i a_j b_j, X_j X_{j+1} = i a_{j+1} b_j, Y_j Y_{j+1} = i a_j b_{j+1}, hence H = i sum_jk a_j M_jk b_k.
With M = U diag(s) V^T the vacuum has energy -sum s and <i a_j b_k> = -(U V^T)_jk; a block of l sites is a product of
two-level modes with polarisations nu = singular values of (U V^T)[:l, :l] (Peschel, J. Phys. A 36, L205 (2003)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian, Sector

MAX_SITES = 1000
TIE = 1e-12  # relative energy difference under which two sectors count as degenerate


@dataclass(frozen=True)
class FermionState:
    """A Gaussian ground state: energy and gap inside its sector (Pauli units), the sector, and ``modes(l)``.

    correlation is U V^T (sites, sites), or 2 C - 1 with C the occupied projector when sum Z is conserved.
    """

    energy: float
    gap: float
    sector: Sector
    correlation: np.ndarray
    symmetric: bool

    def modes(self, left: int) -> np.ndarray:
        """Polarisations nu (min(left, sites - left),) in [0, 1] of the cut after ``left`` sites."""
        n = len(self.correlation)
        block = self.correlation[:left, :left] if left <= n - left else self.correlation[left:, left:]
        if self.symmetric:
            return np.abs(np.linalg.eigvalsh(block))
        return np.linalg.svd(block, compute_uv=False)


def with_z_fields(hamiltonian: Hamiltonian) -> Hamiltonian:
    """The Hamiltonian in the frame whose fields are along Z, if they are along X or Z."""
    swapped = not any(letters in ("Z", "XX") for letters, _, _ in hamiltonian.terms())
    return hamiltonian.swap_xz() if swapped and hamiltonian.sector.kind != "magnetisation" else hamiltonian


def other_terms(frame: Hamiltonian) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Strings and sites that are neither a field along Z nor a nearest-neighbour coupling XX or YY."""
    for letters, places, _ in frame.terms():
        neighbours = len(places) == 2 and abs(places[1] - places[0]) == 1
        if letters != "Z" and not (letters in ("XX", "YY") and neighbours):
            yield letters, places


def is_quadratic(hamiltonian: Hamiltonian) -> bool:
    """Whether :func:`ground_state` can solve it, at a size that it allows."""
    return next(other_terms(with_z_fields(hamiltonian)), None) is None


def quadratic_form(hamiltonian: Hamiltonian) -> tuple[Hamiltonian, np.ndarray]:
    """The Hamiltonian in the frame with Z fields, and its Majorana matrix M (sites, sites).

    Raises InputError if a string is not a field, or a nearest-neighbour coupling of the two other axes.
    """
    frame = with_z_fields(hamiltonian)
    for letters, places in other_terms(frame):
        raise InputError(
            f"{hamiltonian.name} is not a free-fermion chain: term {letters} on sites {list(places)}; "
            "allowed are one field axis and nearest-neighbour couplings of the other two, open ends"
        )
    matrix = np.zeros((hamiltonian.sites, hamiltonian.sites))
    for letters, places, c in frame.terms():
        low = min(places)
        if letters == "Z":
            matrix[low, low] -= c
        else:
            matrix[(low + 1, low) if letters == "XX" else (low, low + 1)] += c
    return frame, matrix


def ground_state(hamiltonian: Hamiltonian) -> FermionState:
    """Ground state in the Hamiltonian's sector.  Raises InputError when it is not quadratic or too large."""
    if hamiltonian.sites > MAX_SITES:
        raise InputError(f"free fermions to {MAX_SITES} sites, not {hamiltonian.sites}")
    frame, matrix = quadratic_form(hamiltonian)
    if frame.sector.kind == "magnetisation":
        return _number_conserving(frame, matrix)
    return _parity(frame, matrix, hamiltonian.sector.kind)


def _parity(frame: Hamiltonian, matrix: np.ndarray, kind: str) -> FermionState:
    """Fill the vacuum, or one quantum above it where the sector (prod Z of the frame) asks for the other parity."""
    u, s, vt = np.linalg.svd(matrix)  # s descending
    softer, softest = s[-2], s[-1]
    vacuum = int(np.sign(np.linalg.slogdet(u)[0] * np.linalg.slogdet(vt)[0]))  # prod Z of the vacuum
    energy, gap, value = -s.sum(), 2 * (softer + softest), frame.sector.value
    if kind == "none":  # every state competes, so one quantum is the gap
        return FermionState(float(energy), float(2 * softest), Sector(), u @ vt, False)
    if value is None:
        value = 1 if 2 * softest <= TIE * s.sum() else vacuum
    if value != vacuum:
        energy, gap = energy + 2 * softest, 2 * (softer - softest)
        vt = np.vstack([vt[:-1], -vt[-1:]])
    return FermionState(float(energy), float(gap), Sector(kind, value), u @ vt, False)


def _number_conserving(frame: Hamiltonian, matrix: np.ndarray) -> FermionState:
    """sum Z = sites - 2 n: fill the n lowest orbitals of the hopping matrix h = M + M^T on fermions at spin-down sites."""
    if not np.allclose(matrix, matrix.T, atol=1e-14):
        raise InputError(f"{frame.name} does not conserve sum Z")
    sites, value = frame.sites, frame.sector.value
    orbital, vectors = np.linalg.eigh(2 * matrix)
    filled = int((orbital < -TIE * np.abs(orbital).max()).sum()) if value is None else (sites - value) // 2
    energy = orbital[:filled].sum() - np.trace(matrix)
    gap = orbital[filled] - orbital[filled - 1] if 0 < filled < sites else np.inf
    occupied = vectors[:, :filled]
    correlation = 2 * occupied @ occupied.T - np.eye(sites)
    return FermionState(float(energy), float(gap), Sector("magnetisation", sites - 2 * filled), correlation, True)
