"""Small exact relatives: rebuilt where a family has a bulk, cut out where couplings vary, refused where they mean nothing."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.entanglement import proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import parse
from qednas.qed.predictor.small_parts import REFINE_SIZES, magnetisation_profile, small_relatives, solve_parts, window


def middle_entropy(hamiltonian):
    return proxies(ground_state(hamiltonian).spectra[hamiltonian.sites // 2 - 1])["entropy"]


def exact_profile(hamiltonian):
    """<Z_j> (sites,) of the exact ground state."""
    n = hamiltonian.sites
    probability = np.abs(ground_state(hamiltonian).vector) ** 2
    bits = np.arange(1 << n)[:, None] >> np.arange(n - 1, -1, -1) & 1
    return probability @ (1 - 2 * bits)


def terms_of(hamiltonian):
    return {(letters, places): c for letters, places, c in hamiltonian.terms()}


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
    z = magnetisation_profile(chain)
    for part in solve_parts(chain, (8, 10)):
        assert part.window
        assert part.hamiltonian.sector.value is not None
        spectra = ground_state(window(chain, part.sites, z)).spectra
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
    assert window(far, 10) is None
    with pytest.raises(InputError, match="no exact part of 10-14 sites"):
        solve_parts(far)


def test_windows_of_odd_chains_keep_the_cut_in_the_middle():
    chain = build("random_tfim", 41, h=1.0, w=0.5, disorder_seed=3)
    small = window(chain, 11)
    fields = {p[0]: c for letters, p, c in chain.terms() if letters == "X"}
    own = {p[0]: c for letters, p, c in small.terms() if letters == "X"}
    first = 41 // 2 - 11 // 2
    assert own == {k - first: c for k, c in fields.items() if first <= k < first + 11}
    assert np.isclose(first + 11 // 2, 41 // 2)


# Spins outside a window by their mean field


@pytest.mark.parametrize("value", [0, 2, -4])
@pytest.mark.parametrize("sites", [10, 12])
def test_the_profile_of_a_free_chain_is_the_exact_one(sites, value):
    """Hopping of any sign in random fields, in any sector of sum Z: the mean field is the exact state."""
    rng = np.random.default_rng(sites)
    terms = [(a + a, (i, i + 1), c) for i, c in enumerate(rng.uniform(0.5, 1.5, sites - 1)) for a in "XY"]
    terms += [("Z", (i,), w) for i, w in enumerate(rng.uniform(-1, 1, sites))]
    for sign in (1, -1):
        signed = [(op, places, c * sign if len(op) == 2 else c) for op, places, c in terms]
        chain = Hamiltonian.from_terms(sites, signed, sector=Sector("magnetisation", value))
        z = magnetisation_profile(chain)
        assert z.sum() == pytest.approx(value)
        np.testing.assert_allclose(z, exact_profile(chain), atol=1e-7)


def test_the_profile_of_a_localised_chain_is_near_the_exact_one():
    """Strong fields decide alone; with the opposite sign, or read from the other end, it is far off."""
    chain = build("random_field", 12, w=20.0, disorder_seed=5)
    z, exact = magnetisation_profile(chain), exact_profile(chain)
    assert np.abs(z - exact).max() < 0.1
    assert np.abs(z[::-1] - exact).max() > 1
    assert z.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "chain",
    [
        build("random_tfim", 12, h=1.0, w=0.5, disorder_seed=3),
        build("mixed_field_ising", 12, h=0.8, g=0.2),
        build("xxz", 12, delta=2.0),  # the mean field has its own z along another axis
        build("random_field", 12, w=2.0, disorder_seed=5).in_sector(Sector("magnetisation")),  # filling not known
        build("random_field", 12, w=2.0, disorder_seed=5).in_sector(Sector()),
    ],
    ids=["no sum Z", "no sector", "strong z", "lowest sector", "all sectors"],
)
def test_what_the_mean_field_does_not_see_has_no_profile(chain):
    assert magnetisation_profile(chain) is None


def test_a_window_has_the_filling_of_its_place():
    """The nearest sum Z that its number of sites allows, at all fillings up to full; equal to the profile where that is whole."""
    chain = build("random_field", 40, w=2.0, disorder_seed=3)
    rng = np.random.default_rng(0)
    values = set()
    for sites in (9, 10, 11, 12) * 30:
        z = np.clip(rng.normal(rng.uniform(-1.2, 1.2), 0.3, 40), -1, 1)
        first = 20 - sites // 2
        own = z[first : first + sites].sum()
        sector = window(chain, sites, z).sector
        assert sector.kind == "magnetisation"
        assert abs(sector.value) <= sites
        assert (sector.value - sites) % 2 == 0
        assert abs(sector.value - own) <= 1 + 1e-12
        values.add(sector.value)
    assert len(values) > 15
    for sites, sign in ((10, 1), (11, 1), (11, -1)):
        assert window(chain, sites, np.full(40, float(sign))).sector.value == sign * sites
    neel = (-1.0) ** np.arange(40)
    assert window(chain, 10, neel).sector.value == 0
    assert window(chain, 11, neel).sector.value == neel[15]  # of 15 ... 25


def test_spins_outside_become_fields_inside():
    """Coupling times <Z> outside, added to what is there; strings of Z shrink, hops across are cut, the rest is left."""
    rng = np.random.default_rng(1)
    z, fields = rng.uniform(-1, 1, 12), rng.uniform(-1, 1, 12)
    terms = [(a + a, (i, i + 1), c) for a, c in (("X", 1.0), ("Y", 1.0), ("Z", 0.7)) for i in range(11)]
    terms += [("ZZ", (i, i + 2), 0.3) for i in range(10)] + [("Z", (i,), w) for i, w in enumerate(fields)]
    terms += [("ZZZ", (i, i + 1, i + 2), 0.2) for i in range(10)]
    terms += [(a + "Z" + a, (i, i + 1, i + 2), 0.1) for a in "XY" for i in range(10)]
    terms += [(a + a + "Z", (7, 8, 11), 0.9) for a in "XY"]
    chain = Hamiltonian.from_terms(12, terms, sector=Sector("magnetisation", 0))
    small = window(chain, 6, z)  # sites 3 ... 8
    assert small.sites == 6
    assert small.conserves(small.sector)
    found = terms_of(small)
    wanted = {
        (op, tuple(p - 3 for p in places)): c for op, places, c in chain.terms() if 3 <= min(places) <= max(places) < 9
    }
    wanted["Z", (0,)] += 0.7 * z[2] + 0.3 * z[1] + 0.2 * z[1] * z[2]
    wanted["Z", (1,)] += 0.3 * z[2]
    wanted["ZZ", (0, 1)] += 0.2 * z[2]
    wanted["Z", (5,)] += 0.7 * z[9] + 0.3 * z[10] + 0.2 * z[9] * z[10]
    wanted["Z", (4,)] += 0.3 * z[9]
    wanted["ZZ", (4, 5)] += 0.2 * z[9]
    wanted["XX", (4, 5)] += 0.9 * z[11]
    wanted["YY", (4, 5)] += 0.9 * z[11]
    assert found == pytest.approx(wanted)
    assert (small.name, small.parameters, small.pinning) == (chain.name, chain.parameters, chain.pinning)


def test_the_fields_of_a_window_come_from_its_neighbours():
    """With no field of their own there the end sites get one; the others none."""
    chain = parse({"terms": [{"op": a + a, "coupling": 1.0} for a in "XYZ"]}, 20)
    z = np.zeros(20)
    z[4], z[15] = 0.25, -0.5
    found = {key: c for key, c in terms_of(window(chain, 10, z)).items() if len(key[0]) == 1}
    assert found == {("Z", (0,)): 0.25, ("Z", (9,)): -0.5}


@pytest.mark.parametrize("sites", [9, 10])
def test_without_a_profile_a_window_is_cut_loose(sites):
    """The terms inside, unchanged; sum Z = 0 is kept where the sites allow it, other quantum numbers are not known."""
    chain = build("random_field", 30, w=2.0, disorder_seed=3)
    small, first = window(chain, sites), 15 - sites // 2
    inside = {k: c for k, c in terms_of(chain).items() if first <= min(k[1]) <= max(k[1]) < first + sites}
    assert terms_of(small) == {(op, tuple(p - first for p in places)): c for (op, places), c in inside.items()}
    assert small.sector == Sector("magnetisation", 0 if sites == 10 else None)
    assert window(chain.in_sector(Sector("magnetisation", 2)), sites).sector == Sector("magnetisation", None)
    assert window(build("tfim", 30, h=1.0), sites).sector == Sector("parity_x", None)
    assert window(build("mixed_field_ising", 30, h=1.0, g=0.1), sites).sector == Sector()


def test_windows_of_disordered_chains_use_the_profile():
    chain = build("random_field", 40, w=4.0, disorder_seed=7)
    z = magnetisation_profile(chain)
    for small, cut_out in small_relatives(chain, (10, 12)):
        want = window(chain, small.sites, z)
        assert cut_out
        assert terms_of(small) == terms_of(want)
        assert small.sector == want.sector
    plain = build("random_tfim", 40, h=1.0, w=0.5, disorder_seed=3)
    for small, _ in small_relatives(plain, (10, 12)):
        assert terms_of(small) == terms_of(window(plain, small.sites))


@pytest.mark.parametrize("size", [30.0, 100.0])
def test_frozen_spins_outside_make_a_window_exact(size):
    """Spins outside held by fields of this size are what the window says, up to (hopping / field)^2; cut loose it is another
    chain, with another filling."""
    rng = np.random.default_rng(2)
    fields = np.concatenate([size * np.array([-1, -1, -1]), rng.uniform(-1, 1, 8), size * np.array([-1, 1, -1])])
    terms = [(a + a, (i, i + 1), 1.0) for a in "XYZ" for i in range(13)]
    terms += [("Z", (i,), w) for i, w in enumerate(fields)]
    chain = Hamiltonian.from_terms(14, terms, sector=Sector("magnetisation", 0))
    z = magnetisation_profile(chain)
    np.testing.assert_allclose(np.delete(z, range(3, 11)), -np.sign(np.delete(fields, range(3, 11))), atol=20 / size**2)
    small = window(chain, 8, z)
    assert small.sector.value == -4  # five of the six outside point up, one down
    want = middle_entropy(chain)
    assert middle_entropy(small) == pytest.approx(want, abs=20 / size**2)
    assert abs(middle_entropy(window(chain, 8)) - want) > 0.1


def test_windows_of_localised_chains_are_nearer_with_the_profile():
    """Exact entropies of twelve chains of 16 sites and of their windows of 10: the mean error of windows cut loose is more
    than four times as large, and at most one of twelve is nearer by chance (sign test: 0.3 % if both were equally good)."""
    missed = []
    for seed in range(12):
        chain = build("random_field", 16, w=4.0, disorder_seed=seed)
        want = middle_entropy(chain)
        small = (window(chain, 10, magnetisation_profile(chain)), window(chain, 10))
        missed.append([abs(middle_entropy(h) - want) for h in small])
    held, loose = np.array(missed).T
    assert held.mean() < loose.mean() / 4
    assert (held > loose).sum() <= 1


def test_a_chain_that_is_symmetric_under_spin_flip_has_no_fields_outside():
    """A frustrated chain that no family names, at sum Z = 0: every <Z> is zero, and so is every field of a window."""
    ops = [(a + a, r, c) for a in "XYZ" for r, c in ((1, 1.0), (2, 0.6))]
    chain = parse({"terms": [{"op": op, "range": r, "coupling": c} for op, r, c in ops]}, 40)
    for small, _ in small_relatives(chain, (10, 12)):
        assert {op for op, _ in terms_of(small)} == {"XX", "YY", "ZZ"}
