"""The tables of empty grids act as the package that they were read off."""

import gymnasium
import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from studies.ch10.grid import ENVIRONMENTS, LARGEST, grid, outcome

FORWARD, RIGHT = 2, 1


@pytest.mark.parametrize("name", ENVIRONMENTS[:3])
def test_the_table_acts_as_the_environment(name):
    """Random actions, turns and steps preferred: what is seen, rewards and ends of episodes agree at every step."""
    table = grid(name)
    env = gymnasium.make(name)
    draws = np.random.default_rng(0)
    seen, _ = env.reset(seed=0)
    pose, steps, goals = table.start, 0, 0
    for _ in range(1500):
        assert np.array_equal(seen["image"].flatten(), (table.views[pose] * LARGEST).round().numpy())
        action = int(draws.choice(7, p=[0.1, 0.2, 0.6, 0.025, 0.025, 0.025, 0.025]))
        seen, reward, done, cut, _ = env.step(action)
        steps += 1
        assert bool(table.goal[pose, action]) == done
        assert (steps >= table.horizon and not done) == (cut and not done)
        if done:
            assert reward == pytest.approx(float(table.reward(torch.tensor(steps))), abs=1e-6)
            goals += 1
        pose = int(table.after[pose, action])
        if done or cut:
            seen, _ = env.reset(seed=0)
            pose, steps = table.start, 0
    assert goals > 5


def test_what_a_policy_comes_to_is_exact():
    """Straight to the goal; never there; and a random policy against episodes played with it."""
    table = grid("MiniGrid-Empty-5x5-v0")
    straight = torch.zeros(len(table.views), 7, dtype=torch.float64)
    straight[:, FORWARD] = 1
    pose = table.start
    while (ahead := int(table.after[pose, FORWARD])) != pose:
        pose = ahead
    straight[pose] = torch.eye(7, dtype=torch.float64)[RIGHT]  # at the wall turn to the goal
    idle = torch.zeros_like(straight)
    idle[:, 6] = 1
    uniform = torch.full_like(straight, 1 / 7)
    found = outcome(torch.stack([straight, idle, uniform]), table)
    assert found["success"][:2].tolist() == [1, 0]
    assert found["steps"][0] == pytest.approx(5, abs=1e-12)
    assert found["reward"][0] == pytest.approx(1 - 0.9 * 5 / 100, abs=1e-12)
    assert found["reward"][1] == 0

    draws = np.random.default_rng(1)
    rewards = []
    for _ in range(1000):
        pose, reward = table.start, 0.0
        for step in range(1, table.horizon + 1):
            action = int(draws.integers(7))
            if table.goal[pose, action]:
                reward = 1 - 0.9 * step / table.horizon
                break
            pose = int(table.after[pose, action])
        rewards.append(reward)
    error = np.std(rewards) / len(rewards) ** 0.5
    assert abs(np.mean(rewards) - float(found["reward"][2])) < 4 * error  # fails once in 16,000 seeds


def test_another_environment_is_told():
    with pytest.raises(InputError, match=r"environment 'CartPole-v1': one of MiniGrid-Empty-5x5-v0, "):
        grid("CartPole-v1")
