"""The search spaces whose networks were all trained here: what can be chosen, on which data, and what a score is.

images, sensors: a cell of three nodes, its output node 2; every edge carries an operation, and a node adds up what comes in.
``cells`` of these follow each other at full width, then as many at half the resolution and twice the width.
language: the same cell over a window of words.  satellite: layers of units on one pixel and its neighbours.
The cell is that of NAS-Bench-201 (Dong and Yang, arXiv:2001.00326) with one node less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qednas.base.errors import InputError
from qednas.qnas.space.space import Space

EDGES = ("1<-0", "2<-0", "2<-1")
CONVOLUTIONS = ("skip", "avgpool", "sepconv", "conv")
SEQUENCES = ("skip", "conv", "lstm", "attention")
UNITS = ("8", "16", "32", "64")


def cell_space(operations: tuple[str, ...], widths: tuple[str, ...]) -> Space:
    return Space.of({**dict.fromkeys(EDGES, operations), "width": widths, "cells": ("1", "2")})


@dataclass(frozen=True)
class Trained:
    """A space with a table.  data: a name in :mod:`~qednas.qnas.spaces.problems`; metric: of its score, "accuracy" (%) or
    "perplexity".

    A score, of which higher is better, is the accuracy on held-out data, or -100 times the logarithm of the perplexity there: a
    unit is a point of accuracy, or one per cent of a perplexity.
    """

    name: str
    space: Space
    data: str
    metric: str = "accuracy"

    def score(self, value: float) -> float:
        return -100 * math.log(value) if self.metric == "perplexity" else value


SPACES = {
    space.name: space
    for space in (
        Trained("images", cell_space(CONVOLUTIONS, ("8", "16")), "fashion-mnist"),
        Trained("sensors", cell_space(CONVOLUTIONS, ("8", "16")), "ElectricDevices"),
        Trained("language", cell_space(SEQUENCES, ("24", "48")), "penn-treebank", "perplexity"),
        Trained(
            "satellite",
            Space.of({
                "layer 1": UNITS,
                "layer 2": ("none", "8", "16", "32"),
                "layer 3": ("none", "8", "16", "32"),
                "activation": ("relu", "tanh"),
                "pixels": ("centre", "all"),
            }),
            "satimage",
        ),
    )
}  # fmt: skip


def trained_space(name: str) -> Trained:
    """The space of that name; raises InputError where there is none."""
    if name not in SPACES:
        raise InputError(f"trained space {name!r}: one of {', '.join(SPACES)}")
    return SPACES[name]
