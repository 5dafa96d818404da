"""Synchronous advantage actor-critic (Mnih et al., ICML 2016) on a grid, many agents with their own seeds side by side.

Settings of the paper where it has them: 16 environments, an update every 5 steps, discount 0.9, Adam with betas (0.92, 0.999).
An update takes the mean over all environments; in the paper they act asynchronously.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypedDict, cast

import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.own_rates import OwnRates
from studies.ch10.grid import Grid, outcome

WORKERS, STEPS, DISCOUNT, BETAS = 16, 5, 0.9, (0.92, 0.999)
ENTROPY = 0.01  # weight of the entropy of the policy; the paper does not tell any
LATE = 5000  # episodes at the end that the paper looks at


def of_pose(values: torch.Tensor, poses: torch.Tensor) -> torch.Tensor:
    """Rows (runs, many, ...) of ``values`` (runs, poses, ...) at ``poses`` (runs, many)."""
    return values[torch.arange(len(values))[:, None], poses]


class Workers:
    """Environments of every run and the agents in them; ``seeds`` draw the actions of each run."""

    def __init__(self, grid: Grid, seeds: Sequence[int], count: int):
        self.grid = grid
        self.draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.pose = torch.full((len(seeds), count), grid.start)
        self.steps = torch.zeros(len(seeds), count, dtype=torch.long)
        self.rewards: list[list[float]] = [[] for _ in seeds]  # rewards of finished episodes, those of the latest

    def act(self, policy: torch.Tensor, steps: int) -> dict[str, torch.Tensor]:
        """Let all act for some steps by policies (runs, poses, actions), probabilities.

        Returns, each (steps, runs, environments): ``pose``, ``action``, ``reward``, ``goal``, ``cut`` (the episode ended
        without the goal), ``next`` (the pose that the action led to).
        """
        runs, count = self.pose.shape
        uniforms = torch.stack([torch.rand(steps, count, generator=g) for g in self.draws], 1)
        levels = policy.cumsum(2)[:, :, :-1]
        records: dict[str, list[torch.Tensor]] = {k: [] for k in ("pose", "action", "reward", "goal", "cut", "next")}
        for uniform in uniforms:
            pose = self.pose
            action = (uniform[:, :, None] > of_pose(levels, pose)).sum(2)
            self.steps += 1
            goal, after = self.grid.goal[pose, action], self.grid.after[pose, action]
            cut = ~goal & (self.steps >= self.grid.horizon)
            reward = goal * self.grid.reward(self.steps)
            for run, place in (goal | cut).nonzero().tolist():
                self.rewards[run].append(float(reward[run, place]))
            ended = goal | cut
            self.pose = torch.where(ended, self.grid.start, after)
            self.steps = torch.where(ended, 0, self.steps)
            for name, value in zip(records, (pose, action, reward, goal, cut, after), strict=True):
                records[name].append(value)
        return {name: torch.stack(values) for name, values in records.items()}


def returns(rollout: dict[str, torch.Tensor], values: torch.Tensor, discount: float = DISCOUNT) -> torch.Tensor:
    """Discounted rewards (steps, runs, environments) until the goal, and from the end on the value (runs, poses) of the pose."""
    out = torch.empty_like(rollout["reward"])
    later = of_pose(values, rollout["next"][-1])
    for step in reversed(range(len(out))):
        later = torch.where(rollout["cut"][step], of_pose(values, rollout["next"][step]), later)
        later = rollout["reward"][step] + discount * torch.where(rollout["goal"][step], 0, later)
        out[step] = later
    return out


def losses(
    logits: torch.Tensor, values: torch.Tensor, rollout: dict[str, torch.Tensor], entropy: float = ENTROPY
) -> torch.Tensor:
    """Loss (runs,): squared advantage less the advantage times the logarithm of the action's probability, mean over what was
    lived, less ``entropy`` times that of the policy there.  logits: (runs, poses, actions); values: (runs, poses)."""
    targets = returns(rollout, values.detach()).movedim(1, 0).flatten(1)  # (runs, steps x environments)
    pose, action = (rollout[k].movedim(1, 0).flatten(1) for k in ("pose", "action"))
    logs = of_pose(torch.log_softmax(logits, 2), pose)  # (runs, steps x environments, actions)
    advantage = targets - of_pose(values, pose)
    chosen = logs.gather(2, action[:, :, None])[:, :, 0]
    spread = -(logs.exp() * logs).sum(2)
    return (advantage.square() - chosen * advantage.detach() - entropy * spread).mean(1)


class AgentHistory(TypedDict):
    """Agents trained side by side; all but update are lists of one entry a run."""

    update: list[int]  # (points,) where the policies were looked at
    episodes: list[list[int]]  # (runs, points) finished until there
    success: list[list[float]]  # (runs, points) exact, as of outcome, like the next two
    steps: list[list[float]]
    reward: list[list[float]]
    late: list[list[float]]  # (runs, 2) mean and standard deviation of the rewards of the last LATE episodes


def train_agents(
    policy: nn.Module,
    value: nn.Module,
    grid: Grid,
    seeds: Sequence[int],
    updates: int,
    *,
    rates: Sequence[float],
    points: int = 40,
    progress: Callable[[int, int, str], None] | None = None,
) -> AgentHistory:
    """Train the runs of ``policy`` and ``value`` (as :class:`SideBySide` or :class:`Stacked`) in place, each with its own rate.

    Raises InputError for no updates, and where a loss is not finite.
    """
    if updates < 1 or not seeds:
        raise InputError(f"updates = {updates}, {len(seeds)} seeds: at least one of each")
    views = grid.views.expand(len(seeds), *grid.views.shape)
    optimiser = OwnRates(torch.optim.Adam, [*policy.parameters(), *value.parameters()], rates, betas=BETAS)
    workers = Workers(grid, seeds, WORKERS)
    marks = sorted({round(updates * (k + 1) / points) for k in range(points)} - {0})
    records: dict[str, list[list[float]]] = {k: [] for k in ("episodes", "success", "steps", "reward")}
    for update in range(1, updates + 1):
        logits, values = policy(views), value(views)[:, :, 0]
        rollout = workers.act(torch.softmax(logits.detach(), 2), STEPS)
        loss = losses(logits, values, rollout)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        if update in marks:
            if not all(math.isfinite(v) for v in loss.tolist()):
                raise InputError(f"a loss is not finite after {update} updates: a smaller rate may help")
            with torch.no_grad():
                evaluation = outcome(torch.softmax(policy(views), 2), grid)
            records["episodes"].append([len(rewards) for rewards in workers.rewards])
            for name, now in evaluation.items():
                records[name].append(now.tolist())
            if progress:
                progress(update, updates, f"reward {evaluation['reward'].median():.3f}")
    late = [torch.tensor(rewards[-LATE:], dtype=torch.float64) for rewards in workers.rewards]
    by_run = {name: torch.tensor(rows).T.tolist() for name, rows in records.items()}
    return cast(
        AgentHistory,
        {
            "update": marks,
            **by_run,
            "late": [
                [float(rewards.mean()), float(rewards.std())] if len(rewards) > 1 else [0.0, 0.0] for rewards in late
            ],
        },
    )
