"""Machines that are known states: stabilisers, entropies of all cuts and regions, parameter counts."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.basis import multiply
from qednas.physics.entanglement import schmidt_spectra
from qednas.qed.blocks.block import exact_state
from studies.ch01.entropy_laws import entropies
from studies.ch01.exact_machines import Torus, binary_rank, cluster, cluster_stabilisers, controlled_z, volume_law
from studies.ch01.network_laws import region_entropy


def test_one_unit_is_a_controlled_z():
    """On two of three spins: amplitudes (1, 1, 1, -1) / sqrt(8), each twice."""
    psi = exact_state(controlled_z(3, [(0, 2)]))
    signs = np.array([-1 if n & 0b101 == 0b101 else 1 for n in range(8)]) / np.sqrt(8)
    np.testing.assert_allclose(psi / psi[0] * signs[0], signs, atol=1e-14)


@pytest.mark.parametrize("sites", [2, 4, 8, 12])
def test_the_volume_law_is_maximal_with_three_halves_of_n_parameters(sites):
    machine = volume_law(sites)
    assert machine.used_parameters == 3 * sites // 2
    cuts = np.arange(1, sites)
    found = entropies(schmidt_spectra(exact_state(machine), sites))
    np.testing.assert_allclose(found, np.minimum(cuts, sites - cuts) * np.log(2), atol=1e-12)


@pytest.mark.parametrize("sites", [4, 5, 9, 10])
def test_the_cluster_machine_has_all_its_stabilisers(sites):
    psi = exact_state(cluster(sites))
    for p in cluster_stabilisers(sites):
        np.testing.assert_allclose(multiply(p, psi), psi, atol=1e-12)
    ring = controlled_z(sites, [(k, (k + 1) % sites) for k in range(sites)])
    assert abs(np.vdot(psi, exact_state(ring))) == pytest.approx(1, abs=1e-12)  # the same state, built otherwise


@pytest.mark.parametrize(("width", "height"), [(2, 2), (2, 3), (3, 3)])
def test_the_toric_code_machine_has_all_its_stabilisers(width, height):
    code = Torus(width, height)
    psi = exact_state(code.machine())
    for p in code.stabilisers():
        np.testing.assert_allclose(multiply(p, psi), psi, atol=1e-12)
    assert code.machine().used_parameters == 4 * width * height
    assert len(code.machine().hidden) == code.sites // 2


def test_stars_and_plaquettes_share_an_even_number_of_edges():
    code = Torus(3, 4)
    assert all(len(set(s) & set(p)) % 2 == 0 for s in code.stars for p in code.plaquettes)
    assert all(len(set(loop) & set(p)) % 2 == 0 for loop in code.loops for p in code.plaquettes)
    assert sorted(e for s in code.stars for e in s) == sorted(2 * list(range(code.sites)))


def test_regions_of_the_toric_code_against_the_stabiliser_formula():
    """Known values on the 3 x 3 torus (in ln 2): a link 1, a star or plaquette 3, two adjacent plaquettes 4; and random
    regions, where G_A may hold loops around the torus."""
    code = Torus(3, 3)
    psi = exact_state(code.machine())
    two = sorted({*code.plaquettes[0], *code.plaquettes[1]})
    for region, bits in (([0], 1), (code.stars[0], 3), (code.plaquettes[0], 3), (two, 4)):
        assert region_entropy(psi, code.sites, region) == pytest.approx(bits * np.log(2), abs=1e-10)
        assert code.entropy(region) == pytest.approx(bits * np.log(2), abs=1e-10)
    rng = np.random.default_rng(0)
    regions = [sorted(rng.choice(18, size, replace=False).tolist()) for size in (3, 5, 7, 8, 9)]
    for region in [*regions, code.loops[0], code.loops[1]]:
        assert region_entropy(psi, code.sites, region) == pytest.approx(code.entropy(region), abs=1e-10)


def test_binary_rank():
    assert binary_rank(np.zeros((3, 4), bool)) == 0
    assert binary_rank(np.eye(3, dtype=bool)) == 3
    assert binary_rank(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], bool)) == 2  # full over the reals, not here


@pytest.mark.parametrize(
    ("call", "text"),
    [(lambda: volume_law(5), "sites = 5"), (lambda: cluster(2), "sites = 2"), (lambda: Torus(1, 3), "torus 1 x 3")],
)
def test_sizes_that_make_no_such_state(call, text):
    with pytest.raises(InputError, match=text):
        call()
