"""Compile, or load from the cache, all loops of the blocks at once, so that no measured time contains it."""

from __future__ import annotations

from functools import cache

import torch

from qednas.qed.blocks.block import Block
from qednas.qed.blocks.jastrow import Jastrow
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.rbm import RBM

FLIPS = [(0,), (1, 2), (0, 1, 2)]


@cache
def make_ready() -> None:
    """Does its work once in a process: seconds where there is no cache yet, half a second where there is."""
    bits = torch.zeros(2, 8, dtype=torch.bool)
    for dtype in (torch.float64, torch.complex128):
        blocks: list[Block] = [RBM(8, 1, dtype=dtype), Jastrow(8, dtype=dtype), MPS(8, 2, dtype=dtype)]
        for block in blocks:
            with torch.no_grad():
                block.log_psi(bits)
                block.flip_ratios(bits, FLIPS)
            block.derivatives(bits)
            walk = block.walk(bits)
            for flip in FLIPS:
                walk.propose(flip)
                walk.accept(flip, torch.ones(2, dtype=torch.bool))
