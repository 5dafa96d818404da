"""A network found on one data set, trained on another beside hand-designed ones: images of the space, carried over to CIFAR-10.

It is what time on two cores allows: a part of the images, few epochs, no augmentation.  Published accuracies come from hundreds
of epochs on all images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.statistics import mean_sem
from qednas.base.task import declare
from qednas.qnas.space.space import Configuration
from studies.spaces.data_sets import problem, problems_identity
from studies.spaces.schedule import Schedule
from studies.spaces.trained_spaces import trained_space
from studies.spaces.training import train_and_measure
from studies.spaces.untrained_network import untrained_network
from studies.tables.hand_designed import hand_designed_network

FOUND = "found"


class TransferTraining(TypedDict):
    """One training on the other data."""

    network: str  # FOUND, or the name of a hand-designed one
    diverged: bool
    test: float | None  # accuracy, %, like f1 None where it diverged
    f1: float | None
    parameters: int
    seconds: float


class TransferredNetwork(TypedDict):
    """One network, means over trainings that did not diverge."""

    test: float  # accuracy, %
    test_sem: float
    f1: float  # %
    f1_sem: float
    parameters: int
    seconds: float  # of a training


class Transfer(TypedDict):
    """What was found, and hand-designed networks, on the other data."""

    choices: Configuration  # of what was found
    networks: dict[str, TransferredNetwork]
    runs: list[TransferTraining]


@declare(version=1, data=(problems_identity,))
def run(task: Task) -> TransferTraining:
    """One training."""
    data, seed = problem(task["data"]), task["seed"]
    if task["network"] == FOUND:
        net = untrained_network("images", task["choices"], data, seed)
    else:
        net = hand_designed_network("images", task["network"], data, seed)
    base = trained_space("images").schedule
    schedule = Schedule(task["epochs"], base.batch, base.rate, base.decay)
    record = train_and_measure(net, data, schedule, seed)
    return {
        "network": task["network"],
        "diverged": record["diverged"],
        "test": record["test"]["accuracy"],
        "f1": record["test"]["f1"],
        "parameters": sum(p.numel() for p in net.parameters()),
        "seconds": record["seconds"],
    }


def commonest_choices(inputs, search: str) -> Configuration:
    """The architecture that most runs of a search ended with, in the image space."""
    incumbents = np.asarray(inputs["13/trained"]["curves"]["images"][search]["found"])
    space = trained_space("images").space
    return space.named(space.digits([int(np.bincount(incumbents).argmax())])[0])


@declare(version=1, pieces=(run,))
def transferred(
    inputs,
    search: str,
    networks: Sequence[str],
    data: str,
    epochs: int,
    seeds: int,
    work: Work = Work(),
) -> Transfer:
    """Train what ``search`` found most often and hand-designed ``networks`` on ``data``, ``seeds`` times each."""
    choices = commonest_choices(inputs, search)
    problem(data)  # downloads before there are workers
    tasks: list[Task] = [
        {"network": name, "data": data, "epochs": epochs, "seed": seed}
        | ({"choices": choices} if name == FOUND else {})
        for name in sorted([FOUND, *networks], key=lambda name: name == FOUND)  # the longest first
        for seed in range(seeds)
    ]
    runs = map_tasks(run, tasks, work=work)
    summary: dict[str, TransferredNetwork] = {}
    for name in (FOUND, *networks):
        trainings = [one for one in runs if one["network"] == name and not one["diverged"]]
        summary[name] = cast(
            TransferredNetwork,
            mean_sem(np.array([one["test"] for one in trainings]), "test")
            | mean_sem(np.array([one["f1"] for one in trainings]), "f1")
            | {
                "parameters": trainings[0]["parameters"],
                "seconds": float(np.mean([one["seconds"] for one in trainings])),
            },
        )
    return {"choices": choices, "networks": summary, "runs": runs}
