"""Permutations of the sites that leave a Hamiltonian as it is: translations, reflections, turns of a square."""

from __future__ import annotations

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian

LARGEST_GROUP = 4096
SAME = 1e-12  # relative difference of couplings


def is_symmetry(hamiltonian: Hamiltonian, permutation: np.ndarray) -> bool:
    """Whether moving site permutation[i] to place i changes no term."""

    def sort_strings(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = np.packbits(np.concatenate([x, z], 1), axis=1)
        order = np.lexsort(rows.T)
        return rows[order], hamiltonian.couplings[order]

    rows, couplings = sort_strings(hamiltonian.x, hamiltonian.z)
    moved, others = sort_strings(hamiltonian.x[:, permutation], hamiltonian.z[:, permutation])
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
    candidates = {
        "translation": np.roll(grid, -1, 1),
        "translation of rows": np.roll(grid, -1, 0),
        "reflection": grid[:, ::-1],
        "reflection of rows": grid[::-1],
    }
    if grid.shape[0] == width:
        candidates["transposition"] = grid.T
    return {name: np.ascontiguousarray(g).reshape(-1) for name, g in candidates.items()}


def permutations(
    hamiltonian: Hamiltonian, width: int | None = None, names: tuple[str, ...] | None = None
) -> np.ndarray:
    """The group (group, sites) made by those generators that leave H as it is; the identity comes first.

    names: only these generators.  Raises InputError for a name that does not exist or is no symmetry of H.
    """
    candidates = generators(hamiltonian.sites, width)
    for name in names or ():
        if name not in candidates:
            raise InputError(f"symmetry {name!r}: one of {', '.join(candidates)}")
        if not is_symmetry(hamiltonian, candidates[name]):
            raise InputError(f"{hamiltonian.name} on {hamiltonian.sites} sites does not have the symmetry {name!r}")
    chosen = [g for name, g in candidates.items() if (name in names if names else is_symmetry(hamiltonian, g))]
    return closure(hamiltonian.sites, chosen)


def closure(sites: int, generating: list[np.ndarray]) -> np.ndarray:
    """The group (group, sites) that permutations generate.  Raises InputError beyond 4096 elements."""
    group = {tuple(range(sites)): None}
    new = list(group)
    while new:
        products = [tuple(np.asarray(g)[h].tolist()) for g in new for h in generating]
        new = [p for p in dict.fromkeys(products) if p not in group]
        group.update(dict.fromkeys(new))
        if len(group) > LARGEST_GROUP:
            raise InputError(f"the symmetry group has more than {LARGEST_GROUP} elements")
    return np.array(list(group))
