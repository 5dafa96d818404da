"""Variational mean field: exact for free fermions, an upper bound otherwise, and each of its steps on its own."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from qednas.physics import exact
from qednas.physics.canonical_frame import Frame, canonical
from qednas.physics.entanglement import PROXIES, proxies
from qednas.physics.families import build
from qednas.physics.gaussian.free_fermion import ground_state as free_fermions
from qednas.physics.gaussian.mean_field import (
    TILT_ACCURACY,
    TILT_REACH,
    TILT_SITES,
    TOLERANCE,
    filled_state,
    mean_field,
    polar_state,
    solve,
    tilt_angle,
    tilted,
    with_ancillas,
)
from qednas.physics.gaussian.rotation import classical_angle, middle, turned
from qednas.physics.gaussian.string_minors import LONGEST, Minors, gradient, minors, shortened
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import parse
from spins import PARAMETERS, PAULI, dense_of, on_sites

# both sides of every transition, sizes odd and even where the family allows
QUADRATIC = [
    ("tfim", 9, {"h": 0.4}), ("tfim", 10, {"h": 1.0}), ("tfim", 9, {"h": -1.3}), ("tfim", 8, {"h": 0.6}),
    ("xy", 9, {"gamma": 0.5, "h": 0.3}), ("xy", 10, {"gamma": 0.5, "h": 0.3}),  # inside gamma^2 + h^2 < 1
    ("xy", 10, {"gamma": 0.2, "h": -0.9}), ("xy", 9, {"gamma": -0.4, "h": 0.2}), ("xy", 8, {"gamma": 0.3, "h": 0.5}),
    ("xy", 10, {"gamma": -0.8, "h": 1.2}), ("xy", 9, {"gamma": 1.0, "h": 0.7}),
    ("ssh", 10, {"delta": 0.6}), ("ssh", 10, {"delta": -0.6}), ("ssh", 8, {"delta": 0.0}),
    ("xxz", 10, {"delta": 0.0}),
    ("random_tfim", 10, {"h": 0.8, "w": 0.7, "disorder_seed": 5}),
    ("random_tfim", 9, {"h": 1.2, "w": 0.4, "disorder_seed": 6}),
    ("cluster", 8, {"h": 0.5}), ("cluster", 9, {"h": -0.7}), ("cluster", 10, {"h": 1.0}), ("cluster", 9, {"h": 1.7}),
    ("cluster_ising", 8, {"lam": 0.4, "h": 0.3}), ("cluster_ising", 9, {"lam": -0.6, "h": 0.8}),
    ("cluster_ising", 10, {"lam": 0.9, "h": 1.6}), ("cluster_ising", 11, {"lam": 0.1, "h": 0.5}),
]  # fmt: skip
INTERACTING = [
    ("xxz", 10, {"delta": 0.5}), ("xxz", 10, {"delta": -0.5}), ("xxz", 10, {"delta": 3.0}),
    ("j1j2", 10, {"j2": 0.2}), ("j1j2", 10, {"j2": 0.8}),
    ("annni", 10, {"kappa": 0.3, "h": 0.8}), ("annni", 10, {"kappa": 0.7, "h": 0.4}),
    ("random_field", 10, {"w": 1.5, "disorder_seed": 3}), ("random_field", 10, {"w": 4.0, "disorder_seed": 4}),
    ("tfim_2d", 10, {"h": 2.0, "width": 2}), ("tfim_2d", 9, {"h": 1.0, "width": 3}),
    ("mixed_field_ising", 10, {"h": 0.5, "g": 0.6}), ("mixed_field_ising", 10, {"h": 1.5, "g": 0.6}),
]  # fmt: skip


def exact_profile(state):
    """The five proxies (cuts, 5) of an exact state."""
    return np.array([[proxies(p)[name] for name in PROXIES] for p in state.spectra])


def same_ground_state(h):
    """Energy and all proxies of all cuts; the mean level comes from probabilities that ED resolves to 1e-15 only."""
    ed, found = exact.ground_state(h), mean_field(h)
    assert ed.gap > 1e-3
    assert found.energy == pytest.approx(ed.energy, abs=1e-10)
    tolerance = dict.fromkeys(PROXIES, 1e-8) | {"mean": 2e-6, "skewness": 1e-6}
    for k, (name, atol) in enumerate(tolerance.items()):
        np.testing.assert_allclose(found.profile()[:, k], exact_profile(ed)[:, k], rtol=0, atol=atol, err_msg=name)
    assert found.interaction == 0
    assert found.missing == 0
    return found


def one_string(sites, x, z):
    return Hamiltonian(sites, np.array([x], bool), np.array([z], bool), np.ones(1))


def value_of(strings, c):
    """Sum of couplings times minors, written out."""
    return sum(
        coupling * np.linalg.det(c[np.ix_(rows, columns)])
        for s in strings.values()
        for rows, columns, coupling in zip(s.rows, s.columns, s.couplings, strict=True)
    )


@pytest.mark.parametrize(("family", "sites", "parameters"), QUADRATIC)
def test_quadratic_chains_are_solved_exactly(family, sites, parameters):
    found = same_ground_state(build(family, sites, **parameters))
    assert found.iterations == 1
    assert found.ancillas == family.startswith("cluster")


@pytest.mark.parametrize("value", [1, -1, None])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("family", "sites", "parameters"),
    [("tfim", 9, {"h": 0.4}), ("tfim", 8, {"h": 1.3}), ("xy", 9, {"gamma": 0.5, "h": 0.3}), ("xy", 8, {"gamma": -0.6, "h": 0.5})],
)  # fmt: skip
def test_every_parity_sector_is_solved_exactly(family, sites, parameters, swapped, value):
    h = build(family, sites, **parameters)
    h = h.in_sector(Sector(h.sector.kind, value))
    same_ground_state(h.swap_xz() if swapped else h)


@pytest.mark.parametrize("value", [0, 2, -4, 6])
@pytest.mark.parametrize(("family", "delta"), [("xxz", 0.0), ("ssh", 0.3)])
def test_every_magnetisation_is_solved_exactly(family, delta, value):
    found = same_ground_state(build(family, 10, delta=delta).in_sector(Sector("magnetisation", value)))
    assert found.symmetric
    assert abs(np.trace(found.correlation)) == pytest.approx(abs(value), abs=1e-9)


def test_long_quadratic_bridges_are_free_fermions_too():
    """XZX, YZY and XZZX hop over the sites between."""
    ops = [("XX", -1.0), ("YY", -0.3), ("Z", -0.8), ("XZX", 0.4), ("YZY", -0.2), ("XZZX", 0.1)]
    h = parse({"terms": [{"op": op, "coupling": c} for op, c in ops]}, 9).in_sector(Sector("parity_z", 1))
    same_ground_state(h)


@pytest.mark.parametrize("sites", [8, 9])
@pytest.mark.parametrize(
    "ends",
    [
        [("X", (0,), -0.5), ("X", (-1,), -0.3)],
        [("X", (0,), -0.5), ("X", (-1,), 0.3)],  # against each other: the odd state of the ring of spins
        [("Y", (0,), 0.5), ("Y", (-1,), 0.4)],
        [("ZX", (0, 1), 0.5), ("ZZX", (0, 1, 2), 0.3), ("X", (0,), -0.7), ("XZ", (-2, -1), 0.5)],
    ],
)  # fmt: skip
def test_fields_on_the_ends_are_solved_with_ancillas(sites, ends):
    terms = [("XX", (i, i + 1), -0.8) for i in range(sites - 1)] + [("YY", (i, i + 1), -0.3) for i in range(sites - 1)]
    terms += [("Z", (i,), -1.1) for i in range(sites)]
    terms += [(op, tuple(i % sites for i in places), c) for op, places, c in ends]
    found = same_ground_state(Hamiltonian.from_terms(sites, terms))
    assert found.ancillas
    assert len(found.correlation) == sites + 2


@pytest.mark.parametrize("ends", [[("X", 0), ("Y", -1)], [("X", 0), ("Y", 0), ("X", -1), ("Y", -1)]])
def test_what_a_real_gaussian_state_cannot_hold_is_not_called_exact(ends):
    """Fields along x and along y on the ends: no free fermions with one ancilla at each end."""
    sites = 8
    terms = [("XX", (i, i + 1), -0.8) for i in range(sites - 1)] + [("YY", (i, i + 1), -0.4) for i in range(sites - 1)]
    terms += [("Z", (i,), -0.7) for i in range(sites)] + [(op, (i % sites,), 0.5) for op, i in ends]
    h = Hamiltonian.from_terms(sites, terms)
    ed, found = exact.ground_state(h), mean_field(h)
    wrong = np.abs(found.profile()[:, 0] - exact_profile(ed)[:, 0]).max()
    assert wrong < 1e-6 or found.interaction + found.missing > 0


def test_a_sector_across_the_fermions_is_not_called_exact():
    """An odd xy chain without field: prod X mixes the two fermion parities, and its eigenstate is no Gaussian state."""
    h = parse({"terms": [{"op": "XX", "coupling": -1.0}, {"op": "YY", "coupling": -0.4}]}, 9)
    assert h.sector.kind == "parity_x"
    ed, found = exact.ground_state(h), mean_field(h)
    assert ed.gap > 1e-3
    wrong = np.abs(found.profile()[:, 0] - exact_profile(ed)[:, 0]).max()
    assert wrong < 1e-6 or found.interaction + found.missing > 0


def test_large_chains_are_those_of_free_fermions():
    """Half-chain entropies of 100 spins by correlation matrices: tfim and xx."""
    for family, parameters, entropy in (("tfim", {"h": 1.0}, 0.583874), ("xxz", {"delta": 0.0}, 1.049187)):
        found = mean_field(build(family, 100, **parameters))
        assert found.profile()[49, 0] == pytest.approx(entropy, abs=1e-6)
    h = build("xy", 101, gamma=0.4, h=0.6)
    assert mean_field(h).energy == pytest.approx(free_fermions(h).energy, abs=1e-9)


@pytest.mark.parametrize(("family", "sites", "parameters"), INTERACTING)
def test_the_energy_is_an_upper_bound(family, sites, parameters):
    h = build(family, sites, **parameters)
    ed, found = exact.ground_state(h), mean_field(h)
    assert found.residual < TOLERANCE
    assert found.interaction > 0.05
    width = 2 * np.abs(h.couplings).sum()
    assert -1e-9 < found.energy - ed.energy < 0.03 * width
    free = mean_field(h, strength=0.0)  # what it would be without the interactions
    strings, _ = minors(shortened(with_ancillas(canonical(h).hamiltonian)[0]))
    if found.missing == 0:
        assert found.energy <= value_of(strings, free.correlation) + 1e-9


@pytest.mark.parametrize(("family", "sites", "parameters"), INTERACTING)
def test_the_energy_is_that_of_the_correlation(family, sites, parameters):
    h = build(family, sites, **parameters)
    found = mean_field(h)
    c = found.correlation
    np.testing.assert_allclose(c @ c.T, np.eye(len(c)), atol=1e-12)  # a pure state
    chain = tilted(canonical(h).hamiltonian) if found.missing else with_ancillas(canonical(h).hamiltonian)[0]
    strings, left_out = minors(chain)
    assert value_of(strings, c) == pytest.approx(found.energy, abs=1e-7)
    assert np.abs(chain.couplings[left_out]).sum() == pytest.approx(found.missing * np.abs(chain.couplings).sum())


def test_the_energy_is_that_of_a_dense_state():
    """The mean field of an interacting chain is the exact ground state of its own quadratic Hamiltonian: <H> there."""
    h = build("annni", 7, kappa=0.3, h=0.8)
    found, frame = mean_field(h), canonical(h)
    matrix, _ = gradient(minors(frame.hamiltonian)[0], found.correlation)
    # i a_j b_k is Z_j for j = k, X_k Z ... Z X_j for j > k and Y_j Z ... Z Y_k for j < k, up to the sign that `minors` has
    terms = []
    for j, k in product(range(7), repeat=2):
        low, high = min(j, k), max(j, k)
        places = tuple(range(low, high + 1))
        word = "Z" if j == k else "X" + "Z" * (high - low - 1) + "X" if j > k else "Y" + "Z" * (high - low - 1) + "Y"
        s = minors(Hamiltonian.from_terms(7, [(word, places, 1.0)]))[0][1]
        assert (s.rows[0, 0], s.columns[0, 0]) == (j, k)
        terms.append((word, places, matrix[j, k] * s.couplings[0]))
    mean = exact.ground_state(Hamiltonian.from_terms(7, terms).in_sector(Sector("parity_z", frame.parity)))
    assert mean.vector @ dense_of(frame.hamiltonian).real @ mean.vector == pytest.approx(found.energy, abs=1e-7)
    np.testing.assert_allclose(found.profile()[:, 0], exact_profile(mean)[:, 0], atol=1e-5)


RANDOM = [
    {"terms": [{"op": "XX"}, {"op": "Z"}]},
    {"terms": [{"op": "XX"}, {"op": "YY"}, {"op": "Z"}]},
]


def random_chain(content, sites, rng):
    """Couplings of one sign, each drawn anew: already in its canonical frame or not."""
    terms = [t | {"coupling": (-rng.uniform(0.3, 1.2, sites + 1 - len(t["op"]))).tolist()} for t in content["terms"]]
    return parse({"terms": terms}, sites).in_sector(Sector("parity_z", 1))


@pytest.mark.parametrize("sites", [4, 5])
@pytest.mark.parametrize("content", RANDOM)
def test_every_string_of_a_gaussian_state_is_its_minor(content, sites):
    """All strings on 4 and 5 sites: what `minors` keeps has the value of a determinant, and what it leaves out is zero."""
    h = random_chain(content, sites, np.random.default_rng(sites))
    frame = canonical(h)
    state = exact.ground_state(frame.hamiltonian.in_sector(Sector("parity_z", frame.parity)))
    assert state.gap > 1e-2
    c = mean_field(h).correlation
    kept = largest = 0
    for letters in product("IXYZ", repeat=sites):
        if set(letters) == {"I"}:
            continue
        found, left_out = minors(one_string(sites, [a in "XY" for a in letters], [a in "YZ" for a in letters]))
        operator = on_sites(sites, {i: PAULI[a] for i, a in enumerate(letters)})
        want = (state.vector @ operator @ state.vector).real
        assert left_out[0] == (not found)
        assert value_of(found, c) == pytest.approx(want, abs=1e-10), letters
        kept += bool(found)
        largest = max(largest, *found, 0)
    assert largest == sites
    # real strings, even in X and Y, of as many a as b: (2 sites choose sites) in all, the identity among them
    assert kept + 1 == len(list(combinations(range(2 * sites), sites)))


def test_imaginary_odd_and_long_strings_are_left_out():
    h = Hamiltonian.from_terms(
        12,
        [
            ("XY", (0, 1), 1.0),
            ("X", (3,), 1.0),
            ("XZZ", (3, 4, 5), 1.0),
            ("XX", (0, LONGEST + 1), 1.0),
            ("Z", (2,), 5.0),
        ],
    )
    found, left_out = minors(h)
    assert list(found) == [1]
    assert found[1].couplings.tolist() == [-5.0] or found[1].couplings.tolist() == [5.0]
    assert left_out.sum() == 4
    assert np.abs(h.couplings[~left_out]).tolist() == [5.0]
    whole = replace(h, x=h.x[:0], z=h.z[:0], couplings=h.couplings[:0])
    assert minors(whole)[0] == {}


def random_minors(order, sites, count, rng):
    draw = [np.array([np.sort(rng.choice(sites, order, replace=False)) for _ in range(count)]) for _ in range(2)]
    return Minors(*draw, rng.normal(size=count))


@pytest.mark.parametrize("orders", [(1,), (2,), (3,), (1, 2, 3, 4)])
def test_the_gradient_is_the_derivative_of_the_energy(orders):
    """A minor is linear in each entry of C, so a central difference is exact at any step."""
    rng, sites = np.random.default_rng(3), 6
    strings = {n: random_minors(n, sites, 5, rng) for n in orders}
    c = rng.normal(size=(sites, sites))
    matrix, energy = gradient(strings, c)
    assert energy == pytest.approx(value_of(strings, c), abs=1e-7)
    slopes = np.zeros_like(c)
    for j, k in product(range(sites), repeat=2):
        step = np.zeros_like(c)
        step[j, k] = 0.5
        slopes[j, k] = value_of(strings, c + step) - value_of(strings, c - step)
    np.testing.assert_allclose(matrix, slopes, atol=1e-6)
    assert np.abs(slopes).max() > 0.1


@pytest.mark.parametrize(
    "block",
    [
        np.diag([1.0, 1.0, 0.0]),  # one cofactor is left
        np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]]),
        np.array([[1.0, 1.0, 0.0], [-1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[1.125, 0.625, 0.0], [-2.025, -1.125, 0.0], [0.0, 0.0, 1.0]]),  # and still singular with 1e-9 added
        np.zeros((3, 3)),
    ],
)
def test_singular_minors_have_cofactors_too(block):
    place = np.arange(3)[None]
    matrix, energy = gradient({3: Minors(place, place, np.ones(1))}, block)
    assert energy == pytest.approx(0, abs=1e-7)
    want = [
        [(-1) ** (j + k) * np.linalg.det(np.delete(np.delete(block, j, 0), k, 1)) for k in range(3)] for j in range(3)
    ]
    np.testing.assert_allclose(matrix, want, atol=1e-6)


def orthogonal(sites, rng, determinant=None):
    q = np.linalg.qr(rng.normal(size=(sites, sites)))[0]
    if determinant is not None and np.linalg.det(q) * determinant < 0:
        q[0] = -q[0]
    return q


@pytest.mark.parametrize("sites", [4, 5])
@pytest.mark.parametrize("determinant", [1, -1, None])
def test_the_polar_state_has_the_lowest_energy(sites, determinant):
    rng = np.random.default_rng(sites)
    matrix = rng.normal(size=(sites, sites))
    c = polar_state(matrix, determinant)
    np.testing.assert_allclose(c @ c.T, np.eye(sites), atol=1e-12)
    s = np.linalg.svd(matrix, compute_uv=False)
    energy, vacuum = (matrix * c).sum(), np.sign(np.linalg.det(-matrix))
    if determinant is None:
        assert energy == pytest.approx(-s.sum())
        assert np.linalg.det(c) == pytest.approx(vacuum)
    else:
        assert np.linalg.det(c) == pytest.approx(determinant)
        assert energy == pytest.approx(-s.sum() + (2 * s[-1] if vacuum != determinant else 0))
    assert energy <= min((matrix * orthogonal(sites, rng, determinant)).sum() for _ in range(200)) + 1e-12


@pytest.mark.parametrize("magnetisation", [-5, -1, 1, 3, 5])
def test_the_filled_state_has_the_lowest_energy_of_its_magnetisation(magnetisation):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 5))
    c = filled_state(matrix, magnetisation)
    np.testing.assert_allclose(c, c.T, atol=1e-12)
    np.testing.assert_allclose(c @ c, np.eye(5), atol=1e-12)
    assert np.trace(c) == pytest.approx(magnetisation)
    signs = np.where(np.arange(5) < (5 + magnetisation) // 2, 1.0, -1.0)
    others = [(matrix * (q * signs @ q.T)).sum() for q in (orthogonal(5, rng) for _ in range(200))]
    assert (matrix * c).sum() <= min(others) + 1e-12


def test_couplings_of_short_range_are_not_shortened():
    for family in ("tfim", "xxz", "j1j2", "annni", "cluster"):
        frame = canonical(build(family, 12, **PARAMETERS[family])).hamiltonian
        assert shortened(frame) is frame
    assert (
        shortened(canonical(build("long_range_ising", LONGEST + 1, alpha=1.5, h=1.0)).hamiltonian).sites == LONGEST + 1
    )


@pytest.mark.parametrize(("family", "sites"), [("long_range_ising", 9), ("long_range_ising", 14), ("mhs", 12)])
def test_shortening_conserves_the_total_coupling(family, sites):
    frame = canonical(build(family, sites, **PARAMETERS[family])).hamiltonian
    short = shortened(frame)
    before, after = frame.groups(), short.groups()
    assert set(before) == set(after)
    for letters, (rows, places) in before.items():
        new_rows, new_places = after[letters]
        assert short.couplings[new_rows].sum() == pytest.approx(frame.couplings[rows].sum(), abs=1e-12)
        if letters in ("XX", "YY"):
            assert np.ptp(places, axis=1).max() == sites - 1
            assert np.ptp(new_places, axis=1).max() == LONGEST
            # mirror images stay mirror images
            at_range = np.ptp(new_places, axis=1) == LONGEST
            moved = np.bincount(new_places[at_range, 0], short.couplings[new_rows[at_range]])
            np.testing.assert_allclose(moved, moved[::-1], atol=1e-12)


@pytest.mark.parametrize("alpha", [1.5, 2.5])
@pytest.mark.parametrize("h", [1.5, 3.0])
def test_long_range_chains_keep_their_entropy(alpha, h):
    chain = build("long_range_ising", 12, alpha=alpha, h=h)
    found = mean_field(chain)
    want = exact_profile(exact.ground_state(chain))[:, 0]
    assert found.missing == 0
    np.testing.assert_allclose(found.profile()[:, 0], want, rtol=0.03, atol=2e-3)


def test_tilting_keeps_the_spectrum():
    for h in (build("mixed_field_ising", 6, h=0.5, g=0.6), build("mixed_field_ising", 6, h=-1.2, g=0.3)):
        other = tilted(h)
        assert len(other.couplings) > len(h.couplings)
        np.testing.assert_allclose(np.linalg.eigvalsh(dense_of(other)), np.linalg.eigvalsh(dense_of(h)), atol=1e-10)
    y = parse(
        {"terms": [{"op": "XX", "coupling": -1}, {"op": "Y", "coupling": 0.3}, {"op": "XYZ", "coupling": 0.4}]}, 6
    )
    for other in (tilted(y), turned(y, 0.7), turned(y, -2.5)):
        np.testing.assert_allclose(np.linalg.eigvalsh(dense_of(other)), np.linalg.eigvalsh(dense_of(y)), atol=1e-10)


def test_turning_brings_a_direction_of_the_plane_to_z():
    """A field along it becomes a field along z, one across it a field along x, and a whole turn changes nothing."""
    for angle in (0.3, -2.0, np.pi / 2):
        along = Hamiltonian.from_terms(2, [("X", (0,), np.sin(angle)), ("Z", (0,), np.cos(angle)), ("Y", (1,), 0.4)])
        found = {(op, places): c for op, places, c in turned(along, angle).terms()}
        assert found == pytest.approx({("Z", (0,)): 1.0, ("Y", (1,)): 0.4})
        across = Hamiltonian.from_terms(2, [("X", (0,), np.cos(angle)), ("Z", (0,), -np.sin(angle))])
        assert {(op, places): c for op, places, c in turned(across, angle).terms()} == pytest.approx({("X", (0,)): 1.0})
    h = build("mixed_field_ising", 5, h=0.5, g=0.6)
    np.testing.assert_allclose(dense_of(turned(turned(h, 0.9), 2 * np.pi - 0.9)), dense_of(h), atol=1e-9)


def test_the_classical_state_of_the_bulk_points_up():
    """All spins up is the uniform product state of the plane that is lowest in the bulk, where each site has a whole bond."""
    h = build("mixed_field_ising", 6, h=0.5, g=0.6)
    angles = np.linspace(0, 2 * np.pi, 721)
    field, bond = -(0.5 * np.sin(angles) + 0.6 * np.cos(angles)), -(np.cos(angles) ** 2)
    best = (field + bond).argmin()
    other = turned(h, classical_angle(h))
    up = other.couplings[~other.x.any(1)].sum()
    assert up == pytest.approx(6 * field[best] + 5 * bond[best], abs=1e-9)
    assert up > (6 * field + 5 * bond).min() + 1e-3  # with its open ends the chain itself prefers another angle


@pytest.mark.parametrize(
    "ops",
    [
        [("ZZ", 1, -1.0), ("X", 1, -0.5), ("Z", 1, -0.6)],
        [("ZZ", 1, -1.0), ("ZZ", 3, 0.4), ("X", 1, -0.9), ("Z", 1, -0.2)],
        [("ZZ", 1, -1.0), ("XX", 2, -0.3), ("ZXZ", 1, -0.2), ("X", 1, -0.4), ("Z", 1, -0.3)],
    ],
)
def test_the_angle_does_not_depend_on_the_length_of_the_chain(ops):
    """Uniform chains have one classical angle at all sizes, and from TILT_SITES on they are turned by one angle: every string
    around the middle has the same coupling."""
    classical, found = [], []
    for sites in (8, 9, TILT_SITES, 14, 64):
        h = parse({"terms": [{"op": op, "coupling": c} | ({"range": r} if r > 1 else {}) for op, r, c in ops]}, sites)
        classical.append(classical_angle(h))
        if sites >= TILT_SITES:
            terms = [(op, tuple(p - sites // 2 for p in places), c) for op, places, c in tilted(h).terms()]
            found.append({(op, places): c for op, places, c in terms if places[0] == 0 and places[-1] < 4})
    assert np.ptp(classical) < 1e-12
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-9)
    assert abs(found[0]["XZ", (0, 1)]) > 0.01  # it was turned


def test_the_angle_is_looked_for_in_the_middle():
    """Couplings outside it, and the sector, are left out; a chain that is not longer, or has nothing there, is taken whole."""
    h = build("random_tfim", 25, h=1.0, w=0.5, disorder_seed=3)
    for sites, first in ((10, 7), (11, 7)):
        small = middle(h, sites)
        inside = [t for t in h.terms() if first <= min(t[1]) <= max(t[1]) < first + sites]
        assert (small.sites, small.sector.kind) == (sites, "none")
        assert small.terms() == [(op, tuple(p - first for p in places), c) for op, places, c in inside]
    assert middle(h, 25) is h
    assert middle(h, 26) is h
    far = parse({"terms": [{"op": "XX", "range": 12, "coupling": 1.0}]}, 24)
    assert middle(far, 10) is far


def tilted_energy(h, angle):
    """Energy of the best Gaussian state in the frame of an angle."""
    strings, _ = minors(turned(h, angle))
    return solve(strings, h.sites, False, None, None)["energy"]


@pytest.mark.parametrize(
    "parameters", [{"h": 0.5, "g": 0.6}, {"h": 1.5, "g": 0.6}, {"h": 0.8, "g": 0.2}, {"h": 2.0, "g": 0.02}]
)
def test_the_tilted_frame_has_the_lowest_energy(parameters):
    """Nowhere near the classical angle is the Gaussian state lower, and every angle gives an upper bound of the exact energy."""
    h = build("mixed_field_ising", TILT_SITES, **parameters)
    angle, start = tilt_angle(h), classical_angle(h)
    lowest = tilted_energy(h, angle)
    scan = [tilted_energy(h, a) for a in np.linspace(start - TILT_REACH, start + TILT_REACH, 41)]
    stiffness = np.abs(h.couplings).sum()
    assert lowest <= min(scan) + stiffness * TILT_ACCURACY**2
    assert lowest < tilted_energy(h, start) - 1e-3
    assert lowest > exact.ground_state(h).energy
    assert abs(angle - start) < TILT_REACH


@pytest.mark.parametrize(
    "parameters", [{"h": 0.5, "g": 0.6}, {"h": 1.0, "g": 0.1}, {"h": 1.5, "g": 0.6}, {"h": 2.0, "g": 0.02}]
)
def test_gapped_tilted_chains_do_not_depend_on_their_length(parameters):
    """The middle of a gapped chain knows nothing of its ends: 14, 16 and 64 sites have one entropy."""
    half = [mean_field(build("mixed_field_ising", n, **parameters)).profile()[n // 2 - 1] for n in (14, 16, 64)]
    for one in half[:2]:
        assert one[0] == pytest.approx(half[2][0], abs=1e-6)
        np.testing.assert_allclose(one, half[2], rtol=1e-3)


@pytest.mark.parametrize("sites", [10, 11])
@pytest.mark.parametrize("parameters", [{"h": 0.5, "g": 0.6}, {"h": 0.3, "g": 0.3}, {"h": 1.0, "g": 1.5}])
def test_a_longitudinal_field_is_described_after_tilting(sites, parameters):
    h = build("mixed_field_ising", sites, **parameters)
    found = mean_field(h)
    want = exact_profile(exact.ground_state(h))[:, 0]
    np.testing.assert_allclose(found.profile()[:, 0], want, rtol=0.1, atol=1e-3)
    assert found.missing > 0
    # without it there would be a cat of both magnetisations, or the paramagnet
    untilted = mean_field(h, 1.0, Frame(drop_fields(canonical(h).hamiltonian), (0, 1, 2), None, None))
    middle = sites // 2 - 1
    assert abs(untilted.profile()[middle, 0] - want[middle]) > 5 * abs(found.profile()[middle, 0] - want[middle])


def drop_fields(h):
    """The even part of a Hamiltonian."""
    even = h.x.sum(1) % 2 == 0
    return replace(h, x=h.x[even], z=h.z[even], couplings=h.couplings[even])


def test_cluster_states_are_bell_pairs_between_their_ends():
    """Small field: every cut of the cluster state has entropy ln 2 and a flat spectrum; boundary stabilisers fix the ends."""
    for sites in (8, 9):
        found = mean_field(build("cluster", sites, h=1e-4))
        assert found.ancillas
        profile = found.profile()
        np.testing.assert_allclose(profile[:, 0], np.log(2), atol=1e-6)
        np.testing.assert_allclose(profile[:, 4], np.log(2), atol=1e-6)
        assert found.energy == pytest.approx(-sites, abs=1e-5)
        assert len(found.modes(4)) == 4


@pytest.mark.parametrize("delta", [3.0, 8.0])
def test_neel_chains_with_edge_fields(delta):
    h = build("xxz", 12, delta=delta)
    found = mean_field(h)
    want = exact_profile(exact.ground_state(h))[:, 0]
    assert found.ancillas
    np.testing.assert_allclose(found.profile()[:, 0], want, rtol=0.2)


@pytest.mark.parametrize("axes", ["XYZ", "ZXY", "YXZ"])
def test_the_names_of_the_axes_do_not_matter(axes):
    name = dict(zip("XYZ", axes, strict=True))
    terms = [("XX", (i, i + 1), -1.0) for i in range(9)] + [("ZZ", (i, i + 1), 0.3) for i in range(9)]
    terms += [("Z", (i,), -0.9) for i in range(10)]
    want = mean_field(Hamiltonian.from_terms(10, terms))
    turned = Hamiltonian.from_terms(10, [("".join(name[a] for a in op), places, c) for op, places, c in terms])
    found = mean_field(turned)
    assert found.energy == pytest.approx(want.energy, abs=1e-6)
    np.testing.assert_allclose(found.profile()[:, 0], want.profile()[:, 0], atol=1e-6)


def test_unusual_chains_have_a_mean_field():
    """A four-term chain whose minors are singular, and two spins alone."""
    h = Hamiltonian.from_terms(
        8, [("Z", (5,), 0.875), ("Y", (6,), 3.125), ("ZZ", (5, 6), -1.25), ("XXZ", (1, 4, 5), 0.125)]
    )
    assert np.isfinite(mean_field(h).profile()).all()
    pair = build("tfim", 2, h=0.5)
    assert mean_field(pair).energy == pytest.approx(exact.ground_state(pair).energy, abs=1e-12)
