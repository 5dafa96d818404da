"""Differentiable search of a trained space: one network that holds all choices, and their weights found by gradient.

DARTS (Liu, Simonyan and Yang, arXiv:1806.09055), first order: steps of the structural weights on held-out batches and of the
network on training batches take turns.  An edge is the mean of its operations under a softmax.  Channels of a narrow network are
those of a wide one behind a mask, as in FBNetV2 (arXiv:2004.05565), and the second cell of a stage is mixed with its input.
What is searched by is what every other searcher sees, the held-out part; the result is looked up in the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypedDict

import torch
from torch import Tensor, nn

from qednas.base.errors import InputError
from qednas.base.parallel import Task
from qednas.qnas.space.space import Space
from studies.spaces import cells, sequence_cells
from studies.spaces.cells import EDGES
from studies.spaces.data_sets import Problem, problem
from studies.spaces.trained_spaces import trained_space
from studies.spaces.training import MOST_GRADIENT, batches, loss_of, rate_at

STRUCTURE_RATE = 0.01
SEARCHED = ("images", "sensors", "language")


class Structure(nn.Module):
    """Logits of the choices of every column, zero at first."""

    def __init__(self, space: Space):
        super().__init__()
        self.space = space
        self.logits = nn.ParameterList(torch.zeros(size) for size in space.sizes)

    def shares(self, column: str) -> Tensor:
        """(choices,) softmax."""
        return self.logits[self.space.names.index(column)].softmax(0)

    def best(self) -> dict[str, str]:
        """The choice with the largest weight in every column."""
        return {
            name: choices[int(logits.argmax())]
            for name, choices, logits in zip(self.space.names, self.space.choices, self.logits, strict=True)
        }


class MixedEdge(nn.Module):
    """All operations of an edge under its shares."""

    def __init__(self, structure: Structure, edge: str, make: Callable[[str], nn.Module]):
        super().__init__()
        self.structure, self.edge = [structure], edge  # in a list: it is not a part of the network
        place = structure.space.names.index(edge)
        self.operations = nn.ModuleList(make(name) for name in structure.space.choices[place])

    def forward(self, x: Tensor) -> Tensor:
        shares = self.structure[0].shares(self.edge)
        return sum(share * operation(x) for share, operation in zip(shares, self.operations, strict=True))


class Masked(nn.Module):
    """A layer behind the mask of channels; axis: of the channels."""

    def __init__(self, structure: Structure, layer: nn.Module, times: int, axis: int):
        super().__init__()
        self.structure, self.layer, self.times, self.axis = [structure], layer, times, axis

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return y * mask(self.structure[0], self.times).view([-1 if k == self.axis else 1 for k in range(y.ndim)])


def mask(structure: Structure, times: int) -> Tensor:
    """(channels,) expected presence of every channel, where a stage has ``times`` the width."""
    widths = [times * int(w) for w in structure.space.choices[structure.space.names.index("width")]]
    present = torch.stack([torch.arange(max(widths)) < w for w in widths])
    shares = structure.shares("width")
    return shares @ present.to(shares.dtype)


class MixedStage(nn.Module):
    """One cell, and a second one mixed with its input."""

    def __init__(self, structure: Structure, make: Callable[[str], nn.Module], times: int, axis: int):
        super().__init__()
        self.structure = [structure]
        self.cells = nn.ModuleList(
            cells.Cell([Masked(structure, MixedEdge(structure, edge, make), times, axis) for edge in EDGES])
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.structure[0].shares("cells")
        x = self.cells[0](x)
        return one * x + two * self.cells[1](x)


def supernet(space: str, structure: Structure, data: Problem) -> nn.Module:
    """The widest network of the space with mixed cells in place of its own.

    With all shares 0 or 1 it is the network of the space with these choices; of words only at full width, for a normalisation
    counts masked channels too.
    """
    widest = max(structure.space.choices[structure.space.names.index("width")], key=int)
    choices = {**dict.fromkeys(EDGES, "skip"), "width": widest, "cells": "1"}
    width = int(widest)
    if space == "language":
        words = sequence_cells.LanguageNetwork(choices, data.shape[0], data.classes)
        stage = MixedStage(structure, lambda name: sequence_cells.operation(name, width), 1, 2)
        words.body = nn.Sequential(Masked(structure, nn.Identity(), 1, 2), stage)
        return words
    window: cells.Size = (1, 5) if data.shape[1] == 1 else (3, 3)
    net = cells.Network(choices, data.shape, data.classes)  # type: ignore[arg-type]

    def mixed(times: int) -> nn.Module:
        return MixedStage(structure, lambda name: cells.operation(name, times * width, window), times, 1)

    net.stem = Masked(structure, net.stem, 1, 1)
    net.body = nn.Sequential(mixed(1), Masked(structure, net.body[1], 2, 1), mixed(2))
    return cells.channels_last(net)


def endless_batches(data: tuple[Tensor, Tensor], space: str, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        for rows in batches(len(data[1]), trained_space(space).schedule, seed):
            yield data[0][rows], data[1][rows]
        seed += 1


class DifferentiableSearch(TypedDict):
    """What one search came to."""

    choices: dict[str, str]  # of the largest share in every column
    shares: dict[str, list[float]]  # of all choices of every column
    loss: float  # of the last training batch, nats
    seconds: float


def search(task: Task) -> DifferentiableSearch:
    """One search: {space, seed, epochs} to what it chose.

    Raises InputError for a space without cells, and where the loss is not finite any more.
    """
    name, seed = task["space"], task["seed"]
    if name not in SEARCHED:
        raise InputError(f"differentiable search of {name!r}: one of {', '.join(SEARCHED)}")
    space, data = trained_space(name).space, problem(trained_space(name).data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        structure = Structure(space)
        net = supernet(name, structure, data)
    schedule = trained_space(name).schedule
    steps = task["epochs"] * (len(data.parts["train"][1]) // schedule.batch)
    weights = torch.optim.AdamW(net.parameters(), lr=schedule.rate, weight_decay=schedule.decay, fused=True)
    shares = torch.optim.Adam(structure.parameters(), lr=STRUCTURE_RATE, betas=(0.5, 0.999), weight_decay=1e-3)
    training, held = (
        endless_batches(data.parts[part], name, seed + k) for k, part in ((1, "train"), (100_001, "held"))
    )
    start, loss = time.perf_counter(), torch.tensor(0.0)
    for step in range(steps):
        net.requires_grad_(False)  # the structure's step needs no gradient of the network's weights
        shares.zero_grad()
        loss_of(net, *next(held)).backward()
        shares.step()
        net.requires_grad_(True)
        structure.requires_grad_(False)
        weights.param_groups[0]["lr"] = schedule.rate * rate_at((step + 1) / (steps + 1))
        weights.zero_grad()
        loss = loss_of(net, *next(training))
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), MOST_GRADIENT)
        weights.step()
        structure.requires_grad_(True)
        if not torch.isfinite(loss):
            raise InputError(f"differentiable search of {name}, seed {seed}: the loss is not finite after {step} steps")
    best: Mapping[str, str] = structure.best()
    return {
        "choices": dict(best),
        "shares": {column: structure.shares(column).tolist() for column in space.names},
        "loss": loss.item(),
        "seconds": time.perf_counter() - start,
    }
