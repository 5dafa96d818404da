"""The search spaces whose networks were all trained here: what can be chosen, on which data, and what a score is.

images, sensors: a cell of three nodes, its output node 2; every edge carries an operation, and a node adds up what comes in.
``cells`` of these follow each other at full width, then as many at half the resolution and twice the width.
language: the same cell over a window of words.  satellite: layers of units on one pixel and its neighbours.
The cell is that of NAS-Bench-201 (Dong and Yang, arXiv:2001.00326) with one node less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from qednas.base.errors import InputError
from qednas.qnas.space.space import Configuration, Space
from studies.spaces.cells import EDGES, Network, channels_last
from studies.spaces.dense import DenseNetwork
from studies.spaces.schedule import Schedule
from studies.spaces.sequence_cells import LanguageNetwork

Shape = tuple[int, ...]  # of one input

CONVOLUTIONS = ("skip", "avgpool", "sepconv", "conv")
SEQUENCES = ("skip", "conv", "lstm", "attention")
UNITS = ("8", "16", "32", "64")


def cell_space(operations: tuple[str, ...], widths: tuple[str, ...]) -> Space:
    return Space.of({**dict.fromkeys(EDGES, operations), "width": widths, "cells": ("1", "2")})


@dataclass(frozen=True)
class TrainedSpace:
    """A space with a table.

    network: the untrained network of a configuration for the shape of an input and the number of classes.  data: a name in
    :mod:`~studies.spaces.data_sets`.  schedule: of every training.  metric: of the score, "accuracy" (%) or "perplexity".

    A score, of which higher is better, is the accuracy on held-out data, or -100 times the logarithm of the perplexity there: a
    unit is a point of accuracy, or one per cent of a perplexity.
    """

    name: str
    space: Space
    network: Callable[[Configuration, Shape, int], nn.Module]
    data: str
    schedule: Schedule
    metric: str = "accuracy"

    def score(self, value: float) -> float:
        return -100 * math.log(value) if self.metric == "perplexity" else value


def images_network(choices: Configuration, shape: Shape, classes: int) -> nn.Module:
    return channels_last(Network(choices, shape, classes))  # type: ignore[arg-type]


def language_network(choices: Configuration, shape: Shape, classes: int) -> nn.Module:
    return LanguageNetwork(choices, shape[0], classes)


def satellite_network(choices: Configuration, shape: Shape, classes: int) -> nn.Module:
    return DenseNetwork(choices, shape[0], classes)


SPACES: dict[str, TrainedSpace] = {}


def register(space: TrainedSpace) -> None:
    """Add a space: ``make tables SPACES=name`` then trains all of it.  Raises InputError for a name that is taken."""
    if space.name in SPACES:
        raise InputError(f"trained space {space.name!r} is there already")
    SPACES[space.name] = space


# Rates: of 0.003, 0.01 and 0.03 (sensors: then 0.01 and 0.02, with twice the epochs) the best on held-out data of six random
# architectures, with a seed that the tables do not use.
register(
    TrainedSpace(
        "images", cell_space(CONVOLUTIONS, ("8", "16")), images_network, "fashion-mnist", Schedule(6, 128, 0.03)
    )
)
register(
    TrainedSpace(
        "sensors", cell_space(CONVOLUTIONS, ("8", "16")), images_network, "ElectricDevices", Schedule(12, 128, 0.02)
    )
)
register(
    TrainedSpace(
        "language",
        cell_space(SEQUENCES, ("24", "48")),
        language_network,
        "penn-treebank",
        Schedule(1, 32, 0.01),
        metric="perplexity",
    )
)
register(
    TrainedSpace(
        "satellite",
        Space.of(
            {
                "layer 1": UNITS,
                "layer 2": ("none", "8", "16", "32"),
                "layer 3": ("none", "8", "16", "32"),
                "activation": ("relu", "tanh"),
                "pixels": ("centre", "all"),
            }
        ),
        satellite_network,
        "satimage",
        Schedule(40, 128, 0.01),
    )
)


def trained_space(name: str) -> TrainedSpace:
    """The space of that name; raises InputError where there is none."""
    if name not in SPACES:
        raise InputError(f"trained space {name!r}: one of {', '.join(SPACES)}")
    return SPACES[name]
