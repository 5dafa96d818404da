"""Empty grids of MiniGrid as tables.

In an empty grid nothing changes but where the agent is and looks, so a few dozen poses are all there is: what is seen from each,
and where each action leads, is read off the package once.  Then many agents act at the cost of looking up, and what a policy
earns on average is a product of matrices and not an estimate.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from qednas.base.errors import InputError

ENVIRONMENTS = tuple(f"MiniGrid-Empty-{side}x{side}-v0" for side in (5, 6, 8, 16))
LARGEST = 10.0  # the numbers that code what is seen: divided by it they are below 1


@dataclass(frozen=True)
class Grid:
    """views: what is seen (poses, 147), 7 x 7 tiles of kind, colour and state.  after: pose by pose and action (poses, 7), the
    agent's own after it reached the goal.  goal: whether the action reaches the goal.  horizon: steps until an episode ends."""

    views: torch.Tensor
    after: torch.Tensor
    goal: torch.Tensor
    start: int
    horizon: int

    def reward(self, steps: torch.Tensor) -> torch.Tensor:
        """For the goal, reached in so many steps (this one included)."""
        return 1 - 0.9 * steps / self.horizon


@cache
def grid(name: str) -> Grid:
    """The environment of that name, one of :data:`ENVIRONMENTS`; raises InputError for others."""
    if name not in ENVIRONMENTS:
        raise InputError(f"environment {name!r}: one of {', '.join(ENVIRONMENTS)}")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import gymnasium
    import minigrid  # noqa: F401  (registers its environments)

    env: Any = gymnasium.make(name).unwrapped
    env.reset(seed=0)
    poses, views, after, goal = [pose_of(env)], [], [], []
    for pose in poses:  # grows while poses are found
        place(env, pose)
        views.append(env.gen_obs()["image"].flatten())
        rows = []
        for action in range(env.action_space.n):
            place(env, pose)
            _, _, done, _, _ = env.step(action)
            new = pose_of(env)
            if not done and new not in poses:
                poses.append(new)
            rows.append((poses.index(pose if done else new), done))
        after.append([to for to, _ in rows])
        goal.append([done for _, done in rows])
    tiles = torch.tensor([view.tolist() for view in views]) / LARGEST
    return Grid(tiles, torch.tensor(after), torch.tensor(goal), 0, int(env.max_steps))


def pose_of(env: Any) -> tuple[int, int, int]:
    """Column, row and direction of the agent."""
    column, row = env.agent_pos
    return int(column), int(row), int(env.agent_dir)


def place(env: Any, pose: tuple[int, int, int]) -> None:
    env.agent_pos, env.agent_dir, env.step_count = pose[:2], pose[2], 0


def outcome(policy: torch.Tensor, grid: Grid) -> dict[str, torch.Tensor]:
    """What policies (runs, poses, actions), probabilities, come to in an episode, exactly; each (runs,).

    ``success``: probability to reach the goal; ``steps``: their mean number where it does; ``reward``: its mean.
    """
    runs, poses, actions = policy.shape
    policy = policy.double()
    moves = torch.zeros(poses, actions, poses, dtype=torch.float64)
    moves.scatter_(2, grid.after[:, :, None], (~grid.goal).double()[:, :, None])
    onward = torch.einsum("rsa,sat->rst", policy, moves)
    reached = torch.einsum("rsa,sa->rs", policy, grid.goal.double())
    now = torch.zeros(runs, 1, poses, dtype=torch.float64)
    now[:, 0, grid.start] = 1
    arrivals = []
    for _ in range(grid.horizon):
        arrivals.append((now[:, 0] * reached).sum(1))
        now = now @ onward
    arrived = torch.stack(arrivals, 1)  # (runs, steps)
    steps = torch.arange(1, grid.horizon + 1, dtype=torch.float64)
    success = arrived.sum(1)
    return {
        "success": success,
        "steps": (arrived @ steps) / success.clamp(min=1e-300),
        "reward": arrived @ grid.reward(steps),
    }
