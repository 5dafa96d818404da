"""Jastrow factor: ln psi(s) = sum_k a_k s_k + sum_{j<k} J_jk s_j s_k, the mean field with pair correlations.

With J_jk a function of the distance only it has as many parameters as the chain has sites; J ~ ln |j - k| alone is close to
the ground state of a critical chain (Haldane, PRL 60, 635 (1988); Shastry, PRL 60, 639 (1988)).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from qednas.errors import InputError
from qednas.qed.blocks.block import Block, Flip, Walk, spins
from qednas.qed.blocks.derivatives import Derivatives

PAIRS = ("all", "distance")


class Jastrow(Block):
    """fields a (sites,) and pairs, float64 or complex128: J_jk one by one, or (sites - 1,) of the distance k - j.

    fields: False leaves out a, for a state that does not change when all spins are turned over.
    Raises InputError for an unknown kind of ``pairs``.
    """

    place: torch.Tensor

    def __init__(
        self,
        sites: int,
        pairs: str = "all",
        *,
        fields: bool = True,
        dtype: torch.dtype = torch.float64,
        scale: float = 0.01,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        if pairs not in PAIRS:
            raise InputError(f"pairs = {pairs!r}: one of {', '.join(PAIRS)}")
        self.kind, self.holomorphic, self.is_real = pairs, dtype.is_complex, not dtype.is_complex
        first, second = torch.triu_indices(sites, sites, 1)
        place = torch.zeros(
            sites, sites, dtype=torch.int64
        )  # which of the parameters J_jk is; the diagonal is not used
        place[first, second] = torch.arange(len(first)) if pairs == "all" else second - first - 1
        self.register_buffer("place", place + place.T, persistent=False)
        count = len(first) if pairs == "all" else sites - 1
        self.fields = (
            torch.nn.Parameter(scale * torch.randn(sites, dtype=dtype, generator=generator)) if fields else None
        )
        self.pairs = torch.nn.Parameter(scale * torch.randn(count, dtype=dtype, generator=generator))

    def extra_repr(self) -> str:
        return f"pairs={self.kind}, fields={self.fields is not None}"

    def whole(self) -> torch.Tensor:
        """J (sites, sites), symmetric, zero on the diagonal."""
        return self.pairs[self.place] * (1 - torch.eye(self.sites, dtype=torch.float64))

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        s = spins(configurations).to(self.pairs.dtype)
        out = ((s @ self.whole()) * s).sum(1) / 2
        if self.fields is not None:
            out = out + s @ self.fields
        return out.to(torch.complex128)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        s = spins(configurations)
        first, second = torch.triu_indices(self.sites, self.sites, 1)
        products = s[:, first] * s[:, second]
        if self.kind == "distance":
            products = products.new_zeros(len(s), self.sites - 1).index_add_(1, second - first - 1, products)
        own = [products] if self.fields is None else [s, products]
        return Derivatives([p.to(self.pairs.dtype) for p in own])

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        with torch.no_grad():
            s = spins(configurations).to(self.pairs.dtype)
            whole = self.whole()
            fields = s @ whole + (0 if self.fields is None else self.fields)
            return torch.exp(torch.stack([turning(s, fields, whole, flip)[0] for flip in flips], 1))

    def walk(self, configurations: torch.Tensor) -> Walk:
        return JastrowWalk(self, configurations)


class JastrowWalk(Walk):
    """Chains that carry the field that every spin feels."""

    def __init__(self, block: Jastrow, configurations: torch.Tensor):
        self.block, self.bits = block, configurations.bool().clone()
        with torch.no_grad():
            self.couplings = block.whole()
            self.spins = spins(self.bits).to(self.couplings.dtype)
            self.fields = self.spins @ self.couplings + (0 if block.fields is None else block.fields.detach())
        self._change = self.spins[:, :0]

    def propose(self, flip: Flip) -> torch.Tensor:
        logs, self._change = turning(self.spins, self.fields, self.couplings, flip)
        return 2 * logs.real

    def accept(self, flip: Flip, accepted: torch.Tensor) -> None:
        self.turn(flip, accepted)
        places, change = list(flip), torch.where(accepted[:, None], self._change, 0.0)
        self.spins[:, places] += change
        self.fields += change @ self.couplings[places]


def turning(
    s: torch.Tensor, fields: torch.Tensor, couplings: torch.Tensor, flip: Flip
) -> tuple[torch.Tensor, torch.Tensor]:
    """ln psi(s')/psi(s) (batch,) and s' - s (batch, places) when the spins at ``flip`` are turned over.

    s and fields (batch, sites), couplings (sites, sites).
    """
    places = list(flip)
    change = -2 * s[:, places]
    among = (change @ couplings[places][:, places]) * change
    return (change * fields[:, places]).sum(1) + among.sum(1) / 2, change
