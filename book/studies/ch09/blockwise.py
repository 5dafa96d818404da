"""A larger map: every block of neighbouring weights mixes the candidates by structural weights of its own.

    weight_i = (A[g(i)] . x_i + c[g(i)]) / sqrt(fan-in of i)

x_i are features of weight i, here the probabilities that the live candidates give its basis state; g(i) is its block.  With one
block this is the map of the paper without the bits, each candidate scaled by itself.  The same map takes features that no
circuit made: random numbers, or the bits (the controls of the chapter on classification).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.diffqas.candidates import PAPER, Candidate
from qednas.diffqas.generated import Generated
from qednas.diffqas.mapping import SCALINGS, bits_of
from qednas.diffqas.simulator import Simulator


def standardised(x: torch.Tensor) -> torch.Tensor:
    """Features (kinds, count) with mean 0 and variance 1 over the weights."""
    return (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)


class CircuitFeatures(nn.Module):
    """The probabilities of the first ``count`` basis states in the candidates that angles change, scaled and standardised.

    trained: whether the angles are; if not, the features are computed once.
    """

    kept: torch.Tensor

    def __init__(
        self,
        count: int,
        depth: int,
        *,
        pool: Sequence[Candidate] = PAPER,
        scaling: str = "bounded",
        trained: bool = True,
        seed: int = 0,
    ):
        super().__init__()
        self.count, self.n, self.scaling = count, max(1, (count - 1).bit_length()), SCALINGS[scaling]
        simulate = Simulator(pool, self.n, depth, torch.float32)
        if not simulate.alive:
            raise InputError("the pool has no candidate that angles change")
        self.simulate = Simulator([simulate.pool[k] for k in simulate.alive], self.n, depth, torch.float32)
        self.kinds = len(simulate.alive)
        angles = torch.randn(depth, self.n, generator=torch.Generator().manual_seed(seed))
        self.angles = nn.Parameter(angles) if trained else None
        self.register_buffer("kept", None if trained else self.features_at(angles), persistent=False)

    def features_at(self, angles: torch.Tensor) -> torch.Tensor:
        rows = [self.scaling(f, self.n)[: self.count] for f in self.simulate(angles)]
        return standardised(torch.stack(rows))

    def forward(self) -> torch.Tensor:
        return self.kept if self.angles is None else self.features_at(self.angles)


class FixedFeatures(nn.Module):
    """Features (kinds, count) that stay as they are given."""

    x: torch.Tensor

    def __init__(self, x: torch.Tensor):
        super().__init__()
        self.kinds = len(x)
        self.register_buffer("x", x, persistent=False)

    def forward(self) -> torch.Tensor:
        return self.x


def random_features(count: int, kinds: int, seed: int) -> FixedFeatures:
    """Random probabilities, drawn once (exponential, as those of random states), scaled as those of the circuits are."""
    n = max(1, (count - 1).bit_length())
    samples = torch.empty(kinds, count).exponential_(generator=torch.Generator().manual_seed(seed))
    return FixedFeatures(standardised(SCALINGS["bounded"](samples * 2.0**-n, n)))


def bit_features(count: int) -> FixedFeatures:
    """The bits of the index, -1 and 1: what is left of the map of the paper when all probabilities are uniform."""
    n = max(1, (count - 1).bit_length())
    return FixedFeatures(bits_of(count, n, "plus-minus", torch.float32).T.contiguous())


class Blockwise(Generated):
    """``module`` with the weights above, from ``features`` and at most ``parameters`` trained numbers in all.

    Blocks are of equal size; their number is what the budget allows after the features' own parameters.  A starts normal with
    variance 1 / kinds, c at 0.  Raises InputError for a budget that does not hold one block.
    """

    unit: torch.Tensor

    def __init__(self, module: nn.Module, features: CircuitFeatures | FixedFeatures, parameters: int, *, seed: int = 0):
        super().__init__(module)
        feature_parameters, kinds = sum(p.numel() for p in features.parameters()), features.kinds
        self.blocks = min(self.count, (parameters - feature_parameters) // (kinds + 1))
        if self.blocks < 1:
            raise InputError(
                f"parameters = {parameters}: at least {feature_parameters + kinds + 1} are needed with these features"
            )
        self.features = features
        samples = torch.randn(self.blocks, kinds, generator=torch.Generator().manual_seed(seed))
        self.mixing = nn.Parameter(samples * kinds**-0.5)
        self.constant = nn.Parameter(torch.zeros(self.blocks))
        edges = torch.arange(self.blocks + 1) * self.count // self.blocks
        self.sizes = edges.diff()
        self.register_buffer("unit", self.fan_in() ** -0.5, persistent=False)

    def flat(self) -> torch.Tensor:
        mixing = self.mixing.repeat_interleave(self.sizes, 0, output_size=self.count)
        constant = self.constant.repeat_interleave(self.sizes, output_size=self.count)
        return torch.einsum("ik,ki->i", mixing, self.features()).add(constant) * self.unit
