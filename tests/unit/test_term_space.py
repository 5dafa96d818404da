"""The shared term space: what does not change entanglement does not change the features."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qednas.physics.canonical_frame import permute_axes, sublattice_signs
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Sector
from qednas.physics.system_file import parse
from qednas.qed.predictor.term_space import NAMES, OTHER, features
from spins import PARAMETERS

UNIFORM = ("tfim", "xy", "xxz", "j1j2", "cluster", "annni", "mixed_field_ising", "cluster_ising")
EQUAL = {"rtol": 0, "atol": 1e-10}


def rotate_odd_sites(h, which):
    """A rotation by pi of every odd spin about nothing, x, y or z."""
    return replace(h, couplings=h.couplings * sublattice_signs(h)[which])


def rotate_all_sites(h, axis):
    """A rotation of all spins by pi about one axis: the two other Paulis change sign."""
    others = {"X": h.z, "Y": h.x ^ h.z, "Z": h.x}[axis]
    return replace(h, couplings=h.couplings * np.where(others.sum(1) % 2, -1.0, 1.0))


@st.composite
def chains(draw):
    """Chains of fields, two-site terms at distances 1 and 2, and bridges; couplings in general position."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    terms = []
    for op in draw(st.lists(st.sampled_from(["X", "Y", "Z", "XX", "YY", "ZZ", "ZXZ", "XYX"]), min_size=1, unique=True)):
        for distance in [1, 2] if len(op) == 2 else [1]:
            terms.append({"op": op, "range": distance, "coupling": float(rng.normal())})
    return parse({"terms": terms}, 8).in_sector(Sector())


@pytest.mark.parametrize("family", FAMILIES)
def test_features_of_families_are_invariant(family):
    h = build(family, 12, **PARAMETERS[family]).in_sector(Sector())
    want = features(h)
    assert np.isfinite(want).all()
    for order in permutations(range(3)):
        for which in range(4):
            np.testing.assert_allclose(features(rotate_odd_sites(permute_axes(h, order), which)), want, **EQUAL)
    for axis in "XYZ":
        np.testing.assert_allclose(features(rotate_all_sites(h, axis)), want, **EQUAL)


@settings(max_examples=150)
@given(chains(), st.permutations(range(3)))
def test_features_of_random_chains_do_not_know_the_names_of_the_axes(h, order):
    np.testing.assert_allclose(features(permute_axes(h, tuple(order))), features(h), **EQUAL)


def test_the_symmetry_of_the_sector_turns_with_the_axes():
    """tfim and its Hadamard image: the same features, sector included; a sector along the bonds is another state."""
    h = build("tfim", 10, h=0.6)
    np.testing.assert_allclose(features(h.swap_xz()), features(h), **EQUAL)
    kept, lost = features(h), features(h.in_sector(Sector()))
    assert kept[NAMES.index("parity kept")] == 1
    assert lost[NAMES.index("parity kept")] == 0
    assert features(build("xxz", 10, delta=0.5))[NAMES.index("magnetisation kept")] == 1


@pytest.mark.parametrize("family", UNIFORM)
def test_uniform_families_do_not_depend_on_the_size(family):
    want = features(build(family, 16, **PARAMETERS[family]))
    for sites in (24, 60, 100):
        np.testing.assert_allclose(features(build(family, sites, **PARAMETERS[family])), want, **EQUAL)


@given(st.floats(0.01, 100))
def test_the_unit_of_energy_does_not_matter(scale):
    h = build("annni", 10, kappa=0.3, h=0.8)
    np.testing.assert_allclose(features(replace(h, couplings=scale * h.couplings)), features(h), **EQUAL)


def test_different_hamiltonians_differ():
    rows = [features(build(f, 12, **p)) for f, p in PARAMETERS.items()]
    rows += [features(build("tfim", 12, h=h)) for h in (0.2, 0.9, 1.5)]
    rows += [features(build("xxz", 12, delta=d)) for d in (-0.5, 0.2, 3.0)]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(rows) for b in rows[:i]]
    assert min(distances) > 0.02


def test_features_have_the_values_they_are_named_after():
    """-sum ZZ - h sum X: one bond of strength 1 and one field h, in units of sqrt(1 + 3 h^2 / 3)."""
    h = 0.75
    found = dict(zip(NAMES, features(build("tfim", 20, h=h)), strict=True))
    scale = np.sqrt(1 + h * h)
    assert found.pop("XX range 1") == pytest.approx(-1 / scale)
    assert found.pop("Z mean") == pytest.approx(h / scale)
    assert found.pop("parity kept") == 1
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=1e-12)


def test_alternation_and_disorder_are_seen():
    index = {name: i for i, name in enumerate(NAMES)}
    ssh = features(build("ssh", 20, delta=0.4))
    assert abs(ssh[index["XX alternating"]]) > 0.2
    assert ssh[index["XX alternating"]] == pytest.approx(
        -features(build("ssh", 20, delta=-0.4))[index["XX alternating"]], abs=0.02
    )
    spread = [features(build("random_field", 40, w=w, disorder_seed=1))[index["Z spread"]] for w in (0.5, 2.0)]
    assert 0.05 < spread[0] < spread[1]


def test_terms_outside_the_space_are_counted_not_dropped():
    usual = parse({"terms": [{"op": "ZZ", "coupling": 1}, {"op": "X", "coupling": 1}]}, 10)
    assert features(usual)[OTHER] == 0
    for op in ("XYZ", "XXXX", "XY"):
        exotic = parse({"terms": [{"op": "ZZ", "coupling": 1}, {"op": op, "coupling": 0.5}]}, 10)
        assert features(exotic)[OTHER] > 0.1
    far = parse({"terms": [{"op": "ZZ", "coupling": 1}, {"op": "ZXZ", "range": 2, "coupling": 0.5}]}, 10)
    assert features(far)[OTHER] > 0.1
