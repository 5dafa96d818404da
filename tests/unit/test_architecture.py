"""Architectures as values: what a Hamiltonian tells, what may be chosen, building, saving, and bad input."""

import json

import pytest
import torch

from qednas.base.errors import InputError
from qednas.physics.families import build
from qednas.qed.blocks import registry
from qednas.qed.blocks.block import all_configurations
from qednas.qed.search.architecture import Architecture, architectures, every_part, part_parameters
from qednas.qed.search.ground_state import given_of, wrong_signs
from qednas.qed.search.network_files import load, save
from studies.ch05.rings import tfim_ring, tfim_torus


def test_what_a_hamiltonian_tells():
    ising = given_of(build("tfim", 8, h=1.0))
    assert (ising.positive, ising.even, ising.magnetisation, ising.is_ring) == (True, True, None, False)
    heisenberg = given_of(build("xxz", 8, delta=1.0))
    assert heisenberg.pattern == (False, True) * 4 or heisenberg.pattern == (True, False) * 4
    assert (heisenberg.positive, heisenberg.magnetisation) == (True, 0)
    assert not given_of(build("cluster", 8, h=0.5)).positive
    assert given_of(tfim_ring(8, 1.0)).is_ring
    assert not given_of(build("mixed_field_ising", 8, h=0.5, g=0.1)).even


def test_wrong_signs():
    """None without frustration; few in a weakly frustrated chain; about half of the weight in the cluster state."""
    for h in (build("tfim", 40, h=1.0), build("xxz", 40, delta=1.0), build("random_field", 40, w=1.0, disorder_seed=1)):
        assert wrong_signs(h) < 1e-12
    assert wrong_signs(tfim_torus(4, 4, 3.0)) == 0
    assert 0 < wrong_signs(build("j1j2", 40, j2=0.3)) < 0.01
    assert wrong_signs(build("cluster", 40, h=0.1)) > 0.3


@pytest.mark.parametrize("family", ["tfim", "xxz", "cluster", "mixed_field_ising"])
def test_every_part_is_a_state_of_the_system(family):
    h = build(
        family,
        8,
        **{"tfim": {"h": 1.0}, "xxz": {"delta": 1.0}, "cluster": {"h": 0.5}}.get(family, {"h": 1.0, "g": 0.2}),
    )
    given = given_of(h)
    bits = all_configurations(8)[::7]
    for kind, parts in every_part(given).items():
        assert kind in registry.kinds()
        for part in parts:
            block = Architecture((part,)).build(given)
            assert block.sites == 8
            assert block.parameter_count == part_parameters(part, given)
            values = block.log_psi(bits)
            if given.even and kind in ("jastrow", "rbm"):
                torch.testing.assert_close(values.real, block.log_psi(~bits.bool()).real)


def test_the_order_of_parts_does_not_matter_and_a_part_starts_alike_in_company():
    given = given_of(build("tfim", 8, h=1.0))
    one, two = Architecture(("mps/2", "jastrow/distance")), Architecture(("jastrow/distance", "mps/2"))
    assert one == two
    assert str(one) == "jastrow/distance + mps/2"
    alone = Architecture(("mps/2",)).build(given, 3).state_dict()
    together = one.build(given, 3).state_dict()
    for name, value in alone.items():
        torch.testing.assert_close(together[f"blocks.1.{name}"], value)
    assert one.parameters(given) == one.build(given).parameter_count


def test_all_architectures_within_a_budget():
    parts, sizes = {"a": ["a/1", "a/2"], "b": ["b/3"]}, {"jastrow/distance": 5, "mps/2": 7, "mps/4": 20}
    parts = {"jastrow": ["jastrow/distance"], "mps": ["mps/2", "mps/4"]}
    found = {str(a) for a in architectures(parts, sizes.__getitem__, 20)}
    assert found == {"jastrow/distance", "mps/2", "mps/4", "jastrow/distance + mps/2"}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "without a block"),
        (("cnn/3",), "block 'cnn'"),
        (("mps/0",), "size '0' of mps"),
        (("mps/4x4",), "size '4x4' of mps|size '4x4'"),
        (("jastrow/3",), "size '3' of jastrow"),
        (("rbm/4xx",), "size '4xx' of rbm"),
        (("mps/2", "mps/4"), "at most one block of a kind"),
    ],
)
def test_architectures_that_cannot_be_are_refused(parts, words):
    with pytest.raises(InputError, match=words):
        Architecture(parts)


def test_an_empty_search_space_is_refused():
    given = given_of(build("tfim", 8, h=1.0))
    with pytest.raises(InputError, match="'tree': one of jastrow, rbm"):
        every_part(given, ["tree"])
    with pytest.raises(InputError, match="at most 3 parameters: the search space is empty"):
        every_part(given, ["mps", "dense"], 3)
    with pytest.raises(InputError, match="search space is empty"):
        every_part(given, [])


def test_a_saved_network_comes_back_and_bad_files_are_told(tmp_path):
    h = build("cluster", 8, h=0.5)  # complex blocks
    given = given_of(h)
    architecture = Architecture(("jastrow/distance", "rbm/4x4", "mps/2"))
    block = architecture.build(given, 5)
    save(tmp_path, architecture, given, block, {"note": 1})
    again, record = load(tmp_path)
    bits = all_configurations(8)
    torch.testing.assert_close(again.log_psi(bits), block.log_psi(bits))
    assert record["note"] == 1
    text = (tmp_path / "network.json").read_text()
    for changed, words in (
        (text.replace('"version": 1', '"version": 9'), "version 9"),
        (text.replace("mps/2", "mps/4"), "weights are not those"),
        (text[:50], "no network can be read"),
        (json.dumps({"version": 1}), "no network can be read"),
    ):
        (tmp_path / "network.json").write_text(changed)
        with pytest.raises(InputError, match=words):
            load(tmp_path)
    (tmp_path / "network.json").unlink()
    with pytest.raises(InputError, match="no network can be read"):
        load(tmp_path)
