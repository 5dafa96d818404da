"""Jastrow factor: ln psi(s) = sum_k a_k s_k + sum_{j<k} J_jk s_j s_k, the mean field with pair correlations."""

from __future__ import annotations

import torch

from qednas.qed.blocks.block import Block, spins
from qednas.qed.blocks.derivatives import Derivatives


class Jastrow(Block):
    """fields a (sites,) and pairs J (sites (sites-1) / 2,), float64 or complex128."""

    first: torch.Tensor
    second: torch.Tensor

    def __init__(
        self,
        sites: int,
        *,
        dtype: torch.dtype = torch.float64,
        scale: float = 0.01,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        self.holomorphic, self.is_real = dtype.is_complex, not dtype.is_complex
        first, second = torch.triu_indices(sites, sites, 1)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.fields = torch.nn.Parameter(scale * torch.randn(sites, dtype=dtype, generator=generator))
        self.pairs = torch.nn.Parameter(scale * torch.randn(len(first), dtype=dtype, generator=generator))

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        s = spins(configurations)
        whole = torch.zeros(self.sites, self.sites, dtype=self.pairs.dtype).index_put(
            (self.first, self.second), self.pairs
        )
        own = s.to(self.pairs.dtype)
        return (own @ self.fields + ((own @ whole) * own).sum(1)).to(torch.complex128)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        s = spins(configurations)
        return Derivatives([s.to(self.pairs.dtype), (s[:, self.first] * s[:, self.second]).to(self.pairs.dtype)])
