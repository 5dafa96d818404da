"""The canonical frame: a rotation of the spins that keeps energies and entanglement, and carries the sector with it."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qednas.physics import exact
from qednas.physics.canonical_frame import canonical, is_odd, permute_axes, sublattice_signs
from qednas.physics.entanglement import schmidt_spectra
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import parse
from spins import PARAMETERS, dense_of, entropies, hamiltonians, magnetisation, parity


def same_states(h, other):
    """Equal spectra, and equal entropies of the lowest state where it is unique."""
    (e, u), (f, v) = (np.linalg.eigh(dense_of(k)) for k in (h, other))
    np.testing.assert_allclose(e, f, atol=1e-9)
    if e[1] - e[0] > 1e-3:
        before, after = (entropies(schmidt_spectra(w[:, 0], h.sites)) for w in (u, v))
        np.testing.assert_allclose(before, after, atol=1e-8)


def lowest(h, value, operator):
    """Lowest energy among the states on which a diagonal symmetry has this value."""
    chosen = np.isclose(np.diag(operator).real, value)
    return np.linalg.eigvalsh(dense_of(h)[np.ix_(chosen, chosen)])[0]


def test_odd_permutations_are_those_of_negative_determinant():
    for order in permutations(range(3)):
        assert is_odd(order) == (np.linalg.det(np.eye(3)[list(order)]) < 0)


@settings(max_examples=60)
@given(hamiltonians(), st.permutations(range(3)), st.integers(0, 3))
def test_rotations_do_not_change_energies_or_entanglement(h, order, which):
    frame = permute_axes(h, tuple(order))
    same_states(h, replace(frame, couplings=frame.couplings * sublattice_signs(frame)[which]))


@settings(max_examples=60)
@given(hamiltonians())
def test_the_canonical_frame_does_not_change_energies_or_entanglement(h):
    same_states(h, canonical(h).hamiltonian)


def test_new_axes_are_the_old_ones_named():
    h = Hamiltonian.from_terms(3, [("XYZ", (0, 1, 2), 1.0), ("X", (1,), 2.0), ("YZ", (0, 2), 3.0)])
    turned = {(letters, places): c for letters, places, c in permute_axes(h, (2, 0, 1)).terms()}  # X is old Z, Y old X
    assert turned == {("YZX", (0, 1, 2)): 1.0, ("Y", (1,)): 2.0, ("ZX", (0, 2)): 3.0}
    turned = {
        (letters, places): c for letters, places, c in permute_axes(h, (1, 0, 2)).terms()
    }  # odd: all inverted too
    assert turned == {("YXZ", (0, 1, 2)): -1.0, ("Y", (1,)): -2.0, ("XZ", (0, 2)): 3.0}


def test_sublattice_signs_count_the_letters_on_odd_sites():
    h = Hamiltonian.from_terms(
        4, [("X", (1,), 1.0), ("Y", (3,), 1.0), ("Z", (1,), 1.0), ("X", (2,), 1.0), ("XY", (1, 3), 1.0)]
    )
    want = {"X": (1, 1, -1, -1), "Y": (1, -1, 1, -1), "Z": (1, -1, -1, 1)}
    signs = sublattice_signs(h)
    for k in range(len(h.couplings)):
        one = Hamiltonian(4, h.x[k : k + 1], h.z[k : k + 1], np.ones(1))
        ((letters, places, _),) = one.terms()
        odd = [want[a] for a, i in zip(letters, places, strict=True) if i % 2]
        assert tuple(signs[:, k]) == tuple(np.prod(odd, axis=0) if odd else np.ones(4))


def test_the_canonical_frame_is_ferromagnetic():
    """Strongest nearest-neighbour axis first, x and y couplings negative."""
    found = canonical(build("xxz", 8, delta=0.5))
    frame, order = found.hamiltonian, found.order
    totals = {letters: frame.couplings[rows].sum() for letters, (rows, _) in frame.groups().items()}
    assert totals["XX"] == totals["YY"] == pytest.approx(-7)
    assert totals["ZZ"] == pytest.approx(3.5)
    assert order == (0, 1, 2)
    assert canonical(build("xxz", 8, delta=3.0)).order[0] == 2  # z is the strong axis
    assert set(canonical(build("tfim", 8, h=0.5)).hamiltonian.groups()) == {"XX", "Z"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_canonical_chain_stays_as_it_is(family):
    frame = canonical(build(family, 12, **PARAMETERS[family])).hamiltonian
    again = canonical(frame)
    assert again.order == (0, 1, 2)
    np.testing.assert_array_equal(again.hamiltonian.couplings, frame.couplings)
    assert frame.sector == Sector()


CHAINS = [
    ("tfim", {"h": 0.6}),
    ("tfim", {"h": -1.4}),
    ("xy", {"gamma": 0.5, "h": 0.4}),
    ("xy", {"gamma": -0.7, "h": -1.3}),
    ("random_tfim", {"h": 0.9, "w": 0.4, "disorder_seed": 2}),
    ("annni", {"kappa": 0.3, "h": 0.8}),
]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("sites", [4, 5, 6, 7])
@pytest.mark.parametrize(("family", "parameters"), CHAINS)
def test_parity_is_prod_z_of_the_frames_ground_state(family, parameters, sites, swapped):
    h = build(family, sites, **parameters)
    h = h.swap_xz() if swapped else h
    assert canonical(h.in_sector(Sector(h.sector.kind))).parity is None  # the lowest of both: not fixed
    for value in (1, -1):
        state = exact.ground_state(h.in_sector(Sector(h.sector.kind, value)))
        found = canonical(h.in_sector(Sector(h.sector.kind, value)))
        assert found.parity in (1, -1)
        assert found.magnetisation is None
        own, other = (lowest(found.hamiltonian, s * found.parity, parity(sites, "Z")) for s in (1, -1))
        assert own == pytest.approx(state.energy, abs=1e-9)
        assert abs(own - other) > 1e-4  # or the test could not fail


@pytest.mark.parametrize("coupling", [1.0, -1.0])
@pytest.mark.parametrize("sites", [4, 5, 6, 7])
def test_parity_follows_a_staggered_rotation(sites, coupling):
    """Antiferromagnetic bonds are made negative by turning every other spin, and staggered fields are made uniform."""
    staggered = [0.6 * (-1.0) ** i for i in range(sites)]
    terms = [
        {"op": "XX", "coupling": coupling},
        {"op": "YY", "coupling": 0.4 * coupling},
        {"op": "Z", "coupling": staggered},
    ]
    for value in (1, -1):
        h = parse({"terms": terms}, sites).in_sector(Sector("parity_z", value))
        found = canonical(h)
        own, other = (lowest(found.hamiltonian, s * found.parity, parity(sites, "Z")) for s in (1, -1))
        assert own == pytest.approx(exact.ground_state(h).energy, abs=1e-9)
        assert abs(own - other) > 1e-4


@settings(max_examples=80)
@given(hamiltonians(kinds=("parity_z", "parity_x", "magnetisation")), st.sampled_from([1, -1]), st.integers(0, 6))
def test_sectors_of_random_hamiltonians_hold_the_same_energy(h, value, flipped):
    """Where the frame knows a quantum number, the lowest state with it has the energy of the old sector."""
    kinds = [k for k in ("parity_z", "parity_x") if h.conserves(Sector(k))]
    sectors = [Sector(k, value) for k in kinds]
    if h.conserves_magnetisation:
        sectors.append(Sector("magnetisation", h.sites - 2 * min(flipped, h.sites)))
    for sector in sectors:
        found = canonical(h.in_sector(sector))
        for symmetry, quantum in ((parity(h.sites, "Z"), found.parity), (magnetisation(h.sites), found.magnetisation)):
            if quantum is not None:
                energy = exact.ground_state(h.in_sector(sector)).energy
                assert lowest(found.hamiltonian, quantum, symmetry) == pytest.approx(energy, abs=1e-9)


@pytest.mark.parametrize("value", [0, 2, -2, 4, -6])
def test_magnetisation_is_sum_z_of_the_frames_ground_state(value):
    h = build("random_field", 6, w=1.5, disorder_seed=3).in_sector(Sector("magnetisation", value))
    found = canonical(h)
    assert found.magnetisation in (value, -value)
    own = lowest(found.hamiltonian, found.magnetisation, magnetisation(6))
    assert own == pytest.approx(exact.ground_state(h).energy, abs=1e-9)
    if value:
        assert abs(own - lowest(found.hamiltonian, -found.magnetisation, magnetisation(6))) > 1e-3
    assert canonical(build("xxz", 6, delta=3.0)).magnetisation is None  # sum Z is sum X there


def test_a_conserved_sum_z_is_worth_more_than_uniform_fields():
    """Turning every other spin would make staggered fields uniform, but sum Z a staggered sum that no state can be asked for."""
    terms = [{"op": "XX", "coupling": -1.0}, {"op": "YY", "coupling": -1.0}]
    for field in (0.6, [0.6 * (-1.0) ** i for i in range(6)]):
        h = parse({"terms": [*terms, {"op": "Z", "coupling": field}]}, 6).in_sector(Sector("magnetisation", 2))
        found = canonical(h)
        assert found.order == (0, 1, 2)
        assert found.magnetisation == 2
        same_states(h, found.hamiltonian)
