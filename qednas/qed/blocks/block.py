"""What every block can do, and its exact state where the chain is short enough."""

from __future__ import annotations

import numpy as np
import torch

from qednas.errors import InputError

EXACT_SITES = 20  # 2**20 complex amplitudes are 16 MiB
BATCH = 1 << 14  # configurations at a time


class Block(torch.nn.Module):
    """A network with an amplitude psi(s) for every configuration of ``sites`` spins.

    Configurations are bits (batch, sites), 0 for spin up (Z = +1); amplitudes need not be normalised.
    """

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
        raise InputError("the block has an amplitude that is not a number, or none that is not zero")
    psi = np.exp(logs - size)
    return psi / np.linalg.norm(psi)
