"""Second Renyi entropy of a block from samples: the swap estimator, Hastings, Gonzalez, Kallin and Melko, PRL 104, 157201 (2010).

For two independent configurations s = (a, b) and t = (a', b') drawn from |psi|^2, with a on the region and b outside it,

    exp(-S_2) = < psi(a', b) psi(a, b') / (psi(a, b) psi(a', b')) >.

The variance of one value is 1 - exp(-2 S_2) for a state without zeros, so the error of S_2 grows as exp(S_2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.vmc.estimates import over_chains
from qednas.qed.vmc.sampler import Sampler

RESOLVED = 2.0  # standard errors that the purity must lie above zero


@dataclass(frozen=True)
class Renyi2:
    """S_2 of each region (regions,) with its standard error, in nats."""

    entropy: np.ndarray
    error: np.ndarray


def swapped(first: torch.Tensor, second: torch.Tensor, region: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Both configurations (batch, sites) with their spins on the region exchanged."""
    places = list(region)
    new_first, new_second = first.clone(), second.clone()
    new_first[:, places], new_second[:, places] = second[:, places], first[:, places]
    return new_first, new_second


Number = Callable[[torch.Tensor], torch.Tensor]  # of bits (batch, sites)


def conserved_number(hamiltonian: Hamiltonian, block: Block) -> Number | None:
    """What all configurations of a state have in common and a swap can change: sum Z, or prod Z where chains keep it."""
    kind = hamiltonian.sector.kind
    if kind == "magnetisation":
        return lambda bits: bits.sum(1)
    if kind == "parity_z" and not block.samples_exactly:  # an exact sampler does not know of the sector
        return lambda bits: bits.sum(1) % 2
    return None


def swap_ratios(
    block: Block,
    first: torch.Tensor,
    second: torch.Tensor,
    region: Sequence[int],
    conserved: Number | None,
    before: torch.Tensor | None = None,
) -> torch.Tensor:
    """Values (pairs,), complex128, whose mean is exp(-S_2), of independent bits first and second (pairs, sites).

    Pairs that a swap takes out of their sector count as zero.  before: ln psi(first) + ln psi(second), if known.
    """
    with torch.no_grad():
        if before is None:
            before = block.log_psi(torch.cat([first, second])).reshape(2, -1).sum(0)
        new_first, new_second = swapped(first, second, region)
        ratio = torch.exp(block.log_psi(torch.cat([new_first, new_second])).reshape(2, -1).sum(0) - before)
    return ratio if conserved is None else torch.where(conserved(new_first) == conserved(first), ratio, 0.0)


def renyi2(
    hamiltonian: Hamiltonian,
    block: Block,
    regions: Sequence[Sequence[int]],
    pairs: int,
    *,
    chains: int = 1024,
    sweeps: int = 4,
    warm_up: int = 50,
    seed: int = 2,
) -> Renyi2:
    """S_2 of a block on regions of sites from ``pairs`` pairs of configurations, sampled as for the energy of H.

    Where H conserves sum Z, or prod Z, the state is what the block gives at that value, and zero elsewhere.
    Raises InputError for fewer pairs than chains, a region that is empty or the whole chain, or when the purity of a region
    cannot be told from zero with so many pairs.
    """
    for region in regions:
        if not 0 < len(set(region)) < block.sites or not all(0 <= site < block.sites for site in region):
            raise InputError(f"region {list(region)}: some, not all, of the sites 0 to {block.sites - 1}")
    if pairs < chains:
        raise InputError(f"pairs = {pairs}: at least one for each of {chains} chains")
    conserved = conserved_number(hamiltonian, block)
    sampler = Sampler(hamiltonian, block, 2 * chains, torch.Generator().manual_seed(seed), warm_up)
    values = []
    for _ in range(pairs // chains):
        first, second = sampler.draw(block, 1, sweeps)[0].bool().chunk(2)
        with torch.no_grad():
            before = block.log_psi(first) + block.log_psi(second)
        row = [swap_ratios(block, first, second, region, conserved, before) for region in regions]
        values.append(torch.stack(row).numpy())
    ratios = np.array(values)  # (records, regions, chains)
    estimates = [over_chains(ratios[:, k]) for k in range(len(regions))]
    for region, e in zip(regions, estimates, strict=True):
        if not e.mean > RESOLVED * e.error:
            raise InputError(
                f"the purity of {len(set(region))} sites, {e.mean:.2g} +- {e.error:.2g}, is not resolved by {pairs} pairs"
            )
    return Renyi2(np.array([-np.log(e.mean) for e in estimates]), np.array([e.error / e.mean for e in estimates]))
