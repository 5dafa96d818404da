"""One Hamiltonian, many backends: all of them against Kronecker products."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qednas.base.errors import InputError
from qednas.physics.basis import Basis, Flips, Windows, multiply
from qednas.physics.hamiltonian import Hamiltonian, Sector
from spins import LADDER, PAULI, commute, dense, dense_of, hamiltonians, magnetisation, parity, sparse_matrix

CLOSE = {"rtol": 0, "atol": 1e-12}


def random_vector(size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=size) + 1j * rng.normal(size=size)


@given(hamiltonians())
def test_sparse_matrix_is_the_sum_of_kronecker_products(h):
    np.testing.assert_allclose(sparse_matrix(h).toarray(), dense_of(h), **CLOSE)


@given(hamiltonians(most=8))
def test_matrix_free_products_agree(h):
    v = random_vector(1 << h.sites)
    for vector in (v, v.real.copy()):
        want = dense_of(h) @ vector
        np.testing.assert_allclose(multiply(h, vector), want, **CLOSE)
        np.testing.assert_allclose(Flips(h, Basis(h.sites, Sector())).multiply(vector), want, **CLOSE)


@given(hamiltonians(most=10, longest=3, kinds=("any", "real")))
def test_windows_agree_with_the_sparse_matrix(h):
    if not Windows.fits(h):
        first, last = (h.x | h.z).argmax(1), h.sites - 1 - (h.x | h.z)[:, ::-1].argmax(1)
        assert (last - first)[h.x.any(1)].max() >= 4
        return
    v = random_vector(1 << h.sites)
    np.testing.assert_allclose(Windows(h).multiply(v), sparse_matrix(h) @ v, **CLOSE)


def test_windows_cover_long_chains_and_long_range_diagonals():
    rng = np.random.default_rng(3)
    for sites in (9, 11, 14):
        terms = [("ZZ", (i, j), rng.normal()) for i in range(sites) for j in range(i + 1, sites)]
        terms += [("XYX", (i, i + 1, i + 2), rng.normal()) for i in range(sites - 2)]
        terms += [("YX", (i, i + 3), rng.normal()) for i in range(sites - 3)]
        h = Hamiltonian.from_terms(sites, terms)
        assert Windows.fits(h)
        v = random_vector(1 << sites)
        np.testing.assert_allclose(Windows(h).multiply(v), sparse_matrix(h) @ v, rtol=0, atol=1e-11)
    wide = Hamiltonian.from_terms(6, [("XX", (0, 4), 1.0)])
    assert not Windows.fits(wide)


@given(hamiltonians())
def test_local_energy_elements_rebuild_the_matrix(h):
    size = 1 << h.sites
    configurations = (np.arange(size)[:, None] >> np.arange(h.sites - 1, -1, -1)) & 1
    flips, elements = h.connected(configurations)
    assert len(np.unique(flips, axis=0)) == len(flips)
    assert np.isrealobj(elements) == h.is_real
    weight = 1 << np.arange(h.sites - 1, -1, -1)
    rebuilt = np.zeros((size, size), complex)
    for f, flip in enumerate(flips):
        rebuilt[np.arange(size), np.arange(size) ^ (flip @ weight)] += elements[:, f]
    np.testing.assert_allclose(rebuilt, dense_of(h), **CLOSE)


@settings(max_examples=25)
@given(hamiltonians(most=5))
def test_pennylane_operator_is_the_same_matrix(h):
    import pennylane as qml

    matrix = qml.matrix(h.to_pennylane(), wire_order=range(h.sites))
    np.testing.assert_allclose(matrix, dense_of(h), **CLOSE)


def mpo_matrix(h, sector):
    """Contract TeNPy's MPO of the model that DMRG uses, with up = 0 on every site."""
    from qednas.physics.dmrg import _model

    operator = _model(h, sector).H_MPO
    total = None
    for i in range(h.sites):
        site = operator.sites[i]
        order = [site.state_index("up"), site.state_index("down")]
        w = operator.get_W(i).itranspose(["wL", "wR", "p", "p*"]).to_ndarray()[:, :, order][:, :, :, order]
        if total is None:
            total = w[operator.get_IdL(0)]  # (wR, p, p*)
        else:
            size = 2 * total.shape[1]
            total = np.einsum("aij,abkl->bikjl", total, w).reshape(w.shape[1], size, size)
    return total[operator.get_IdR(h.sites - 1)]


@pytest.mark.filterwarnings("ignore")  # TeNPy's own, silenced in dmrg too
@settings(max_examples=30)
@given(hamiltonians(most=6))
def test_tenpy_mpo_is_the_same_matrix_with_every_charge(h):
    sectors = [Sector()]
    if h.conserves_parity_z:
        sectors.append(Sector("parity_z", 1))
    if h.conserves_magnetisation:
        sectors.append(Sector("magnetisation", 0))
    for sector in sectors:
        np.testing.assert_allclose(mpo_matrix(h, sector), dense_of(h), rtol=0, atol=1e-11)


@given(hamiltonians())
def test_conservation_flags_are_commutators(h):
    matrix = dense_of(h)
    assert h.conserves_parity_x == commute(matrix, parity(h.sites, "X"))
    assert h.conserves_parity_z == commute(matrix, parity(h.sites, "Z"))
    assert h.conserves_magnetisation == commute(matrix, magnetisation(h.sites))
    assert h.is_real == bool(np.abs(matrix.imag).max() < 1e-12)
    assert h.conserves(Sector())
    assert h.conserves(Sector("parity_x")) == h.conserves_parity_x


@given(hamiltonians())
def test_swap_is_a_hadamard_on_every_site(h):
    matrix = dense_of(h)
    one = (PAULI["X"] + PAULI["Z"]) / np.sqrt(2)
    hadamard = dense(h.sites, [("H" * h.sites, range(h.sites), 1.0)], {"H": one})
    swapped = h.in_sector(Sector("parity_x", -1)).swap_xz()
    np.testing.assert_allclose(dense_of(swapped), hadamard @ matrix @ hadamard, **CLOSE)
    assert str(swapped.sector) == "parity_z=-1"
    back = swapped.swap_xz()
    np.testing.assert_allclose(dense_of(back), matrix, **CLOSE)
    assert back.sector == Sector("parity_x", -1)


def test_a_magnetisation_sector_cannot_be_swapped():
    h = Hamiltonian.from_terms(2, [("Z", (0,), 1.0)], sector=Sector("magnetisation", 0))
    with pytest.raises(InputError, match="magnetisation"):
        h.swap_xz()


@given(hamiltonians())
def test_ladder_terms_are_the_same_operator(h):
    products = h.ladder_terms()
    assert all(set(word) <= set("PMZ") for word, _ in products)
    triples = [(word, places, c) for (word, places), c in products.items()]
    np.testing.assert_allclose(dense(h.sites, triples, LADDER), dense_of(h), **CLOSE)


@given(hamiltonians())
def test_terms_and_from_terms_are_inverse(h):
    again = Hamiltonian.from_terms(h.sites, h.terms())
    np.testing.assert_allclose(dense_of(again), dense_of(h), **CLOSE)
    assert sorted(again.terms()) == sorted(h.terms())
    for letters, (rows, places) in h.groups().items():
        assert places.shape == (len(rows), len(letters))
        assert (np.diff(places, axis=1) > 0).all()


def test_equal_strings_are_added_and_identities_dropped():
    h = Hamiltonian.from_terms(
        3,
        [
            ("XZ", (0, 2), 1.0),
            ("ZX", (2, 0), 0.5),
            ("Y", (1,), 1.0),
            ("Y", (1,), -1.0),
            ("IX", (0, 1), 2.0),
            ("II", (0, 1), 9.0),
        ],
    )
    assert sorted(h.terms()) == [("X", (1,), 2.0), ("XZ", (0, 2), 1.5)]


@given(hamiltonians(most=4), st.integers(0, 3))
def test_complex_weights_of_masks(h, seed):
    """<s| H |s xor x> summed from the masks, on random pairs of states."""
    x, z, weight = h.masks()
    size = 1 << h.sites
    matrix = dense_of(h)
    rows = np.random.default_rng(seed).integers(size, size=5)
    for row in rows:
        got = np.zeros(size, complex)
        for a, b, w in zip(x, z, weight, strict=True):
            column = row ^ a
            got[column] += w * (-1) ** (int(column & b).bit_count())
        np.testing.assert_allclose(got, matrix[row], **CLOSE)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([("XQ", (0, 1), 1.0)], "'Q' is not one of X, Y, Z, I"),
        ([("X", (0, 1), 1.0)], "acts on 1 sites"),
        ([("XX", (0, 0), 1.0)], "distinct sites in 0..2"),
        ([("XX", (0, 3), 1.0)], "distinct sites in 0..2"),
        ([("X", (-1,), 1.0)], "distinct sites in 0..2"),
        ([("X", (0,), float("nan"))], "not a finite number"),
        ([("X", (0,), float("inf"))], "not a finite number"),
        ([], "is zero"),
        ([("I", (0,), 1.0)], "is zero"),
        ([("X", (0,), 1.0), ("X", (0,), -1.0)], "is zero"),
    ],
)
def test_bad_terms_are_refused_in_one_line(terms, message):
    with pytest.raises(InputError, match=message) as caught:
        Hamiltonian.from_terms(3, terms)
    assert "\n" not in str(caught.value)


def test_sectors_are_named():
    assert [str(s) for s in (Sector(), Sector("parity_x", 1), Sector("magnetisation", -2), Sector("parity_z"))] == [
        "none",
        "parity_x=+1",
        "magnetisation=-2",
        "parity_z=lowest",
    ]
