"""From a search to a device: the network found is trained anew, written, quantised, run and timed, beside hand-designed ones.

:data:`TINY` has what MLPerf Tiny asks for (Banbury et al., arXiv:2106.07597; targets of quality from mlcommons.org, sizes of the
reference networks in 8-bit integers as TensorFlow Lite files).  Its data are others than ours: the sizes are what compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

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


class TinyReference(TypedDict):
    """What MLPerf Tiny asks for."""

    task: str
    network: str
    target: str  # of quality
    bytes: int  # of the reference network in 8-bit integers


TINY: dict[str, TinyReference] = {
    "images": {"task": "CIFAR-10", "network": "ResNet-8", "target": "85 % accuracy", "bytes": 98_496},
    "sensors": {"task": "keywords", "network": "DS-CNN", "target": "90 % accuracy", "bytes": 53_936},
    "satellite": {"task": "anomalies", "network": "autoencoder", "target": "AUC of 0.85", "bytes": 276_976},
}


class TinyComparison(TinyReference):
    """And how a space compares."""

    share: float  # of its architectures, that are no larger


# One network, trained with one seed and deployed; what ``deploy`` measures is told there.
DeployedTraining = TypedDict(
    "DeployedTraining",
    {
        "parameters": int,
        "flops": int,  # of one input
        "accuracy": float,  # %, test data
        "int8 accuracy": float,  # %
        "same": float,  # %
        "bytes": int,
        "int8 bytes": int,
        "latency": float,  # microseconds
        "int8 latency": float,  # microseconds
        "held": float,  # accuracy, %
        "seconds": float,  # of the training
    },
)

# Means over trainings of one network; errors, of what hangs on the training, where there are several.
DeployedNetwork = TypedDict(
    "DeployedNetwork",
    {
        "parameters": float,
        "flops": float,
        "accuracy": float,  # %
        "accuracy_sem": NotRequired[float],
        "int8 accuracy": float,  # %
        "int8 accuracy_sem": NotRequired[float],
        "lost": float,  # points of accuracy, to 8 bits
        "lost_sem": NotRequired[float],
        "same": float,  # %
        "same_sem": NotRequired[float],
        "held": float,  # %
        "held_sem": NotRequired[float],
        "bytes": float,
        "int8 bytes": float,
        "timing": dict[str, float],  # of TIMES
    },
)


class DeploymentSummary(TypedDict):
    """Over all networks."""

    most_lost: float  # points of accuracy, to 8 bits
    most_lost_sem: NotRequired[float]
    smaller: float  # times that files get, geometric mean
    tiny_share: float  # of the networks, that are no larger than the reference of MLPerf Tiny
    timing: dict[str, float]  # "slower": times that they run, geometric mean


class Deployment(TypedDict):
    """What was deployed, found and hand-designed."""

    networks: dict[str, dict[str, DeployedNetwork]]  # {space: {name: ...}}
    choices: dict[str, dict[str, Configuration]]  # {space: {name: of what was found}}
    tiny: dict[str, TinyComparison]  # {space: ...}
    summary: DeploymentSummary


@declare(version=1, data=(problems_identity,))
def deploy_once(task: Task) -> DeployedTraining:
    """Train one network with one seed and deploy it.

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
    return cast(
        DeployedTraining,
        sizes | deploy(net, data) | {"held": record["held"]["accuracy"], "seconds": record["seconds"]},
    )


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
) -> Deployment:
    """Deploy what ``search`` found on every space, from the searches within budgets ``result``, and hand-designed networks.

    budgets: {what it is called: [cost, quantile], or ["none", "none"]}.  seeds: trainings of every network.
    """
    order: list[tuple[str, str, Configuration | str]] = []
    chosen: dict[str, dict[str, Configuration]] = {}
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
    networks: dict[str, dict[str, DeployedNetwork]] = {}
    for place, (space, name, _) in enumerate(order):
        networks.setdefault(space, {})[name] = training_means(parts[place * seeds : (place + 1) * seeds])
    tiny = {
        space: cast(
            TinyComparison, TINY[space] | {"share": float(np.mean(costs(space)["bytes"] <= TINY[space]["bytes"]))}
        )
        for space in spaces
        if space in TINY
    }
    return {"networks": networks, "choices": chosen, "tiny": tiny, "summary": summary(networks, tiny)}


def training_means(runs: Sequence[Mapping[str, Any]]) -> DeployedNetwork:
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
    return cast(DeployedNetwork, means)


def summary(
    networks: Mapping[str, Mapping[str, DeployedNetwork]], tiny: Mapping[str, TinyComparison]
) -> DeploymentSummary:
    """Over all networks."""
    every = [(space, network) for space, by_name in networks.items() for network in by_name.values()]
    worst = max((network for _, network in every), key=lambda network: network["lost"])
    times = [network["timing"]["int8 latency"] / network["timing"]["latency"] for _, network in every]
    small = [network["int8 bytes"] <= tiny[space]["bytes"] for space, network in every if space in tiny]
    return cast(
        DeploymentSummary,
        {
            "most_lost": worst["lost"],
            **({"most_lost_sem": worst["lost_sem"]} if "lost_sem" in worst else {}),
            "smaller": float(
                np.exp(np.mean([np.log(network["bytes"] / network["int8 bytes"]) for _, network in every]))
            ),
            "tiny_share": float(np.mean(small)) if small else 0.0,
            "timing": {"slower": float(np.exp(np.mean(np.log(times))))},
        },
    )
