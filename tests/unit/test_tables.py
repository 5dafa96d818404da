"""The tables of chapters 2-4 say what the stored results hold."""

import pytest

from qednas.base.parallel import Work
from qednas.companion import paths
from qednas.companion.results.store import load
from qednas.physics.entanglement import PROXIES
from studies.ch02 import tables as dataset_tables
from studies.ch02.dataset import build_dataset
from studies.ch02.recipes import RECIPES
from studies.ch03 import tables as predictor_tables
from studies.ch04 import tables
from studies.ch04.references import title
from studies.ch04.targets import METHODS

COMMITTED = paths.paper_results(paths.project_root())


@pytest.fixture(scope="module")
def dataset():
    return build_dataset(points=1, sizes=[6, 8], seed=0, work=Work(1))


def test_card_has_every_family_with_its_policy(dataset):
    rows = dataset_tables.card(dataset)
    assert [r["family"] for r in rows] == list(RECIPES)
    assert sum(r["systems"] for r in rows) == len(dataset["family"])
    policy = {r["family"]: r["made unique by"] for r in rows}
    assert policy["tfim"] == "parity_x=+1"
    assert "boundary stabilisers" in policy["cluster"]
    assert policy["mixed_field_ising"] == "nothing needed"


def test_card_entropies_are_those_of_the_half_chain(dataset):
    [row] = [r for r in dataset_tables.card(dataset) if r["family"] == "mhs"]
    assert row["entropy"].split(dataset_tables.TO) == [
        "0.96",
        "1.05",
    ]  # exact values 0.955714 (N = 6) and 1.049530 (N = 8)


def test_schema_names_every_array_once(dataset):
    names = [r["array"] for r in dataset_tables.schema(dataset)]
    assert len(names) == len(set(names))
    assert {"energy", "gap", "proxies/<family>", "levels/<family>"} <= set(names)


def test_evidence_shows_every_reference_and_its_flag():
    references = load(COMMITTED, "04/references")
    rows = tables.evidence(references)
    assert [r["target"] for r in rows] == [title(t) for t in references["targets"]]
    assert [r["converged"] in ("yes", "exact") for r in rows] == [t["converged"] for t in references["targets"]]
    for row, target in zip(rows, references["targets"], strict=True):
        assert (row["converged"] == "exact") == (target["method"] == "free-fermion")
        if row["E - exact"]:
            energy, entropy = (float(row[k].replace("−", "-")) for k in ("E - exact", "S - exact"))
            assert abs(energy) <= 1e-8 * abs(target["energy"])
            assert abs(entropy) <= 1e-5


def test_comparison_and_groups_show_the_compared_targets():
    result = load(COMMITTED, "04/targets")
    assert len(tables.comparison(result)) == result["compared"]
    rows = tables.by_group(result["summary"])
    numbers = {r["targets of"]: r["number"] for r in rows}
    classes = {r["class"] for r in result["rows"]}
    assert numbers["all"] == sum(numbers[label] for label in classes) == result["compared"]
    assert all(set(PROXIES) <= set(r) for r in rows)
    assert len(tables.bars(result["bars"])) == len(result["bars"])
    assert [r["method"] for r in tables.rivals(result["summary"])] == list(METHODS.values())


def test_split_tables_have_every_part():
    found = {name: load(COMMITTED, f"03/{name}") for name in ("random", "sizes", "critical", "families", "on_mixtures")}
    records = predictor_tables.split_records(*found.values())
    assert len(records) == 3 + len(found["sizes"]["sizes"]) + len(found["families"]["families"])
    rows = predictor_tables.splits(records)
    assert [r["held out"] for r in rows] == list(records)
    assert len(predictor_tables.ablation(load(COMMITTED, "03/ablation"))) >= 6
    assert len(predictor_tables.refinements(found["random"]["refined"])) == 2


def test_costs_show_every_timed_target():
    result = load(COMMITTED, "04/cost")
    assert len(tables.costs(result)) == len(result["targets"])
