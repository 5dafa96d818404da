"""Blocks that stand for one state together: psi(s) = sum_k c_k psi_k(s) / |psi_k|, a superposition of their states.

The sizes |psi_k| are measured on configurations that one is given (:meth:`Superposition.balance`): blocks are not normalised,
and the norm of one can differ from that of another by a factor that grows exponentially with the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from qednas.qed.blocks.block import Block, Flip
from qednas.qed.blocks.derivatives import Derivatives
from qednas.qed.blocks.product import Combined


class Superposition(Combined):
    """Gates are the c_k, not negative; ``sizes`` (blocks,) is ln |psi_k|."""

    sizes: torch.Tensor

    def __init__(self, blocks: Sequence[Block], gates: torch.Tensor | None = None):
        super().__init__(blocks, gates)
        self.register_buffer("sizes", torch.zeros(len(blocks), dtype=torch.float64))

    def balance(self, configurations: torch.Tensor) -> None:
        """Measure the sizes as the mean of ln |psi_k| over bits (batch, sites)."""
        with torch.no_grad():
            self.sizes.copy_(torch.stack([b.log_psi(configurations).real.mean() for b in self.blocks]))

    def parts(self, configurations: torch.Tensor) -> torch.Tensor:
        """ln (c_k psi_k / |psi_k|), complex128 (blocks, batch)."""
        logs = torch.stack([b.log_psi(configurations) for b in self.blocks])
        return logs + (self.gates.log() - self.sizes)[:, None]

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        return log_sum(self.parts(configurations))

    def shares(self, configurations: torch.Tensor) -> torch.Tensor:
        """What each block contributes to the amplitude (blocks, batch), summing to one; float64 if ``is_real``."""
        with torch.no_grad():
            parts = self.parts(configurations)
            shares = torch.exp(parts - log_sum(parts))
        return shares.real if self.is_real else shares

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        tables, groups = [], []
        for number, (share, block) in enumerate(zip(self.shares(configurations), self.blocks, strict=True)):
            for piece in self.block_pieces(block, configurations):
                table = piece if isinstance(piece, torch.Tensor) else piece.table()
                tables.append(share[:, None] * table)
                groups.append(number)
        return Derivatives(list(tables), groups)

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        total = torch.zeros(len(configurations), len(flips), dtype=torch.float64 if self.is_real else torch.complex128)
        for share, block in zip(self.shares(configurations), self.blocks, strict=True):
            total = total + share[:, None] * block.flip_ratios(configurations, flips, wanted)
        return total


def log_sum(parts: torch.Tensor) -> torch.Tensor:
    """ln of the sum over the first axis of exp(parts), complex (blocks, batch)."""
    size = parts.real.max(0, keepdim=True).values.detach()
    size = torch.where(torch.isfinite(size), size, 0.0)
    return torch.log(torch.exp(parts - size).sum(0)) + size[0]
