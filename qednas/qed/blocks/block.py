"""What every block can do, what it may do faster, and its exact state where the chain is short enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.qed.blocks import kernels
from qednas.qed.blocks.derivatives import Derivatives, log_derivatives

EXACT_SITES = 20  # 2**20 complex amplitudes are 16 MiB
BATCH = 1 << 14  # configurations at a time

Flip = tuple[int, ...]  # the sites at which a configuration changes


class Block(torch.nn.Module):
    """A network with an amplitude psi(s) for every configuration of ``sites`` spins.

    Configurations are bits (batch, sites), 0 for spin up (Z = +1); amplitudes need not be normalised.  A block has to give
    :meth:`log_psi`; the other methods follow from it, and a block that can do one of them faster overrides it.
    """

    is_real = False  # every amplitude is real, up to one phase common to all
    holomorphic = False  # `derivatives` are by complex parameters
    samples_exactly = False  # `sample` draws from |psi|^2 without a Markov chain

    def __init__(self, sites: int):
        super().__init__()
        if sites < 1:
            raise InputError(f"sites = {sites}: a block needs at least one site")
        self.sites = sites

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        """ln psi, complex128 (batch,), of bits (batch, sites)."""
        raise NotImplementedError

    def forward(self, configurations: torch.Tensor) -> torch.Tensor:
        return self.log_psi(configurations)

    @property
    def parameter_count(self) -> int:
        """Free real parameters; a complex one counts twice."""
        return sum(p.numel() * (2 if p.is_complex() else 1) for p in self.parameters() if p.requires_grad)

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        """d ln psi / d theta of bits (batch, sites): by complex parameters if ``holomorphic``, else by real ones."""
        parts = configurations.split(1 << 10)
        return Derivatives([torch.cat([log_derivatives(self, part) for part in parts])])

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        """psi(s with flip f) / psi(s) (batch, flips), float64 if ``is_real`` else complex128.

        wanted: bool (batch, flips); entries that are not wanted may be anything finite.
        """
        masks = flip_masks(flips, self.sites)
        with torch.no_grad():
            logs = self.log_psi(configurations)
            rows, columns = (
                torch.nonzero(wanted, as_tuple=True)
                if wanted is not None
                else (
                    torch.arange(len(configurations)).repeat_interleave(len(flips)),
                    torch.arange(len(flips)).repeat(len(configurations)),
                )
            )
            out = torch.zeros(len(configurations), len(flips), dtype=torch.complex128)
            for r, c in zip(rows.split(BATCH), columns.split(BATCH), strict=True):
                out[r, c] = torch.exp(self.log_psi(configurations[r].bool() ^ masks[c]) - logs[r])
        return out.real if self.is_real else out

    def walk(self, configurations: torch.Tensor) -> Walk:
        """Markov chains that start at bits (chains, sites)."""
        return Walk(self, configurations)

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Independent bits (count, sites), bool, drawn from |psi|^2.  Raises InputError where that needs a Markov chain."""
        raise InputError(f"{type(self).__name__} cannot be sampled exactly; use the Metropolis sampler")


class Walk:
    """Configurations ``bits`` (chains, sites), bool, of Markov chains, and what makes the next proposal quick.

    A proposal changes the same sites in every chain; each chain accepts it on its own.
    """

    order: Sequence[int] | None = None  # rank of each site where proposals are quicker in that order

    def __init__(self, block: Block, configurations: torch.Tensor):
        self.block, self.bits = block, configurations.bool().clone()
        with torch.no_grad():
            self.logs = block.log_psi(self.bits).real
        self._proposed = self.logs

    def propose(self, flip: Flip) -> torch.Tensor:
        """ln |psi(s') / psi(s)|^2 (chains,) when the spins at ``flip`` are turned over."""
        with torch.no_grad():
            self._proposed = self.block.log_psi(self.bits ^ flip_masks([flip], self.block.sites)).real
        return 2 * (self._proposed - self.logs)

    def accept(self, flip: Flip, accepted: torch.Tensor) -> None:
        """Take the last proposal, which was ``flip``, in the chains that are ``accepted`` (chains,)."""
        kernels.turn(self.bits.numpy().view(np.uint8), kernels.sites_of(flip), accepted.numpy())
        self.carry(flip, accepted)

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        """Bring what goes with ``bits`` up to them, after they have been turned."""
        self.logs = torch.where(accepted, self._proposed, self.logs)


def flip_masks(flips: Sequence[Flip], sites: int) -> torch.Tensor:
    """bool (flips, sites): where each flip changes a configuration."""
    masks = torch.zeros(len(flips), sites, dtype=torch.bool)
    for row, flip in enumerate(flips):
        masks[row, list(flip)] = True
    return masks


def spins(configurations: torch.Tensor) -> torch.Tensor:
    """s = +-1 in double precision of bits: bit 0 is up."""
    return 1.0 - 2.0 * configurations.to(torch.float64)


def all_configurations(sites: int) -> torch.Tensor:
    """Every configuration (2**sites, sites) as bits, in the order of the basis (site 0 is the most significant bit)."""
    if sites > EXACT_SITES:
        raise InputError(f"sites = {sites}: all configurations are listed up to {EXACT_SITES} sites")
    numbers = torch.arange(1 << sites)
    return (numbers[:, None] >> torch.arange(sites - 1, -1, -1)) & 1


def exact_state(block: Block) -> np.ndarray:
    """Normalised amplitudes (2**sites,), complex128, of a block."""
    with torch.no_grad():
        rows = all_configurations(block.sites).split(BATCH)
        logs = torch.cat([block.log_psi(part) for part in rows]).numpy()
    size = logs.real.max()
    if not np.isfinite(size):
        raise NumericalError("the block has an amplitude that is not a number, or none that is not zero")
    psi = np.exp(logs - size)
    return psi / np.linalg.norm(psi)
