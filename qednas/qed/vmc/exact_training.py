"""Training of a block by exact sums over the configurations of a sector: no sampling noise, up to 16 sites or so."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.physics.basis import Basis, Flips
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.qed.blocks.block import Block, all_configurations
from qednas.qed.blocks.derivatives import add_to_parameters
from qednas.qed.vmc.natural_gradient import natural_step

DERIVATIVES = 1 << 27  # numbers in the table of derivatives beyond which exact sums do not fit


class Projector:
    """-|phi><phi| of a normalised state phi (states,): its ground state is phi and its energy minus the fidelity with it."""

    def __init__(self, target: np.ndarray):
        self.target = target

    def __matmul__(self, psi: np.ndarray) -> np.ndarray:
        return -self.target * np.vdot(self.target, psi)


@dataclass(frozen=True)
class Space:
    """Configurations, bits (states, sites) and their numbers (states,), and the operator to be lowered among them."""

    bits: torch.Tensor
    numbers: np.ndarray
    matrix: sp.csr_matrix | Projector

    @classmethod
    def of(cls, hamiltonian: Hamiltonian) -> Space:
        """Of the sector of sum Z or prod Z that H has; the whole space for others, whose states are no configurations."""
        sector = hamiltonian.sector
        if sector.kind not in ("magnetisation", "parity_z") or sector.value is None:
            sector = Sector()
        basis = Basis(hamiltonian.sites, sector)
        places = np.arange(hamiltonian.sites - 1, -1, -1)
        bits = torch.from_numpy((basis.states[:, None] >> places) & 1)
        return cls(bits, basis.states, Flips(hamiltonian, basis).to_csr())

    @classmethod
    def around(cls, target: np.ndarray) -> Space:
        """All configurations, and the projector whose ground state is the normalised ``target`` (2**sites,)."""
        bits = all_configurations(int(target.size).bit_length() - 1)
        return cls(bits, np.arange(target.size), Projector(target / np.linalg.norm(target)))


@dataclass(frozen=True)
class ExactSums:
    """Energy and its variance (Pauli units), local energies and weights (states,), normalised amplitudes (states,)."""

    energy: float
    variance: float
    local: torch.Tensor
    weights: torch.Tensor
    psi: np.ndarray


def sum_exactly(block: Block, space: Space) -> ExactSums:
    """Exact sums over the space.  Raises NumericalError when an amplitude is not a number, or all are zero."""
    with torch.no_grad():
        logs = block.log_psi(space.bits).numpy()
    size = logs.real.max()
    if not np.isfinite(size):
        raise NumericalError("training met an amplitude that is not a number; the state before this step is kept")
    psi = np.exp(logs - size)
    psi /= np.linalg.norm(psi)
    weights = np.abs(psi) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        local = np.where(weights > 0, (space.matrix @ psi) / psi, 0)
    energy = float((weights * local).sum().real)
    variance = float((weights * np.abs(local - energy) ** 2).sum())
    return ExactSums(energy, variance, torch.from_numpy(local), torch.from_numpy(weights), psi)


def train_exactly(
    space: Space,
    block: Block,
    steps: int = 300,
    rate: float = 0.2,
    shifts: tuple[float, float] = (1e-2, 1e-6),
    progress=None,
) -> dict:
    """Lower the energy of ``block`` in ``space``, in place, by the natural gradient.

    shifts: relative shift of the diagonal at the first and at the last step, in between geometric.  A step that raises the
    energy by more than its own size is halved.  Returns ``energies`` (steps + 1,), ``energy``, ``variance``, ``psi`` (states,)
    of the last state, ``parameters`` and ``seconds``.
    """
    if len(space.bits) * block.parameter_count > DERIVATIVES:
        raise InputError(
            f"{len(space.bits)} configurations x {block.parameter_count} parameters do not fit exact sums; "
            f"at most {DERIVATIVES} numbers"
        )
    start = time.perf_counter()
    now = sum_exactly(block, space)
    energies = [now.energy]
    for step in range(steps):
        shift = shifts[0] * (shifts[1] / shifts[0]) ** (step / max(steps - 1, 1))
        update = natural_step(
            block.derivatives(space.bits), now.local, now.weights, shift, holomorphic=block.holomorphic
        )
        direction = update.direction
        size = rate
        add_to_parameters(block, size * direction)
        new = sum_exactly(block, space)
        while new.energy > now.energy + 1e-9 * abs(now.energy) and size > 1e-4 * rate:
            add_to_parameters(block, -size / 2 * direction)
            size /= 2
            new = sum_exactly(block, space)
        now = new
        energies.append(now.energy)
        if progress:
            progress(step + 1, steps, f"energy {now.energy:.8f}")
    return {
        "energies": energies,
        "energy": now.energy,
        "variance": now.variance,
        "psi": now.psi,
        "parameters": block.parameter_count,
        "seconds": time.perf_counter() - start,
    }
