"""Permutations of the sites that leave a Hamiltonian as it is: translations, reflections, turns of a square."""

from __future__ import annotations

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian

LARGEST_GROUP = 4096
SAME = 1e-12  # relative difference of couplings


def is_symmetry(hamiltonian: Hamiltonian, permutation: np.ndarray) -> bool:
    """Whether moving site permutation[i] to place i changes no term."""

    def listed(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = np.packbits(np.concatenate([x, z], 1), axis=1)
        order = np.lexsort(rows.T)
        return rows[order], hamiltonian.couplings[order]

    rows, couplings = listed(hamiltonian.x, hamiltonian.z)
    moved, others = listed(hamiltonian.x[:, permutation], hamiltonian.z[:, permutation])
    scale = np.abs(couplings).max()
    return bool((rows == moved).all() and (np.abs(couplings - others) <= SAME * scale).all())


def generators(sites: int, width: int | None = None) -> dict[str, np.ndarray]:
    """What a ring, or a lattice of rows of ``width`` sites one after the other, may be symmetric under, by name."""
    if width is None:
        ring = np.arange(sites)
        return {
            "translation": np.roll(ring, -1),
            "translation by two": np.roll(ring, -2),
            "reflection": ring[::-1].copy(),
        }
    if width < 1 or sites % width:
        raise InputError(f"width = {width}: {sites} sites are no whole number of such rows")
    grid = np.arange(sites).reshape(-1, width)
    found = {
        "translation": np.roll(grid, -1, 1),
        "translation of rows": np.roll(grid, -1, 0),
        "reflection": grid[:, ::-1],
        "reflection of rows": grid[::-1],
    }
    if grid.shape[0] == width:
        found["transposition"] = grid.T
    return {name: np.ascontiguousarray(g).reshape(-1) for name, g in found.items()}


def permutations(
    hamiltonian: Hamiltonian, width: int | None = None, names: tuple[str, ...] | None = None
) -> np.ndarray:
    """The group (group, sites) made by those generators that leave H as it is; the identity comes first.

    names: only these generators.  Raises InputError for a name that does not exist or is no symmetry of H.
    """
    known = generators(hamiltonian.sites, width)
    for name in names or ():
        if name not in known:
            raise InputError(f"symmetry {name!r}: one of {', '.join(known)}")
        if not is_symmetry(hamiltonian, known[name]):
            raise InputError(f"{hamiltonian.name} on {hamiltonian.sites} sites does not have the symmetry {name!r}")
    kept = [g for name, g in known.items() if (name in names if names else is_symmetry(hamiltonian, g))]
    return closure(hamiltonian.sites, kept)


def closure(sites: int, kept: list[np.ndarray]) -> np.ndarray:
    """The group (group, sites) that permutations generate.  Raises InputError beyond 4096 elements."""
    found = {tuple(range(sites)): None}
    new = list(found)
    while new:
        products = [tuple(np.asarray(g)[h].tolist()) for g in new for h in kept]
        new = [p for p in dict.fromkeys(products) if p not in found]
        found.update(dict.fromkeys(new))
        if len(found) > LARGEST_GROUP:
            raise InputError(f"the symmetry group has more than {LARGEST_GROUP} elements")
    return np.array(list(found))
