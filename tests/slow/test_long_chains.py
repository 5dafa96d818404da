"""DMRG of a chain that exact diagonalisation cannot reach, against free fermions."""

import numpy as np
import pytest

from qednas.physics import dmrg
from qednas.physics.entanglement import mode_proxies
from qednas.physics.families import build
from qednas.physics.gaussian import free_fermion
from spins import entropies


def test_a_long_critical_chain_agrees_with_free_fermions():
    sites = 64
    h = build("tfim", sites, h=1.0)
    state, free = dmrg.ground_state(h, chi_max=64), free_fermion.ground_state(h)
    assert state.converged
    assert state.energy == pytest.approx(free.energy, rel=1e-8)
    cuts = [1, 5, sites // 4, sites // 2, sites - 3]
    want = [mode_proxies(free.modes(c))[0]["entropy"] for c in cuts]
    assert entropies(state.spectra)[[c - 1 for c in cuts]] == pytest.approx(want, abs=1e-5)
    # the infinite-size closed forms: E = 1 - 1 / sin(pi / (2 (2N + 1)))
    assert state.energy == pytest.approx(1 - 1 / np.sin(np.pi / (2 * (2 * sites + 1))), rel=1e-8)
