"""What is known before anything is corrected: features, mean field, and whether a correction is needed or may grow."""

import numpy as np
import pytest
from spins import PARAMETERS

from qednas.physics import exact
from qednas.physics.entanglement import mode_proxies, proxies
from qednas.physics.families import FAMILIES, build
from qednas.physics.free_fermion import ground_state as free_fermions
from qednas.physics.mean_field import mean_field
from qednas.physics.system_file import parse
from qednas.qed.dataset import build_dataset, samples
from qednas.qed.inputs import GLOBAL, HALF_GATE, LOCAL, know, tabulate_inputs
from qednas.qed.term_space import features

FREE = ("tfim", "xy", "ssh", "random_tfim", "cluster", "cluster_ising")


def free_profile(h):
    """Entropies of a quadratic chain by correlation matrices."""
    state = free_fermions(h)
    return [mode_proxies(state.modes(left))[0]["entropy"] for left in range(1, h.sites)]


@pytest.fixture(scope="module")
def dataset():
    return build_dataset(points=2, sizes=[6, 8], seed=1, workers=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_and_ranges(family):
    h = build(family, 12, **PARAMETERS[family])
    known = know(h)
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
    known, state = know(h), exact.ground_state(h)
    assert known.gate == 0
    np.testing.assert_allclose(known.base[:, 0], [proxies(p)["entropy"] for p in state.spectra], atol=1e-8)


def test_large_critical_chains_are_known_exactly():
    known = know(build("tfim", 64, h=1.0))
    assert known.gate == 0
    assert known.base[31, 0] == pytest.approx(0.545827, abs=1e-6)


@pytest.mark.parametrize("sites", [10, 12, 16, 40])
@pytest.mark.parametrize("delta", [-0.5, 0.3, 0.5, 1.0])
def test_a_uniform_luttinger_liquid_stands_on_the_free_chain(sites, delta):
    """At every size: c = 1 whatever the interactions, so the correction must not grow."""
    known, free = know(build("xxz", sites, delta=delta)), know(build("xxz", sites, delta=0.0))
    assert not known.grows
    assert not known.local.any()
    np.testing.assert_allclose(known.base, free.base, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(known.base[:, 0], free_profile(build("xxz", sites, delta=0.0)), atol=1e-8)
    assert known.gate > 0.5 > free.gate == 0


@pytest.mark.parametrize("scale", [0.1, 0.3, 7.0])
def test_the_unit_of_energy_does_not_decide_what_is_conserving(scale):
    content = {"terms": [{"op": op, "coupling": c * scale} for op, c in (("XX", 1.0), ("YY", 1.0), ("ZZ", 0.7))]}
    assert [know(parse(content, sites)).grows for sites in (10, 14, 20, 36)] == [False] * 4


def test_where_sum_z_is_not_conserved_or_bonds_differ_corrections_grow():
    for family in ("annni", "long_range_ising", "mixed_field_ising", "random_field"):
        assert know(build(family, 12, **PARAMETERS[family])).grows, family
    assert know(build("xxz", 12, delta=2.0)).grows  # the Neel phase: z is the strong axis
    dimerised = [{"op": a + a, "coupling": [1 + (-1) ** i * 0.4 for i in range(11)]} for a in "XYZ"]
    known = know(parse({"terms": dimerised}, 12))
    assert known.grows
    np.testing.assert_allclose(known.base, mean_field(parse({"terms": dimerised}, 12)).profile(), atol=1e-9)


@pytest.mark.parametrize("sites", [10, 12, 13, 20, 40])
@pytest.mark.parametrize("family", ["tfim", "xxz", "j1j2", "annni", "mixed_field_ising", "long_range_ising"])
def test_uniform_chains_have_no_local_features(family, sites):
    if not FAMILIES[family].check(sites, **PARAMETERS[family]):
        assert not know(build(family, sites, **PARAMETERS[family])).local.any()


def test_disordered_chains_have_local_features():
    known = know(build("random_field", 12, w=1.5, disorder_seed=3))
    assert (known.local != 0).any(0).all()
    entropy = known.base[:, 0]
    np.testing.assert_array_equal(known.local[:, 0], entropy)
    np.testing.assert_array_equal(known.local[:, 2], known.base[:, 2])
    assert known.local[4, 1] == pytest.approx((entropy[3] + entropy[5]) / 2 - entropy[4])
    assert known.local[0, 1] == pytest.approx((entropy[1] - entropy[0]) / 2)  # beyond the end it goes on flat


def test_tables_line_up_with_the_systems(dataset):
    systems = samples(dataset)
    found = tabulate_inputs({"02/dataset": dataset}, workers=1)
    known = [know(s.hamiltonian()) for s in systems]
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
    assert tabulate_inputs({"02/dataset": wrong}, workers=1)["summary"]["worst_exact"] == pytest.approx(0.25, abs=1e-3)


def test_chunks_do_not_matter(dataset):
    whole, parts = (tabulate_inputs({"02/dataset": dataset}, chunk=c, workers=1) for c in (100, 7))
    for name in ("row", "gate", "grows", "base", "local"):
        np.testing.assert_array_equal(whole[name], parts[name])
