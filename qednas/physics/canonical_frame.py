"""One frame for all Hamiltonians that differ by a rotation of all spins, or of every other spin.

Neither changes entanglement, so a Hamiltonian is brought to a canonical frame by axis permutations and sublattice
rotations: the strongest nearest-neighbour axis becomes x, the second y, both with negative (ferromagnetic) coupling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from qednas.physics.hamiltonian import Hamiltonian, Sector

UNIFORM = 0.8  # share of the absolute strength that must not cancel for terms to count as uniform
AXES = "XYZ"


@dataclass(frozen=True)
class Frame:
    """A Hamiltonian in its canonical frame, without sector.

    order: which old axis each new one is.
    parity, magnetisation: value of prod Z and of sum Z in the new frame where the old sector fixes them, else None.
    """

    hamiltonian: Hamiltonian
    order: tuple[int, ...]
    parity: int | None
    magnetisation: int | None


def is_odd(order: tuple[int, ...]) -> bool:
    """Whether an axis permutation is odd: then it is a proper rotation of the axes together with their inversion P -> -P."""
    return bool(sum(order[i] > order[j] for i in range(3) for j in range(i + 1, 3)) % 2)


def permute_axes(hamiltonian: Hamiltonian, order: tuple[int, ...]) -> Hamiltonian:
    """Rotate all spins so that new axis k is the old axis ``order[k]``, up to sign."""
    x, z = hamiltonian.x, hamiltonian.z
    old = np.stack([x & ~z, x & z, ~x & z])  # (3, terms, sites): is X, is Y, is Z
    new = old[list(order)]
    sign = np.where((x | z).sum(1) % 2, -1.0, 1.0) if is_odd(order) else 1.0
    return replace(
        hamiltonian, x=new[0] | new[1], z=new[1] | new[2], couplings=hamiltonian.couplings * sign, sector=Sector()
    )


def sublattice_signs(hamiltonian: Hamiltonian) -> np.ndarray:
    """Signs (4, terms) that the strings take when every odd site is rotated by pi about nothing, x, y or z."""
    odd = np.arange(hamiltonian.sites) % 2 == 1
    x, z = hamiltonian.x[:, odd], hamiltonian.z[:, odd]
    flipped = np.stack([np.zeros(len(x), int), z.sum(1), (x ^ z).sum(1), x.sum(1)])
    return np.where(flipped % 2, -1.0, 1.0)


def canonical(hamiltonian: Hamiltonian) -> Frame:
    """The canonical frame of a Hamiltonian.

    Axes are ordered by nearest-neighbour couplings, then by all couplings, then by ascending field, then from negative to
    positive couplings at even distances (those that no sublattice rotation changes), then by ascending bridges over
    them.  Of the four sublattice rotations one is taken that keeps fields and three-site terms uniform (where any does),
    with the most negative XX, then YY; of the two that keep a conserved sum Z, if there is one along the last axis.
    """
    near, wide, field, even, middle = np.zeros((5, 3))
    for letters, (rows, places) in hamiltonian.groups().items():
        size = np.abs(hamiltonian.couplings[rows])
        if len(letters) == 1:
            field[AXES.index(letters)] += size.sum()
        elif letters[0] == letters[-1]:
            k = AXES.index(letters[0])
            near[k] += size[places[:, -1] - places[:, 0] == 1].sum()
            wide[k] += size.sum()
            if len(letters) == 3:
                middle[AXES.index(letters[1])] += size.sum()
            if len(letters) == 2:
                even[k] += hamiltonian.couplings[rows][(places[:, 1] - places[:, 0]) % 2 == 0].sum()
    score = np.stack([near, wide, -field, -even, -middle], 1).round(9).tolist()
    order = max(permutations(range(3)), key=lambda o: [score[k] for k in o])
    frame = permute_axes(hamiltonian, order)
    signed = sublattice_signs(frame) * frame.couplings
    rank = []
    groups = frame.groups()
    bulk = [
        rows[((places > 0) & (places < frame.sites - 1)).all(1)] if len(letters) == 1 else rows
        for letters, (rows, places) in groups.items()
        if len(letters) != 2
    ]
    total = sum(np.abs(frame.couplings[rows]).sum() for rows in bulk)
    for couplings in signed:
        net = sum(abs(couplings[rows].sum()) for rows in bulk)
        bonds = [couplings[groups[a][0]].sum() if a in groups else 0.0 for a in ("XX", "YY")]
        rank.append((net > UNIFORM * total, -round(bonds[0], 9), -round(bonds[1], 9)))
    kind, value, sites = hamiltonian.sector.kind, hamiltonian.sector.value, hamiltonian.sites
    # about nothing, x, y or z; random fields that happen to alternate are no reason to give up a conserved sum Z
    twist = max((0, 3) if kind == "magnetisation" and order[2] == 2 else range(4), key=lambda k: rank[k])
    parity = magnetisation = None
    if value is not None and kind == "parity_" + AXES[order[2]].lower():
        parity = value * (-1) ** (sites * is_odd(order) + (sites // 2) * (twist in (1, 2)))
    if value is not None and kind == "magnetisation" and order[2] == 2 and twist in (0, 3):
        magnetisation = -value if is_odd(order) else value
    return Frame(replace(frame, couplings=signed[twist]), order, parity, magnetisation)
