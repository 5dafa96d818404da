"""Exact ground states against closed forms and published values.

Published values in S.S units are multiplied by 4 (Pauli matrices).  "Entropy" is the half-chain one, in nats.
"""

import numpy as np
import pytest
from hypothesis import given, settings

from qednas.base.errors import InputError
from qednas.physics import exact
from qednas.physics.exact import ground_state, sectors_to_try
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import choose_sector, parse
from spins import dense_of, entropies, hamiltonians, magnetisation, parity, reduced_spectrum

LN2 = np.log(2)


def ring(sites, **couplings):
    """Ground state of a periodic chain from its YAML form."""
    terms = [{"op": op, "coupling": c} for op, c in couplings.items()]
    return ground_state(parse({"boundary": "periodic", "terms": terms}, sites))


def half_chain(state, renyi2=False):
    p = state.spectra[len(state.spectra) // 2]
    return -np.log(p @ p) if renyi2 else entropies([p])[0]


# tfim at h = 1, open: E = 1 - 1 / sin(pi / (2 (2N + 1))) (Pfeuty, Ann. Phys. 57, 79 (1970)); entropies by the
# correlation-matrix method (Peschel, J. Phys. A 36, L205 (2003)), computed apart from this package
@pytest.mark.parametrize(
    ("sites", "entropy", "renyi2"),
    [(8, 0.357161, None), (10, 0.379052, None), (12, 0.396516, None), (16, 0.423409, 0.284540)],
)
def test_critical_ising_open(sites, entropy, renyi2):
    state = ground_state(build("tfim", sites, h=1.0))
    assert state.energy == pytest.approx(1 - 1 / np.sin(np.pi / (2 * (2 * sites + 1))), abs=1e-10)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)
    if renyi2:
        assert half_chain(state, renyi2=True) == pytest.approx(renyi2, abs=1e-6)


# Periodic: E = -2 / sin(pi / (2N)); entropies from an independent exact diagonalisation
@pytest.mark.parametrize(("sites", "entropy"), [(8, 0.635096), (10, 0.672015), (12, 0.702255)])
def test_critical_ising_periodic(sites, entropy):
    state = ring(sites, ZZ=-1.0, X=-1.0)
    assert state.energy == pytest.approx(-2 / np.sin(np.pi / (2 * sites)), abs=1e-10)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)
    assert str(state.sector) == "parity_x=+1"


@pytest.mark.parametrize("sites", [8, 12, 14])
@pytest.mark.parametrize("h", [0.5, 1.5])
def test_ising_ring_off_criticality(sites, h):
    # even sector: E = -sum_k sqrt(1 + h^2 + 2 h cos k), k = pi (2m + 1) / N
    k = np.pi * (2 * np.arange(sites) + 1) / sites
    assert ring(sites, ZZ=-1.0, X=-h).energy == pytest.approx(-np.sqrt(1 + h * h + 2 * h * np.cos(k)).sum(), abs=1e-10)


# XX chain: E(S.S units) = (1/2)(1 - 1/sin(pi / (2 (N + 1)))) open, -1/sin(pi/N) periodic (Lieb, Schultz, Mattis 1961);
# entropies by the correlation-matrix method
@pytest.mark.parametrize(
    ("sites", "entropy", "renyi2"), [(8, 0.569748, 0.327780), (12, 0.655976, 0.399488), (16, 0.714323, 0.450207)]
)
def test_xx_chain(sites, entropy, renyi2):
    state = ground_state(build("xxz", sites, delta=0.0))
    assert state.energy == pytest.approx(2 * (1 - 1 / np.sin(np.pi / (2 * (sites + 1)))), abs=1e-10)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)
    assert half_chain(state, renyi2=True) == pytest.approx(renyi2, abs=1e-6)
    assert ring(sites, XX=1.0, YY=1.0).energy == pytest.approx(-4 / np.sin(np.pi / sites), abs=1e-10)


# Heisenberg (S.S units), exact diagonalisation by independent code; open N = 10 and 12 are also in the varbench tables
@pytest.mark.parametrize(
    ("sites", "energy", "entropy"),
    [(8, -3.374932598688, 0.456976), (10, -4.258035207283, 0.737869), (12, -5.142090632841, 0.536833),
     (14, -6.026724661862, 0.762250), (16, -6.911737145575, 0.592307)],
)  # fmt: skip
def test_heisenberg_open(sites, energy, entropy):
    state = ground_state(build("xxz", sites, delta=1.0))
    assert state.energy == pytest.approx(4 * energy, abs=1e-9)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)


@pytest.mark.parametrize(
    ("sites", "energy", "entropy", "renyi2"),
    [(8, -3.651093408937, 1.051166, 0.737014), (10, -4.515446354492, 1.124102, None),
     (12, -5.387390917445, 1.184224, 0.851080), (16, -7.142296360617, 1.279649, 0.930624)],
)  # fmt: skip
def test_heisenberg_periodic(sites, energy, entropy, renyi2):
    state = ring(sites, XX=1.0, YY=1.0, ZZ=1.0)
    assert state.energy == pytest.approx(4 * energy, abs=1e-9)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)
    if renyi2:
        assert half_chain(state, renyi2=True) == pytest.approx(renyi2, abs=1e-6)


@pytest.mark.parametrize("sites", [6, 9, 12])
def test_cluster_chain_is_the_graph_state(sites):
    # The open chain -sum ZXZ alone has four ground states; the family adds the two boundary stabilisers X_0 Z_1 and
    # Z_(N-2) X_(N-1), which single out the graph state: N commuting stabilisers, so E = -N and the gap is 2.
    state = ground_state(build("cluster", sites, h=0.0))
    assert state.energy == pytest.approx(-sites, abs=1e-10)
    assert state.gap == pytest.approx(2.0, abs=1e-9)
    for p in state.spectra:  # every cut breaks one bond: {1/2, 1/2} (Briegel and Raussendorf 2001)
        assert p[:2] == pytest.approx([0.5, 0.5], abs=1e-10)
        assert p[2:] == pytest.approx(0, abs=1e-10)
    assert entropies(state.spectra) == pytest.approx(LN2, abs=1e-10)


def test_cluster_chain_without_boundary_terms_is_fourfold_degenerate():
    sites = 7
    bare = Hamiltonian.from_terms(sites, [("ZXZ", (i, i + 1, i + 2), -1.0) for i in range(sites - 2)])
    energies = np.linalg.eigvalsh(dense_of(bare))
    assert energies[:4] == pytest.approx(-(sites - 2), abs=1e-10)
    assert energies[4] == pytest.approx(-(sites - 4), abs=1e-10)


def test_majumdar_ghosh():
    # j2 = 1/2: product of singlets, E = -(3/8) N in S.S units (Majumdar and Ghosh 1969); 4 x -4.5 = -18 for 12 spins
    state = ground_state(build("j1j2", 12, j2=0.5))
    assert state.energy == pytest.approx(-18, abs=1e-10)
    assert entropies(state.spectra) == pytest.approx([LN2, 0] * 5 + [LN2], abs=1e-9)


# Modified Haldane-Shastry, Deng, Li and Das Sarma, PRX 7, 021021 (2017), eq. (8); exact diagonalisation at sum Z = 0 by
# independent code: energy, half-chain entropy, Renyi-2 entropy
@pytest.mark.parametrize(
    ("sites", "energy", "entropy", "renyi2"),
    [(6, -14.499069437265, 0.955714, 0.808643), (8, -18.486334613764, 1.049530, 0.793286),
     (10, -22.552278825031, 1.124505, 0.914341), (12, -26.662603077471, 1.186660, 0.917832),
     (14, -30.800877974407, 1.239706, 0.994410), (16, -34.958099498223, 1.285937, 1.004371)],
)  # fmt: skip
def test_modified_haldane_shastry(sites, energy, entropy, renyi2):
    state = ground_state(build("mhs", sites))
    assert state.energy == pytest.approx(energy, abs=1e-9)
    assert half_chain(state) == pytest.approx(entropy, abs=1e-6)
    assert half_chain(state, renyi2=True) == pytest.approx(renyi2, abs=1e-6)
    if sites == 16:
        profile = [0.69315, 0.94719, 1.08257, 1.16689, 1.22281, 1.25892, 1.27933, 1.28594]
        assert entropies(state.spectra)[:8] == pytest.approx(profile, abs=1e-5)


@settings(max_examples=60)
@given(hamiltonians(most=7))
def test_ground_state_is_the_lowest_state_of_its_sector(h):
    """Energy, gap, vector and spectra against dense diagonalisation of the whole space, for the sector a YAML file gets."""
    h = h.in_sector(choose_sector(h))
    state, matrix = ground_state(h), dense_of(h)
    assert np.linalg.norm(state.vector) == pytest.approx(1, abs=1e-12)
    assert np.linalg.norm(matrix @ state.vector - state.energy * state.vector) < 1e-9
    if h.sector.value is None:  # no sector, or the one that holds the lowest energy
        assert state.energy == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-10)
    assert state.gap >= 0
    for left, p in enumerate(state.spectra, 1):
        assert len(p) == 2 ** min(left, h.sites - left)
        assert p == pytest.approx(reduced_spectrum(state.vector, h.sites, left)[: len(p)], abs=1e-10)


def test_lanczos_agrees_with_dense_and_with_the_matrix_free_product(monkeypatch):
    """Above 256 states: CSR, windows and matrix-free products against an unrestricted dense solver."""
    rng = np.random.default_rng(1)
    sites = 9
    terms = [(a + a, (i, i + r), rng.normal()) for a in "XYZ" for r in (1, 2) for i in range(sites - r)]
    terms += [(a, (i,), rng.normal()) for a in "XYZ" for i in range(sites)]
    for extra in ([], [("XY", (0, 7), 0.5)]):  # the last one is too wide for windows: CSR
        h = Hamiltonian.from_terms(sites, terms + extra)
        energies = np.linalg.eigvalsh(dense_of(h))
        state = ground_state(h)
        assert state.energy == pytest.approx(energies[0], abs=1e-11)
        assert state.gap == pytest.approx(energies[1] - energies[0], abs=1e-10)
        monkeypatch.setattr(exact, "MAX_BYTES", 0)
        free = ground_state(h)
        assert abs(np.vdot(free.vector, state.vector)) == pytest.approx(1, abs=1e-12)
        monkeypatch.undo()


def test_a_uniform_field_moves_the_lowest_magnetisation():
    # commuting field: E(m) = E_0(m) + 1.6 m, so the lowest sector is not sum Z = 0
    terms = [{"op": a + a, "coupling": 1.0} for a in "XYZ"] + [{"op": "Z", "coupling": 1.6}]
    h = parse({"terms": terms}, 10)
    assert str(h.sector) == "magnetisation=lowest"
    state = ground_state(h)
    assert state.sector.value < 0
    free = ground_state(h.in_sector(Sector()))
    assert state.energy == pytest.approx(free.energy, abs=1e-10)
    assert state.gap > free.gap > 0  # the next state overall has another magnetisation


def test_the_lowest_parity_can_be_odd():
    h = build("tfim", 9, h=-1.0).in_sector(Sector("parity_x"))  # 9 spins along -x: prod X = -1
    state = ground_state(h)
    assert str(state.sector) == "parity_x=-1"
    assert state.energy == pytest.approx(1 - 1 / np.sin(np.pi / 38), abs=1e-10)  # h -> -h is a rotation about z


def test_ties_go_to_the_even_sector():
    h = Hamiltonian.from_terms(6, [("ZZ", (i, i + 1), -1.0) for i in range(5)], sector=Sector("parity_x"))
    assert str(ground_state(h).sector) == "parity_x=+1"  # both cat states have energy -5
    down = Hamiltonian.from_terms(5, [("ZZ", (i, i + 1), 1.0) for i in range(4)], sector=Sector("magnetisation"))
    assert ground_state(down).sector.value == -1  # +1 and -1 tie
    assert [s.value for s in sectors_to_try(down)] == [-1, 1, -3, 3, -5, 5]


@pytest.mark.parametrize(
    ("family", "parameters"), [("tfim", {"h": 0.6}), ("xxz", {"delta": 0.7}), ("xy", {"gamma": 0.4, "h": 0.3})]
)
def test_the_gap_is_inside_the_sector(family, parameters):
    """Against the whole space with the other sectors lifted by a penalty that commutes with H."""
    h = build(family, 8, **parameters)
    symmetry = magnetisation(8) if h.sector.kind == "magnetisation" else parity(8, h.sector.kind[-1].upper())
    away = symmetry - h.sector.value * np.eye(256)
    energies = np.linalg.eigvalsh(dense_of(h) + 100 * away @ away)
    state = ground_state(h)
    assert state.energy == pytest.approx(energies[0], abs=1e-9)
    assert state.gap == pytest.approx(energies[1] - energies[0], abs=1e-9)


def test_one_state_has_no_gap():
    h = Hamiltonian.from_terms(4, [("ZZ", (0, 1), 1.0)], sector=Sector("magnetisation", 4))
    state = ground_state(h)
    assert state.gap == np.inf
    assert state.energy == pytest.approx(1.0)


def test_too_many_sites_are_refused():
    with pytest.raises(InputError, match="at most 20 sites"):
        ground_state(build("tfim", 21, h=1.0))


def test_results_repeat_to_the_last_digit():
    first, again = (ground_state(build("mixed_field_ising", 12, h=0.9, g=0.2)) for _ in range(2))
    assert first.energy == again.energy
    assert (first.vector == again.vector).all()
