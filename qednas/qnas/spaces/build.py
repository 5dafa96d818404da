"""From the choices of a trained space to its network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from qednas.qnas.spaces.cells import Network, channels_last
from qednas.qnas.spaces.dense import DenseNetwork
from qednas.qnas.spaces.problems import Problem
from qednas.qnas.spaces.sequence_cells import LanguageNetwork


def build(space: str, choices: Mapping[str, str], problem: Problem, seed: int) -> nn.Module:
    """The untrained network of an architecture, with the random numbers of this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if space == "language":
            return LanguageNetwork(choices, problem.shape[0], problem.classes)
        if space == "satellite":
            return DenseNetwork(choices, problem.shape[0], problem.classes)
        return channels_last(Network(choices, problem.shape, problem.classes))  # type: ignore[arg-type]
