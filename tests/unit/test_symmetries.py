"""Symmetries of Hamiltonians, and rings and tori against exact diagonalisation."""

import math

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.symmetries import closure, is_symmetry, permutations
from studies.ch05.rings import heisenberg_ring, tfim_ring, tfim_ring_energy, tfim_torus


def test_groups_have_the_sizes_of_the_lattices():
    assert len(permutations(tfim_ring(8, 0.7))) == 16  # dihedral
    assert len(permutations(tfim_ring(8, 0.7), names=("translation",))) == 8
    assert len(permutations(tfim_torus(3, 3, 1.0), 3)) == 9 * 8
    assert len(permutations(tfim_torus(3, 4, 1.0), 4)) == 12 * 4
    assert len(permutations(build("tfim", 8, h=0.7))) == 2  # an open chain is only reflected
    assert len(permutations(build("random_tfim", 8, h=1, w=0.5, disorder_seed=0))) == 1
    assert len(permutations(build("mhs", 8))) == 16


def test_a_group_starts_with_the_identity_and_is_closed():
    group = permutations(tfim_torus(3, 3, 1.0), 3)
    assert (group[0] == np.arange(9)).all()
    known = {tuple(g) for g in group.tolist()}
    assert all(tuple(g[h].tolist()) in known for g in group for h in group)
    h = tfim_torus(3, 3, 1.0)
    assert all(is_symmetry(h, g) for g in group)


def test_couplings_count_not_only_places():
    h = build("random_tfim", 6, h=1, w=0.5, disorder_seed=0)
    assert not is_symmetry(h, np.arange(6)[::-1])
    assert is_symmetry(h, np.arange(6))
    assert is_symmetry(build("ssh", 6, delta=0.3), np.arange(6)[::-1])
    assert not is_symmetry(build("ssh", 8, delta=0.3), np.roll(np.arange(8), 1))


@pytest.mark.parametrize(("sites", "h"), [(8, 1.0), (10, 1.0), (12, 0.5), (7, 1.3)])
def test_energies_of_the_ring_are_closed(sites, h):
    assert ground_state(tfim_ring(sites, h)).energy == pytest.approx(tfim_ring_energy(sites, h), rel=1e-12)


def test_known_energies():
    """Closed forms and published exact diagonalisations (Pauli units)."""
    assert tfim_ring_energy(32, 1.0) == pytest.approx(-2 / math.sin(math.pi / 64), rel=1e-13)
    assert tfim_ring_energy(32, 1.0) == pytest.approx(-40.76003249419223, rel=1e-13)
    assert tfim_ring_energy(32, 0.5) == pytest.approx(-34.03342111916819, rel=1e-13)
    assert ground_state(heisenberg_ring(12)).energy / 4 == pytest.approx(-5.387390917445, rel=1e-12)
    assert ground_state(tfim_torus(3, 3, 0.0 + 1e-3)).energy == pytest.approx(-18 - 9 * 1e-6 / 8, abs=1e-9)


def test_what_does_not_exist_is_named():
    with pytest.raises(InputError, match="'rotation'"):
        permutations(tfim_ring(6, 1.0), names=("rotation",))
    with pytest.raises(InputError, match="does not have"):
        permutations(build("tfim", 6, h=1.0), names=("translation",))
    with pytest.raises(InputError, match="width = 4"):
        permutations(tfim_ring(6, 1.0), 4)
    with pytest.raises(InputError, match="4096"):
        closure(8, [np.roll(np.arange(8), 1), np.array([1, 0, 2, 3, 4, 5, 6, 7])])
    for wrong in (lambda: tfim_ring(2, 1.0), lambda: heisenberg_ring(5), lambda: tfim_torus(2, 5, 1.0)):
        with pytest.raises(InputError):
            wrong()
