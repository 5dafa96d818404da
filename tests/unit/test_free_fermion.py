"""Quadratic chains: against exact diagonalisation, closed forms, published entropies and conformal field theory."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics import exact
from qednas.physics.entanglement import chord_length, mode_proxies, proxies
from qednas.physics.families import build
from qednas.physics.gaussian.free_fermion import ground_state
from qednas.physics.hamiltonian import Hamiltonian, Sector
from spins import entropies

# every quadratic family, on both sides of its transitions; n is odd where the family allows it
SYSTEMS = [
    ("tfim", 9, {"h": 0.4}),
    ("tfim", 10, {"h": 1.0}),
    ("tfim", 9, {"h": -1.3}),
    ("xy", 9, {"gamma": 0.5, "h": 0.3}),
    ("xy", 10, {"gamma": -0.8, "h": 1.2}),
    ("xy", 9, {"gamma": 1.0, "h": 0.7}),
    ("random_tfim", 10, {"h": 0.8, "w": 0.7, "disorder_seed": 5}),
    ("random_tfim", 9, {"h": 1.2, "w": 0.4, "disorder_seed": 6}),
]
NUMBER_CONSERVING = [
    ("xxz", 10, {"delta": 0.0}),
    ("ssh", 10, {"delta": 0.6}),
    ("ssh", 10, {"delta": -0.6}),
    ("ssh", 8, {"delta": 0.0}),
]


def mode_entropy(nu):
    return mode_proxies(nu)[0]["entropy"]


def same_ground_state(h, gap=True):
    free, ed = ground_state(h), exact.ground_state(h)
    assert free.energy == pytest.approx(ed.energy, abs=1e-10)
    assert free.sector == ed.sector
    if gap:
        assert free.gap == pytest.approx(ed.gap, abs=1e-9)
    for left, p in enumerate(ed.spectra, 1):
        found, spectrum = mode_proxies(free.modes(left))
        want = proxies(p)
        for name in ("entropy", "variance", "renyi2"):
            assert found[name] == pytest.approx(want[name], abs=1e-9)
        count = min(len(p), len(spectrum))
        np.testing.assert_allclose(spectrum[:count], p[:count], atol=1e-11)


@pytest.mark.parametrize(("family", "sites", "parameters"), SYSTEMS)
@pytest.mark.parametrize("value", [1, -1, None])
def test_parity_families_in_every_sector(family, sites, parameters, value):
    h = build(family, sites, **parameters)
    same_ground_state(h.in_sector(Sector(h.sector.kind, value)), gap=value is not None)


@pytest.mark.parametrize(("family", "sites", "parameters"), SYSTEMS)
def test_without_a_sector_every_state_competes(family, sites, parameters):
    h = build(family, sites, **parameters).in_sector(Sector())
    free, ed = ground_state(h), exact.ground_state(h)
    assert free.energy == pytest.approx(ed.energy, abs=1e-10)
    assert free.gap == pytest.approx(ed.gap, abs=1e-9)


@pytest.mark.parametrize(("family", "sites", "parameters"), NUMBER_CONSERVING)
@pytest.mark.parametrize("value", [0, 2, -4, None])
def test_number_conserving_families_in_several_sectors(family, sites, parameters, value):
    h = build(family, sites, **parameters).in_sector(Sector("magnetisation", value))
    free, ed = ground_state(h), exact.ground_state(h)
    assert free.energy == pytest.approx(ed.energy, abs=1e-10)
    assert free.sector == ed.sector
    if ed.gap > 1e-6:  # a degenerate pair of edge modes has no unique entropy
        same_ground_state(h, gap=value is not None)


def test_long_chains_have_the_closed_form_energy():
    for sites in (10, 64, 100, 333, 1000):  # Pfeuty 1970; Lieb, Schultz and Mattis 1961 (x 4 for Pauli matrices)
        tfim = ground_state(build("tfim", sites, h=1.0))
        assert tfim.energy == pytest.approx(1 - 1 / np.sin(np.pi / (2 * (2 * sites + 1))), rel=1e-12)
        if sites % 2 == 0:
            xx = ground_state(build("xxz", sites, delta=0.0))
            assert xx.energy == pytest.approx(2 * (1 - 1 / np.sin(np.pi / (2 * (sites + 1)))), rel=1e-12)


# Correlation-matrix values computed apart from this package: N, entropy, Renyi-2 of the half chain, open ends
@pytest.mark.parametrize(
    ("sites", "entropy", "renyi2"),
    [(10, 0.379052, None), (16, 0.423409, 0.284540), (20, 0.443799, 0.303009), (32, 0.485718, 0.340786),
     (50, 0.524593, 0.375316), (64, 0.545827, 0.393908), (100, 0.583874, 0.426705)],
)  # fmt: skip
def test_critical_ising_entropies(sites, entropy, renyi2):
    found, _ = mode_proxies(ground_state(build("tfim", sites, h=1.0)).modes(sites // 2))
    assert found["entropy"] == pytest.approx(entropy, abs=1e-6)
    if renyi2:
        assert found["renyi2"] == pytest.approx(renyi2, abs=1e-6)


@pytest.mark.parametrize(
    ("h", "energy", "entropy"),
    [(0.5, -67.196171190601, 0.696067), (0.9, -77.294357219684, 0.749704), (1.1, -85.655828729521, 0.328827),
     (1.5, -106.819270501184, 0.153491), (2.0, -136.002115391926, 0.088843)],
)  # fmt: skip
def test_ising_off_criticality_is_the_even_state(h, energy, entropy):
    state = ground_state(build("tfim", 64, h=h))  # below h = 1 the even cat: + ln 2
    assert state.energy == pytest.approx(energy, abs=1e-9)
    assert mode_entropy(state.modes(32)) == pytest.approx(entropy, abs=1e-6)


def test_ising_gap_without_a_sector():
    # twice the smallest singular value of the bidiagonal matrix; N = 10
    for h, gap in ((0.5, 0.00146485), (2.0, 2.133307)):
        bare = build("tfim", 10, h=h).in_sector(Sector())
        assert ground_state(bare).gap == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize(
    ("sites", "energy", "entropy", "renyi2"),
    [(16, -4.918975723730, 0.714323, 0.450207), (20, -6.190744999827, 0.758105, 0.489091), (32, None, 0.846819, 0.569080),
     (64, -20.192156580609, 0.971436, 0.681572), (100, -31.650594577710, 1.049187, 0.750633)],
)  # fmt: skip
def test_xx_entropies(sites, energy, entropy, renyi2):
    state = ground_state(build("xxz", sites, delta=0.0))
    if energy:
        assert state.energy == pytest.approx(4 * energy, abs=1e-9)
    found, _ = mode_proxies(state.modes(sites // 2))
    assert found["entropy"] == pytest.approx(entropy, abs=1e-6)
    assert found["renyi2"] == pytest.approx(renyi2, abs=1e-6)


def test_dimerised_chain_at_half_filling():
    # No edge field here.  delta = -1/2: one broken strong bond and the edge-mode superposition, 2.0017 ln 2 in all;
    # delta = +1/2: only the weak bond is cut (correlation matrix, computed apart from this package)
    for delta, entropy in ((-0.5, 1.387467), (0.5, 0.086459)):
        terms = [(a + a, (i, i + 1), 1 + (-1) ** i * delta) for i in range(63) for a in "XY"]
        h = Hamiltonian.from_terms(64, terms, sector=Sector("magnetisation", 0))
        assert mode_entropy(ground_state(h).modes(32)) == pytest.approx(entropy, abs=2e-6)


@pytest.fixture(scope="module")
def growth():
    """Half-chain entropies of the two critical chains over four doublings."""
    sizes = np.array([64, 128, 256, 512])
    chains = {"tfim": {"h": 1.0}, "xxz": {"delta": 0.0}}
    return sizes, {
        family: np.array([mode_entropy(ground_state(build(family, int(n), **p)).modes(n // 2)) for n in sizes])
        for family, p in chains.items()
    }


@pytest.mark.parametrize(("family", "central_charge"), [("tfim", 0.5), ("xxz", 1.0)])
def test_calabrese_cardy_slope_and_its_rate(growth, family, central_charge):
    """Open chains: S = (c/6) ln N + const + O(1/N) (Calabrese and Cardy 2004); also the rate, not only the value."""
    sizes, values = growth
    slope = 6 * np.diff(values[family]) / np.diff(np.log(sizes))
    assert slope[-1] == pytest.approx(central_charge, rel=0.02)
    if family == "tfim":
        assert slope == pytest.approx([0.5103, 0.5052, 0.5026], abs=1e-4)
    order = np.log2((slope - central_charge)[:-1] / (slope - central_charge)[1:])
    assert order == pytest.approx(1, abs=0.1)  # corrections fall like 1/N


@pytest.mark.parametrize(
    ("family", "central_charge", "parameters"), [("tfim", 0.5, {"h": 1.0}), ("xxz", 1.0, {"delta": 0.0})]
)
def test_calabrese_cardy_profile(family, central_charge, parameters):
    """The slope over the cuts of one chain of 400 spins; pairs of cuts are averaged against the even-odd alternation."""
    sites = 400
    state = ground_state(build(family, sites, **parameters))
    cuts = np.arange(60, 200, 10)
    profile = [np.mean([mode_entropy(state.modes(int(c + k))) for k in (0, 1)]) for c in cuts]
    length = [np.mean([np.log(chord_length(sites, int(c + k))) for k in (0, 1)]) for c in cuts]
    assert 6 * np.polyfit(length, profile, 1)[0] == pytest.approx(central_charge, rel=0.02)


def test_both_halves_of_a_cut_agree():
    state = ground_state(build("random_tfim", 30, h=0.9, w=0.8, disorder_seed=1))
    n = len(state.correlation)
    for left in (3, 11, 15, 24):
        nu = [np.linalg.svd(state.correlation[s, s], compute_uv=False) for s in (slice(0, left), slice(left, n))]
        assert mode_entropy(nu[0]) == pytest.approx(mode_entropy(nu[1]), abs=1e-9)
        assert len(state.modes(left)) == min(left, n - left)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([("ZZ", (0, 1), 1.0), ("Z", (0,), 1.0)], "not a free-fermion chain"),
        ([("XX", (0, 2), 1.0)], "not a free-fermion chain"),
        ([("XX", (0, 1), 1.0), ("ZZ", (0, 1), 1.0)], "not a free-fermion chain"),
        ([("XY", (0, 1), 1.0)], "not a free-fermion chain"),
        ([("XZX", (0, 1, 2), 1.0)], "not a free-fermion chain"),
    ],
)
def test_interacting_chains_are_refused(terms, message):
    with pytest.raises(InputError, match=message):
        ground_state(Hamiltonian.from_terms(3, terms))


def test_rotated_frames_are_recognised():
    """The same chain with x and z exchanged, and a YY chain in a Z field."""
    want = ground_state(build("tfim", 12, h=0.7))
    for pair, field, kind in (
        ("ZZ", "X", "parity_x"),
        ("XX", "Z", "parity_z"),
        ("YY", "Z", "parity_z"),
        ("YY", "X", "parity_x"),
    ):
        terms = [(pair, (i, i + 1), -1.0) for i in range(11)] + [(field, (i,), -0.7) for i in range(12)]
        state = ground_state(Hamiltonian.from_terms(12, terms, sector=Sector(kind, 1)))
        assert state.energy == pytest.approx(want.energy, abs=1e-12)
        assert mode_entropy(state.modes(6)) == pytest.approx(mode_entropy(want.modes(6)), abs=1e-9)


def test_too_many_sites_are_refused():
    h = Hamiltonian.from_terms(1001, [("Z", (0,), 1.0)])
    with pytest.raises(InputError, match="1000 sites"):
        ground_state(h)


def test_entropies_of_dense_and_modes_agree_on_the_profile():
    h = build("xy", 12, gamma=0.3, h=0.5)
    free, ed = ground_state(h), exact.ground_state(h)
    assert [mode_entropy(free.modes(c)) for c in range(1, 12)] == pytest.approx(entropies(ed.spectra), abs=1e-9)
