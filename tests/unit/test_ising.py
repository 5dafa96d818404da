"""Ising Hamiltonians: energies against loops, dimod and PennyLane."""

import itertools

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.space.ising import Ising


def random_ising(n: int, seed: int = 0) -> Ising:
    draws = np.random.default_rng(seed)
    return Ising(draws.normal(), draws.normal(size=n), np.triu(draws.normal(size=(n, n)), 1))


def strings(n: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n)))


def test_energies_are_the_sum_over_spins():
    problem = random_ising(5)
    for bits, energy in zip(strings(5), problem.energies(strings(5)), strict=True):
        s = [1 - 2 * int(b) for b in bits]
        expected = problem.constant + sum(problem.fields[i] * s[i] for i in range(5))
        expected += sum(problem.couplings[i, j] * s[i] * s[j] for i in range(5) for j in range(i + 1, 5))
        assert energy == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_the_diagonal_lists_them_with_qubit_0_first(n):
    problem = random_ising(n, n)
    assert np.allclose(problem.diagonal(), problem.energies(strings(n)), atol=1e-12)


def test_twenty_qubits_are_listed_and_more_are_refused():
    problem = random_ising(20)
    rows = np.random.default_rng(1).integers(0, 2, size=(50, 20))
    assert np.allclose(problem.diagonal()[rows @ (1 << np.arange(20)[::-1])], problem.energies(rows), atol=1e-12)
    with pytest.raises(InputError, match=r"^all energies of 21 qubits: at most 20 qubits can be listed$"):
        random_ising(21).diagonal()


def test_a_quadratic_function_of_bits():
    """Any square matrix: its diagonal, and both triangles."""
    draws = np.random.default_rng(2)
    linear, quadratic = draws.normal(size=6), draws.normal(size=(6, 6))
    bits = strings(6)
    expected = 0.7 + bits @ linear + np.einsum("ni,ij,nj->n", bits, quadratic, bits)
    assert np.allclose(Ising.of_bits(0.7, linear, quadratic).diagonal(), expected, atol=1e-12)


def test_dimod_has_the_same_energies():
    problem = random_ising(5)
    problem.couplings[0, 3] = 0
    model = problem.to_dimod()
    assert model.vartype.name == "SPIN"
    assert list(model.variables) == list(range(5))
    assert model.num_interactions == 9
    assert np.allclose(model.energies(1 - 2 * strings(5)), problem.diagonal(), atol=1e-12)


def test_pennylane_has_the_same_matrix():
    import pennylane as qml

    problem = random_ising(4)
    problem.fields[2] = problem.couplings[1, 2] = 0
    matrix = qml.matrix(problem.to_pennylane(), wire_order=range(4))
    assert np.allclose(matrix, np.diag(problem.diagonal()), atol=1e-12)
    assert len(problem.to_pennylane()) == 1 + 3 + 5


def test_no_flip_changes_the_energy_by_more_than_the_largest_field_allows():
    """Without frustration the bound is reached: all of one spin's terms have one sign."""
    problem = random_ising(6)
    energies = problem.diagonal().reshape((2,) * 6)
    most = max(np.abs(np.diff(energies, axis=qubit)).max() for qubit in range(6))
    assert most <= 2 * problem.largest_field() + 1e-12
    ferromagnet = Ising(0.0, np.full(6, -0.3), np.triu(-np.ones((6, 6)), 1))
    assert np.abs(np.diff(ferromagnet.diagonal().reshape((2,) * 6), axis=0)).max() == pytest.approx(2 * 5.3)
    assert ferromagnet.largest_field() == pytest.approx(5.3)


def test_what_is_no_hamiltonian_is_told():
    with pytest.raises(InputError, match=r"shapes \(2,\) and \(3, 3\): \(n,\) and \(n, n\)"):
        Ising(0.0, np.zeros(2), np.zeros((3, 3)))
    with pytest.raises(InputError, match="couplings on or below the diagonal"):
        Ising(0.0, np.zeros(2), np.eye(2))
    with pytest.raises(InputError, match="not all finite"):
        Ising(0.0, np.array([0.0, np.nan]), np.zeros((2, 2)))
