"""Chapter 1: the entropy laws against closed forms."""

import numpy as np
import pytest

from studies.ch01 import entropy_laws


def test_ising_line_hits_the_free_fermion_values():
    line = entropy_laws.ising_line(10, [0.0001, 1.0, 50.0])
    # N = 10, open, h = 1: correlation matrix method (Peschel 2003)
    assert line["proxies"]["entropy"][1] == pytest.approx(0.379052, abs=1e-6)
    assert line["proxies"]["entropy"][0] == pytest.approx(np.log(2), abs=1e-6)  # the even cat state
    assert line["proxies"]["entropy"][2] < 1e-3  # nearly a product state
    assert line["levels"].shape == (3, 8)


def test_profiles_are_symmetric_and_follow_their_laws():
    got = entropy_laws.entropy_profiles(10, 6, seed=1)
    for name in ("gapped", "critical", "conformal", "page"):
        assert np.allclose(got[name], got[name][::-1], atol=1e-9)
    assert got["gapped"][4] - got["gapped"][2] < 1e-3  # saturated
    assert got["critical"][4] > got["critical"][1] > got["critical"][0]
    assert np.abs(np.subtract(got["critical"], got["conformal"])).max() < 0.03
    assert abs(got["haar_half"] - got["page_half"]) < 6 * got["haar_half_sem"]


def test_random_states_depend_on_the_seed_only():
    first, again, other = (entropy_laws.entropy_profiles(6, 3, seed=s)["haar"] for s in (0, 0, 1))
    assert first == again
    assert first != other
