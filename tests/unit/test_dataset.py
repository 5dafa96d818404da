"""The data set of phase 0: tasks own their seeds, labels are the exact ones."""

import json
from collections import Counter

import numpy as np
import pytest

from qednas.base.parallel import Work
from qednas.physics.entanglement import PROXIES, levels, proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import FAMILIES, build
from studies.ch02.dataset import LEVELS_KEPT, build_dataset, label_state, plan, samples
from studies.ch02.recipes import INTERACTING, RECIPES


@pytest.fixture(scope="module")
def dataset():
    return build_dataset(points=2, sizes=[6, 8], seed=3, work=Work(1), chunk=3)


def test_every_family_is_in_the_data_set():
    assert set(RECIPES) == set(FAMILIES)


def test_the_plan_belongs_to_its_seed():
    assert plan(3, [6, 8], 1) == plan(3, [6, 8], 1)
    assert plan(3, [6, 8], 1) != plan(3, [6, 8], 2)
    json.dumps(plan(2, [6], 0))  # tasks are plain values


def test_more_points_keep_the_first_ones_and_sizes_share_a_point():
    few, many = plan(2, [6, 8], 5), plan(4, [6, 8, 10], 5)
    kept = [t for t in many if t["point"] < 2 and t["sites"] < 10]
    assert kept == few
    by_point = {}
    for task in many:
        if task["family"] != "tfim_2d":
            by_point.setdefault((task["family"], task["point"]), set()).add(
                json.dumps(task["parameters"], sort_keys=True)
            )
    assert all(len(parameters) == 1 for parameters in by_point.values())


def test_interacting_families_may_have_more_points():
    """The first points stay what they are, in their order, and only those families whose mean field is not exact get more."""
    few, many = plan(2, [6, 8], 5), plan(2, [6, 8], 5, interacting=5)
    assert [t for t in many if t["point"] < 2] == few
    added = [t for t in many if t["point"] >= 2]
    assert {t["family"] for t in added} == set(INTERACTING)
    assert Counter(t["family"] for t in added) == dict.fromkeys(INTERACTING, 3 * 2)
    assert added == [t for t in plan(5, [6, 8], 5) if t["point"] >= 2 and t["family"] in INTERACTING]
    assert plan(2, [6, 8], 5, interacting=2) == few
    assert plan(2, [6], 5, interacting=0) == [t for t in plan(2, [6], 5) if t["family"] not in INTERACTING]


def test_interacting_families_are_those_that_are_corrected():
    """Of every family with parameters: is there anything that a free-fermion state cannot have?"""
    from qednas.qed.predictor.inputs import predictor_inputs

    systems = [t for t in plan(3, [8], 0) if FAMILIES[t["family"]].parameters]
    found = {t["family"] for t in systems if predictor_inputs(build(t["family"], 8, **t["parameters"])).gate > 0}
    assert found == set(INTERACTING)


def test_more_interacting_points_leave_the_others_as_they_are(dataset):
    """Labels of the shared systems are equal to the bit."""
    more = build_dataset(points=2, sizes=[6, 8], seed=3, interacting=3, work=Work(1))
    shared = more["point"] < 2
    assert (~shared).sum() == 2 * len(INTERACTING) == len(more["point"]) - len(dataset["point"])
    for name in ("family", "point", "sites", "parameters", "label", "energy", "gap", "sector", "degenerate"):
        np.testing.assert_array_equal(more[name][shared], dataset[name])
    for family in RECIPES:
        rows = len(dataset[f"proxies/{family}"])
        np.testing.assert_array_equal(more[f"proxies/{family}"][:rows], dataset[f"proxies/{family}"])
        assert len(more[f"proxies/{family}"]) == rows + (12 if family in INTERACTING else 0)  # 5 + 7 cuts
    assert more["summary"]["systems"] == len(more["point"])


def test_every_planned_system_can_be_built():
    tasks = plan(15, [10, 12, 14, 16], 0)
    for task in tasks:
        h = build(task["family"], task["sites"], **task["parameters"])
        assert h.conserves(h.sector)
        assert isinstance(RECIPES[task["family"]].label(**task["parameters"]), str)
    counts = Counter(t["family"] for t in tasks)
    assert counts.pop("mhs") == 4  # no parameters: one point
    assert set(counts.values()) == {15 * 4}


def test_the_paper_data_set_covers_every_class():
    labels = {RECIPES[t["family"]].label(**t["parameters"]) for t in plan(60, [10], 0)}
    assert labels >= {"gapped", "gapless", "critical", "topological", "long-range", "disordered"}


def test_labels_are_those_of_the_exact_ground_state(dataset):
    for sample in samples(dataset):
        h = sample.hamiltonian()
        assert (h.name, h.sites) == (sample.family, sample.sites)
        state = ground_state(h)
        assert sample.energy == state.energy
        want = np.array([[proxies(p)[name] for name in PROXIES] for p in state.spectra])
        np.testing.assert_allclose(sample.proxies, want, rtol=1e-6, atol=1e-6)  # stored in single precision
    lengths = dataset["sites"] - 1
    for family in RECIPES:
        rows = int(lengths[dataset["family"] == family].sum())
        assert dataset[f"proxies/{family}"].shape == (rows, len(PROXIES))
        assert dataset[f"levels/{family}"].shape == (rows, LEVELS_KEPT)


def test_levels_are_those_of_the_spectra():
    h = build("tfim", 8, h=0.9)
    label, state = label_state(h), ground_state(h)
    np.testing.assert_array_equal(label["levels"], [levels(p, LEVELS_KEPT) for p in state.spectra])
    assert label["gap"] == pytest.approx(state.gap)
    assert label["sector"] == "parity_x=+1"
    assert label["pinning"] == ""
    assert not label["degenerate"]


def test_degenerate_ground_states_are_marked():
    # without a field the bonds decide alone: inside prod X = +1 the next state is a kink away for tfim ...
    assert not label_state(build("tfim", 8, h=0.0))["degenerate"]
    # ... but frustrated Ising couplings at kappa = 1/2 without a field leave many ground states
    assert label_state(build("annni", 8, kappa=0.5, h=0.0))["degenerate"]


def test_the_number_of_workers_and_chunks_changes_nothing(dataset, tmp_path):
    parallel = build_dataset(points=2, sizes=[6, 8], seed=3, chunk=2, work=Work(2, tmp_path))
    resumed = build_dataset(points=2, sizes=[6, 8], seed=3, chunk=2, work=Work(1, tmp_path))
    for other in (parallel, resumed):
        assert set(other) == set(dataset)
        arrays = {name for name, value in dataset.items() if isinstance(value, np.ndarray)}
        assert len(arrays) >= 10 + 2 * len(RECIPES)
        for name in arrays:
            np.testing.assert_array_equal(other[name], dataset[name])
