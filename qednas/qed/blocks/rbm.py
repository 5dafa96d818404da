"""Restricted Boltzmann machine with complex weights: Carleo and Troyer, Science 355, 602 (2017).

psi(s) = exp(sum_k a_k s_k) prod_j cosh(b_j + sum_k W_jk s_k),        s_k = +-1
"""

from __future__ import annotations

import math

import torch

from qednas.errors import InputError
from qednas.qed.blocks.block import Block, spins

LN_2 = math.log(2)
FAR = 40.0  # real part from which on exp(-2 x) is nothing in double precision


class RBM(Block):
    """visible a (sites,), hidden b (units,), weights W (units, sites), complex128; ``mask`` (units, sites) of the bonds.

    density: hidden units per site.  reach: hidden unit j sees spins at a distance of at most ``reach`` from its own place;
    None sees all.  scale: standard deviation of real and imaginary parts at the start.
    """

    mask: torch.Tensor

    def __init__(
        self,
        sites: int,
        density: float = 1.0,
        reach: int | None = None,
        *,
        scale: float = 0.01,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        units = round(density * sites)
        if units < 1:
            raise InputError(f"density = {density}: no hidden unit for {sites} sites; need at least {1 / sites:.3g}")
        if reach is not None and reach < 0:
            raise InputError(f"reach = {reach}: a distance, 0 or more")
        places = (torch.arange(units) + 0.5) * sites / units - 0.5
        near = (torch.arange(sites) - places[:, None]).abs() <= (sites if reach is None else reach)
        self.register_buffer("mask", near)

        def drawn(*shape: int) -> torch.nn.Parameter:
            return torch.nn.Parameter(scale * 2**0.5 * torch.randn(*shape, dtype=torch.complex128, generator=generator))

        self.visible, self.hidden, self.weights = drawn(sites), drawn(units), drawn(units, sites)

    @classmethod
    def from_weights(cls, visible: torch.Tensor, hidden: torch.Tensor, weights: torch.Tensor) -> RBM:
        """The machine with these weights; zero ones are left out of its bonds.  weights (units, sites)."""
        units, sites = weights.shape
        block = cls(sites, units / sites)
        with torch.no_grad():
            for name, value in (("visible", visible), ("hidden", hidden), ("weights", weights)):
                own = getattr(block, name)
                if own.shape != value.shape:
                    raise InputError(f"{name} has shape {tuple(value.shape)}, {tuple(own.shape)} is needed")
                own.copy_(value)
        block.mask.copy_(weights != 0)
        return block

    @property
    def used_parameters(self) -> int:
        """Complex parameters that are not zero: how the literature counts exact machines."""
        kept = (self.visible != 0).sum() + (self.hidden != 0).sum() + ((self.weights != 0) & self.mask).sum()
        return int(kept)

    def angles(self, s: torch.Tensor) -> torch.Tensor:
        """b_j + sum_k W_jk s_k (batch, units) of spins (batch, sites)."""
        return self.hidden + s.to(torch.complex128) @ (self.weights * self.mask).T

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        s = spins(configurations)
        return s.to(torch.complex128) @ self.visible + log_cosh(self.angles(s)).sum(-1)


def log_cosh(x: torch.Tensor) -> torch.Tensor:
    """ln cosh of complex numbers without overflow; the imaginary part up to a multiple of 2 pi."""
    x = torch.where(x.real < 0, -x, x)  # cosh is even
    far = x.real > FAR  # log1p of a complex denormal number is not a number
    rest = torch.log1p(torch.exp(-2 * torch.where(far, 0.0, x)))
    return x + torch.where(far, 0.0, rest) - LN_2
