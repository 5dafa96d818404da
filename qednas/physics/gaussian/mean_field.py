"""The best Gaussian (free-fermion) state of any spin chain: variational mean field at the size that is asked for.

Pauli strings that are even in X and Y and real are minors of C (:mod:`qednas.physics.gaussian.string_minors`): exact for all
orders, whatever the range.  The energy E(C) is then a sum of minors; its gradient M = dE/dC is
the matrix of a quadratic Hamiltonian whose own ground state C = -polar(M) is the next state (generalised Hartree-Fock,
Bach, Lieb and Solovej, J. Stat. Phys. 76, 3 (1994); for spin chains Kraus and Cirac, New J. Phys. 12, 113004 (2010)).
Where all strings have n = 1 this is the exact solution in one step; elsewhere E(C) is an upper bound of the energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar

from qednas.physics.canonical_frame import AXES, Frame, canonical
from qednas.physics.gaussian.gaussian_modes import gaussian_proxies
from qednas.physics.gaussian.rotation import classical_angle, middle, turned
from qednas.physics.gaussian.string_minors import Minors, gradient, minors, shortened
from qednas.physics.hamiltonian import Hamiltonian, Sector

EDGE = 3  # an odd string this close to an end is carried by an ancilla beyond that end
HISTORY = 5  # earlier steps that the accelerated iteration looks back on
DAMPING = 0.7
TOLERANCE = 1e-5  # of the mean-field matrix, relative to the largest coupling
ITERATIONS = 60
TILT_SITES = 10  # of the chain on which the angle of a tilted frame is found
TILT_REACH, TILT_ACCURACY = 0.8, 2e-3  # radians around the classical angle


@dataclass(frozen=True)
class MeanField:
    """A Gaussian state of ``sites`` spins.

    energy: of that state, an upper bound of the ground state's if ``missing`` is 0.
    correlation: C, with one more row and column at each end where ancillas carry odd edge terms (``ancillas``).
    interaction, missing: share of the coupling strength in minors of order two and more, and in strings that a Gaussian
    state cannot have; 1 if it cannot have the sector that is asked for.
    """

    sites: int
    energy: float
    correlation: np.ndarray
    ancillas: bool
    symmetric: bool
    interaction: float
    missing: float
    iterations: int
    residual: float

    def modes(self, left: int) -> np.ndarray:
        """Polarisations nu in [0, 1] of the cut after ``left`` sites."""
        n = len(self.correlation)
        left += self.ancillas
        block = self.correlation[:left, :left] if left <= n - left else self.correlation[left:, left:]
        if self.symmetric:
            return np.abs(np.linalg.eigvalsh(block))
        nu = np.linalg.svd(block, compute_uv=False)
        return nu[:-1] if self.ancillas else nu  # the ancillas add one mode that is exactly mixed

    def profile(self) -> np.ndarray:
        """The five proxies (sites - 1, 5) of every cut (nats)."""
        return gaussian_proxies([self.modes(left) for left in range(1, self.sites)])


def with_ancillas(hamiltonian: Hamiltonian) -> tuple[Hamiltonian, bool]:
    """The chain with one more spin at each end, on whose X (or Y) the odd strings of that end act, and whether it was needed.

    The new operators commute with everything, so they only fix the sign of the old terms.  Odd strings of the bulk stay
    as they are.
    """
    x, z, n = hamiltonian.x, hamiltonian.z, hamiltonian.sites
    odd = x.sum(1) % 2 == 1
    if not odd.any() or n <= 2 * EDGE:
        return hamiltonian, False
    occupied = x | z
    first, last = occupied.argmax(1), n - 1 - occupied[:, ::-1].argmax(1)
    left, right = odd & (last < EDGE), odd & (first >= n - EDGE)
    if not (left.any() and right.any()):
        return hamiltonian, False
    wide_x, wide_z = (np.pad(a, ((0, 0), (1, 1))) for a in (x, z))
    real = (x & z).sum(1) % 2 == 0
    if real[left | right].any() and not real[left | right].all():  # X would not commute with Y on the same ancilla
        return hamiltonian, False
    for rows, place in ((left, 0), (right, -1)):
        wide_x[rows, place] = True
        wide_z[rows, place] = ~real[rows]
    return replace(hamiltonian, sites=n + 2, x=wide_x, z=wide_z, sector=Sector()), True


def polar_state(matrix: np.ndarray, determinant: int | None) -> np.ndarray:
    """The orthogonal C that minimises tr(M^T C), of the given determinant (the parity prod Z) if any."""
    u, _, vt = np.linalg.svd(matrix)
    if determinant is not None:
        natural = np.linalg.slogdet(u)[0] * np.linalg.slogdet(vt)[0] * (-1) ** len(matrix)
        if natural * determinant < 0:
            vt[-1] = -vt[-1]
    return -u @ vt


def filled_state(matrix: np.ndarray, magnetisation: int) -> np.ndarray:
    """The symmetric orthogonal C of trace sum Z that minimises tr(M^T C)."""
    _, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    up = vectors[:, : (len(matrix) + magnetisation) // 2]
    return 2 * up @ up.T - np.eye(len(matrix))


def tilt_angle(hamiltonian: Hamiltonian) -> float:
    """Angle in the x-z plane at which the best Gaussian state has the lowest energy.

    Terms that are odd in X vanish in every Gaussian state, so each angle gives an upper bound of the energy; the lowest one
    balances classical order and fluctuations.  Looked for near the classical angle, on a few sites in the middle.  In weak
    longitudinal fields a second minimum, without tilt, may be lower on so few sites; it is a cat that long chains do not have.
    """
    small, start = middle(hamiltonian, TILT_SITES), classical_angle(hamiltonian)

    def energy(angle: float) -> float:
        strings, _ = minors(turned(small, angle))
        return solve(strings, small.sites, False, None, None)["energy"] if strings else 0.0

    minimum = minimize_scalar(energy, bounds=(start - TILT_REACH, start + TILT_REACH), options={"xatol": TILT_ACCURACY})
    return float(minimum.x)


def tilted(hamiltonian: Hamiltonian) -> Hamiltonian:
    """The chain in the frame of its :func:`tilt_angle`: a Gaussian state can describe the fluctuations there."""
    return turned(hamiltonian, tilt_angle(hamiltonian))


def mean_field(hamiltonian: Hamiltonian, strength: float = 1.0, frame: Frame | None = None) -> MeanField:
    """The Gaussian state of lowest energy that the iteration finds, in the canonical frame and the Hamiltonian's sector.

    strength: factor of all minors of order two and more; 0 leaves free fermions.  frame: the canonical frame, if known.
    """
    chosen = frame or canonical(hamiltonian)
    chain, ancillas = with_ancillas(chosen.hamiltonian)
    parity, magnetisation = chosen.parity, chosen.magnetisation
    chain = shortened(chain)
    strings, left_out = minors(chain)
    if left_out[chain.x.sum(1) % 2 == 1].any():  # odd strings in the bulk
        chain, ancillas, parity, magnetisation = tilted(chosen.hamiltonian), False, None, None
        strings, left_out = minors(chain)
    weights = {order: np.abs(s.couplings).sum() for order, s in strings.items()}
    total = np.abs(chain.couplings).sum()
    for order in strings:
        if order > 1:
            strings[order] = replace(strings[order], couplings=strength * strings[order].couplings)
    state = solve(strings, chain.sites, ancillas, parity, magnetisation)
    missing = float(np.abs(chain.couplings[left_out]).sum() / total)
    return MeanField(
        sites=hamiltonian.sites,
        ancillas=ancillas,
        interaction=float(sum(w for order, w in weights.items() if order > 1) / total),
        missing=1.0 if is_across(hamiltonian, chosen) else missing,
        **state,
    )


def is_across(hamiltonian: Hamiltonian, frame: Frame) -> bool:
    """Whether the sector is one of a parity that no Gaussian state of the frame has: not that of its fermions.

    With an even number of sites the two parities commute, and the lowest state has both.
    """
    sector = hamiltonian.sector
    if not sector.kind.startswith("parity") or sector.kind == "parity_" + AXES[frame.order[2]].lower():
        return False
    return hamiltonian.sites % 2 == 1 or sector.value is not None


def solve(strings: dict[int, Minors], size: int, ancillas: bool, parity: int | None, magnetisation: int | None) -> dict:
    """Iterate state and matrix to self-consistency, with Anderson's acceleration (J. ACM 12, 547 (1965))."""
    free, _ = gradient({n: s for n, s in strings.items() if n == 1}, np.zeros((size, size)))
    symmetric = magnetisation is not None and not ancillas and np.allclose(free, free.T, atol=1e-12)
    empty = None
    if ancillas:  # of each ancilla one Majorana is in no term; the two of them form the exactly mixed mode
        empty = (0, -1) if not np.abs(free[0]).any() else (-1, 0)

    def state_of(matrix: np.ndarray) -> np.ndarray:
        if symmetric and magnetisation is not None:
            return filled_state(matrix, magnetisation)
        if empty is None:
            return polar_state(matrix, parity)
        coupled = np.ix_(np.delete(np.arange(size), empty[0]), np.delete(np.arange(size), empty[1]))
        c = np.zeros_like(matrix)
        c[coupled] = polar_state(matrix[coupled], (-1) ** (size - 1))  # the ancillas point the same way
        c[empty] = 1.0
        return c

    c = state_of(free)
    energy = float((free * c).sum())
    if set(strings) <= {1}:
        return {"energy": energy, "correlation": c, "symmetric": symmetric, "iterations": 1, "residual": 0.0}
    scale = max(np.abs(s.couplings).max() for s in strings.values())
    matrix = free
    past: list[tuple[np.ndarray, np.ndarray]] = []
    iterations, residual = 0, np.inf
    while iterations < ITERATIONS:
        iterations += 1
        new, energy = gradient(strings, c)
        step = new - matrix
        residual = float(np.abs(step).max() / scale)
        if residual < TOLERANCE:
            break
        past = [*past, (matrix, step)][-HISTORY:]
        matrix = matrix + DAMPING * step
        if len(past) > 1:
            changes = np.array([(step - s).ravel() for _, s in past[:-1]])
            gram = changes @ changes.T
            share = np.linalg.solve(gram + 1e-10 * np.trace(gram) * np.eye(len(gram)), changes @ step.ravel())
            for a, (m, s) in zip(share, past[:-1], strict=True):
                matrix = matrix - a * ((past[-1][0] - m) + DAMPING * (step - s))
        c = state_of(matrix)
    return {
        "energy": energy,
        "correlation": c,
        "symmetric": symmetric,
        "iterations": iterations,
        "residual": residual,
    }
