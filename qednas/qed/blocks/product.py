"""Blocks that stand for one state together: psi(s) = prod_k psi_k(s)^(g_k), the sum of weighted log-amplitudes.

Every block multiplies in what the others cannot hold: a matrix product state the correlations nearby, a machine or a Jastrow
factor those at a distance.  A proposal, a ratio and a derivative cost the sum of what they cost each block, in its own fast way.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block, Flip, Walk
from qednas.qed.blocks.derivatives import Derivatives, Outer, Piece


class Combined(Block):
    """What a state of several ``blocks`` needs, with real ``gates`` (blocks,), all ones unless given: buffers, not parameters.

    Raises InputError without a block or for blocks of different lengths.
    """

    gates: torch.Tensor

    def __init__(self, blocks: Sequence[Block], gates: torch.Tensor | None = None):
        if not blocks:
            raise InputError("blocks = []: at least one block is needed")
        if len({b.sites for b in blocks}) > 1:
            raise InputError(f"blocks of {[b.sites for b in blocks]} sites: all of one length")
        super().__init__(blocks[0].sites)
        self.blocks: Sequence[Block] = torch.nn.ModuleList(blocks)  # type: ignore[assignment]
        self.is_real = all(b.is_real for b in blocks)
        self.holomorphic = all(b.holomorphic for b in blocks)
        self.register_buffer("gates", torch.ones(len(blocks), dtype=torch.float64) if gates is None else gates)

    @property
    def parameter_count(self) -> int:
        return sum(b.parameter_count for b in self.blocks)

    def block_pieces(self, block: Block, configurations: torch.Tensor) -> list[Piece]:
        """The derivatives of one block, by real parameters where the whole is not holomorphic."""
        if block.holomorphic and not self.holomorphic:
            return [by_real(p) for p in block.derivatives(configurations).pieces]
        pieces = block.derivatives(configurations).pieces
        return [as_complex(p) for p in pieces] if block.is_real and not self.is_real else pieces


class Product(Combined):
    """ln psi = sum_k g_k ln psi_k.  A block whose gate is zero costs nothing.

    The amplitudes are sampled by Markov chains, so that a sector which H conserves projects every factor on it.
    """

    def active_blocks(self) -> list[tuple[float, Block]]:
        """The gates that are not zero, with their blocks."""
        return [(float(g), b) for g, b in zip(self.gates, self.blocks, strict=True) if g != 0]

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(configurations), dtype=torch.complex128)
        for gate, block in self.active_blocks():
            total = total + gate * block.log_psi(configurations)
        return total

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        pieces: list[Piece] = []
        groups: list[int] = []
        for number, (gate, block) in enumerate(zip(self.gates, self.blocks, strict=True)):
            parts = self.block_pieces(block, configurations)
            pieces += [Outer(gate * p.left, p.right) if isinstance(p, Outer) else gate * p for p in parts]
            groups += [number] * len(parts)
        return Derivatives(pieces, groups)

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        total: torch.Tensor | float = 1.0
        for gate, block in self.active_blocks():
            ratios = block.flip_ratios(configurations, flips, wanted)
            total = total * (ratios if gate == 1 else gate_power(ratios, gate))
        assert isinstance(total, torch.Tensor)
        return total

    def walk(self, configurations: torch.Tensor) -> Walk:
        return ProductWalk(self, configurations)


class ProductWalk(Walk):
    """Chains that every factor follows in its own way."""

    def __init__(self, block: Product, configurations: torch.Tensor):
        self.block, self.bits = block, configurations.bool().clone()
        self.walks = [(gate, part.walk(self.bits)) for gate, part in block.active_blocks()]
        for _, walk in self.walks:
            walk.bits = self.bits  # turned once for all
        orders = [walk.order for _, walk in self.walks if walk.order is not None]
        self.order = orders[0] if orders else None

    def propose(self, flip: Flip) -> torch.Tensor:
        return torch.stack([gate * walk.propose(flip) for gate, walk in self.walks]).sum(0)

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        for _, walk in self.walks:
            walk.carry(flip, accepted)


def gate_power(ratios: torch.Tensor, gate: float) -> torch.Tensor:
    """ratio^gate with the principal branch; a negative real ratio needs a complex one."""
    if not ratios.is_complex() and bool((ratios < 0).any()):
        ratios = ratios.to(torch.complex128)
    return ratios**gate


def by_real(piece: Piece) -> Piece:
    """Derivatives by real and imaginary part (..., 2) of each parameter, of a piece by complex parameters."""
    factor = piece.right if isinstance(piece, Outer) else piece
    factor = torch.stack([factor, 1j * factor], 2).flatten(1)
    return Outer(piece.left, factor) if isinstance(piece, Outer) else factor


def as_complex(piece: Piece) -> Piece:
    if isinstance(piece, Outer):
        return Outer(piece.left.to(torch.complex128), piece.right.to(torch.complex128))
    return piece.to(torch.complex128)
