"""What is known before anything is corrected: features, mean field, and whether a correction is needed or may grow."""

from dataclasses import replace

import numpy as np
import pytest

from qednas.base.parallel import Work
from qednas.physics import exact
from qednas.physics.canonical_frame import Frame, canonical
from qednas.physics.entanglement import mode_proxies, proxies
from qednas.physics.families import EDGE_FIELD, FAMILIES, build
from qednas.physics.gaussian.free_fermion import ground_state as free_fermions
from qednas.physics.gaussian.mean_field import MeanField, mean_field
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.physics.system_file import parse
from qednas.qed.predictor.inputs import (
    FIELD_SPREAD,
    GLOBAL,
    HALF_GATE,
    LOCAL,
    LOCALISED,
    MELTED,
    RANGE_1,
    conserving_frame,
    predictor_inputs,
    strength_in,
    surroundings,
)
from qednas.qed.predictor.term_space import NAMES, features
from spins import PARAMETERS
from studies.ch02.dataset import build_dataset, samples
from studies.ch03.inputs import tabulate_inputs

FREE = ("tfim", "xy", "ssh", "random_tfim", "cluster", "cluster_ising")


def free_profile(h):
    """Entropies of a quadratic chain by correlation matrices."""
    state = free_fermions(h)
    return [mode_proxies(state.modes(left))[0]["entropy"] for left in range(1, h.sites)]


@pytest.fixture(scope="module")
def dataset():
    return build_dataset(points=2, sizes=[6, 8], seed=1, work=Work(1))


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_and_ranges(family):
    h = build(family, 12, **PARAMETERS[family])
    known = predictor_inputs(h)
    assert known.row.shape == (len(GLOBAL),)
    assert known.base.shape == (11, 5)
    assert known.local.shape == (11, len(LOCAL))
    assert np.isfinite(known.row).all()
    assert np.isfinite(known.base).all()
    assert 0 <= known.gate < 1
    np.testing.assert_array_equal(known.row[: len(GLOBAL) - 2], features(h))
    interaction, missing = known.row[-2:]
    assert known.gate == pytest.approx((interaction + missing) / (interaction + missing + HALF_GATE))
    assert (known.gate == 0) == (family in FREE)


@pytest.mark.parametrize("family", FREE)
def test_where_nothing_is_corrected_the_base_is_exact(family):
    h = build(family, 10, **PARAMETERS[family])
    known, state = predictor_inputs(h), exact.ground_state(h)
    assert known.gate == 0
    np.testing.assert_allclose(known.base[:, 0], [proxies(p)["entropy"] for p in state.spectra], atol=1e-8)


def test_large_critical_chains_are_known_exactly():
    known = predictor_inputs(build("tfim", 64, h=1.0))
    assert known.gate == 0
    assert known.base[31, 0] == pytest.approx(0.545827, abs=1e-6)


@pytest.mark.parametrize("sites", [10, 12, 16, 40])
@pytest.mark.parametrize("delta", [-0.5, 0.3, 0.5, 1.0])
def test_a_uniform_luttinger_liquid_stands_on_the_free_chain(sites, delta):
    """At every size: c = 1 whatever the interactions, so the correction must not grow."""
    known, free = predictor_inputs(build("xxz", sites, delta=delta)), predictor_inputs(build("xxz", sites, delta=0.0))
    assert not known.grows
    assert not known.local.any()
    np.testing.assert_allclose(known.base, free.base, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(known.base[:, 0], free_profile(build("xxz", sites, delta=0.0)), atol=1e-8)
    assert known.gate > 0.5 > free.gate == 0


@pytest.mark.parametrize("scale", [0.1, 0.3, 7.0])
def test_the_unit_of_energy_does_not_decide_what_is_conserving(scale):
    content = {"terms": [{"op": op, "coupling": c * scale} for op, c in (("XX", 1.0), ("YY", 1.0), ("ZZ", 0.7))]}
    assert [predictor_inputs(parse(content, sites)).grows for sites in (10, 14, 20, 36)] == [False] * 4


def test_where_sum_z_is_not_conserved_or_bonds_differ_corrections_grow():
    for family in ("annni", "long_range_ising", "mixed_field_ising", "random_field"):
        assert predictor_inputs(build(family, 12, **PARAMETERS[family])).grows == 1, family
    assert predictor_inputs(build("xxz", 12, delta=2.0)).grows == 1  # the Neel phase: z is the strong axis
    known = predictor_inputs(dimerised(12))
    assert known.grows == 1
    np.testing.assert_allclose(known.base, mean_field(dimerised(12), 0.5).profile(), atol=1e-9)


def dimerised(sites, strength=0.4):
    """A Heisenberg chain whose bonds alternate."""
    bonds = [1 + (-1) ** i * strength for i in range(sites - 1)]
    return parse({"terms": [{"op": a + a, "coupling": bonds} for a in "XYZ"]}, sites)


# How much of the interactions a disordered chain's mean field has


def asked(ratio, hopping=-0.4, magnetisation=0):
    """Frame and features of a chain whose fields have this spread over the hopping."""
    row = np.zeros(len(NAMES))
    row[RANGE_1[0]], row[RANGE_1[1]] = hopping, hopping * 0.9
    row[FIELD_SPREAD] = ratio * abs(hopping)
    return Frame(build("tfim", 4, h=1.0), (0, 1, 2), None, magnetisation), row


def test_the_interactions_count_half_in_weak_disorder_and_fully_in_strong():
    """Between 1/2 and 1, never falling with the disorder, linear between the two ends, and the same in every unit of energy."""
    ratios = np.linspace(0, 3, 301)
    found = np.array([strength_in(*asked(r)) for r in ratios])
    assert ((found >= 0.5) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()
    low, high = LOCALISED
    assert (found[ratios <= low] == 0.5).all()
    assert (found[ratios >= high] == 1).all()
    between = (ratios > low) & (ratios < high)
    assert (np.diff(found[between]) > 0).all()
    assert strength_in(*asked((low + high) / 2)) == pytest.approx(0.75)
    for hopping in (-0.01, 0.2, 3.0):
        np.testing.assert_allclose([strength_in(*asked(r, hopping)) for r in ratios], found, atol=1e-12)
    assert strength_in(*asked(1.0, hopping=0.0)) == 0.5  # no fields: the ratio is 0 / 0
    for ratio in (0.0, 1.0, 2.0):
        assert strength_in(*asked(ratio, magnetisation=None)) == 1


@pytest.mark.parametrize(("w", "strength"), [(0.2, 0.5), (0.6, 0.5), (4.0, 1.0), (8.0, 1.0)])
def test_disordered_chains_stand_on_the_mean_field_of_that_strength(w, strength):
    """Fields in [-w, w] spread by w / sqrt(3) over a hopping of 1."""
    h = build("random_field", 12, w=w, disorder_seed=5)
    known, frame = predictor_inputs(h), canonical(h)
    assert strength_in(frame, known.row) == strength
    np.testing.assert_array_equal(known.base, mean_field(h, strength, frame).profile())
    assert known.grows == 1
    plain = mean_field(h, 1.0, frame)
    assert known.row[-2] == plain.interaction > 0.1  # what is to be corrected is not less for it


@pytest.mark.parametrize(("w", "better"), [(0.5, 0.5), (5.0, 1.0)])
def test_the_chosen_strength_is_nearer_to_the_exact_entropy(w, better):
    """Mean error of the central cuts of eight chains: half of the interactions in weak disorder, all of them in strong."""
    missed = {0.5: 0.0, 1.0: 0.0}
    for seed in range(5, 13):
        h = build("random_field", 10, w=w, disorder_seed=seed)
        want = np.array([proxies(p)["entropy"] for p in exact.ground_state(h).spectra])
        for strength in missed:
            missed[strength] += np.abs(mean_field(h, strength).profile()[:, 0] - want)[2:7].mean()
        if w == 0.5:
            assert strength_in(canonical(h), predictor_inputs(h).row) == better
    other = 1.5 - better
    assert missed[better] < 0.6 * missed[other]


def test_fields_that_nearly_alternate_are_disorder_too():
    """Random fields that are mostly up on even and down on odd sites by chance: sum Z is conserved there as elsewhere."""
    h = build("random_field", 10, w=0.5, disorder_seed=4)
    assert h.sector.kind == "magnetisation"
    assert strength_in(canonical(h), predictor_inputs(h).row) == 0.5


# Chains whose conserved axis is the strong one


def free_neighbour(delta, sites):
    """The chain of the xxz family without its interactions, but with its edge fields."""
    terms = [(a + a, (i, i + 1), 1.0) for a in "XY" for i in range(sites - 1)]
    terms += [("Z", (0,), EDGE_FIELD), ("Z", (sites - 1,), -EDGE_FIELD)] if delta > 1 else []
    return Hamiltonian.from_terms(sites, terms, sector=Sector("magnetisation", 0))


@pytest.mark.parametrize("sites", [10, 14, 30])
@pytest.mark.parametrize("delta", [1.05, 1.1, 1.2, 1.3, 1.45, 1.8, 2.0, 3.0])
def test_a_melting_neel_chain_stands_between_the_free_and_the_ordered_one(delta, sites):
    """Their mixture in the share that MELTED says, at every size; the correction may grow as far as the ordered one counts."""
    h = build("xxz", sites, delta=delta)
    known, ordered = predictor_inputs(h), mean_field(h).profile()
    assert known.grows == pytest.approx(1 - np.interp(delta, *MELTED), abs=1e-9)
    free = np.array(free_profile(free_neighbour(delta, sites)))
    want = (1 - known.grows) * free + known.grows * ordered[:, 0]
    np.testing.assert_allclose(known.base[:, 0], want, atol=1e-7)
    assert np.abs(free - ordered[:, 0]).max() > 0.01
    assert not known.local.any()
    assert known.row[-2] == mean_field(h).interaction


def test_a_neel_chain_melts_without_a_jump():
    """Free just above the isotropic point, as it is below; ordered far from it; never less ordered for more anisotropy."""
    found = [predictor_inputs(build("xxz", 10, delta=d)).grows for d in (0.9, 1.0, *np.arange(1.02, 2.6, 0.04), 5.0)]
    assert found[:3] == [0.0] * 3
    assert found[-1] == 1
    assert (np.diff(found) >= 0).all()
    assert np.diff(found).max() < 0.15


def test_the_unit_of_energy_does_not_decide_what_has_melted():
    found = []
    for scale in (1.0, 0.1, 0.3, 7.0):
        ops = [{"op": op, "coupling": c * scale} for op, c in (("XX", 1.0), ("YY", 1.0), ("ZZ", 1.3))]
        found += [predictor_inputs(parse({"terms": ops}, sites)).grows for sites in (10, 20)]
    assert found == pytest.approx([found[0]] * len(found), abs=1e-6)
    assert 0 < found[0] < 1


def test_the_conserving_frame_is_that_of_uniform_chains_only():
    """Its z is the old z, with the sector; disordered chains, other sectors and weak z have none."""
    h = build("xxz", 10, delta=1.3)
    frame = conserving_frame(h, canonical(h), features(h))
    assert (frame.order, frame.parity, frame.magnetisation) == ((0, 1, 2), None, 0)
    assert frame.hamiltonian.terms() == h.terms()
    assert frame.hamiltonian.sector == Sector()
    turned = h.in_sector(Sector("magnetisation", 4))
    assert conserving_frame(turned, canonical(turned), features(turned)).magnetisation == 4
    strong = [{"op": a + a, "coupling": c} for a, c in (("X", 1.0), ("Y", 1.0), ("Z", [1.3] * 8 + [1.4]))]
    others = [
        build("xxz", 10, delta=0.7),
        build("tfim", 10, h=0.5),
        parse({"terms": strong}, 10),  # unequal bonds
        h.in_sector(Sector()),
    ]
    for other in others:
        assert conserving_frame(other, canonical(other), features(other)) is None


# Local features


@pytest.mark.parametrize("sites", [10, 12, 13, 20, 40])
@pytest.mark.parametrize("family", ["tfim", "xxz", "j1j2", "annni", "mixed_field_ising", "long_range_ising"])
def test_uniform_chains_have_no_local_features(family, sites):
    if not FAMILIES[family].check(sites, **PARAMETERS[family]):
        assert not predictor_inputs(build(family, sites, **PARAMETERS[family])).local.any()


def test_disordered_chains_have_local_features():
    known = predictor_inputs(build("random_field", 12, w=1.5, disorder_seed=3))
    assert (known.local != 0).any(0).all()
    entropy = known.base[:, 0]
    np.testing.assert_array_equal(known.local[:, 0], entropy)
    np.testing.assert_array_equal(known.local[:, 2], known.base[:, 2])
    assert known.local[4, 1] == pytest.approx((entropy[3] + entropy[5]) / 2 - entropy[4])
    assert known.local[0, 1] == pytest.approx((entropy[1] - entropy[0]) / 2)  # beyond the end it goes on flat


def mirrored(h):
    """The same chain read from its other end."""
    return replace(h, x=h.x[:, ::-1], z=h.z[:, ::-1])


@pytest.mark.parametrize(
    "h",
    [build("random_field", 12, w=w, disorder_seed=s) for w, s in ((0.5, 1), (2.0, 2), (5.0, 3))]
    + [build("random_tfim", n, h=0.9, w=0.6, disorder_seed=4) for n in (11, 12)]
    + [dimerised(12), dimerised(14, -0.3)],
    ids=lambda h: f"{h.name}-{h.sites}",
)
def test_local_features_are_those_of_the_mirror_image(h):
    """The cut after l sites of a chain is the cut after N - l sites of its mirror image; so are base and local features."""
    known, other = predictor_inputs(h), predictor_inputs(mirrored(h))
    np.testing.assert_allclose(other.base, known.base[::-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other.local, known.local[::-1], rtol=1e-4, atol=1e-5)
    if h.name != "custom":
        assert np.abs(known.local - known.local[::-1]).max() > 0.01  # it is no mirror image of itself


def state_of(correlation, sites):
    ancillas = len(correlation) > sites
    return MeanField(sites, 0.0, correlation, ancillas, False, 0.0, 0.0, 1, 0.0)


def test_surroundings_by_hand():
    """Four sites, three cuts; a row and column of ancillas at each end change nothing."""
    c = np.arange(16.0).reshape(4, 4) / 10
    base = np.array([[0.1, 9, 0.5, 9, 9], [0.4, 9, 0.6, 9, 9], [0.2, 9, 0.7, 9, 9]])
    z = [0.0, 0.5, 1.0, 1.5]
    bond = [np.sqrt((c[i, i + 1] ** 2 + c[i + 1, i] ** 2) / 2) for i in range(3)]
    want = [
        [0.1, 0.15, 0.5, bond[0], bond[1] / 2, bond[1], z[0] * z[1], (z[0] ** 2 + z[1] ** 2) / 2, z[2] ** 2 / 2],
        [0.4, -0.25, 0.6, bond[1], (bond[0] + bond[2]) / 2, bond[2] - bond[0], z[1] * z[2]]
        + [(z[1] ** 2 + z[2] ** 2) / 2, (z[0] ** 2 + z[3] ** 2) / 2],
        [0.2, 0.1, 0.7, bond[2], bond[1] / 2, bond[1], z[2] * z[3], (z[2] ** 2 + z[3] ** 2) / 2, z[1] ** 2 / 2],
    ]
    assert len(LOCAL) == 9
    np.testing.assert_allclose(surroundings(state_of(c, 4), base), want, atol=1e-12)
    wide = np.full((6, 6), 7.0)
    wide[1:5, 1:5] = c
    np.testing.assert_allclose(surroundings(state_of(wide, 4), base), want, atol=1e-12)
    pair = surroundings(state_of(c[:2, :2], 2), base[:1])
    np.testing.assert_allclose(pair, [[0.1, 0.0, 0.5, bond[0], 0, 0, z[0] * z[1], 0.125, 0]], atol=1e-12)


def test_local_features_are_those_of_the_exact_state():
    """Of a free chain in random fields, whose mean field is exact: <Z> and <XX + YY> / 2 of the exact ground state."""
    rng = np.random.default_rng(0)
    fields = rng.uniform(-1, 1, 10)
    terms = [(a + a, (i, i + 1), 1.0) for a in "XY" for i in range(9)]
    terms += [("Z", (i,), w) for i, w in enumerate(fields)]
    h = Hamiltonian.from_terms(10, terms, sector=Sector("magnetisation", 2))
    known, vector = predictor_inputs(h), exact.ground_state(h).vector
    assert known.gate == 0

    def value(letters, *places):
        x, z = np.zeros((1, 10), bool), np.zeros((1, 10), bool)
        x[0, list(places)], z[0, list(places)] = [a in "XY" for a in letters], [a in "YZ" for a in letters]
        flip, phase, weight = (a[0] for a in Hamiltonian(10, x, z, np.ones(1)).masks())
        states = np.arange(1024)
        signs = np.array([(-1.0) ** bin(s & phase).count("1") for s in states])
        return float((weight * vector[states ^ flip] * signs * vector).sum().real)

    up = np.array([value("Z", j) for j in range(10)])
    hop = np.array([abs(value("XX", j, j + 1) + value("YY", j, j + 1)) / 2 for j in range(9)])
    assert up.sum() == pytest.approx(2)
    np.testing.assert_allclose(known.local[:, 3], hop, atol=1e-8)
    np.testing.assert_allclose(known.local[:, 6], up[:-1] * up[1:], atol=1e-8)
    np.testing.assert_allclose(known.local[:, 7], (up[:-1] ** 2 + up[1:] ** 2) / 2, atol=1e-8)
    np.testing.assert_allclose(known.local[1:-1, 8], (up[:-3] ** 2 + up[3:] ** 2) / 2, atol=1e-8)
    np.testing.assert_allclose(known.local[1:-1, 4], (hop[:-2] + hop[2:]) / 2, atol=1e-8)


# Tables


def test_tables_line_up_with_the_systems(dataset):
    systems = samples(dataset)
    found = tabulate_inputs({"02/dataset": dataset}, work=Work(1))
    known = [predictor_inputs(s.hamiltonian()) for s in systems]
    np.testing.assert_array_equal(found["row"], np.array([k.row for k in known], np.float32))
    np.testing.assert_array_equal(found["gate"], np.array([k.gate for k in known], np.float32))
    assert found["grows"].tolist() == [k.grows for k in known]
    for name in ("base", "local"):  # only of systems that are corrected
        want = np.concatenate([getattr(k, name) for k in known if k.gate > 0])
        np.testing.assert_array_equal(found[name], want.astype(np.float32))
        assert found[name].dtype == np.float32
    corrected = sum(k.gate > 0 for k in known)
    assert found["summary"]["systems"] == len(systems)
    assert found["summary"]["corrected"] == corrected
    assert 0 < corrected < len(systems)
    assert found["summary"]["worst_exact"] < 1e-6


def test_the_worst_exact_case_is_measured(dataset):
    """It compares with the labels: a wrong label of an exact system is seen."""
    wrong = dict(dataset) | {"proxies/tfim": dataset["proxies/tfim"] + 0.25}
    assert tabulate_inputs({"02/dataset": wrong}, work=Work(1))["summary"]["worst_exact"] == pytest.approx(
        0.25, abs=1e-3
    )


def test_chunks_do_not_matter(dataset):
    whole, parts = (tabulate_inputs({"02/dataset": dataset}, chunk=c, work=Work(1)) for c in (100, 7))
    for name in ("row", "gate", "grows", "base", "local"):
        np.testing.assert_array_equal(whole[name], parts[name])
