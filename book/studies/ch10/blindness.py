"""Agents that do not see: a policy that is the same in every pose, as when all units of a hidden layer are silent."""

from __future__ import annotations

from typing import TypedDict

import torch

from qednas.base.parallel import Task, Work
from qednas.base.task import declare
from studies.ch10.actor_critic import train_agents
from studies.ch10.campaign import Runs, each_run, task_entries
from studies.ch10.control import FIRST, OUTPUTS, networks
from studies.ch10.grid import grid

SAME = 1e-6  # largest difference between the logits of two poses that counts as none


class SightRun(TypedDict):
    """What one policy sees."""

    environment: str
    method: str
    seed: int
    range: float  # largest difference between the logits of two poses


class Blindness(TypedDict):
    """Policies that are the same in every pose."""

    blind: dict[str, dict[str, float]]  # {environment: {method: share of the seeds}}
    runs: list[SightRun]


@declare(version=1)
def run_blind(task: Task) -> Runs[SightRun]:
    """Train ``methods`` by ``seeds`` as in :func:`~studies.ch10.control.run_agents`, and look what their policies see."""
    settings = (task["methods"], task["seeds"], task["depth"], task["parameters"])
    policy = networks(OUTPUTS["policy"], *settings)
    value = networks(OUTPUTS["value"], task["methods"], [s + 500_000 for s in task["seeds"]], *settings[2:])
    room = grid(task["environment"])
    train_agents(policy, value, room, task["seeds"], task["updates"], rates=task["rates"], points=1)
    with torch.no_grad():
        logits = policy(room.views.expand(len(task["seeds"]), *room.views.shape))  # (runs, poses, actions)
    ranges = (logits.amax(1) - logits.amin(1)).amax(1).tolist()
    runs = zip(task["methods"], task["seeds"], ranges, strict=True)
    return {"runs": [{"environment": task["environment"], "method": m, "seed": s, "range": r} for m, s, r in runs]}


@declare(version=1, pieces=(run_blind,))
def blind_agents(
    inputs, methods: list[str], updates: int, depth: int, parameters: int, seeds: int, work: Work = Work(),
) -> Blindness:  # fmt: skip
    """The first ``updates`` of runs of ``10/control``, by circuits: whose policy is then the same in every pose."""
    control = inputs["10/control"]
    environments = list(dict.fromkeys(r["environment"] for r in control["runs"]))
    runs = task_entries([(m, FIRST + s, control["rates"][m]) for m in methods for s in range(seeds)])
    common = {"depth": depth, "parameters": parameters, "updates": updates}
    tasks = [{**common, "environment": e, **runs} for e in environments]
    rows = each_run(run_blind, tasks, "runs", work)
    blind: dict[str, dict[str, float]] = {}
    for e in environments:
        for m in methods:
            flags = [r["range"] < SAME for r in rows if (r["environment"], r["method"]) == (e, m)]
            blind.setdefault(e, {})[m] = sum(flags) / len(flags)
    return {"blind": blind, "runs": rows}
