"""Jastrow factor: ln psi(s) = sum_k a_k s_k + sum_{j<k} J_jk s_j s_k, the mean field with pair correlations.

With J_jk a function of the distance only it has as many parameters as the chain has sites; J ~ ln |j - k| alone is close to
the ground state of a critical chain (Haldane, PRL 60, 635 (1988); Shastry, PRL 60, 639 (1988)).  On a lattice with symmetries
the pairs that are images of each other share one J.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.qed.blocks import kernels
from qednas.qed.blocks.block import Block, Flip, Walk, spins
from qednas.qed.blocks.derivatives import Derivatives
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import START, Kind, register

PAIRS = ("all", "distance")


def pair_orbits(permutations: torch.Tensor) -> torch.Tensor:
    """Number (sites, sites) of the class of every pair, the same for pairs that permutations (group, sites) exchange.

    Classes are numbered from 0 without gaps; the diagonal has -1.
    """
    sites = permutations.shape[1]
    first, second = torch.triu_indices(sites, sites, 1)
    a, b = permutations[:, first], permutations[:, second]
    least = (torch.minimum(a, b) * sites + torch.maximum(a, b)).min(0).values
    place = torch.full((sites, sites), -1)
    place[first, second] = torch.unique(least, return_inverse=True)[1]
    return torch.maximum(place, place.T)


def pair_classes(sites: int, pairs: str) -> torch.Tensor:
    """The same for an open chain whose pairs are all of their own, or all alike at one distance."""
    first, second = torch.triu_indices(sites, sites, 1)
    place = torch.full((sites, sites), -1)
    place[first, second] = torch.arange(len(first)) if pairs == "all" else second - first - 1
    return torch.maximum(place, place.T)


class Jastrow(Block):
    """fields a (sites,) and pairs J, one for each class of pairs; float64 or complex128.

    pairs: "all" (every pair is its own class), "distance", or the classes (sites, sites) as :func:`pair_orbits` gives them.
    fields: False leaves out a, for a state that does not change when all spins are turned over.
    Raises InputError for an unknown kind of ``pairs``.
    """

    place: torch.Tensor

    def __init__(
        self,
        sites: int,
        pairs: str | torch.Tensor = "all",
        *,
        fields: bool = True,
        dtype: torch.dtype = torch.float64,
        scale: float = 0.01,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        if isinstance(pairs, str):
            if pairs not in PAIRS:
                raise InputError(f"pairs = {pairs!r}: one of {', '.join(PAIRS)}")
            pairs = pair_classes(sites, pairs)
        self.holomorphic, self.is_real = dtype.is_complex, not dtype.is_complex
        self.register_buffer("place", pairs, persistent=False)
        count = int(pairs.max()) + 1
        self.fields = (
            torch.nn.Parameter(scale * torch.randn(sites, dtype=dtype, generator=generator)) if fields else None
        )
        self.pairs = torch.nn.Parameter(scale * torch.randn(count, dtype=dtype, generator=generator))

    def extra_repr(self) -> str:
        return f"pairs={len(self.pairs)}, fields={self.fields is not None}"

    def coupling_matrix(self) -> torch.Tensor:
        """J (sites, sites), symmetric, zero on the diagonal."""
        return self.pairs[self.place.clamp_min(0)] * (1 - torch.eye(self.sites, dtype=torch.float64))

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        s = spins(configurations).to(self.pairs.dtype)
        out = ((s @ self.coupling_matrix()) * s).sum(1) / 2
        if self.fields is not None:
            out = out + s @ self.fields
        return out.to(torch.complex128)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        s = spins(configurations)
        first, second = torch.triu_indices(self.sites, self.sites, 1)
        products = s[:, first] * s[:, second]
        if len(self.pairs) < len(first):
            products = products @ torch.nn.functional.one_hot(self.place[first, second], len(self.pairs)).to(s.dtype)
        tables = [products] if self.fields is None else [s, products]
        return Derivatives([p.to(self.pairs.dtype) for p in tables])

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        with torch.no_grad():
            s = spins(configurations).to(self.pairs.dtype)
            couplings = self.coupling_matrix()
            fields = s @ couplings + (0 if self.fields is None else self.fields)
            return torch.exp(torch.stack([flip_change(s, fields, couplings, flip)[0] for flip in flips], 1))

    def walk(self, configurations: torch.Tensor) -> Walk:
        return JastrowWalk(self, configurations)


class JastrowWalk(Walk):
    """Chains that carry the field that every spin feels."""

    def __init__(self, block: Jastrow, configurations: torch.Tensor):
        self.block, self.bits = block, configurations.bool().clone()
        with torch.no_grad():
            couplings = block.coupling_matrix()
            start = spins(self.bits).to(couplings.dtype)
            fields = start @ couplings + (0 if block.fields is None else block.fields.detach())
        self.couplings, self.spins, self.fields = couplings.numpy(), start.numpy(), fields.numpy()
        self._logs = np.zeros(len(start), self.fields.dtype)

    def propose(self, flip: Flip) -> torch.Tensor:
        self._logs.fill(0)  # the sum starts from what stands there, which must be a number
        kernels.pairs_propose(self.spins, self.fields, self.couplings, kernels.sites_of(flip), self._logs)
        return 2 * torch.from_numpy(self._logs.real)

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        kernels.pairs_accept(self.spins, self.fields, self.couplings, kernels.sites_of(flip), accepted.numpy())


def flip_change(
    s: torch.Tensor, fields: torch.Tensor, couplings: torch.Tensor, flip: Flip
) -> tuple[torch.Tensor, torch.Tensor]:
    """ln psi(s')/psi(s) (batch,) and s' - s (batch, places) when the spins at ``flip`` are turned over.

    s and fields (batch, sites), couplings (sites, sites).
    """
    places = list(flip)
    change = -2 * s[:, places]
    among = (change @ couplings[places][:, places]) * change
    return (change * fields[:, places]).sum(1) + among.sum(1) / 2, change


def build(size: str, given: Given, generator: torch.Generator) -> Jastrow:
    """pairs: a coupling for every pair of sites; distance: one for every distance, or for every orbit of pairs on a ring."""
    dtype = torch.float64 if given.positive else torch.complex128
    shared = pair_orbits(given.group) if given.is_ring else "distance"
    pairs = "all" if size == "pairs" else shared
    return Jastrow(given.sites, pairs, fields=not given.even, dtype=dtype, scale=START, generator=generator)


SIZES = ("distance", "pairs")
register(Kind("jastrow", 10, SIZES, build, SIZES.__contains__, warm_up=lambda dtype: Jastrow(8, dtype=dtype)))
