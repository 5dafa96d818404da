"""What a state made of several blocks needs, however they are put together."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.derivatives import Outer, Piece


class Combined(Block):
    """``blocks`` with real ``gates`` (blocks,), all ones unless given; a gate is a buffer, not a parameter.

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

    def own(self, block: Block, configurations: torch.Tensor) -> list[Piece]:
        """The derivatives of one block, by real parameters where the whole is not holomorphic."""
        if block.holomorphic and not self.holomorphic:
            return [by_real(p) for p in block.derivatives(configurations).pieces]
        pieces = block.derivatives(configurations).pieces
        return [as_complex(p) for p in pieces] if block.is_real and not self.is_real else pieces


def by_real(piece: Piece) -> Piece:
    """Derivatives by real and imaginary part (..., 2) of each parameter, of a piece by complex parameters."""
    both = piece.right if isinstance(piece, Outer) else piece
    both = torch.stack([both, 1j * both], 2).flatten(1)
    return Outer(piece.left, both) if isinstance(piece, Outer) else both


def as_complex(piece: Piece) -> Piece:
    if isinstance(piece, Outer):
        return Outer(piece.left.to(torch.complex128), piece.right.to(torch.complex128))
    return piece.to(torch.complex128)
