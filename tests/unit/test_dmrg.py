"""DMRG against exact diagonalisation (every family), free fermions (large chains), and its own convergence flag."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics import dmrg, exact
from qednas.physics.entanglement import mode_proxies
from qednas.physics.families import FAMILIES, build
from qednas.physics.gaussian import free_fermion
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import parse
from spins import PARAMETERS, entropies

# Where the policy matters: cat states, pinned edge spins, Neel states
POINTS = PARAMETERS | {
    "tfim": {"h": 0.8},
    "xy": {"gamma": 0.5, "h": 0.6},
    "xxz": {"delta": 1.5},
    "ssh": {"delta": -0.4},
}


def test_every_family_has_a_point():
    assert set(POINTS) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_dmrg_agrees_with_exact_diagonalisation(family):
    h = build(family, 14, **POINTS[family])
    ed = exact.ground_state(h)
    # 14 spins need at most 2^7 = 128; the modified Haldane-Shastry state uses all of it
    large = dmrg.ground_state(h, chi_start=64 if family == "mhs" else 32, chi_max=128 if family == "mhs" else 64)
    assert large.energy == pytest.approx(ed.energy, abs=1e-6)
    assert large.sector == ed.sector
    np.testing.assert_allclose(entropies(large.spectra), entropies(ed.spectra), atol=1e-6)
    for p, q in zip(large.spectra, ed.spectra, strict=True):
        np.testing.assert_allclose(p[:8], np.pad(q, (0, 8))[: len(p[:8])], atol=1e-6)
    assert abs(large.variance) < 1e-8
    if family != "mhs":  # there the change from 64 to 128 is 1e-7: more than the flag allows
        assert large.converged
        assert large.truncation_error < 1e-9


def test_pinned_edge_spins_point_the_right_way_on_long_chains():
    """Free edge spins of a dimerised chain are too far apart for local updates to exchange: the start must be right."""
    sites = 24
    terms = [(a + a, (i, i + 1), 1 - (-1) ** i * 0.8) for i in range(sites - 1) for a in "XY"]
    terms += [("Z", (0,), 0.25), ("Z", (sites - 1,), -0.25)]
    h = Hamiltonian.from_terms(sites, terms, sector=Sector("magnetisation", 0))
    state, free = dmrg.ground_state(h, chi_start=16, chi_max=32), free_fermion.ground_state(h)
    assert state.energy == pytest.approx(free.energy, rel=1e-8)
    assert entropies(state.spectra)[15] == pytest.approx(mode_proxies(free.modes(16))[0]["entropy"], abs=1e-5)


def test_an_unconverged_run_says_so():
    """A gapless chain with far too few states: off by more than the tolerances, and flagged."""
    h = build("xxz", 24, delta=0.0)
    free = free_fermion.ground_state(h)
    lines = []
    state = dmrg.ground_state(h, chi_start=4, chi_max=8, progress=lines.append)
    assert state.energy > free.energy + 1e-4
    assert not state.converged
    assert [s["chi"] for s in state.stages] == [4, 8]
    assert state.truncation_error > 1e-6
    assert state.variance > 1e-3
    assert len(lines) == 2
    assert all("\n" not in line for line in lines)


def test_one_bond_dimension_is_never_enough_to_claim_convergence():
    state = dmrg.ground_state(build("tfim", 12, h=3.0), chi_start=32, chi_max=32)
    assert len(state.stages) >= 2 or not state.converged


def test_the_lowest_magnetisation_is_the_exact_one():
    terms = [{"op": a + a, "coupling": 1.0} for a in "XYZ"] + [{"op": "Z", "coupling": 1.6}]
    h = parse({"terms": terms}, 8)
    ed = exact.ground_state(h)
    assert ed.sector.value not in (0, None)
    state = dmrg.ground_state(h, chi_start=16, chi_max=32)
    assert state.sector == ed.sector
    assert state.energy == pytest.approx(ed.energy, abs=1e-6)
    assert entropies(state.spectra) == pytest.approx(entropies(ed.spectra), abs=1e-6)


@pytest.mark.parametrize(("kind", "pair", "field"), [("parity_x", "ZZ", "X"), ("parity_z", "XX", "Z")])
def test_the_lowest_parity_is_the_exact_one(kind, pair, field):
    """Nine spins along the negative axis: the odd sector, whichever axis it is."""
    terms = [(pair, (i, i + 1), -1.0) for i in range(8)] + [(field, (i,), 1.2) for i in range(9)]
    h = Hamiltonian.from_terms(9, terms, sector=Sector(kind))
    ed = exact.ground_state(h)
    assert ed.sector == Sector(kind, -1)
    state = dmrg.ground_state(h, chi_start=8, chi_max=16)
    assert state.sector == ed.sector
    assert state.energy == pytest.approx(ed.energy, abs=1e-6)
    assert entropies(state.spectra) == pytest.approx(entropies(ed.spectra), abs=1e-6)


def test_complex_hamiltonians():
    """An odd number of Y: the matrix is complex in the Z basis."""
    rng = np.random.default_rng(2)
    terms = [(a + b, (i, i + 1), rng.normal()) for i in range(7) for a in "XYZ" for b in "XYZ"]
    h = Hamiltonian.from_terms(8, terms + [(a, (i,), rng.normal()) for i in range(8) for a in "XYZ"])
    assert not h.is_real
    ed, state = exact.ground_state(h), dmrg.ground_state(h, chi_start=16, chi_max=32)
    assert state.energy == pytest.approx(ed.energy, abs=1e-6)
    assert entropies(state.spectra) == pytest.approx(entropies(ed.spectra), abs=1e-6)


def test_results_repeat():
    h = build("annni", 6, kappa=0.2, h=0.9)
    first, again = (dmrg.ground_state(h, chi_start=8, chi_max=16) for _ in range(2))
    assert first.energy == again.energy


@pytest.mark.parametrize(
    ("h", "message"),
    [
        (Hamiltonian.from_terms(201, [("Z", (0,), 1.0)]), "200 sites"),
        (Hamiltonian.from_terms(4, [("X", (0,), 1.0)], sector=Sector("magnetisation", 0)), "does not conserve"),
        (Hamiltonian.from_terms(4, [("Z", (0,), 1.0)], sector=Sector("magnetisation", 1)), "empty"),
    ],
)
def test_what_dmrg_cannot_do_is_refused(h, message):
    with pytest.raises(InputError, match=message):
        dmrg.ground_state(h)
