"""Actor-critic: returns and losses by hand, runs that do not meet, and learning."""

import math

import pytest
import torch

from qednas.base.errors import InputError
from studies.ch10.actor_critic import DISCOUNT, Workers, losses, returns, train_agents
from studies.ch10.control import networks
from studies.ch10.grid import grid

EMPTY = "MiniGrid-Empty-5x5-v0"


def lived(**changed):
    """Three steps of one run in one environment, through poses 0, 1 and 2 to 3."""
    one = {
        "pose": [0, 1, 2], "action": [0, 1, 1], "reward": [0.0, 0.0, 0.0], "goal": [False] * 3, "cut": [False] * 3,
        "next": [1, 2, 3],
    } | changed  # fmt: skip
    return {name: torch.tensor(value)[:, None, None] for name, value in one.items()}


def test_returns_stop_at_the_goal_and_go_on_with_the_value_elsewhere():
    values = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    d = DISCOUNT
    assert returns(lived(), values).flatten().tolist() == pytest.approx([d**3 * 4, d**2 * 4, d * 4])
    reached = lived(goal=[False, True, False], reward=[0.0, 0.5, 0.0], next=[1, 1, 3])
    assert returns(reached, values).flatten().tolist() == pytest.approx([d * 0.5, 0.5, d * 4])
    cut = lived(cut=[False, True, False])
    assert returns(cut, values).flatten().tolist() == pytest.approx([d**2 * 3, d * 3, d * 4])


def test_the_loss_is_that_of_its_terms_one_by_one():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 4, 2, generator=generator)
    values = torch.randn(1, 4, generator=generator)
    wanted = returns(lived(), values).flatten()
    total = 0.0
    for pose, action, come in zip([0, 1, 2], [0, 1, 1], wanted.tolist(), strict=True):
        chances = torch.softmax(logits[0, pose], 0).tolist()
        advantage = come - float(values[0, pose])
        entropy = -sum(p * math.log(p) for p in chances)
        total += advantage**2 - math.log(chances[action]) * advantage - 0.01 * entropy
    assert float(losses(logits, values, lived())) == pytest.approx(total / 3, abs=1e-6)


def test_workers_act_as_their_policy_says_and_start_again_at_the_end():
    table = grid(EMPTY)
    policy = torch.zeros(2, len(table.views), 7)
    policy[0, :, 2] = 1  # forward, for ever against the wall
    policy[1] = 1 / 7
    workers = Workers(table, [3, 4], 500)
    first = workers.act(policy, table.horizon)
    assert first["action"][:, 0].unique().tolist() == [2]
    assert first["cut"][-1, 0].all()
    assert not first["cut"][:-1, 0].any()
    assert workers.rewards[0] == [0.0] * 500
    assert workers.pose[0].unique().tolist() == [table.start]
    counts = first["action"][:, 1].flatten().bincount(minlength=7).double()  # 50,000 draws
    error = (50_000 * (1 / 7) * (6 / 7)) ** 0.5
    assert (counts - 50_000 / 7).abs().max() < 4.5 * error  # fails once in 20,000 seeds


@pytest.mark.parametrize("method", ["fixed/2", "full", "random"])
def test_runs_do_not_meet(method):
    """Two seeds at their own rates come out as each does alone."""

    def trained(seeds, rates):
        own = ([method] * len(seeds), seeds, 2, 157)
        policy = networks(7, *own)
        return train_agents(policy, networks(1, *own), grid(EMPTY), seeds, 6, rates=rates, points=2)

    both = trained([0, 1], [0.01, 0.003])
    alone = [trained([0], [0.01]), trained([1], [0.003])]
    for name in ("reward", "success", "episodes"):
        for run in range(2):
            assert both[name][run] == pytest.approx(alone[run][name][0], abs=1e-5)


def test_an_agent_learns_the_way_to_the_goal():
    own = (["full"], [0], 1, 0)
    found = train_agents(networks(7, *own), networks(1, *own), grid(EMPTY), [0], 400, rates=[0.003], points=4)
    assert found["update"] == [100, 200, 300, 400]
    assert found["reward"][0][-1] > 0.9  # 0.955 is the most that there is; 0.2 at the start
    assert found["episodes"][0][-1] > 1000


def test_nothing_to_train_is_told():
    own = (["full"], [0], 1, 0)
    with pytest.raises(InputError, match="updates = 0"):
        train_agents(networks(7, *own), networks(1, *own), grid(EMPTY), [0], 0, rates=[0.1])
