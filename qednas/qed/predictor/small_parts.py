"""Exact small relatives of a large chain: what `--refine` and the per-system baselines may look at.

A chain of a family with a bulk is rebuilt at small sizes.  A chain whose couplings vary in space, or that no family names,
is cut out around its middle instead: then the centre of each part is the very cut that is asked about.  Where sum Z is
conserved the spins outside are replaced by their mean field, which also says how many spins inside point up: cut loose,
a part of a localised chain would have to choose another filling than it has in the chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.canonical_frame import canonical, is_odd
from qednas.physics.entanglement import PROXIES, proxies
from qednas.physics.exact import DEGENERATE_GAP, ground_state
from qednas.physics.families import FAMILIES, build
from qednas.physics.gaussian.mean_field import mean_field
from qednas.physics.hamiltonian import Hamiltonian, Sector

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


def magnetisation_profile(hamiltonian: Hamiltonian) -> np.ndarray | None:
    """<Z_j> (sites,) of the mean field of a chain that conserves sum Z; None where the mean field does not see it, or where
    spin flip makes every <Z> zero, whatever an unstable mean field says."""
    frame = canonical(hamiltonian)
    if frame.magnetisation is None or hamiltonian.conserves_parity_x:
        return None
    state = mean_field(hamiltonian, 1.0, frame)
    return np.diagonal(state.correlation) * (-1.0 if is_odd(frame.order) else 1.0)


class NoExactPart(InputError):
    """A Hamiltonian has no small relative whose entanglement means something."""


def window(hamiltonian: Hamiltonian, sites: int, z: np.ndarray | None = None) -> Hamiltonian | None:
    """The ``sites`` spins around the middle, with the same kind of sector; None where no term lies inside.

    z (all sites,): mean-field <Z> of a chain that conserves sum Z, which then stands for the spins outside in the terms that
    reach them, and decides how many spins point up inside.
    """
    first = hamiltonian.sites // 2 - sites // 2
    terms, inner = [], 0
    for letters, places, coupling in hamiltonian.terms():
        inside = [k for k, j in enumerate(places) if first <= j < first + sites]
        outside = [k for k in range(len(places)) if k not in inside]
        inner += not outside
        if outside and (not inside or z is None or any(letters[k] != "Z" for k in outside)):
            continue
        factor = np.prod([z[places[k]] for k in outside]) if z is not None else 1.0
        terms.append(("".join(letters[k] for k in inside), tuple(places[k] - first for k in inside), coupling * factor))
    if not inner:
        return None
    sector = hamiltonian.sector
    if z is not None:
        odd = sites % 2
        sector = Sector("magnetisation", 2 * round((z[first : first + sites].sum() - odd) / 2) + odd)
    elif sector.kind == "magnetisation":
        sector = Sector("magnetisation", 0 if sites % 2 == 0 and sector.value == 0 else None)
    elif sector.kind != "none":
        sector = Sector(sector.kind)
    labels = {"pinning": hamiltonian.pinning, "name": hamiltonian.name, "parameters": hamiltonian.parameters}
    return Hamiltonian.from_terms(sites, terms, sector=sector, **labels)


def small_relatives(hamiltonian: Hamiltonian, sizes: tuple[int, ...]) -> list[tuple[Hamiltonian, bool]]:
    """The small chains, and whether each is a window; families keep the parity of the number of sites."""
    chosen = [n for n in sizes if n % 2 == hamiltonian.sites % 2 and n < hamiltonian.sites]
    family = FAMILIES.get(hamiltonian.name)
    if family is None or "disorder_seed" in family.parameters:
        z = magnetisation_profile(hamiltonian)
        windows = [window(hamiltonian, n, z) for n in chosen]
        return [(small, True) for small in windows if small is not None]
    possible = [n for n in chosen if not family.check(n, **hamiltonian.parameters)]
    return [(build(hamiltonian.name, n, **hamiltonian.parameters), False) for n in possible]


def solve_parts(hamiltonian: Hamiltonian, sizes: tuple[int, ...] = REFINE_SIZES) -> list[Part]:
    """Exact solutions of the small relatives.

    Raises NoExactPart when one of them has a degenerate ground state (its entanglement means nothing), or when there is none.
    """
    parts = []
    for small, cut_out in small_relatives(hamiltonian, sizes):
        state = ground_state(small)
        if state.gap < DEGENERATE_GAP * np.abs(small.couplings).max():
            raise NoExactPart(
                f"the exact part of {small.sites} sites is degenerate (gap {state.gap:.1e} in sector {state.sector}): "
                "its entanglement is not defined; predict without --refine"
            )
        features = [proxies(p) for p in state.spectra]
        parts.append(Part(small, np.array([[f[name] for name in PROXIES] for f in features]), cut_out))
    if not parts:
        raise NoExactPart(
            f"{hamiltonian.name} with {hamiltonian.sites} sites has no exact part of {min(sizes)}-{max(sizes)} sites"
        )
    return parts
