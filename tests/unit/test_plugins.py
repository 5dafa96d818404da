"""Every part that is meant to be added is added here from outside the package: one entry, no edit elsewhere."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.companion.results.result import load
from qednas.data import images
from qednas.diffqas.networks import multilayer
from qednas.diffqas.tasks.classify import classify, train_classifier
from qednas.diffqas.tasks.classify import load as load_images
from qednas.physics import families
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.hamiltonian import Sector
from qednas.physics.reference import reference
from qednas.qed.blocks import registry
from qednas.qed.predictor.predictor import shipped_predictor
from qednas.qed.search import search, trained_alone
from qednas.qed.search.architecture import Architecture, every_part
from qednas.qed.search.ground_state import given_of
from qednas.qnas.loop import Search
from qednas.qnas.methods import has_surrogate, methods
from qednas.qnas.space import registry as parts_of_searches
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.space import Space
from recurrent_block import Recurrent
from small_project import INFO, SUPPORT, notebook, write_project
from studies.spaces import data_sets, trained_spaces
from studies.spaces.schedule import Schedule
from studies.spaces.trained_tables import train_space, trained_table, write_trainings


@pytest.fixture
def recurrent(monkeypatch):
    """A recurrent network as a kind of block of its own."""
    registry.kinds()  # what is there already
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    return registry.register(
        registry.Kind(
            name="recurrent",
            place=25,
            sizes=("4", "6"),
            build=lambda size, given, generator: Recurrent(
                given.sites, int(size), magnetisation=given.magnetisation, phase=not given.positive, generator=generator
            ),
            allows=registry.is_count,
        )
    )


def test_a_block_is_added_by_one_entry(recurrent, monkeypatch):
    chain = build("tfim", 8, h=1.0)
    given = given_of(chain)
    assert list(registry.kinds()) == ["jastrow", "rbm", "recurrent", "mps", "dense", "attention"]
    assert every_part(given)["recurrent"] == ["recurrent/4", "recurrent/6"]
    assert str(Architecture(("mps/2", "recurrent/4"))) == "recurrent/4 + mps/2"
    with pytest.raises(InputError, match=r"size 'x' of recurrent: like 4, 6"):
        Architecture(("recurrent/x",))
    assert isinstance(Architecture(("recurrent/6",)).build(given), Recurrent)
    for module in (search, trained_alone):
        monkeypatch.setattr(module, "STEPS", 8)  # what is left of the time then does not matter
    found = search.search(chain, seconds=1000.0, blocks=["recurrent"], seed=1)
    assert found["architecture"] in (["recurrent/4"], ["recurrent/6"])
    assert found["energy"] >= ground_state(chain).energy - 3 * found["energy_std"]


def test_a_kind_that_is_there_or_says_nothing_is_refused(recurrent):
    for kind, problem in (
        (recurrent, "block 'recurrent' is there already"),
        (registry.Kind("two words", 1, ("1",), recurrent.build, recurrent.allows), "a name is one word"),
        (registry.Kind("none", 1, (), recurrent.build, recurrent.allows), "no sizes"),
    ):
        with pytest.raises(InputError, match=problem):
            registry.register(kind)


def test_making_ready_leaves_no_loop_to_compile():
    registry.make_ready()
    for name in ("jastrow", "rbm", "mps"):
        assert registry.kind(name).warm_up(torch.float64).sites == 8


def test_a_family_is_added_by_one_entry(monkeypatch):
    monkeypatch.setattr(families, "FAMILIES", dict(families.FAMILIES))

    def terms(sites, j):
        """XX on every bond, and a field along Z on every site."""
        yield from (("XX", bond, -j) for bond in families.bonds(sites))
        yield from (("Z", (i,), -1.0) for i in range(sites))

    rotated = families.Family(
        formula="-j sum XX - sum Z", parameters={"j": (0.0, 10.0)}, phases="gapped, critical", terms=terms,
        sector=Sector("parity_z", 1),
    )  # fmt: skip
    families.register("rotated_ising", rotated)
    own, known = build("rotated_ising", 10, j=0.5), build("tfim", 10, h=2.0)
    assert ground_state(own).energy == pytest.approx(ground_state(known).energy / 2, abs=1e-10)
    assert reference(own)["entropy"] == pytest.approx(reference(known)["entropy"], abs=1e-8)
    predicted, wanted = (shipped_predictor().predict(h)["proxies"]["entropy"] for h in (own, known))
    assert predicted == pytest.approx(wanted, rel=1e-6)
    for name in ("rotated_ising", "two words"):
        with pytest.raises(InputError, match=f"family '{name}': (it is there already|a name is one word)"):
            families.register(name, rotated)


@pytest.fixture
def parts(monkeypatch):
    """The parts of a search, and room for more."""
    methods()
    monkeypatch.setattr(parts_of_searches, "_ENTRIES", dict(parts_of_searches._ENTRIES))


def test_an_optimiser_is_added_by_one_entry(parts):
    @parts_of_searches.optimiser("cheapest-first", batch=2)
    class CheapestFirst(Optimiser):
        """Measures the configurations of the lowest cost, each once."""

        def sample(self, cost, shots, rng, earlier=None):
            digits = cost.space.digits(np.arange(int(cost.space.size)))
            return Samples(digits[np.argsort(cost.costs(digits))[:shots]], calls={"lists": 1})

    assert has_surrogate("cheapest-first")
    found = Search({"a": [0, 1, 2, 3], "b": [0, 1, 2, 3]}, "cheapest-first", seed=1)
    while len(found) < 14:
        choices = found.ask()
        found.tell(choices, -((int(choices["a"]) - 2) ** 2) - (int(choices["b"]) - 1) ** 2)
    assert found.result()["best"] == {"a": "2", "b": "1"}
    assert found.memory["calls"]["lists"] >= 1


def test_a_searcher_is_added_by_one_entry(parts):
    @parts_of_searches.searcher("first-listed")
    class FirstListed:
        """Asks for what comes first in the list of what may be asked for."""

        def ask(self, history, candidates, count, rng, memory):
            return candidates.listed()[:count]

    assert list(methods())[-1] == "first-listed"
    search = Search({"a": [0, 1, 2]}, "first-listed")
    seen = []
    for _ in range(3):
        choices = search.ask()
        seen.append(choices["a"])
        search.tell(choices, 0.0)
    assert seen == ["0", "1", "2"]
    with pytest.raises(InputError, match="searcher 'random' is there already"):
        parts_of_searches.searcher("random")(FirstListed)


def test_a_trained_space_is_added_by_one_entry(monkeypatch, tmp_path):
    """Its networks are trained, its table is written and searched."""
    monkeypatch.setattr(trained_spaces, "SPACES", dict(trained_spaces.SPACES))
    monkeypatch.setattr(data_sets, "PROBLEMS", dict(data_sets.PROBLEMS))
    data_sets.register("dots", lambda name: dots())
    space = Space.of({"width": ("2", "8"), "bias": ("no", "yes")})

    def network(choices, shape, classes):
        width, bias = int(choices["width"]), choices["bias"] == "yes"
        return nn.Sequential(nn.Linear(shape[0], width, bias), nn.Tanh(), nn.Linear(width, classes, bias))

    trained_spaces.register(trained_spaces.TrainedSpace("dots", space, network, "dots", Schedule(8, 20, 0.05)))
    trainings = train_space("dots", work=Work(1))
    write_trainings("dots", trainings, tmp_path)
    table = trained_table("dots", tmp_path)
    assert table.means.shape == (4,)
    assert table.means.max() > 90
    with pytest.raises(InputError, match="trained space 'dots' is there already"):
        trained_spaces.register(trained_spaces.SPACES["dots"])


def dots() -> data_sets.Problem:
    """Points left and right of a line."""
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(300, 2, generator=draws)
    y = (x.sum(1) > 0).to(torch.int64)
    cut = {"train": slice(0, 200), "held": slice(200, 250), "test": slice(250, 300)}
    return data_sets.Problem("dots", {part: (x[own], y[own]) for part, own in cut.items()}, (2,), 2)


def test_an_image_data_set_is_added_by_one_entry(monkeypatch):
    monkeypatch.setattr(images, "_SETS", dict(images._SETS))

    def read(folder, part):
        """Bright on the left or on the right."""
        rng = np.random.default_rng(0 if part == "train" else 1)
        labels = rng.integers(0, 2, 200 if part == "train" else 50)
        pixels = rng.integers(0, 60, (len(labels), 4, 4))
        pixels[np.arange(len(labels)), :, 3 * labels] += 190
        return pixels.astype(np.uint8), labels

    images.register("halves", images.ImageSet(read, None))
    assert images.images("halves", "train")[0].max() <= 1
    assert (
        classify("halves", "0,1", depth=1, epochs=1, seed=0, hidden=(4,))["target_parameters"] == 16 * 4 + 4 + 4 * 2 + 2
    )
    data = load_images("halves", "0,1")
    history = train_classifier(multilayer(data.pixels, 2, hidden=(8,)), data, 20, batch=20, rate=0.01)
    assert history["test_accuracy"][-1] > 0.9
    with pytest.raises(InputError, match="data set 'halves' is there already"):
        images.register("halves", images.ImageSet(read, None))


def test_a_chapter_is_added_by_its_notebook_its_settings_and_its_place(tmp_path, monkeypatch):
    root = write_project(tmp_path)
    sources = [
        "import companion_tasks as t, os\nfrom qednas.companion.chapter import Chapter\n"
        'ch = Chapter("07", profile=profile, seed=seed)',
        'seven = ch.get_or_run("seven", t.plain, log=os.environ["TASK_LOG"], value=7)\nch.say("{v}", v=seven["value"])',
    ]
    (root / "book" / "07_seven.ipynb").write_text(json.dumps(notebook(sources)))
    (root / "book" / "chapters" / "07.yml").write_text(INFO.format(number="07"))
    with (root / "_toc.yml").open("a") as contents:
        contents.write("- file: book/07_seven\n")
    values = {"QEDNAS_ROOT": str(root), "PYTHONPATH": str(SUPPORT), "TASK_LOG": str(root / "calls.log")}
    command = [sys.executable, "-m", "qednas.companion.runner"]
    for arguments in (["reproduce", "--only", "07"], ["accept", "--only", "07"], ["verify", "--only", "07"]):
        done = subprocess.run([*command, *arguments], env={**os.environ, **values}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert load(root / "results" / "paper", "07/seven")["value"] == 7
