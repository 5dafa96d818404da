"""A symmetry put into any block: psi(s) -> sum_g chi(g) psi(g s), the projection on states with that character.

Reh, Schmitt and Gaerttner, PRB 107, 195115 (2023), compare ways of doing so.
"""

from __future__ import annotations

import math

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.derivatives import Derivatives


class Symmetric(Block):
    """``block`` summed over permutations of the sites (group, sites), each also with all spins turned over if ``turned``.

    permutations must form a group, which takes s to s[g].  turned: +1 or -1, what turning all spins over does to psi, or 0 if
    that is no symmetry.  An amplitude costs as many of the block's as the group has elements.
    """

    permutations: torch.Tensor

    def __init__(self, block: Block, permutations: torch.Tensor, turned: int = 0):
        super().__init__(block.sites)
        if permutations.ndim != 2 or permutations.shape[1] != block.sites:
            raise InputError(f"permutations have shape {tuple(permutations.shape)}, (group, {block.sites}) is needed")
        if turned not in (-1, 0, 1):
            raise InputError(f"turned = {turned}: +1, -1, or 0 for no such symmetry")
        self.block, self.turned = block, turned
        self.is_real, self.holomorphic = block.is_real, block.holomorphic
        self.register_buffer("permutations", permutations)

    @property
    def parameter_count(self) -> int:
        return self.block.parameter_count

    def images(self, configurations: torch.Tensor) -> torch.Tensor:
        """Bits (batch, group, sites) of all that the symmetry makes of bits (batch, sites)."""
        moved = configurations.bool()[:, self.permutations]
        return torch.cat([moved, ~moved], 1) if self.turned else moved

    def logs(self, configurations: torch.Tensor) -> torch.Tensor:
        """ln chi(g) psi(g s), complex128 (batch, group)."""
        images = self.images(configurations)
        logs = self.block.log_psi(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        if self.turned == -1:
            turned = torch.arange(logs.shape[1]) >= logs.shape[1] // 2
            logs = logs + 1j * (math.pi * turned.to(torch.float64))
        return logs

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        logs = self.logs(configurations)
        size = logs.real.max(1, keepdim=True).values.detach()
        size = torch.where(torch.isfinite(size), size, 0.0)
        return torch.log(torch.exp(logs - size).sum(1)) + size[:, 0]

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        images = self.images(configurations)
        with torch.no_grad():
            logs = self.logs(configurations)
            shares = torch.exp(logs - torch.logsumexp(logs.real, 1, keepdim=True))
            shares = shares / shares.sum(1, keepdim=True)
        shares = shares.real if self.is_real else shares
        total: torch.Tensor | float = 0.0
        for g in range(images.shape[1]):
            total = total + shares[:, g, None] * self.block.derivatives(images[:, g]).table()
        assert isinstance(total, torch.Tensor)
        return Derivatives([total])
