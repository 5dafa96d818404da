"""The whole search on short chains: the network, its files, the interruption, the command line and bad input."""

import itertools
import json

import numpy as np
import pytest

from qednas.base.errors import InputError, NumericalError
from qednas.cli import commands as cli
from qednas.physics.entanglement import proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks.block import exact_state
from qednas.qed.search import search as module
from qednas.qed.search import trained_alone
from qednas.qed.search.architecture import Architecture, every_part
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.network_files import load
from qednas.qed.search.search import halving, search


@pytest.fixture
def quick(monkeypatch):
    """Short searches are allowed, and stop at a number of steps that does not depend on the machine."""
    monkeypatch.setattr(module, "LEAST_SECONDS", 0.5)
    monkeypatch.setattr(module, "STEPS", 8)
    for name, value in (("STEPS", 8), ("LEAST_RECORDS", 8), ("MOST_RECORDS", 8), ("WARM_UP", 10)):
        monkeypatch.setattr(trained_alone, name, value)


def test_a_search_finds_a_network_close_to_the_ground_state(tmp_path, quick):
    h = build("tfim", 8, h=1.0)
    exact = ground_state(h)
    lines = []
    found = search(h, 1000.0, folder=tmp_path / "run", progress=lines.append, budget=300)
    assert found["energy"] == pytest.approx(exact.energy, rel=2e-2)
    assert found["energy"] > exact.energy - 3 * found["energy_std"]
    assert found["parameters"] <= 300
    assert found["entropy_kind"] == "von Neumann"
    assert [row["rounds"] for row in found["candidates"]].count(3) == 1
    assert len({tuple(row["architecture"]) for row in found["candidates"]}) == 6
    assert lines[0].startswith("phase 1")
    for kind, values in found["probabilities"].items():
        assert sum(values.values()) == pytest.approx(1)
        assert next(iter(values)) == "none", kind
    block, record = load(tmp_path / "run")
    assert record["result"]["architecture"] == record["parts"] == found["architecture"]
    psi = exact_state(block)
    assert abs(np.vdot(psi, exact.vector)) > 0.9
    assert not list((tmp_path / "run" / "checkpoint").iterdir())


def test_an_interrupted_search_goes_on(tmp_path, quick):
    """Stopped in the third phase and taken up: the same network, but for schedules that follow the clock."""
    h = build("xxz", 6, delta=1.0)
    whole = search(h, 1000.0, folder=tmp_path / "whole", blocks=["jastrow", "mps"])

    class Interrupted(Exception):
        pass

    def stop(text):
        if text.startswith("phase 3, round 2"):
            raise Interrupted

    with pytest.raises(Interrupted):
        search(h, 1000.0, folder=tmp_path / "cut", blocks=["jastrow", "mps"], progress=stop)
    assert list((tmp_path / "cut" / "checkpoint").iterdir())
    with pytest.raises(InputError, match="another system"):
        search(build("xxz", 6, delta=0.9), 1000.0, folder=tmp_path / "cut", blocks=["jastrow", "mps"])
    rest = search(h, 1000.0, folder=tmp_path / "cut", blocks=["jastrow", "mps"])
    assert rest["architecture"] == whole["architecture"]
    np.testing.assert_allclose(rest["history"]["energy"], whole["history"]["energy"], rtol=1e-5)


def test_time_is_kept(quick):
    found = search(build("tfim", 8, h=1.5), 4.0, blocks=["jastrow"], seed=1)
    assert found["seconds"] < 7.0


def test_time_that_is_too_short_for_a_step_is_told():
    """By a clock that goes on by a second whenever it is looked at."""
    h = build("tfim", 8, h=1.5)
    given, ticks = given_of(h), itertools.count()
    parts = every_part(given, ["jastrow"], 100)["jastrow"]
    ranked = [Architecture((part,)) for part in parts]
    with pytest.raises(InputError, match="too little for one step of training"):
        halving(h, given, ranked, 0.5, 0, clock=lambda: float(next(ticks)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seconds", "2"], "seconds = 2: too little"),
        (["--seconds", "soon"], "--seconds soon"),
        (["--seed", "-1"], "--seed -1"),
        (["--seed", "1.5"], "--seed 1.5"),
        (["--blocks", "rbm,tree"], "'tree': one of jastrow, rbm, mps, dense, attention"),
        (["--blocks", ","], "search space is empty"),
        (["--parameters", "2"], "at most 2 parameters: the search space is empty"),
        (["--parameters", "many"], "--parameters many"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, arguments, words):
    status = cli.main(["search", "tfim", "--sites", "8", "-p", "h=1", "--out", str(tmp_path / "x"), *arguments])
    out, err = capsys.readouterr()
    assert status == 2
    assert words in err
    assert err.count("\n") == 1
    assert not out
    assert not (tmp_path / "x").exists()


def test_the_command_prints_one_object(capsys, quick):
    status = cli.main(
        ["search", "tfim", "--sites", "6", "-p", "h=1.5", "--seconds", "3", "--blocks", "jastrow", "--json"]
    )
    out, err = capsys.readouterr()
    assert status == 0
    found = json.loads(out)
    assert {"architecture", "energy", "energy_std", "v_score", "entropy", "parameters", "seconds", "history"} <= set(
        found
    )
    assert "phase 1" in err


def test_the_package_offers_what_users_call(quick):
    """Everything that it names, from the top; anything else is missing as usual."""
    import qednas
    from qednas import families, predict

    assert all(callable(getattr(qednas, name)) for name in qednas.__all__ if name != "families")
    h = families.build("tfim", 6, h=1.5)
    assert predict(h)["proxies"]["entropy"] == pytest.approx(proxies(ground_state(h).spectra[2])["entropy"], rel=1e-6)
    assert qednas.search is search
    with pytest.raises(InputError, match="at least 4 sites"):
        predict(families.build("tfim", 3, h=1.0))
    with pytest.raises(AttributeError, match="no attribute 'tree'"):
        qednas.tree  # noqa: B018


def test_a_network_that_cannot_be_trained_drops_out(monkeypatch):
    h = build("tfim", 8, h=1.0)
    given = given_of(h)
    ranked = [Architecture(("rbm/4x4",)), Architecture(("mps/2",))]
    whole = module.train

    def spoilt(hamiltonian, block, *rest, **options):
        if "MPS" in type(block).__name__:
            raise NumericalError("no configuration can be drawn")
        return whole(hamiltonian, block, *rest, **options)

    monkeypatch.setattr(module, "train", spoilt)
    best, told = module.halving(h, given, ranked, 0.6, 0, rounds=((2, 0.5), (2, 0.5)))
    assert best.architecture.parts == ("rbm/4x4",)
    assert told[1]["failed"] == "no configuration can be drawn"
    with pytest.raises(NumericalError, match="no configuration can be drawn"):
        module.halving(h, given, ranked[1:], 0.6, 0)
