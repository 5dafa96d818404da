"""Ablations of the search: what is left out is out, and what is kept fixed stays."""

import pytest
import torch

from qednas.base.parallel import Work
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent
from studies.ch11.ablation import (
    EQUAL,
    RULES,
    build_generators,
    discrete_runs,
    discretised,
    run_discrete,
    run_variant,
    select_candidates,
)

TASK = {"dataset": "narma5", "variant": "x", "rate": 0.01, "depth": 2, "epochs": 2, "seeds": [0, 1]}


def test_rules_keep_the_largest():
    """By size, whatever the sign; at least one."""
    structure = torch.full((2, 12), 0.01)
    structure[0, [3, 5, 8, 9]] = torch.tensor([-0.5, 0.2, 0.3, 0.09])
    assert select_candidates(structure, "top 1")[0].nonzero().flatten().tolist() == [3]
    assert select_candidates(structure, "top 3")[0].nonzero().flatten().tolist() == [3, 5, 8]
    assert select_candidates(structure, "threshold")[0].nonzero().flatten().tolist() == [3, 5, 8, 9]
    assert bool(select_candidates(structure, "threshold")[1].any())


def test_what_is_left_out_is_out():
    """One candidate left gives the weights of that candidate alone, scaled by its structural weight."""
    net = build_generators(TASK)
    with torch.no_grad():
        net.structural[:, 1] = torch.tensor([0.5, -0.7])
    made = discretised(net, "top 1")
    for run, (seed, weight) in enumerate(((0, 0.5), (1, -0.7))):
        alone = Generator(Recurrent(), 2, pool=[PAPER[1]], seed=seed)
        with torch.no_grad():
            alone.angles.copy_(net.angles[run, 0])
            for mine, theirs in ((alone.map.of_bits, net.of_bits), (alone.map.constant, net.constant)):
                mine.copy_(theirs[run])
            alone.map.of_probability.copy_(net.of_probability[run] * weight)
            for name, value in alone.weights().items():
                assert torch.allclose(made.weights()[name][run], value, atol=1e-5)
    assert bool(net.members.all())


def test_angles_of_their_own_start_equal_and_part():
    together, apart = build_generators(TASK), build_generators({**TASK, "separate": True})
    for name, value in together.weights().items():
        assert torch.allclose(value, apart.weights()[name], atol=1e-6)
    assert apart.angles.shape == (2, 6, 2, 11)
    run_ = run_variant({**TASK, "separate": True})["runs"][0]
    assert run_["trained"] == 6 * 22 + 12 + 13
    (sum(v.square().sum() for v in apart.weights().values())).backward()
    assert not torch.allclose(apart.angles.grad[0, 0], apart.angles.grad[0, 1])


def test_structural_weights_that_are_given_stay():
    structure = torch.linspace(-0.2, 0.3, 12).tolist()
    found = run_variant({**TASK, "structure": structure})["runs"]
    for run in found:
        assert run["structure"] == pytest.approx(structure, abs=1e-4)
        assert run["trained"] == 22 + 13
        assert len(run["before"]) == 6
        assert run["before"] != run["after"]


def test_the_repaired_pool_is_alive():
    run = run_variant({**TASK, "pool": "repaired", "seeds": [0]})["runs"][0]
    assert len(run["after"]) == 12


def test_every_rule_is_run_three_ways():
    found = run_discrete(TASK)["runs"]
    wanted = [f"{rule}, {how}" for rule in RULES for how in ("as found", "trained on", "from the start")]
    assert list(dict.fromkeys(r["variant"] for r in found)) == ["searched", "searched, trained on", *wanted]
    assert all(r["count"] == 1 for r in found if r["variant"].startswith("top 1"))
    assert all(0 <= r["inert"] <= r["count"] for r in found if "count" in r)
    assert EQUAL == pytest.approx(1 / 12)
    assert len(discrete_runs(["narma5"], 1, 0.01, 1, 1, work=Work(1))["runs"]) == 11
