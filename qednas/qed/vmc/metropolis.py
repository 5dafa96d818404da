"""Markov chains of configurations distributed as |psi|^2: Metropolis et al., J. Chem. Phys. 21, 1087 (1953).

The moves are the flips that the Hamiltonian makes (so they connect whatever the ground state lives on), two spins at any
distance where sum Z (then as an exchange) or prod Z is conserved, and turning every spin over where that is a symmetry, which
joins the two halves of a cat state.  All chains try the same move at a time, drawn without looking at them, and accept it each
on its own.
"""

from __future__ import annotations

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.qed.blocks.block import Block, Flip, spins
from qednas.qed.vmc.local_energy import flips_of


def random_configurations(sites: int, sector: Sector, chains: int, generator: torch.Generator) -> torch.Tensor:
    """Random bits (chains, sites), bool, inside the sector of sum Z or prod Z; a value that is not given is the least.

    Raises InputError when no configuration has that value.
    """
    bits = torch.rand(chains, sites, generator=generator) < 0.5
    if sector.kind == "magnetisation":
        value = sites % 2 if sector.value is None else sector.value
        if (sites - value) % 2 or abs(value) > sites:
            raise InputError(f"sum Z = {value}: no configuration of {sites} spins has it")
        order = torch.rand(chains, sites, generator=generator).argsort(1)
        bits = order < (sites - value) // 2
    elif sector.kind == "parity_z":
        odd = bits.sum(1) % 2 != (0 if sector.value in (1, None) else 1)
        bits[odd, 0] ^= True
    return bits


FAR, FAR_IN_ORDER = (
    2,
    4,
)  # one move in so many is at any distance; the second for blocks that go through the sites in order


class Metropolis:
    """``chains`` chains that go on from one call to the next, so that they stay in equilibrium while a block is trained.

    A sweep is as many moves as there are sites, in an order drawn anew; half of them are pairs at any distance where sum Z or
    prod Z is conserved, fewer if the block goes through the sites in an order of its own.  ``accepted`` is the share of the last
    call.
    """

    def __init__(self, hamiltonian: Hamiltonian, chains: int, generator: torch.Generator):
        if chains < 1:
            raise InputError(f"chains = {chains}: at least 1")
        self.sites, self.generator = hamiltonian.sites, generator
        self.moves = flips_of(np.unique(hamiltonian.x, axis=0))
        self.conserves = hamiltonian.sector.kind == "magnetisation"
        self.pairs = hamiltonian.sector.kind in ("magnetisation", "parity_z")
        self.turns_all = hamiltonian.conserves_parity_x and not self.conserves
        self.bits = random_configurations(hamiltonian.sites, hamiltonian.sector, chains, generator)
        self.accepted = 0.0

    def warm_up(self, block: Block, sweeps: int) -> None:
        """``sweeps`` of chains that start anywhere, with |psi|^(2 beta) and beta rising to one, which anneals domain walls."""
        self.run(block, sweeps, np.linspace(1 / max(sweeps, 1), 1, sweeps))

    def run(self, block: Block, sweeps: int, betas: np.ndarray | None = None) -> torch.Tensor:
        """Bits (chains, sites) after ``sweeps`` more sweeps, each drawn from |psi|^(2 beta) if ``betas`` (sweeps,) are given."""
        proposed, acceptances = 0, torch.zeros((), dtype=torch.int64)
        walk = block.walk(self.bits)
        rank = walk.order
        for number in range(sweeps):
            plan = self.plan(FAR if rank is None else FAR_IN_ORDER)
            if rank is not None:
                plan = sorted(plan, key=lambda flip: min(rank[site] for site in flip))
            chances = torch.rand(len(plan), len(self.bits), dtype=torch.float64, generator=self.generator).log()
            if betas is not None:
                chances /= betas[number]
            for flip, chance in zip(plan, chances, strict=True):
                accepted = chance < walk.propose(flip)
                if self.conserves:
                    accepted &= spins(walk.bits[:, list(flip)]).sum(1) == 0
                walk.accept(flip, accepted)
                proposed, acceptances = proposed + len(accepted), acceptances + accepted.sum()
        self.bits = walk.bits
        self.accepted = int(acceptances) / max(proposed, 1)
        return self.bits

    def plan(self, far: int) -> list[Flip]:
        """The moves of one sweep; one in ``far`` is a pair at any distance where there are such."""
        pairs = self.sites // far if self.pairs else 0
        plan = [self.moves[k] for k in self.draw_indices(len(self.moves), self.sites - pairs)]
        for k in self.draw_indices(self.sites * (self.sites - 1), pairs):
            i, j = divmod(k, self.sites - 1)
            plan.append((i, j + (j >= i)))
        if pairs:
            plan = [plan[k] for k in self.draw_indices(len(plan), len(plan))]
        return [*plan, tuple(range(self.sites))] if self.turns_all else plan

    def draw_indices(self, choices: int, count: int) -> list[int]:
        """``count`` of so many choices, each once before one comes again."""
        out: list[int] = []
        while len(out) < count:
            out += torch.randperm(choices, generator=self.generator)[: count - len(out)].tolist()
        return out
