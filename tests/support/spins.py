"""Reference implementations for the physics tests, written the slow and obvious way, and random Hamiltonians."""

import itertools
from functools import reduce

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from qednas.base.errors import InputError
from qednas.physics.basis import Basis, Flips
from qednas.physics.hamiltonian import Hamiltonian, Sector

PAULI = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0, -1.0]),
}
# One entangled point of every family
PARAMETERS = {
    "tfim": {"h": 0.7},
    "xy": {"gamma": 0.5, "h": 0.4},
    "xxz": {"delta": 0.6},
    "j1j2": {"j2": 0.4},
    "cluster": {"h": 0.5},
    "ssh": {"delta": 0.3},
    "annni": {"kappa": 0.3, "h": 0.8},
    "long_range_ising": {"alpha": 2.0, "h": 1.5},
    "random_field": {"w": 1.5, "disorder_seed": 3},
    "random_tfim": {"h": 1.0, "w": 0.5, "disorder_seed": 3},
    "mixed_field_ising": {"h": 0.8, "g": 0.2},
    "cluster_ising": {"lam": 0.4, "h": 0.3},
    "tfim_2d": {"h": 2.0, "width": 2},
    "mhs": {},
}
LADDER = {"P": np.array([[0, 1], [0, 0]], complex), "M": np.array([[0, 0], [1, 0]], complex), "Z": PAULI["Z"]}


def sparse_matrix(hamiltonian, sector=None):
    """CSR matrix of H on ``sector`` (default: the whole space)."""
    return Flips(hamiltonian, Basis(hamiltonian.sites, sector or Sector())).to_csr()


def on_sites(sites, matrices):
    """Kronecker product of one-site matrices {site: matrix} with the identity elsewhere, site 0 leftmost."""
    return reduce(np.kron, (matrices.get(i, np.eye(2)) for i in range(sites)))


def dense(sites, terms, letters=PAULI):
    """Matrix (2**sites, 2**sites) of (word, places, coefficient) triples."""
    total = np.zeros((1 << sites, 1 << sites), complex)
    for word, places, c in terms:
        total += c * on_sites(sites, {i: letters[a] for i, a in zip(places, word, strict=True)})
    return total


def dense_of(hamiltonian):
    """Matrix of a Hamiltonian by Kronecker products."""
    return dense(hamiltonian.sites, hamiltonian.terms())


def parity(sites, axis):
    """prod_i X_i, or of another axis."""
    return on_sites(sites, dict.fromkeys(range(sites), PAULI[axis]))


def magnetisation(sites):
    """sum_i Z_i."""
    return dense(sites, [("Z", (i,), 1.0) for i in range(sites)])


def commute(a, b):
    return bool(np.abs(a @ b - b @ a).max() < 1e-10)


def entropies(spectra):
    """Entropy (nats) of each spectrum."""
    return np.array([-(p[p > 0] @ np.log(p[p > 0])) for p in map(np.asarray, spectra)])


def reduced_spectrum(psi, sites, left):
    """Eigenvalues of the density matrix of the first ``left`` sites, descending."""
    matrix = np.asarray(psi).reshape(1 << left, -1)
    return np.sort(np.linalg.eigvalsh(matrix @ matrix.conj().T))[::-1]


def haar_state(rng, sites):
    psi = rng.normal(size=1 << sites) + 1j * rng.normal(size=1 << sites)
    return psi / np.linalg.norm(psi)


KINDS = ("any", "real", "parity_z", "parity_x", "magnetisation")


@st.composite
def hamiltonians(draw, kinds=KINDS, least=2, most=6, longest=4):
    """Random Hamiltonians; each kind promises at least that symmetry (real: an even number of Y in each string)."""
    kind = draw(st.sampled_from(kinds))
    sites = draw(st.integers(least, most))
    coupling = st.integers(-16, 16).filter(bool).map(lambda k: k / 8)
    terms = []
    for _ in range(draw(st.integers(1, 8))):
        width = draw(st.integers(1, min(longest, sites)))
        places = tuple(draw(st.permutations(range(sites)))[:width])
        c = draw(coupling)
        if kind == "magnetisation":  # a hop (XX + YY) or a current (XY - YX) times Z elsewhere
            if width == 1 or draw(st.booleans()):
                terms.append(("Z" * width, places, c))
                continue
            tail = "Z" * (width - 2)
            hop = [("XX", 1), ("YY", 1)] if draw(st.booleans()) else [("XY", 1), ("YX", -1)]
            terms += [(pair + tail, places, sign * c) for pair, sign in hop]
            continue
        words = ["".join(w) for w in itertools.product("XYZ", repeat=width)]
        if kind == "real":
            words = [w for w in words if w.count("Y") % 2 == 0]
        if kind == "parity_z":
            words = [w for w in words if (w.count("X") + w.count("Y")) % 2 == 0]
        if kind == "parity_x":
            words = [w for w in words if (w.count("Z") + w.count("Y")) % 2 == 0]
        terms.append((draw(st.sampled_from(words)), places, c))
    try:
        return Hamiltonian.from_terms(sites, terms)
    except InputError:  # everything cancelled
        assume(False)
