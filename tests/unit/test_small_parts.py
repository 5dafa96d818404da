"""Small exact relatives: rebuilt where a family has a bulk, cut out where couplings vary, refused where they mean nothing."""

import numpy as np
import pytest

from qednas.errors import InputError
from qednas.physics.entanglement import proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.system_file import parse
from qednas.qed.small_parts import REFINE_SIZES, small_relatives, solve_parts, window


def test_a_family_is_rebuilt_with_the_parity_of_its_size():
    even = small_relatives(build("j1j2", 60, j2=0.3), REFINE_SIZES)
    assert [(h.sites, cut_out) for h, cut_out in even] == [(10, False), (12, False), (14, False)]
    odd = small_relatives(build("tfim", 61, h=1.0), REFINE_SIZES)
    assert [h.sites for h, _ in odd] == [11, 13]
    assert all(h.parameters == {"j2": 0.3} for h, _ in even)


def test_a_ladder_keeps_its_width():
    assert [h.sites for h, _ in small_relatives(build("tfim_2d", 64, h=2.0, width=4), REFINE_SIZES)] == [12]
    with pytest.raises(InputError, match="no exact part of 10-14 sites"):
        solve_parts(build("tfim_2d", 66, h=2.0, width=11), (10, 12, 14))


def test_a_window_holds_the_couplings_around_the_cut():
    """The window of a random chain is that chain with the bonds around it cut, and its middle is the cut asked about."""
    chain = build("random_tfim", 40, h=1.0, w=0.5, disorder_seed=3)
    small = window(chain, 10)
    assert small.sites == 10
    terms = {(letters, places): c for letters, places, c in chain.terms()}
    for letters, places, c in small.terms():
        assert terms[letters, tuple(p + 15 for p in places)] == c
    assert len(small.terms()) == 19  # 10 fields, 9 bonds


def test_parts_are_the_exact_ground_states():
    chain = build("random_field", 40, w=2.0, disorder_seed=3)
    for part in solve_parts(chain, (8, 10)):
        assert part.window
        spectra = ground_state(window(chain, part.sites)).spectra
        assert part.proxies[:, 0] == pytest.approx([proxies(p)["entropy"] for p in spectra], abs=1e-12)


def test_a_degenerate_part_is_an_input_error():
    """Two decoupled halves of zero field: every parity sector holds several ground states."""
    chain = parse({"terms": [{"op": "ZZ", "coupling": -1.0}]}, 40)
    with pytest.raises(InputError, match="degenerate") as caught:
        solve_parts(chain)
    assert "\n" not in str(caught.value)
    assert "10 sites" in str(caught.value)


def test_no_term_inside_the_window():
    far = parse({"terms": [{"op": "XX", "range": 30, "coupling": 1.0}]}, 64)
    with pytest.raises(InputError, match="no term lies inside the 10 sites"):
        window(far, 10)


def test_windows_of_odd_chains_keep_the_cut_in_the_middle():
    chain = build("random_tfim", 41, h=1.0, w=0.5, disorder_seed=3)
    small = window(chain, 11)
    fields = {p[0]: c for letters, p, c in chain.terms() if letters == "X"}
    own = {p[0]: c for letters, p, c in small.terms() if letters == "X"}
    first = 41 // 2 - 11 // 2
    assert own == {k - first: c for k, c in fields.items() if first <= k < first + 11}
    assert np.isclose(first + 11 // 2, 41 // 2)
