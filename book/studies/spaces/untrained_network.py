"""From the choices of a trained space to its network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from studies.spaces.data_sets import Problem
from studies.spaces.trained_spaces import trained_space


def untrained_network(space: str, choices: Mapping[str, str], problem: Problem, seed: int) -> nn.Module:
    """The untrained network of an architecture, with the random numbers of this seed.

    choices: a configuration of the space, or what was stored of one.  Raises InputError where the space has no such column or
    choice.
    """
    trained = trained_space(space)
    configuration = trained.space.configuration(choices)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return trained.network(configuration, problem.shape, problem.classes)
