"""Every part that is meant to be added is added here from outside the package: one entry, no edit elsewhere."""

import pytest
import torch

from qednas.base.errors import InputError
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks import registry
from qednas.qed.search import search
from qednas.qed.search.architecture import Architecture, every_part
from qednas.qed.search.ground_state import given_of
from recurrent_block import Recurrent


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
    monkeypatch.setattr(search, "LEAST_SECONDS", 1.0)
    found = search.search(chain, seconds=4.0, blocks=["recurrent"], seed=1)
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
