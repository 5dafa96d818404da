"""From a search to a device: the network found is trained anew, written, quantised, run and timed, beside hand-designed ones.

:data:`TINY` has what MLPerf Tiny asks for (Banbury et al., arXiv:2106.07597; targets of quality from mlcommons.org, sizes of the
reference networks in 8-bit integers as TensorFlow Lite files).  Its data are others than ours: the sizes are what compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.statistics import mean_sem
from qednas.base.task import declare
from qednas.qnas.space.space import Configuration
from studies.ch14.budgets import NONE, SWEPT
from studies.ch14.edge_verdict import SpaceScores, incumbent
from studies.spaces.costs import costs, flops, parameters
from studies.spaces.data_sets import problem, problems_identity
from studies.spaces.quantised import deploy
from studies.spaces.trained_spaces import trained_space
from studies.spaces.training import train_and_measure
from studies.spaces.untrained_network import untrained_network
from studies.tables.hand_designed import HAND_DESIGNED, hand_designed_network

TIMES = ("latency", "int8 latency", "seconds")
TRAINED = ("held", "accuracy", "int8 accuracy", "lost", "same")  # hang on the training
FIRST = 100_000  # seeds of trainings anew: no table has them
TINY: dict[str, dict[str, Any]] = {
    "images": {"task": "CIFAR-10", "network": "ResNet-8", "target": "85 % accuracy", "bytes": 98_496},
    "sensors": {"task": "keywords", "network": "DS-CNN", "target": "90 % accuracy", "bytes": 53_936},
    "satellite": {"task": "anomalies", "network": "autoencoder", "target": "AUC of 0.85", "bytes": 276_976},
}


@declare(version=1, data=(problems_identity,))
def deploy_once(task: Task) -> dict[str, Any]:
    """Train one network with one seed and deploy it: ``held`` accuracy (%), parameters, flops, and what ``deploy`` measures.

    network: choices of the space, or the name of a hand-designed one.  Raises InputError for a training that diverged, and for a
    space whose score is no accuracy.
    """
    space = trained_space(task["space"])
    if space.metric != "accuracy":
        raise InputError(f"{space.name} has no form in 8 bits: deploy networks of a space with classes")
    data, seed = problem(space.data), FIRST + task["seed"]
    if isinstance(task["network"], str):
        net = hand_designed_network(space.name, task["network"], data, seed)
    else:
        net = untrained_network(space.name, task["network"], data, seed)
    record = train_and_measure(net, data, space.schedule, seed)
    if record["diverged"]:
        raise InputError(f"the training of {task['network']} with seed {seed} diverged: nothing to deploy")
    sizes = {"parameters": parameters(net), "flops": flops(net, data.parts["train"][0][:1])}
    return sizes | deploy(net, data) | {"held": record["held"]["accuracy"], "seconds": record["seconds"]}


def incumbent_choices(
    inputs, result: str, space: str, search: str, cost: str, quantile: str, seed: int = 0
) -> Configuration:
    """The network that a search with that seed found within a budget, or without one ("none")."""
    runs = inputs[result]["runs"]
    try:
        rows = np.asarray(runs[space][cost][quantile][search]["rows"])[seed]
        if cost == NONE:  # it went on for longer than those within budgets
            rows = rows[: len(rows) // SWEPT]
    except (KeyError, IndexError):
        raise InputError(
            f"{result} has no search {search!r} of {space} within {cost} {quantile}, seed {seed}"
        ) from None
    search_space = trained_space(space).space
    return search_space.named(search_space.digits([incumbent(SpaceScores(space), rows, seed)])[0])


@declare(version=1, pieces=(deploy_once,))
def deploy_found(
    inputs,
    result: str,
    spaces: Sequence[str],
    search: str,
    budgets: Mapping[str, Sequence[str]],
    seeds: int,
    by_hand: bool = True,
    work: Work = Work(),
) -> dict[str, Any]:
    """Deploy what ``search`` found on every space, from the searches within budgets ``result``, and hand-designed networks.

    budgets: {what it is called: [cost, quantile], or ["none", "none"]}.  Returns ``networks``: {space: {name:
    :func:`training_means` over ``seeds`` trainings, with ``lost``: points of accuracy lost to 8 bits}}; ``choices``: {space:
    {name: ...}}; ``tiny``: :data:`TINY`, with ``share`` of the architectures of the space that are no larger; ``summary``.
    """
    order: list[tuple[str, str, Any]] = []
    chosen: dict[str, Any] = {}
    for space in spaces:
        for name, (cost, quantile) in budgets.items():
            choices = incumbent_choices(inputs, result, space, search, cost, quantile)
            chosen.setdefault(space, {})[name] = choices
            order.append((space, name, choices))
        order += [(space, name, name) for name in (HAND_DESIGNED[space] if by_hand else ())]
    tasks = [{"space": space, "network": network, "seed": seed} for space, _, network in order for seed in range(seeds)]
    for space in spaces:
        problem(trained_space(space).data)  # downloads, once and before there are workers
    parts = map_tasks(deploy_once, tasks, work=work)
    networks: dict[str, Any] = {}
    for place, (space, name, _) in enumerate(order):
        networks.setdefault(space, {})[name] = training_means(parts[place * seeds : (place + 1) * seeds])
    tiny = {
        space: TINY[space] | {"share": float(np.mean(costs(space)["bytes"] <= TINY[space]["bytes"]))}
        for space in spaces
        if space in TINY
    }
    return {"networks": networks, "choices": chosen, "tiny": tiny, "summary": summary(networks, tiny)}


def training_means(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Means over trainings, ``_sem`` of what hangs on them; measured times apart, as ``timing``."""
    values = {key: np.array([run[key] for run in runs], float) for key in runs[0]}
    values["lost"] = values["accuracy"] - values["int8 accuracy"]
    means: dict[str, Any] = {"timing": {}}
    for key, trainings in values.items():
        if key in TIMES:
            means["timing"][key] = float(trainings.mean())
        else:
            means |= (
                mean_sem(trainings, key) if key in TRAINED and len(trainings) > 1 else {key: float(trainings.mean())}
            )
    return means


def summary(networks: Mapping[str, Any], tiny: Mapping[str, Any]) -> dict[str, Any]:
    """Over all networks: most accuracy lost to 8 bits (points), how many times smaller files get and (``timing``) slower they
    run, geometric means, and the share of networks no larger than the reference of MLPerf Tiny."""
    every = [(space, network) for space, by_name in networks.items() for network in by_name.values()]
    worst = max((network for _, network in every), key=lambda network: network["lost"])
    times = [network["timing"]["int8 latency"] / network["timing"]["latency"] for _, network in every]
    small = [network["int8 bytes"] <= tiny[space]["bytes"] for space, network in every if space in tiny]
    return {
        "most_lost": worst["lost"],
        **({"most_lost_sem": worst["lost_sem"]} if "lost_sem" in worst else {}),
        "smaller": float(np.exp(np.mean([np.log(network["bytes"] / network["int8 bytes"]) for _, network in every]))),
        "tiny_share": float(np.mean(small)) if small else 0.0,
        "timing": {"slower": float(np.exp(np.mean(np.log(times))))},
    }
