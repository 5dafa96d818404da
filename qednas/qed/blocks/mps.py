"""Matrix product state: psi(s) = A_0(s_0) A_1(s_1) ... A_(N-1)(s_(N-1)), open boundaries.

Sampled exactly from left to right (Ferris and Vidal, PRB 85, 165146 (2012)); amplitudes of configurations that differ at a few
sites come from products of matrices to the left and to the right of them (environments), which are worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.qed.blocks import kernels
from qednas.qed.blocks.block import Block, Flip, Walk, spins
from qednas.qed.blocks.derivatives import Derivatives, Outer
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import Kind, is_count, register

LARGEST = 1 << 28  # bytes of one tensor
FIRST_SHARE, LEAST_SHARE = 0.1, 1e-3  # of samples with the magnetisation asked for
MOST = 16  # times the samples asked for, drawn at once


class MPS(Block):
    """Tensors (left bond, 2, right bond) of ``bond`` at most, and no larger than a state of that many spins can use.

    dtype: float64 or complex128.  path (sites,): the order in which the tensors visit the sites, by default from first to last;
    :func:`folded_path` keeps the neighbours on a ring close.  magnetisation: only configurations with that sum Z are sampled,
    which projects the state on them.  It starts as the product of (up + down) on every site with noise of size ``scale``.
    Raises InputError for a bond dimension that is not positive or does not fit in memory.
    """

    samples_exactly = True
    path: torch.Tensor

    def __init__(
        self,
        sites: int,
        bond: int,
        *,
        dtype: torch.dtype = torch.float64,
        path: torch.Tensor | None = None,
        magnetisation: int | None = None,
        scale: float = 0.05,
        generator: torch.Generator | None = None,
    ):
        super().__init__(sites)
        if bond < 1:
            raise InputError(f"bond = {bond}: the bond dimension is 1 or more")
        if dtype not in (torch.complex128, torch.float64):
            raise InputError(f"dtype = {dtype}: float64 or complex128")
        if 2 * bond**2 * 16 > LARGEST:
            raise InputError(
                f"bond = {bond}: one tensor would need {32 * bond**2 / 1e9:.1f} GB; at most {LARGEST / 1e9:.1f}"
            )
        path = torch.arange(sites) if path is None else path
        if path.shape != (sites,) or not torch.equal(path.sort().values, torch.arange(sites)):
            raise InputError(f"path = {path.tolist()}: every site from 0 to {sites - 1} once")
        self.register_buffer("path", path)
        if magnetisation is not None and ((sites - magnetisation) % 2 or abs(magnetisation) > sites):
            raise InputError(f"sum Z = {magnetisation}: no configuration of {sites} spins has it")
        self.magnetisation = magnetisation
        self.places = torch.argsort(path).tolist()  # of each site, which tensor
        self.bond, self.holomorphic, self.is_real = bond, dtype.is_complex, not dtype.is_complex
        self.bonds = [min(bond, 2 ** min(k, sites - k, 62)) for k in range(sites + 1)]
        tensors = []
        for k in range(sites):
            left, right = self.bonds[k], self.bonds[k + 1]
            tensor = scale * torch.randn(left, 2, right, dtype=dtype, generator=generator)
            tensor[0, :, 0] += 2**-0.5
            tensors.append(torch.nn.Parameter(tensor))
        self.tensors = torch.nn.ParameterList(tensors)

    def along(self, configurations: torch.Tensor) -> torch.Tensor:
        """Bits (batch, sites), bool, in the order of the tensors."""
        return configurations.bool()[:, self.path]

    def matrices(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """A(up) and A(down) of every site."""
        return [(t[:, 0], t[:, 1]) for t in self.tensors]

    def padded_tensors(self) -> np.ndarray:
        """All tensors as one (sites, 2, bond, bond), filled up with zeros."""
        size = max(self.bonds)
        out = np.zeros((self.sites, 2, size, size), self.tensors[0].detach().numpy().dtype)
        for k, tensor in enumerate(self.tensors):
            out[k, :, : tensor.shape[0], : tensor.shape[2]] = tensor.detach().numpy().transpose(1, 0, 2)
        return out

    def environments(self, bits: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Products of all matrices left of each tensor, and of those from each tensor on, for bits (batch, sites) along the path.

        Both are (sites + 1, batch, bond) and of size one; third, ln of their sizes (batch, sites + 1, 2).
        """
        tensors, bonds, along = self.padded_tensors(), np.array(self.bonds), bits.numpy().view(np.uint8)
        left = np.zeros((self.sites + 1, len(bits), tensors.shape[-1]), tensors.dtype)
        right, logs = np.zeros_like(left), np.zeros((2, len(bits), self.sites + 1))
        kernels.matrix_lefts(along, tensors, bonds, left, logs[0])
        kernels.matrix_rights(along, tensors, bonds, right, logs[1])
        return left, right, np.ascontiguousarray(logs.transpose(1, 2, 0))

    def log_psi(self, configurations: torch.Tensor) -> torch.Tensor:
        bits = self.along(configurations)
        if not torch.is_grad_enabled():
            tensors = self.padded_tensors()
            signs, sizes = np.empty(len(bits), tensors.dtype), np.empty(len(bits))
            kernels.matrix_amplitudes(bits.numpy().view(np.uint8), tensors, np.array(self.bonds), signs, sizes)
            return torch.complex(torch.from_numpy(sizes), torch.from_numpy(np.angle(signs)))
        vector = torch.ones(len(bits), 1, dtype=self.tensors[0].dtype)
        logs = torch.zeros(len(bits), dtype=torch.float64)
        for k, (up, down) in enumerate(self.matrices()):
            vector, log = normalised(torch.where(bits[:, k, None], vector @ down, vector @ up))
            logs = logs + log
        return torch.log(vector[:, 0].to(torch.complex128)) + logs

    def derivatives(self, configurations: torch.Tensor) -> Derivatives:
        with torch.no_grad():
            bits = self.along(configurations)
            left, right, logs = self.environments(bits)
            sizes = np.exp(logs[:, :-1, 0] + logs[:, 1:, 1] - logs[:, -1:, 0]) / left[-1, :, :1]  # of both over psi
            chosen = np.stack([~bits.numpy(), bits.numpy()], 2) * sizes[:, :, None]  # (batch, sites, spin)
            pieces: list[torch.Tensor | Outer] = []
            for k in range(self.sites):
                before = left[k, :, : self.bonds[k], None] * chosen[:, k, None]
                after = np.ascontiguousarray(right[k + 1, :, : self.bonds[k + 1]])
                pieces.append(
                    Outer(torch.from_numpy(before).flatten(1), torch.from_numpy(after))
                )  # (left, spin), (right)
            return Derivatives(pieces)

    def flip_ratios(
        self, configurations: torch.Tensor, flips: Sequence[Flip], wanted: torch.Tensor | None = None
    ) -> torch.Tensor:
        bits = self.along(configurations)
        left, right, logs = self.environments(bits)
        mask = np.ones((len(bits), len(flips)), bool) if wanted is None else wanted.numpy()
        tensors = self.padded_tensors()
        out = np.zeros(mask.shape, tensors.dtype)
        places = kernels.padded([[self.places[site] for site in flip] for flip in flips])
        kernels.matrix_flips(
            left, right, logs, tensors, np.array(self.bonds), bits.numpy().view(np.uint8), places, mask, out
        )
        return torch.from_numpy(out)

    def walk(self, configurations: torch.Tensor) -> Walk:
        return MPSWalk(self, configurations)

    def extra_repr(self) -> str:
        return f"bond={self.bond}, sum Z={self.magnetisation}"

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        if self.magnetisation is None:
            return self.sample_any(count, generator)
        samples: list[torch.Tensor] = []
        missing, attempts, share = count, 0, FIRST_SHARE
        while missing > 0:
            size = min(int(missing / share * 1.1) + 16, MOST * count)
            bits = self.sample_any(size, generator)
            matching = bits[spins(bits).sum(1) == self.magnetisation][:missing]
            samples.append(matching)
            missing, attempts = missing - len(matching), attempts + size
            share = max(count - missing, 1) / attempts
            if share < LEAST_SHARE and attempts > 10 / LEAST_SHARE:
                raise NumericalError(
                    f"sum Z = {self.magnetisation}: fewer than {LEAST_SHARE:g} of the samples of the MPS have it"
                )
        return torch.cat(samples)

    def sample_any(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Bits (count, sites) of any sum Z."""
        with torch.no_grad():
            norms = [torch.ones(1, 1, dtype=self.tensors[0].dtype)]  # <right part|right part> as a matrix of each bond
            for k in range(self.sites - 1, -1, -1):
                up, down = self.tensors[k][:, 0], self.tensors[k][:, 1]
                matrix = up @ norms[-1] @ up.mH + down @ norms[-1] @ down.mH
                norms.append(matrix / matrix.abs().max())
            norms.reverse()
            vector = torch.ones(count, 1, dtype=self.tensors[0].dtype)
            bits = torch.empty(count, self.sites, dtype=torch.bool)
            for k, (up, down) in enumerate(self.matrices()):
                choices = vector @ up, vector @ down
                weights = [((v @ norms[k + 1]) * v.conj()).sum(1).real.clamp_min(0) for v in choices]
                chance = torch.rand(count, dtype=torch.float64, generator=generator)
                bits[:, k] = chance * (weights[0] + weights[1]) >= weights[0]
                vector = normalised(torch.where(bits[:, k, None], choices[1], choices[0]))[0]
            return bits[:, self.places]


class MPSWalk(Walk):
    """Chains whose proposals go from left to right and carry the environments of the place that they have come to."""

    def __init__(self, block: MPS, configurations: torch.Tensor):
        self.order = block.places
        self.mps, self.block, self.bits = block, block, configurations.bool().clone()
        self.tensors, self.bonds = block.padded_tensors(), np.array(block.bonds)
        self.along = block.along(self.bits).numpy().view(np.uint8)  # a copy, in the order of the tensors
        self.right = np.zeros((self.mps.sites + 1, len(self.bits), self.tensors.shape[-1]), self.tensors.dtype)
        self.vectors = np.zeros_like(self.right[0])
        self.sizes, self._logs = np.empty((len(self.bits), self.mps.sites + 1)), np.empty(len(self.bits))
        self.restart()

    def restart(self) -> None:
        kernels.matrix_rights(self.along, self.tensors, self.bonds, self.right, self.sizes)
        self.place, self.reached = 0, -1  # `reached`: the last site that was turned since the right side was made
        self.vectors[:, 0] = 1

    def propose(self, flip: Flip) -> torch.Tensor:
        places = kernels.sites_of([self.mps.places[site] for site in flip])
        first, last = int(places.min()), int(places.max())
        if first < self.place or self.reached > last:
            self.restart()
        kernels.matrix_forward(self.vectors, self.tensors, self.bonds, self.along, self.place, first)
        self.place = first
        kernels.matrix_propose(
            self.vectors, self.right[last + 1], self.tensors, self.bonds, self.along, places, first, last, self._logs
        )
        return torch.from_numpy(self._logs)

    def carry(self, flip: Flip, accepted: torch.Tensor) -> None:
        places = kernels.sites_of([self.mps.places[site] for site in flip])
        kernels.turn(self.along, places, accepted.numpy())
        self.reached = max(self.reached, int(places.max()))


def folded_path(sites: int) -> torch.Tensor:
    """The path 0, N-1, 1, N-2, ... along which neighbours on a ring are never more than two tensors apart."""
    ends = torch.stack([torch.arange(sites), torch.arange(sites - 1, -1, -1)], 1)
    return ends.flatten()[:sites]


def normalised(vector: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of norm one and ln of their norms; rows of zeros stay."""
    size = torch.linalg.vector_norm(vector, dim=1).clamp_min(1e-300)
    return vector / size[:, None], size.log()


def build(size: str, given: Given, generator: torch.Generator) -> MPS:
    """size: the bond dimension."""
    return MPS(given.sites, int(size), magnetisation=given.magnetisation, generator=generator)


SIZES = ("2", "4", "8", "16")


def sizes_for(given: Given) -> tuple[str, ...]:
    """Up to the bond dimension that holds every state."""
    return tuple(size for size in SIZES if int(size) <= 2 ** (given.sites // 2))


register(Kind("mps", 30, SIZES, build, is_count, sizes_for, warm_up=lambda dtype: MPS(8, 2, dtype=dtype)))
