"""Many generators of one network, with their own circuits and seeds, trained side by side in one process.

A small network costs mostly the calls that compute it, so a hundred of them together take little longer than one.  Every run
has its own angles, structural weights and map, its own inputs and gradients: an optimiser that works number by number (Adam,
RMSProp) trains each as if it were alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, vmap

from qednas.base.errors import InputError
from qednas.diffqas.candidates import PAPER, Candidate
from qednas.diffqas.generator import Generator
from qednas.diffqas.mapping import SCALINGS
from qednas.diffqas.simulator import DTYPES, Simulator


class Mixtures(torch.autograd.Function):
    """Probabilities (runs, 2^n) of every run's mixture, from structural weights (runs, live) and angles (runs, 1 or live,
    depth, n): those that the live candidates share, or those of each."""

    @staticmethod
    def forward(ctx, theta, structure, circuits, used, dtype):
        angles = theta.detach().double().numpy()
        out = np.zeros((len(angles), 1 << angles.shape[3]), dtype)
        last = angles.shape[1] - 1
        ctx.states = [[circuits[k].forward(angles[run, min(k, last)]) if used[run, k] else None for k in range(len(circuits))]
                      for run in range(len(angles))]  # fmt: skip
        weights = structure.detach().numpy()
        for run, states in enumerate(ctx.states):
            for k, state in enumerate(states):
                if state is not None:
                    out[run] += weights[run, k] * sum(plane * plane for plane in state)
        ctx.angles, ctx.weights, ctx.circuits, ctx.kind = angles, weights, circuits, theta.dtype
        return torch.from_numpy(out)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        slopes = slope.numpy()
        of_angles, of_weights = np.zeros(ctx.angles.shape), np.zeros(ctx.weights.shape)
        last = ctx.angles.shape[1] - 1
        for run, states in enumerate(ctx.states):
            for k, state in enumerate(states):
                if state is None:
                    continue
                of_weights[run, k] = sum(float(np.dot(plane * plane, slopes[run])) for plane in state)
                down = [2 * ctx.weights[run, k] * slopes[run] * plane for plane in state]
                angle_set = min(k, last)
                of_angles[run, angle_set] += ctx.circuits[k].gradient(
                    ctx.angles[run, angle_set], [p.copy() for p in state], down
                )
        return torch.from_numpy(of_angles).to(ctx.kind), torch.from_numpy(of_weights).to(ctx.kind), None, None, None


class SideBySide(nn.Module):
    """Generators of ``module``, one for every (candidates, seed) of ``runs``; candidates are among those of ``pool``.

    Each starts as ``Generator(module, depth, pool=candidates, seed=seed, ...)`` does with the same ``scaling``, ``spread`` and
    ``dtype``, and stays equal to it, step by step.  Structural weights are raw.  separate: every candidate has angles of its
    own, equal at the start.
    Raises InputError as :class:`Generator` does, for no runs, and for a candidate that is not in the pool.
    """

    module: nn.Module
    bits: torch.Tensor
    fixed: torch.Tensor
    fixed_structure: torch.Tensor

    def __init__(
        self,
        module: nn.Module,
        depth: int,
        runs: Sequence[tuple[Sequence[Candidate], int]],
        *,
        pool: Sequence[Candidate] = PAPER,
        separate: bool = False,
        scaling: str = "multiples",
        spread: float = 2.0,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        if not runs:
            raise InputError("no runs: at least one is needed")
        pool = list(pool)
        if odd := [c for candidates, _ in runs for c in candidates if c not in pool]:
            raise InputError(f"candidate {odd[0]} is not in the pool")
        options: dict[str, Any] = {"scaling": scaling, "spread": spread, "dtype": dtype}
        generators = [Generator(module, depth, pool=candidates, seed=seed, **options) for candidates, seed in runs]
        first = generators[0]
        self.__dict__["module"] = module  # not registered: its parameters are not trained
        self.shapes, self.count, self.qubits = first.shapes, first.count, first.qubits
        self.scaling = SCALINGS[scaling]
        simulate = Simulator(pool, self.qubits, depth, dtype)
        self.circuits, self.alive, self.kind = simulate.circuits, simulate.alive, DTYPES[dtype]
        angles = torch.stack([g.angles.detach() for g in generators])[:, None]  # (runs, 1, depth, n)
        self.angles = nn.Parameter(angles.repeat(1, len(self.alive) if separate else 1, 1, 1))
        places = [[pool.index(c) for c in candidates] for candidates, _ in runs]
        self.members = torch.zeros(len(runs), len(pool), dtype=torch.bool)  # (runs, candidates)
        start = torch.zeros(len(runs), len(pool), dtype=dtype)
        for run, (columns, generator) in enumerate(zip(places, generators, strict=True)):
            self.members[run, columns] = True
            start[run, columns] = generator.structure().detach()
        # Of a circuit alone the structural weight is one and not trained.
        self.free = (self.members.sum(1, keepdim=True) > 1) & self.members
        self.structural = nn.Parameter(start * self.free)
        self.register_buffer("fixed_structure", start * ~self.free, persistent=False)
        self.register_buffer("fixed", simulate.fixed, persistent=False)  # (candidates, 2^n); rows of live ones are zero
        self.of_bits = nn.Parameter(torch.stack([g.map.of_bits.detach() for g in generators]))
        self.of_probability = nn.Parameter(torch.stack([g.map.of_probability.detach() for g in generators]))
        self.constant = nn.Parameter(torch.stack([g.map.constant.detach() for g in generators]))
        self.register_buffer("bits", torch.as_tensor(first.bits), persistent=False)

    def structure(self) -> torch.Tensor:
        """What every run mixes the candidates of the pool with (runs, candidates)."""
        return self.structural * self.free + self.fixed_structure

    def probabilities(self) -> torch.Tensor:
        """The mixtures (runs, 2^n)."""
        structure = self.structure()
        used = self.members[:, self.alive].numpy()
        moving = Mixtures.apply(self.angles, structure[:, self.alive], self.circuits, used, self.kind)
        return moving + structure @ self.fixed

    def weights(self) -> dict[str, torch.Tensor]:
        """The generated parameters of the module, by name, each with the runs in front."""
        x = vmap(lambda f: self.scaling(f, self.qubits))(self.probabilities())[:, : self.count]
        flat = self.of_probability * x + self.constant + self.of_bits @ self.bits.T
        parts = flat.split([shape.numel() for shape in self.shapes.values()], 1)
        return {name: part.view(-1, *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (runs, batch, ...) of every run's network for its own inputs (runs, batch, ...)."""
        return vmap(lambda weights, x: functional_call(self.module, weights, (x,)))(self.weights(), inputs)
