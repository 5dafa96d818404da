"""Dense network: ln psi(s) = output of a feed-forward network of the spins, one real number or a real and an imaginary one.

One hidden layer changes by a multiple of one column of its weights when a spin is turned over, so amplitudes of neighbouring
configurations never go through that layer again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import gelu

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block, Flip, Walk, spins
from qednas.qed.blocks.derivatives import Derivatives, Outer
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import Kind, is_count, register

BATCH = 1 << 21  # numbers of a layer at a time


class Dense(Block):
    """Layers of ``widths`` units with GELU between them, then a linear read-out.

    phase: whether the network also gives the phase of the amplitude; without it the state is positive.
    Raises InputError for a width that is not positive or a network without a hidden layer.
    """

    def __init__(
        self,
        sites: int,
        widths: Sequence[int],
        *,
        phase: bool = False,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        if not widths or min(widths) < 1:
            raise InputError(f"widths = {list(widths)}: one or more hidden layers of 1 or more units")
        self.widths, self.is_real = tuple(widths), not phase
        sizes = [sites, *widths, 2 if phase else 1]
        layers = []
        for k, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
            spread = fan_in**-0.5 * (0.1 if k == len(sizes) - 2 else 1.0)  # a read-out that starts near a constant
            layers.append(
                torch.nn.Parameter(spread * torch.randn(fan_out, fan_in, dtype=torch.float64, generator=generator))
            )
        self.weights = torch.nn.ParameterList(layers)
        self.biases = torch.nn.ParameterList(
            [torch.nn.Parameter(torch.zeros(w, dtype=torch.float64)) for w in widths]
        )  # a bias of the read-out would only change the norm

    def extra_repr(self) -> str:
        return f"widths={self.widths}, real={self.is_real}"

    def first_layer(self, s: torch.Tensor) -> torch.Tensor:
        """What enters the first activation (batch, width) of spins (batch, sites)."""
        return self.biases[0] + s @ self.weights[0].mT

    def later_layers(self, preactivation: torch.Tensor) -> torch.Tensor:
        """ln psi (batch,) of what enters the first activation (batch, width)."""
        x = gelu(preactivation)
        for w, b in zip(list(self.weights)[1:-1], list(self.biases)[1:], strict=True):
            x = gelu(b + x @ w.mT)
        return self.as_complex(x @ self.weights[-1].mT)

    def as_complex(self, out: torch.Tensor) -> torch.Tensor:
        real = out[..., 0]
        return torch.complex(real, torch.zeros_like(real) if self.is_real else out[..., 1])

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        return self.later_layers(self.first_layer(spins(configurations)))

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        s = spins(configurations)
        inputs, x = [s], s
        preactivations: list[torch.Tensor] = []
        with torch.enable_grad():
            for w, b in zip(list(self.weights)[:-1], self.biases, strict=True):
                z = (b + x @ w.mT).detach() if not preactivations else b + x @ w.mT
                z.requires_grad_()
                preactivations.append(z)
                x = gelu(z)
                inputs.append(x)
            out = x @ self.weights[-1].mT  # (batch, 1 or 2)
            backs = [
                torch.autograd.grad(out[:, k].sum(), preactivations, retain_graph=True) for k in range(out.shape[1])
            ]
        one = torch.ones(len(s), 1, dtype=torch.float64)
        zero = torch.zeros_like(one)
        if self.is_real:
            deltas = [*backs[0], one]
        else:
            deltas = [torch.complex(a, b) for a, b in zip(*backs, strict=True)]
            deltas.append(torch.complex(torch.cat([one, zero], 1), torch.cat([zero, one], 1)))
        pieces: list[torch.Tensor | Outer] = [
            Outer(d.detach(), i.detach().to(d.dtype)) for d, i in zip(deltas, inputs, strict=True)
        ]
        return Derivatives([*pieces, *(d.detach() for d in deltas[:-1])])

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        with torch.no_grad():
            parts = []
            for bits in configurations.split(max(1, BATCH // (self.widths[0] * len(flips)))):
                s = spins(bits)
                preactivation = self.first_layer(s)
                turned = torch.stack(
                    [preactivation + self.change(s, flip) for flip in flips], 1
                )  # (batch, flips, width)
                parts.append(torch.exp(self.later_layers(turned) - self.later_layers(preactivation)[:, None]))
            ratios = torch.cat(parts)
            return ratios.real if self.is_real else ratios

    def change(self, s: torch.Tensor, flip: Flip) -> torch.Tensor:
        """By how much the first layer changes when the spins at ``flip`` are turned over (batch, width)."""
        places = list(flip)
        return -2 * s[:, places] @ self.weights[0][:, places].mT

    def walk(self, configurations: torch.Tensor) -> Walk:
        return DenseWalk(self, configurations)


class DenseWalk(Walk):
    """Chains that carry what enters the first activation."""

    def __init__(self, block: Dense, configurations: torch.Tensor):
        self.dense, self.block, self.bits = block, block, configurations.bool().clone()
        with torch.no_grad():
            self.spins = spins(self.bits)
            self.preactivation = block.first_layer(self.spins)
            self.logs = block.later_layers(self.preactivation).real
        self._new = self.preactivation, self.logs

    def propose(self, flip: Flip) -> torch.Tensor:
        with torch.no_grad():
            preactivation = self.preactivation + self.dense.change(self.spins, flip)
            self._new = preactivation, self.dense.later_layers(preactivation).real
        return 2 * (self._new[1] - self.logs)

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        places = list(flip)
        self.spins[:, places] = torch.where(accepted[:, None], -self.spins[:, places], self.spins[:, places])
        self.preactivation = torch.where(accepted[:, None], self._new[0], self.preactivation)
        self.logs = torch.where(accepted, self._new[1], self.logs)


def build(size: str, given: Given, generator: torch.Generator) -> Dense:
    """size: width of the hidden layer."""
    return Dense(given.sites, [int(size)], phase=not given.positive, generator=generator)


register(Kind("dense", 40, ("16", "64"), build, is_count))
