"""A sign structure that is given: turning Z by pi on some sites, psi(s) -> (-1)^(number of spins down there) psi(s)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block, Flip, Walk
from qednas.qed.blocks.derivatives import Derivatives


class Signed(Block):
    """``block`` with the sign (-1)^(spins down on ``pattern``), pattern bool (sites,); what it learns comes on top."""

    pattern: torch.Tensor

    def __init__(self, block: Block, pattern: torch.Tensor):
        super().__init__(block.sites)
        if pattern.shape != (block.sites,):
            raise InputError(f"pattern has shape {tuple(pattern.shape)}, ({block.sites},) is needed")
        self.block = block
        self.is_real, self.holomorphic, self.samples_exactly = block.is_real, block.holomorphic, block.samples_exactly
        self.register_buffer("pattern", pattern.bool())

    @property
    def parameter_count(self) -> int:
        return self.block.parameter_count

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        odd = ((configurations.bool() & self.pattern).sum(1) % 2).to(torch.float64)
        return self.block.log_psi(configurations) + 1j * (math.pi * odd)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        return self.block.derivatives(configurations)

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        signs = [(-1.0) ** int(self.pattern[list(flip)].sum()) for flip in flips]
        return self.block.flip_ratios(configurations, flips, wanted) * torch.tensor(signs, dtype=torch.float64)

    def walk(self, configurations: torch.Tensor) -> Walk:
        return self.block.walk(configurations)

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return self.block.sample(count, generator)


def marshall(hamiltonian: Hamiltonian) -> torch.Tensor:
    """The pattern bool (sites,) that makes the exchange of as many strong bonds as possible negative.

    On a bipartite antiferromagnet these are the sites of one sublattice, and the ground state is positive behind the sign
    (Marshall, Proc. R. Soc. A 232, 48 (1955)).  With frustration bonds are served from the strongest down, and those that no
    longer fit are left.
    """
    bonds = []
    for letters, places, coupling in hamiltonian.terms():
        if len(places) == 2 and letters in ("XX", "YY"):
            bonds.append((abs(coupling), coupling > 0, places))
    colour, parent = np.zeros(hamiltonian.sites, int), np.arange(hamiltonian.sites)

    def root(site: int) -> tuple[int, int]:
        turned = 0
        while parent[site] != site:
            turned ^= colour[site]
            site = parent[site]
        return site, turned

    for _, antiferromagnetic, (i, j) in sorted(bonds, key=lambda bond: -bond[0]):
        (a, of_a), (b, of_b) = root(i), root(j)
        if a != b:
            parent[b], colour[b] = a, of_a ^ of_b ^ antiferromagnetic
    return torch.tensor([root(i)[1] for i in range(hamiltonian.sites)], dtype=torch.bool)
