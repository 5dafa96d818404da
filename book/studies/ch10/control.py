"""The measurements of the chapter on control: networks from circuits, from random numbers, and trained directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import numpy as np
from torch import nn

from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from qednas.diffqas.networks import multilayer
from studies.ch09.classification import build_generated
from studies.ch10.actor_critic import train_agents
from studies.ch10.campaign import CIRCUITS, Runs, circuits, each_run, narrow_weights, task_entries
from studies.ch10.grid import grid
from studies.ch10.side_by_side import SideBySide
from studies.ch10.stacked import Stacked

INPUTS, HIDDEN = 147, (32, 32)  # inputs and hidden units of the networks of the paper
OUTPUTS = {"policy": 7, "value": 1}  # 6,023 and 5,825 weights
START = 0.5  # width of the weights at the start, times sqrt(fan-in): wider, and policies start out sure of themselves
FIRST = 100  # first seed that is reported: START was chosen on seeds below, rates on seeds from 1000


def networks(outputs: int, methods: Sequence[str], seeds: Sequence[int], depth: int, parameters: int) -> nn.Module:
    """One network for every method and seed, side by side: circuits ("searched", "fixed/k"), or one other method, which is
    "full" (all weights trained) or a control of :func:`build_generated` with at most ``parameters`` trained numbers."""
    if methods[0] in CIRCUITS:
        return circuits(multilayer(INPUTS, outputs, 0, HIDDEN), methods, seeds, depth, spread=START)
    targets = [multilayer(INPUTS, outputs, seed, HIDDEN) for seed in seeds]
    if methods[0] == "full":
        return Stacked(targets)
    generated = [build_generated(t, m, parameters, depth, s) for t, m, s in zip(targets, methods, seeds, strict=True)]
    return Stacked([narrow_weights(net, START) for net in generated])


class AgentRun(TypedDict):
    """One agent; lists are over the points where it was looked at."""

    environment: str
    method: str
    seed: int
    rate: float
    update: list[int]
    episodes: list[int]  # finished until there
    success: list[float]  # exact, like the next two
    steps: list[float]  # to the goal
    reward: list[float]
    late: list[float]  # mean and standard deviation of the rewards of the last 5,000 episodes
    structure: list[float]  # structural weights of the policy at the end; empty without them


class ControlRuns(TypedDict):
    """Agents trained at rates that were chosen."""

    runs: list[AgentRun]
    rates: dict[str, float]  # {method: chosen}


@declare(version=1)
def run_agents(task: Task) -> Runs[AgentRun]:
    """One training, side by side, of ``methods`` by ``seeds`` at ``rates``, as many each."""
    settings = (task["methods"], task["seeds"], task["depth"], task["parameters"])
    policy = networks(OUTPUTS["policy"], *settings)
    # Policy and value get different angles and random numbers.
    value = networks(OUTPUTS["value"], task["methods"], [s + 500_000 for s in task["seeds"]], *settings[2:])
    history = train_agents(
        policy, value, grid(task["environment"]), task["seeds"], task["updates"], rates=task["rates"]
    )
    structure = policy.structure().tolist() if isinstance(policy, SideBySide) else [[]] * len(task["seeds"])
    runs = []
    for place, (method, seed, rate) in enumerate(zip(task["methods"], task["seeds"], task["rates"], strict=True)):
        run = {"environment": task["environment"], "method": method, "seed": seed, "rate": rate}
        run |= {"update": history["update"], "episodes": history["episodes"][place], "late": history["late"][place]}
        run |= {k: [float(f"{v:.4g}") for v in history[k][place]] for k in ("success", "steps", "reward")}
        runs.append(run | {"structure": [round(w, 4) for w in structure[place]]})
    return {"runs": cast(list[AgentRun], runs)}


def best_rates(runs: Sequence[AgentRun]) -> dict[str, float]:
    """{method: rate} with the highest mean reward over the course of training, mean over seeds and environments."""
    rewards: dict[str, dict[float, list[float]]] = {}
    for run in runs:
        rewards.setdefault(run["method"], {}).setdefault(run["rate"], []).append(float(np.mean(run["reward"])))
    return {m: max(by_rate, key=lambda rate: np.mean(by_rate[rate])) for m, by_rate in rewards.items()}


@declare(version=1, pieces=(run_agents,))
def control_runs(
    environments: list[str],
    methods: list[str],
    rates: list[float],
    rate_seeds: int,
    rate_updates: int,
    depth: int,
    updates: int,
    parameters: int,
    seeds: int,
    work: Work = Work(),
) -> ControlRuns:
    """Train agents by every method and seed in every environment.

    Each method has the rate of ``rates`` that served it best in shorter trials with other seeds, in all environments.
    """
    together = [m for m in methods if m in CIRCUITS]
    groups = [*([together] if together else []), *([m] for m in methods if m not in CIRCUITS)]

    def tasks(trainings: list[tuple[str, int, float]], updates: int) -> list[Task]:
        common = {"depth": depth, "parameters": parameters, "updates": updates}
        return [
            {**common, "environment": e, **task_entries([run for run in trainings if run[0] in group])}
            for group in groups for e in environments
        ]  # fmt: skip

    trials = tasks([(m, 1000 + s, r) for m in methods for r in rates for s in range(rate_seeds)], rate_updates)
    chosen = best_rates(each_run(run_agents, trials, "rates", work))
    final_tasks = tasks([(m, FIRST + s, chosen[m]) for m in methods for s in range(seeds)], updates)
    return {"runs": each_run(run_agents, final_tasks, "runs", work), "rates": chosen}
