"""One description of a network for everything that speaks of networks: a choice of one size, or none, for every kind of block.

An architecture is a set of parts "kind/size"; its state is the product of theirs.  What a Hamiltonian tells about its ground
state (sign structure, sector, symmetries) is not searched for but given to every network alike: see :class:`Given`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.weights import write_weights
from qednas.physics.exact import ground_state
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.symmetries import permutations
from qednas.qed.blocks.attention import Attention
from qednas.qed.blocks.block import Block, all_configurations, spins
from qednas.qed.blocks.dense import Dense
from qednas.qed.blocks.jastrow import Jastrow, pair_orbits
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.product import Product
from qednas.qed.blocks.rbm import RBM
from qednas.qed.blocks.signed import Signed, marshall
from qednas.qed.predictor.small_parts import small_relatives
from qednas.qed.vmc.local_energy import LocalEnergy

VERSION = 1
START = 0.02  # standard deviation of the weights of a machine before training
RELATIVES = (10, 9)  # sites of the short chain on which signs are looked at
WRONG = 0.01  # share of wrong signs from which on blocks have to learn them
PROBES = 256  # configurations on which signs of matrix elements are looked at

# What may be chosen.  rbm FxR: F filters that see R sites to either side, the same everywhere; rbm F: F filters that see all
# sites; rbm full: a hidden unit per site with weights of its own.
SIZES: dict[str, tuple[str, ...]] = {
    "jastrow": ("distance", "pairs"),
    "rbm": ("4x4", "4x16", "8x8", "full"),
    "mps": ("2", "4", "8", "16"),
    "dense": ("16", "64"),
    "attention": ("8", "16"),
}
RING_SIZES = {"rbm": ("1", "2", "4", "8")}  # where every site is the image of every other


@dataclass(frozen=True)
class Given:
    """What is known of a ground state without solving it.

    pattern: sites whose spins carry the sign of Marshall.  positive: behind it amplitudes are positive, or nearly all of them.
    even: turning all spins over changes nothing.  magnetisation: sum Z, where it is conserved.  images: permutations of the
    sites (group, sites) under which H stays as it is, the identity included.
    """

    sites: int
    pattern: tuple[bool, ...]
    positive: bool
    even: bool
    magnetisation: int | None
    images: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, hamiltonian: Hamiltonian, width: int | None = None) -> Given:
        """Of a Hamiltonian on a chain, or on rows of ``width`` sites."""
        sector = hamiltonian.sector
        pattern = marshall(hamiltonian)
        conserved = sector.kind == "magnetisation"
        value = sector.value if sector.value is not None else hamiltonian.sites % 2
        names = None if width is None else ("translation", "translation of rows")
        try:
            images = permutations(hamiltonian, width, names)
        except InputError:  # an open lattice has no translations
            images = permutations(hamiltonian, width)
        return cls(
            sites=hamiltonian.sites,
            pattern=tuple(pattern.tolist()),
            positive=wrong_signs(hamiltonian) < WRONG,
            even=hamiltonian.conserves_parity_x and not (sector.kind == "parity_x" and sector.value == -1),
            magnetisation=value if conserved else None,
            images=tuple(map(tuple, images.tolist())),
        )

    @property
    def is_ring(self) -> bool:
        """Whether every site is the image of every other."""
        return len({g[0] for g in self.images}) == self.sites

    @property
    def group(self) -> torch.Tensor:
        return torch.tensor(self.images)

    def sizes(self) -> dict[str, tuple[str, ...]]:
        """The sizes of every kind that make sense for this system."""
        found = SIZES | (RING_SIZES if self.is_ring else {})
        small = {"mps": [s for s in found["mps"] if int(s) <= 2 ** (self.sites // 2)]}
        small["rbm"] = [s for s in found["rbm"] if "x" not in s or int(s.split("x")[1]) < self.sites]
        return {kind: tuple(small.get(kind, sizes)) for kind, sizes in found.items()}


def wrong_signs(hamiltonian: Hamiltonian) -> float:
    """Share of the weight |psi|^2, from 0 to 1/2, whose amplitudes the sign of Marshall gets wrong.

    Measured on the exact ground state of a short relative of a chain.  Where there is none (a lattice, a system of few sites),
    0 if no off-diagonal element of H is positive behind the sign, which makes amplitudes positive (Perron and Frobenius), else
    1/2.
    """
    if not hamiltonian.is_real:
        return 0.5
    try:
        relatives = small_relatives(hamiltonian, RELATIVES)
    except InputError:
        relatives = []
    if not relatives:
        return 0.5 if frustrated(hamiltonian, marshall(hamiltonian)) else 0.0
    small = relatives[0][0]
    psi = ground_state(small).vector.real
    odd = (all_configurations(small.sites).bool() & marshall(small)).sum(1) % 2
    positive = float((psi**2)[psi * np.where(odd.numpy(), -1.0, 1.0) > 0].sum() / (psi**2).sum())
    return min(positive, 1 - positive)


def frustrated(hamiltonian: Hamiltonian, pattern: torch.Tensor) -> bool:
    """Whether an off-diagonal element of H is positive behind a sign, on configurations drawn at random."""
    terms = LocalEnergy(hamiltonian)
    bits = torch.rand(PROBES, hamiltonian.sites, generator=torch.Generator().manual_seed(0)) < 0.5
    elements = terms.elements(spins(bits))[1]
    signs = torch.tensor([(-1.0) ** int(pattern[list(flip)].sum()) for flip in terms.flips], dtype=torch.float64)
    return bool((elements.real * signs > 1e-12).any() if elements.is_complex() else (elements * signs > 1e-12).any())


def kind_of(part: str) -> str:
    return part.partition("/")[0]


@dataclass(frozen=True)
class Architecture:
    """Parts "kind/size", at most one of each kind, in the order of :data:`SIZES`.

    Raises InputError for a part that does not exist, two of a kind, or none at all.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("an architecture without a block: name at least one")
        kinds = [kind_of(part) for part in self.parts]
        for part in self.parts:
            check_part(part)
        if len(set(kinds)) < len(kinds):
            raise InputError(f"architecture {' + '.join(self.parts)}: at most one block of a kind")
        object.__setattr__(self, "parts", tuple(sorted(self.parts, key=lambda part: list(SIZES).index(kind_of(part)))))

    def __str__(self) -> str:
        return " + ".join(self.parts)

    def build(self, given: Given, seed: int = 0) -> Block:
        """The network before training; its weights are drawn from ``seed``."""
        blocks = [make_part(part, given, generator_of(seed, part)) for part in self.parts]
        whole = blocks[0] if len(blocks) == 1 else Product(blocks)
        return Signed(whole, torch.tensor(given.pattern)) if any(given.pattern) else whole

    def parameters(self, given: Given) -> int:
        """Free real parameters."""
        return sum(part_parameters(part, given) for part in self.parts)


def generator_of(seed: int, part: str) -> torch.Generator:
    """A generator of its own for each part, so that a block starts alike alone and in company."""
    return torch.Generator().manual_seed(1000 * seed + sum(part.encode()))


def check_part(part: str) -> None:
    """Raise InputError, naming what is allowed, for a part that is none."""
    kind, _, size = part.partition("/")
    if kind not in SIZES:
        raise InputError(f"block {kind!r}: one of {', '.join(SIZES)}")
    words = {"jastrow": ("distance", "pairs"), "rbm": ("full",)}.get(kind, ())
    numbers = size.split("x") if kind == "rbm" else [size]
    counts = len(numbers) <= 2 and all(n.isascii() and n.isdigit() and int(n) > 0 for n in numbers)
    if size not in words and (kind == "jastrow" or not counts):
        raise InputError(f"size {size!r} of {kind}: like {', '.join(SIZES[kind])}")


def make_part(part: str, given: Given, generator: torch.Generator) -> Block:
    """One block for a system.  Raises InputError for a part that does not exist."""
    check_part(part)
    kind, _, size = part.partition("/")
    dtype = torch.float64 if given.positive else torch.complex128
    if kind == "jastrow":
        shared = pair_orbits(given.group) if given.is_ring else "distance"
        return Jastrow(
            given.sites, "all" if size == "pairs" else shared, fields=not given.even, dtype=dtype, scale=START,
            generator=generator,
        )  # fmt: skip
    if kind == "rbm":
        options: dict[str, Any] = {"dtype": dtype, "even": given.even, "scale": START, "generator": generator}
        if size == "full":
            return RBM(given.sites, 1, tied=given.group, **options)
        filters, _, reach = size.partition("x")
        if given.is_ring and not reach:
            return RBM(given.sites, int(filters) * len(given.images) / given.sites, tied=given.group, **options)
        return RBM(given.sites, int(filters), int(reach) if reach else None, shifted=True, **options)
    if kind == "mps":
        return MPS(given.sites, int(size), magnetisation=given.magnetisation, generator=generator)
    if kind == "dense":
        return Dense(given.sites, [int(size)], phase=not given.positive, generator=generator)
    return Attention(
        given.sites, int(size), magnetisation=given.magnetisation, phase=not given.positive, generator=generator
    )


def part_parameters(part: str, given: Given) -> int:
    return make_part(part, given, torch.Generator()).parameter_count


def every_part(given: Given, kinds: Sequence[str] | None = None, budget: int | None = None) -> dict[str, list[str]]:
    """The parts {kind: parts} that a search may choose from: these kinds, of at most ``budget`` parameters each.

    Raises InputError for an unknown kind, or when nothing is left.
    """
    chosen = list(SIZES) if kinds is None else list(kinds)
    for kind in chosen:
        if kind not in SIZES:
            raise InputError(f"block {kind!r}: one of {', '.join(SIZES)}")
    found: dict[str, list[str]] = {}
    for kind, sizes in given.sizes().items():
        parts = [f"{kind}/{size}" for size in sizes if kind in chosen]
        parts = [p for p in parts if budget is None or part_parameters(p, given) <= budget]
        if parts:
            found[kind] = parts
    if not found:
        raise InputError(
            f"no block of {', '.join(chosen) or 'no kind'} has at most {budget} parameters: the search space is empty"
            if chosen and budget is not None
            else "blocks = []: the search space is empty"
        )
    return found


def architectures(parts: Mapping[str, Sequence[str]], count: Callable[[str], int], budget: int) -> list[Architecture]:
    """Every architecture of the parts {kind: parts} with at most ``budget`` parameters; count(part) tells those of a part."""
    found: list[tuple[tuple[str, ...], int]] = [((), 0)]
    for own in parts.values():
        found += [
            ((*chosen, part), used + count(part))
            for chosen, used in found
            for part in own
            if used + count(part) <= budget
        ]
    return [Architecture(chosen) for chosen, _ in found if chosen]


def save(folder: Path, architecture: Architecture, given: Given, block: Block, record: Mapping[str, Any]) -> None:
    """Write ``network.safetensors`` and then ``network.json``, from which :func:`load` makes the same state."""
    state = {n: (torch.view_as_real(v) if v.is_complex() else v).detach() for n, v in block.state_dict().items()}
    write_weights(folder / "network.safetensors", {n: v.numpy() for n, v in state.items()}, {"version": VERSION})
    told = {"version": VERSION, "parts": list(architecture.parts), "given": asdict(given), **record}
    write_atomic(folder / "network.json", (json.dumps(told, indent=1) + "\n").encode())


def load(folder: Path) -> tuple[Block, dict[str, Any]]:
    """The network of a folder and its record.  Raises InputError when a file is missing, torn or of another version."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        record = json.loads((folder / "network.json").read_text())
        if record["version"] != VERSION:
            raise InputError(f"{folder.name}: network of version {record['version']}, not {VERSION}")
        told = record["given"]
        lists = {"pattern": tuple(told["pattern"]), "images": tuple(map(tuple, told["images"]))}
        block = Architecture(tuple(record["parts"])).build(Given(**{**told, **lists}))
        arrays = load_file(folder / "network.safetensors")
        own = block.state_dict()
        if {n: tuple(torch.view_as_real(v).shape if v.is_complex() else v.shape) for n, v in own.items()} != {
            n: np.shape(a) for n, a in arrays.items()
        }:
            raise InputError(f"{folder.name}: the weights are not those of {' + '.join(record['parts'])}")
        block.load_state_dict(
            {
                n: torch.view_as_complex(torch.from_numpy(a)) if own[n].is_complex() else torch.from_numpy(a)
                for n, a in arrays.items()
            }
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"{folder.name}: no network can be read ({problem})") from None
    return block, record
