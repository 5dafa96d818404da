"""Autoregressive states: |psi(s)|^2 = prod_k p(s_k | s_0 ... s_(k-1)), sampled site by site without a Markov chain.

Sharir, Levine, Wies, Carleo and Shashua, PRL 124, 020503 (2020).  Where sum Z is conserved a value that can no longer lead to
it has probability zero (Hibat-Allah et al., Phys. Rev. Research 2, 023358 (2020)).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import logsigmoid

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block

NEVER = -torch.inf


class Autoregressive(Block):
    """A network that tells, from the spins before a site, how likely that site is down, and the phases of both values.

    magnetisation: sum Z to which the state is confined, or None.  phase: whether the network gives phases; without them the
    state is positive.
    """

    samples_exactly = True

    def __init__(self, sites: int, magnetisation: int | None, phase: bool):
        super().__init__(sites)
        if magnetisation is not None and ((sites - magnetisation) % 2 or abs(magnetisation) > sites):
            raise InputError(f"sum Z = {magnetisation}: no configuration of {sites} spins has it")
        self.magnetisation, self.is_real = magnetisation, not phase
        self.outputs = 3 if phase else 1  # log-odds of down; phase of up, phase of down

    def heads(self, bits: torch.Tensor) -> torch.Tensor:
        """What the network says at every site (batch, sites, outputs)."""
        raise NotImplementedError

    def begin(self, count: int) -> Any:
        """What is remembered before the first site."""
        raise NotImplementedError

    def advance(self, memory: Any, before: torch.Tensor | None, site: int) -> tuple[torch.Tensor, Any]:
        """The output (batch, outputs) at ``site`` and the new memory, from the bits (batch,) of the site before."""
        raise NotImplementedError

    def chances(self, odds: torch.Tensor, downs: torch.Tensor, site: torch.Tensor | int) -> torch.Tensor:
        """ln p of up and down (..., 2) from log-odds (...) after ``downs`` (...) spins down on the sites before ``site``."""
        logs = torch.stack([logsigmoid(-odds), logsigmoid(odds)], -1)
        if self.magnetisation is None:
            return logs
        wanted = (self.sites - self.magnetisation) // 2
        no_down = downs >= wanted
        no_up = (site - downs) >= self.sites - wanted
        up = torch.where(no_up, NEVER, torch.where(no_down, 0.0, logs[..., 0]))
        down = torch.where(no_down, NEVER, torch.where(no_up, 0.0, logs[..., 1]))
        return torch.stack([up, down], -1)

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        bits = configurations.to(torch.int64)
        out = self.heads(bits)
        downs = bits.cumsum(1) - bits
        logs = self.chances(out[..., 0], downs, torch.arange(self.sites))
        real = logs.gather(-1, bits[..., None])[..., 0].sum(1) / 2
        if self.is_real:
            return torch.complex(real, torch.zeros_like(real))
        return torch.complex(real, out[..., 1:].gather(-1, bits[..., None])[..., 0].sum(1))

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            bits = torch.zeros(count, self.sites, dtype=torch.bool)
            memory, downs, before = self.begin(count), torch.zeros(count, dtype=torch.int64), None
            for site in range(self.sites):
                out, memory = self.advance(memory, before, site)
                chance = self.chances(out[:, 0], downs, site)[:, 1].exp()
                before = torch.rand(count, dtype=torch.float64, generator=generator) < chance
                bits[:, site] = before
                downs = downs + before
            return bits
