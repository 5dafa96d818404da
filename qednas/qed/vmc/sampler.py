"""Where the configurations of a block come from: drawn exactly where the block can, else by Markov chains."""

from __future__ import annotations

import torch

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.vmc.metropolis import Metropolis


class Sampler:
    """Configurations (records, chains, sites) of a block, by whichever way it allows."""

    def __init__(self, hamiltonian: Hamiltonian, block: Block, chains: int, generator: torch.Generator, warm_up: int):
        self.chains, self.generator = chains, generator
        self.hamiltonian = hamiltonian
        self.markov = None if block.samples_exactly else Metropolis(hamiltonian, chains, generator)
        if self.markov and warm_up:
            self.markov.warm_up(block, warm_up)

    def renew(self, block: Block, share: float, turn: int, warm_up: int) -> None:
        """Start a share of the chains anew, others every ``turn``."""
        if self.markov and (count := round(share * self.chains)):
            fresh = Metropolis(self.hamiltonian, count, self.generator)
            fresh.warm_up(block, warm_up)
            self.markov.bits = self.markov.bits.clone()
            self.markov.bits[(torch.arange(count) + turn * count) % self.chains] = fresh.bits

    def restart(self, block: Block, warm_up: int) -> None:
        """New chains for a block that has changed by much."""
        if self.markov:
            self.markov = Metropolis(self.hamiltonian, self.chains, self.generator)
            self.markov.warm_up(block, warm_up)

    def draw(self, block: Block, records: int, sweeps: int) -> torch.Tensor:
        if self.markov is None:
            return block.sample(records * self.chains, self.generator).unflatten(0, (records, self.chains))
        return torch.stack([self.markov.run(block, sweeps) for _ in range(records)])
