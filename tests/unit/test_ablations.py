"""The study of chapter 6 on chains small enough to check: what is counted, ranked and compared."""

import numpy as np
import pytest
import torch

from qednas.base.parallel import Work
from qednas.physics.exact import ground_state
from qednas.qed.search.supernet import Supernet
from studies.ch06.ablations import VARIANTS, large_ablation, small_ablation, wanted_proxies
from studies.ch06.every_architecture import architectures_within, contained, every_architecture, space_of

SYSTEMS = [
    {"family": "tfim", "sites": 6, "parameters": {"h": 1.0}},
    {"family": "xxz", "sites": 6, "parameters": {"delta": 0.5}},
]


@pytest.fixture(scope="module")
def space():
    return every_architecture(SYSTEMS, budget=10, seeds=2, steps=25, work=Work(1))


def test_every_architecture_within_the_budget_is_trained(space):
    for system, found in zip(SYSTEMS, space["systems"], strict=True):
        hamiltonian, given, parts, most = space_of(system, 10)
        assert [tuple(r["architecture"]) for r in found["rows"]] == [
            a.parts for a in architectures_within(given, parts, most)
        ]
        assert found["exact"] == pytest.approx(ground_state(hamiltonian).energy)
        assert all(r["parameters"] <= most for r in found["rows"])
        errors = np.array([r["relative"] for r in found["rows"]])
        assert errors.shape[1] == 2
        assert errors.min() > -1e-9
        assert np.median(errors) < 1e-2
        best = found["rows"][int(errors.mean(1).argmin())]
        assert best["entropy"][0] == pytest.approx(found["proxies"]["entropy"], abs=0.02)


def test_a_supernet_with_closed_gates_is_the_network_itself(monkeypatch):
    assert contained(SYSTEMS, 10)["worst"] < 1e-10
    assert contained(SYSTEMS, 10)["count"] > 10
    shut = Supernet.set_gates
    monkeypatch.setattr(Supernet, "set_gates", lambda net, gates: shut(net, 0.9 * gates))
    assert contained(SYSTEMS, 10)["worst"] > 0.05


def test_variants_are_ranked_among_all_architectures(space):
    torch.set_num_threads(1)
    found = small_ablation(
        {"06/space": space}, variants=["standard", "no entanglement", "plain"], settings={"steps": 10}, work=Work(1)
    )
    assert len(found["runs"]) == 2 * 3 * 2
    for run in found["runs"]:
        rows = next(s["rows"] for s in space["systems"] if s["system"] == run["system"])
        own = next(r for r in rows if r["architecture"] == run["architecture"])
        assert run["relative"] == own["relative"][run["seed"]]
        better = sum(r["relative"][run["seed"]] < run["relative"] for r in rows)
        assert run["rank"] == pytest.approx(better / (len(rows) - 1))
        assert -1 <= run["tau"] <= 1
    assert set(found["compared"]) == {"no entanglement", "plain"}
    assert (found["compared"]["plain"]["pairs"], found["compared"]["plain"]["tasks"]) == (4, 2)
    standard = [np.log(r["relative"]) for r in found["runs"] if r["variant"] == "standard"]
    other = [np.log(r["relative"]) for r in found["runs"] if r["variant"] == "no entanglement"]
    assert found["summary"]["matching_gain"] == pytest.approx(np.mean(other) - np.mean(standard))
    assert found["timing"]["cost_ratio"] > 0


def test_whose_proxies_are_wanted():
    task = {"system": SYSTEMS[0], "other": SYSTEMS[1], "proxies": {"entropy": 0.123}}
    assert wanted_proxies(VARIANTS["reference"], task) == {"entropy": 0.123}
    own, other = (wanted_proxies(VARIANTS[v], task)["entropy"] for v in ("standard", "wrong"))
    swapped = wanted_proxies(VARIANTS["standard"], task | {"system": SYSTEMS[1]})["entropy"]
    assert other == swapped != own


def test_long_chains_are_searched_and_what_was_found_is_trained_alone():
    systems = [  # those of the smoke profile, whose steps have measured costs
        {"family": "xy", "sites": 12, "parameters": {"gamma": 0.5, "h": 1.0}},
        {"family": "xxz", "sites": 12, "parameters": {"delta": 0.5}},
    ]
    found = large_ablation(
        systems, budget=12, variants=["standard", "plain"], seeds=1, seconds=0.8, train_seconds=0.6,
        settings={"samples": 48}, work=Work(1),
    )  # fmt: skip
    assert len(found["runs"]) == 4
    for run in found["runs"]:
        assert run["parameters"] <= 144
        assert run["relative"] > -3 * run["error"] / abs(run["energy"]) - 1e-9
        assert run["steps"] > 1
    assert found["compared"]["plain"]["pairs"] == 2
