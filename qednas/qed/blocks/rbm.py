"""Restricted Boltzmann machine: Carleo and Troyer, Science 355, 602 (2017).

psi(s) = exp(sum_k a_k s_k) prod_j cosh(b_j + sum_k W_jk s_k),        s_k = +-1

With x_j = exp(2 theta_j) of the angles theta_j = b_j + sum_k W_jk s_k, turning spins over multiplies every x_j by a known
number, and the ratio of two amplitudes is a product of (1 + x'_j) / (1 + x_j): no hyperbolic function is ever computed anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.qed.blocks import kernels
from qednas.qed.blocks.block import Block, Flip, Walk, spins
from qednas.qed.blocks.derivatives import Derivatives, Outer
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import START, Kind, is_count, register

LN_2 = math.log(2)
FAR = 40.0  # real part from which on exp(-2 x) is nothing in double precision
LONG = 6  # flips of more sites start from the angles anew
PRODUCT = 32  # factors multiplied before a logarithm is taken


class RBM(Block):
    """visible a (sites,), hidden b (units,), weights W (units, sites); ``mask`` (units, sites) of the bonds.

    density: hidden units per site.  reach: hidden unit j sees spins at a distance of at most ``reach`` from its own place;
    None sees all.  dtype: complex128, or float64 for a positive state.  tied: permutations (group, sites) under which the
    state is the same, as :func:`qednas.physics.symmetries.permutations` gives them; the hidden units then come in groups that
    share their weights, W_(f g) k = w_f g(k), and ``density`` counts the units of a group as one group has per site.
    shifted: W depends on the distance only, W_(f j) k = w_f(k - j), with a unit at every site for each of ``density`` filters; an
    open chain cuts off what would lie beyond its ends.
    even: no biases, so that turning all spins over changes nothing.  scale: standard deviation of real and imaginary parts at
    the start.
    """

    mask: torch.Tensor

    def __init__(
        self,
        sites: int,
        density: float = 1.0,
        reach: int | None = None,
        *,
        dtype: torch.dtype = torch.complex128,
        tied: torch.Tensor | None = None,
        shifted: bool = False,
        even: bool = False,
        scale: float = 0.01,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        if dtype not in (torch.complex128, torch.float64):
            raise InputError(f"dtype = {dtype}: complex128, or float64 for a positive state")
        if tied is not None and (reach is not None or shifted):
            raise InputError(f"reach = {reach}: weights that are tied by a symmetry see all sites")
        if reach is not None and reach < 0:
            raise InputError(f"reach = {reach}: a distance, 0 or more")
        self.holomorphic, self.is_real = dtype.is_complex, not dtype.is_complex
        if shifted:
            width = min(reach if reach is not None else sites, sites - 1)
            tied = torch.arange(sites)[:, None] + torch.arange(-width, width + 1)
            tied[(tied < 0) | (tied >= sites)] = sites  # beyond the ends
        group = 1 if tied is None else len(tied)
        units = round(density * sites / group)
        if units < 1:
            raise InputError(
                f"density = {density}: no hidden unit for {sites} sites; need at least {group / sites:.3g}"
            )
        places = (torch.arange(units) + 0.5) * sites / units - 0.5
        near = (torch.arange(sites) - places[:, None]).abs() <= (sites if shifted or reach is None else reach)
        self.register_buffer("mask", near)
        self.local = reach is not None and not shifted
        self.shifted = shifted
        self.tied = tied  # (group, width): the site that each weight of a unit of a group sees
        self.orbits = None if tied is None else torch.arange(sites) if shifted else orbits(tied)
        self.windows = windows_of(self.bonds())

        def random_parameter(*shape: int) -> torch.nn.Parameter:
            spread = scale * (2**0.5 if dtype.is_complex else 1)
            return torch.nn.Parameter(spread * torch.randn(*shape, dtype=dtype, generator=generator))

        if even:
            self.visible = self.hidden = None
        else:
            self.visible = random_parameter(sites if self.orbits is None else int(self.orbits.max()) + 1)
            self.hidden = random_parameter(units)
        self.weights = random_parameter(units, sites if tied is None else tied.shape[1])

    @classmethod
    def from_weights(cls, visible: torch.Tensor, hidden: torch.Tensor, weights: torch.Tensor) -> RBM:
        """The machine with these weights; zero ones are left out of its bonds.  weights (units, sites)."""
        units, sites = weights.shape
        block = cls(sites, units / sites)
        with torch.no_grad():
            for name, value in (("visible", visible), ("hidden", hidden), ("weights", weights)):
                parameter = getattr(block, name)
                if parameter.shape != value.shape:
                    raise InputError(f"{name} has shape {tuple(value.shape)}, {tuple(parameter.shape)} is needed")
                parameter.copy_(value)
        block.mask.copy_(weights != 0)
        block.local = True
        block.windows = windows_of(block.bonds())
        return block

    @property
    def parameter_count(self) -> int:
        each = 2 if self.holomorphic else 1
        return super().parameter_count - (each * int((~self.mask).sum()) if self.local else 0)

    @property
    def used_parameters(self) -> int:
        """Parameters that are not zero: how the literature counts exact machines."""
        weights = self.weights * self.mask if self.local else self.weights
        values = [p for p in (self.visible, self.hidden) if p is not None] + [weights]
        return int(sum((v != 0).sum() for v in values))

    def untied(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """a (sites,), b (units,), W (units, sites) with every weight in all its places."""
        w = self.weights * self.mask if self.local else self.weights
        a = w.new_zeros(self.sites) if self.visible is None else self.visible
        b = w.new_zeros(len(w)) if self.hidden is None else self.hidden
        if self.tied is None or self.orbits is None:
            return a, b, w
        size = len(self.tied)
        whole = w.new_zeros(len(w), size, self.sites + 1).scatter(  # theta_fg = sum_k w_fk s_tied(g, k)
            2, self.tied.expand(len(w), -1, -1), w[:, None].expand(-1, size, -1)
        )
        whole = whole[:, :, : self.sites].reshape(-1, self.sites)  # (feature, group, sites)
        return a if self.visible is None else a[self.orbits], b.repeat_interleave(size), whole

    def bonds(self) -> torch.Tensor:
        """Which sites each unit sees, bool (units of all places, sites)."""
        if self.tied is None:
            return self.mask
        mask = torch.zeros(len(self.tied), self.sites + 1, dtype=torch.bool)
        mask.scatter_(1, self.tied, True)
        return mask[:, : self.sites].repeat(len(self.mask), 1)

    def angles(self, s: torch.Tensor) -> torch.Tensor:
        """b_j + sum_k W_jk s_k (batch, units) of spins (batch, sites)."""
        _, b, w = self.untied()
        return b + s.to(w.dtype) @ w.mT

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        s = spins(configurations)
        a, b, w = self.untied()
        out = log_cosh(b + s.to(w.dtype) @ w.mT).sum(-1)
        if self.visible is not None:
            out = out + s.to(a.dtype) @ a
        return out.to(torch.complex128)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        with torch.no_grad():
            s = spins(configurations)
            t = torch.tanh(self.angles(s))  # (batch, units)
            inputs = s.to(t.dtype)
            pieces: list[torch.Tensor | Outer] = []
            if self.tied is None or self.orbits is None:
                if self.visible is not None:
                    pieces += [inputs, t]
                pieces.append((Outer(t, inputs).table() * self.mask.flatten()) if self.local else Outer(t, inputs))
                return Derivatives(pieces)
            shaped = t.reshape(len(t), -1, len(self.tied))  # (batch, feature, group)
            if self.visible is not None:
                summed = inputs.new_zeros(len(inputs), len(self.visible)).index_add_(1, self.orbits, inputs)
                pieces += [summed, shaped.sum(2)]
            padded = torch.cat([inputs, inputs.new_zeros(len(inputs), 1)], 1)  # nothing beyond the ends
            pieces.append(torch.bmm(shaped, padded[:, self.tied]).flatten(1))
            return Derivatives(pieces)

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        t = Turns(self)
        s = spins(configurations)
        x = t.start(s)
        out = np.zeros((len(s), len(flips)), x.numpy().dtype)
        near = [k for k, flip in enumerate(flips) if len(flip) <= LONG]
        if near:
            mask = np.ones(out.shape, bool) if wanted is None else wanted.numpy()
            ratios = np.zeros((len(s), len(near)), out.dtype)
            kernels.machine_flips(
                s.numpy(), x.numpy(), t.linear, t.factors, t.starts, t.ends, kernels.padded([flips[k] for k in near]),
                np.ascontiguousarray(mask[:, near]), ratios,
            )  # fmt: skip
            out[:, near] = ratios
        for k in set(range(len(flips))) - set(near):
            out[:, k] = torch.exp(t.jump(s, x, flips[k])[0]).numpy()
        return torch.from_numpy(out)

    def walk(self, configurations: torch.Tensor) -> Walk:
        return RBMWalk(self, configurations)


class Turns:
    """What turning spins over does to the amplitude of a machine, as tables that hold until its weights change.

    Units stand in the order of the places that they see, so that those that see a site are neighbours.
    """

    def __init__(self, block: RBM):
        with torch.no_grad():
            a, b, w = block.untied()
            order, self.starts, self.ends = block.windows
            self.hidden, self.weights, self.units = b[order], w[order], len(w)
            turned = torch.exp(-4 * self.weights.T)  # (sites, units): x' / x of a spin that was up
            self.factors = torch.stack([turned, 1 / turned], 1).contiguous().numpy()  # (sites, up or down, units)
            self.linear = (2 * (w.sum(0) - a)).numpy()  # (sites,): ln of what stands before the product

    def start(self, s: torch.Tensor) -> torch.Tensor:
        """x (batch, units) of spins (batch, sites)."""
        return torch.exp(2 * (self.hidden + s.to(self.weights.dtype) @ self.weights.mT))

    def jump(self, s: torch.Tensor, x: torch.Tensor, flip: Flip) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """ln psi(s')/psi(s) (batch,), s' and x' of a flip of many sites, worked out anew; x (batch, units) of spins s."""
        places = list(flip)
        turned = s.clone()
        turned[:, places] *= -1
        new = self.start(turned)
        before = s[:, places].to(x.dtype) @ torch.from_numpy(self.linear)[places]
        return before + log_product((1 + new) / (1 + x)), turned, new


class RBMWalk(Walk):
    """Chains that carry x of every hidden unit."""

    def __init__(self, block: RBM, configurations: torch.Tensor):
        self.block, self.bits = block, configurations.bool().clone()
        self.table = Turns(block)
        self.spins = spins(self.bits)
        self.x = self.table.start(self.spins)
        self._logs = np.empty(len(self.bits), self.x.numpy().dtype)
        self._new = self.spins, self.x

    def propose(self, flip: Flip) -> torch.Tensor:
        t = self.table
        if len(flip) > LONG:
            logs, turned, x = t.jump(self.spins, self.x, flip)
            self._new = turned, x
        else:
            kernels.machine_propose(
                self.spins.numpy(), self.x.numpy(), t.linear, t.factors, t.starts, t.ends, kernels.sites_of(flip),
                self._logs,
            )  # fmt: skip
            logs = torch.from_numpy(self._logs)
        return 2 * logs.real if logs.is_complex() else 2 * logs

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        if len(flip) > LONG:
            self.spins, self.x = (
                torch.where(accepted[:, None], new, old)
                for old, new in zip((self.spins, self.x), self._new, strict=True)
            )
        else:
            t = self.table
            kernels.machine_accept(
                self.spins.numpy(), self.x.numpy(), t.factors, t.starts, t.ends, kernels.sites_of(flip),
                accepted.numpy(),
            )  # fmt: skip


def windows_of(bonds: torch.Tensor) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """An order (units,) of the units by the middle of what they see, bool (units, sites), and for each site where the first
    unit that sees it stands and where the last one ends (sites,)."""
    sites = torch.arange(bonds.shape[1], dtype=torch.float64)
    weights = bonds.to(torch.float64)
    order = ((weights @ sites) / weights.sum(1).clamp_min(1)).argsort(stable=True)
    sorted_bonds = bonds[order].numpy()
    is_seen = sorted_bonds.any(0)
    starts = np.where(is_seen, sorted_bonds.argmax(0), 0)
    ends = np.where(is_seen, len(sorted_bonds) - sorted_bonds[::-1].argmax(0), 0)
    return order, starts, ends


def orbits(permutations: torch.Tensor) -> torch.Tensor:
    """Number (sites,) of the orbit that each site belongs to under permutations (group, sites)."""
    least = permutations.min(0).values
    return torch.unique(least, return_inverse=True)[1]


def log_product(factors: torch.Tensor) -> torch.Tensor:
    """ln of the product over the last axis (batch, factors), with few logarithms and no overflow."""
    count = factors.shape[-1]
    whole = count // PRODUCT * PRODUCT
    total = factors[..., whole:].prod(-1).log()
    if whole:
        total = total + factors[..., :whole].unflatten(-1, (-1, PRODUCT)).prod(-1).log().sum(-1)
    return total


def log_cosh(x: torch.Tensor) -> torch.Tensor:
    """ln cosh without overflow; the imaginary part up to a multiple of 2 pi."""
    if not x.is_complex():
        return x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - LN_2
    x = torch.where(x.real < 0, -x, x)  # cosh is even
    far = x.real > FAR  # log1p of a complex denormal number is not a number
    rest = torch.log1p(torch.exp(-2 * torch.where(far, 0.0, x)))
    return x + torch.where(far, 0.0, rest) - LN_2


def build(size: str, given: Given, generator: torch.Generator) -> RBM:
    """FxR: F filters that see R sites to either side, the same everywhere; F: F filters that see all sites; full: a hidden unit
    per site with weights of its own."""
    options: dict[str, Any] = {
        "dtype": torch.float64 if given.positive else torch.complex128,
        "even": given.even,
        "scale": START,
        "generator": generator,
    }
    if size == "full":
        return RBM(given.sites, 1, tied=given.group, **options)
    filters, _, reach = size.partition("x")
    if given.is_ring and not reach:
        return RBM(given.sites, int(filters) * len(given.images) / given.sites, tied=given.group, **options)
    return RBM(given.sites, int(filters), int(reach) if reach else None, shifted=True, **options)


SIZES = ("4x4", "4x16", "8x8", "full")
RING_SIZES = ("1", "2", "4", "8")  # where every site is the image of every other


def sizes_for(given: Given) -> tuple[str, ...]:
    """Filters of a ring see all sites; those of a chain fewer than it has."""
    if given.is_ring:
        return RING_SIZES
    return tuple(size for size in SIZES if "x" not in size or int(size.split("x")[1]) < given.sites)


def allows(size: str) -> bool:
    numbers = size.split("x")
    return size == "full" or (len(numbers) <= 2 and all(map(is_count, numbers)))


register(Kind("rbm", 20, SIZES, build, allows, sizes_for, warm_up=lambda dtype: RBM(8, 1, dtype=dtype)))
