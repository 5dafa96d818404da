"""Mixtures are sums of two Hamiltonians in a sector that their symmetries choose."""

import numpy as np
import pytest

from qednas.base.parallel import Work
from qednas.physics.families import build
from studies.ch03.mixtures import PARENTS, draw_mixture, interpolate, solve_mixtures
from tests.support.spins import dense_of


def test_a_mixture_is_the_weighted_sum():
    first, second = build("tfim", 6, h=0.7), build("xxz", 6, delta=0.3)
    mixed = interpolate(first, second, 0.4)
    assert dense_of(mixed) == pytest.approx(0.4 * dense_of(first) + 0.6 * dense_of(second), abs=1e-12)


def test_symmetries_that_are_left_choose_the_sector():
    tfim, annni = build("tfim", 8, h=0.7), build("annni", 8, kappa=0.2, h=0.5)
    assert interpolate(tfim, annni, 0.5).sector.kind == "parity_x"
    assert interpolate(build("xxz", 8, delta=0.3), build("j1j2", 8, j2=0.2), 0.5).sector.kind == "magnetisation"
    assert interpolate(tfim, build("mixed_field_ising", 8, h=1.0, g=0.5), 0.5).sector.kind == "none"


def test_draws_differ_and_repeat():
    drawn = [draw_mixture(0, k, 8)[1] for k in range(20)]
    assert drawn == [draw_mixture(0, k, 8)[1] for k in range(20)]
    assert len({tuple(d["families"]) for d in drawn}) > 5
    assert all(d["families"][0] != d["families"][1] and set(d["families"]) <= set(PARENTS) for d in drawn)
    assert draw_mixture(1, 0, 8)[1] != drawn[0]


def test_solved_mixtures_are_the_unique_ones():
    found = solve_mixtures(6, 8, work=Work(1))
    assert len(found["mixtures"]) + found["degenerate"] == 6
    assert all(np.isfinite(m["proxies"]).all() and len(m["proxies"]) == 5 for m in found["mixtures"])
