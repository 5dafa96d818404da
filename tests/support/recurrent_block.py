"""Recurrent block: a gated recurrent unit that walks along the chain (Hibat-Allah et al., Phys. Rev. Research 2, 023358 (2020)).

The gates are those of Cho et al., EMNLP 2014, with the reset gate inside the candidate left out (minimal gated unit: Zhou et
al., Int. J. Autom. Comput. 13, 226 (2016)); every site has its own read-out, so that the ends of an open chain may differ.
"""

from __future__ import annotations

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks.autoregressive import Autoregressive


class Recurrent(Autoregressive):
    """A memory of ``width`` numbers.  Raises InputError when the width is not positive."""

    def __init__(
        self,
        sites: int,
        width: int = 16,
        *,
        magnetisation: int | None = None,
        phase: bool = False,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites, magnetisation, phase)
        if width < 1:
            raise InputError(f"width = {width}: 1 or more")
        self.width = width

        def drawn(*shape: int, spread: float) -> torch.nn.Parameter:
            return torch.nn.Parameter(spread * torch.randn(*shape, dtype=torch.float64, generator=generator))

        self.token = drawn(3, 2 * width, spread=0.5)  # up, down, nothing yet: into the gate and into the candidate
        self.carry = drawn(2 * width, width, spread=width**-0.5)
        self.read = drawn(sites, self.outputs, width, spread=0.1 * width**-0.5)
        self.level = torch.nn.Parameter(torch.zeros(sites, self.outputs, dtype=torch.float64))

    def extra_repr(self) -> str:
        return f"width={self.width}, sum Z={self.magnetisation}"

    def step(self, memory: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        gate, new = (token + memory @ self.carry.mT).chunk(2, -1)
        gate = torch.sigmoid(gate)
        return (1 - gate) * memory + gate * torch.tanh(new)

    def heads(self, bits: torch.Tensor) -> torch.Tensor:
        before = torch.cat([torch.full_like(bits[:, :1], 2), bits[:, :-1]], 1)
        tokens = self.token[before]
        memory, out = torch.zeros(len(bits), self.width, dtype=torch.float64), []
        for site in range(self.sites):
            memory = self.step(memory, tokens[:, site])
            out.append(self.level[site] + memory @ self.read[site].mT)
        return torch.stack(out, 1)

    def begin(self, count: int) -> torch.Tensor:
        return torch.zeros(count, self.width, dtype=torch.float64)

    def advance(self, memory: torch.Tensor, before: torch.Tensor | None, site: int):
        token = self.token[2].expand(len(memory), -1) if before is None else self.token[before.to(torch.int64)]
        memory = self.step(memory, token)
        return self.level[site] + memory @ self.read[site].mT, memory
