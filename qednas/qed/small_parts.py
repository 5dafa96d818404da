"""Exact small relatives of a large chain: what `--refine` and the per-system baselines may look at.

A chain of a family with a bulk is rebuilt at small sizes.  A chain whose couplings vary in space, or that no family names,
is cut out around its middle instead: then the centre of each part is the very cut that is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qednas.errors import InputError
from qednas.physics.entanglement import PROXIES, proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.qed.dataset import DEGENERATE_GAP

REFINE_SIZES = (10, 11, 12, 13, 14)
BASELINE_SIZES = (10, 12, 14, 16)


@dataclass(frozen=True)
class Part:
    """An exactly solved small chain: proxies (sites - 1, 5) of its cuts; ``window`` when it was cut out of the large one."""

    hamiltonian: Hamiltonian
    proxies: np.ndarray
    window: bool

    @property
    def sites(self) -> int:
        return self.hamiltonian.sites


def window(hamiltonian: Hamiltonian, sites: int) -> Hamiltonian:
    """The terms that lie inside ``sites`` spins around the middle, with the same kind of sector.

    Raises InputError if none does.
    """
    first = hamiltonian.sites // 2 - sites // 2
    inside = slice(first, first + sites)
    support = hamiltonian.x | hamiltonian.z
    kept = support[:, inside].sum(1) == support.sum(1)
    if not kept.any():
        raise InputError(f"no term lies inside the {sites} sites around the middle: nothing to solve exactly")
    sector = hamiltonian.sector
    if sector.kind == "magnetisation":
        sector = Sector("magnetisation", 0 if sites % 2 == 0 and sector.value == 0 else None)
    elif sector.kind != "none":
        sector = Sector(sector.kind)
    return replace(
        hamiltonian,
        sites=sites,
        x=hamiltonian.x[kept][:, inside],
        z=hamiltonian.z[kept][:, inside],
        couplings=hamiltonian.couplings[kept],
        sector=sector,
    )


def small_relatives(hamiltonian: Hamiltonian, sizes: tuple[int, ...]) -> list[tuple[Hamiltonian, bool]]:
    """The small chains, and whether each is a window; families keep the parity of the number of sites."""
    chosen = [n for n in sizes if n % 2 == hamiltonian.sites % 2 and n < hamiltonian.sites]
    family = FAMILIES.get(hamiltonian.name)
    if family is None or "disorder_seed" in family.parameters:
        return [(window(hamiltonian, n), True) for n in chosen]
    possible = [n for n in chosen if not family.check(n, **hamiltonian.parameters)]
    return [(build(hamiltonian.name, n, **hamiltonian.parameters), False) for n in possible]


def solve_parts(hamiltonian: Hamiltonian, sizes: tuple[int, ...] = REFINE_SIZES) -> list[Part]:
    """Exact solutions of the small relatives.

    Raises InputError when one of them has a degenerate ground state (its entanglement means nothing), or when there is none.
    """
    parts = []
    for small, cut_out in small_relatives(hamiltonian, sizes):
        state = ground_state(small)
        if state.gap < DEGENERATE_GAP * np.abs(small.couplings).max():
            raise InputError(
                f"the exact part of {small.sites} sites is degenerate (gap {state.gap:.1e} in sector {state.sector}): "
                "its entanglement is not defined; predict without --refine"
            )
        found = [proxies(p) for p in state.spectra]
        parts.append(Part(small, np.array([[f[name] for name in PROXIES] for f in found]), cut_out))
    if not parts:
        raise InputError(
            f"{hamiltonian.name} with {hamiltonian.sites} sites has no exact part of {min(sizes)}-{max(sizes)} sites"
        )
    return parts
