"""From the choices of a trained space to its network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from studies.spaces.data_sets import Problem
from studies.spaces.trained_spaces import trained_space


def untrained_network(space: str, choices: Mapping[str, str], problem: Problem, seed: int) -> nn.Module:
    """The untrained network of an architecture, with the random numbers of this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return trained_space(space).network(choices, problem.shape, problem.classes)
