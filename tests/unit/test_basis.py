"""Symmetry sectors: the matrix of each is the block of the full one, and all blocks together are all of it."""

import numpy as np
import pytest
from hypothesis import given, settings

from qednas.base.errors import InputError
from qednas.physics.basis import Basis, Flips
from qednas.physics.hamiltonian import Hamiltonian, Sector
from spins import dense_of, hamiltonians, sparse_matrix


def sectors(kind, sites):
    values = range(-sites, sites + 1, 2) if kind == "magnetisation" else (1, -1)
    return [Sector(kind, v) for v in values]


def isometry(basis):
    """Matrix (2**sites, len(basis)) whose columns are the states of the sector."""
    return np.stack([basis.expand(e) for e in np.eye(len(basis))], 1)


@settings(max_examples=60)
@given(hamiltonians(most=6))
def test_sector_matrices_are_blocks_and_complete(h):
    matrix = dense_of(h)
    energies = np.sort(np.linalg.eigvalsh(matrix))
    v = np.random.default_rng(0).normal(size=1 << h.sites)
    for kind in ("parity_x", "parity_z", "magnetisation"):
        if not h.conserves(Sector(kind)):
            with pytest.raises(InputError, match="does not conserve"):
                Flips(h, Basis(h.sites, sectors(kind, h.sites)[0]))
            continue
        found = []
        for sector in sectors(kind, h.sites):
            basis = Basis(h.sites, sector)
            flips, columns = Flips(h, basis), isometry(basis)
            block = columns.T @ matrix @ columns
            np.testing.assert_allclose(columns.T @ columns, np.eye(len(basis)), atol=1e-14)
            np.testing.assert_allclose(flips.to_csr().toarray(), block, atol=1e-12)
            np.testing.assert_allclose(flips.multiply(v[: len(basis)]), block @ v[: len(basis)], atol=1e-11)
            found.append(np.linalg.eigvalsh(block))
        np.testing.assert_allclose(np.sort(np.concatenate(found)), energies, atol=1e-10)


def test_magnetisation_basis_has_the_right_states():
    basis = Basis(4, Sector("magnetisation", 2))
    assert basis.states.tolist() == [0b0001, 0b0010, 0b0100, 0b1000]  # bit 1 is a spin down: sum Z = 3 - 1
    assert len(Basis(16, Sector("magnetisation", 0))) == 12870  # 16 choose 8


def test_csr_stores_no_zeros_and_is_sorted_into_rows():
    h = Hamiltonian.from_terms(6, [(a + a, (i, i + 1), 1.0) for i in range(5) for a in "XYZ"])
    matrix = sparse_matrix(h, Sector("magnetisation", 0))
    assert matrix.shape == (20, 20)
    assert (matrix.data != 0).all()
    assert abs(matrix - matrix.T).max() == 0


@pytest.mark.parametrize(
    ("sites", "sector", "message"),
    [
        (4, Sector("magnetisation", 1), "empty"),
        (4, Sector("magnetisation", 6), "empty"),
        (4, Sector("parity_x", None), "one sector"),
    ],
)
def test_empty_or_open_sectors_are_refused(sites, sector, message):
    with pytest.raises(InputError, match=message):
        Basis(sites, sector)
