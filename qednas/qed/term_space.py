"""One space of couplings shared by all Hamiltonians: what the predictor sees instead of a family name.

Entanglement does not change under a common rotation of all spins or of every other spin, so a Hamiltonian is first
brought to a canonical frame by axis permutations and sublattice rotations: the strongest nearest-neighbour axis becomes
x, the second y, both with negative (ferromagnetic) coupling.  The features are then averages, alternations and spreads of
the couplings by operator and distance, in units of the strength per site, and do not depend on the size of the chain.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from qednas.physics.hamiltonian import Hamiltonian, Sector

UNIFORM = 0.8  # share of the absolute strength that must not cancel for terms to count as uniform
RANGES = 4  # two-site couplings are resolved to this distance, then summed up
AXES = "XYZ"
BRIDGES = ("XYX", "XZX", "YXY", "YZY", "ZXZ", "ZYZ")


def _names() -> list[str]:
    names = [f"{a} {what}" for a in AXES for what in ("mean", "alternating", "spread", "edge")]
    for a in AXES:
        names += [f"{a}{a} range {r}" for r in range(1, RANGES + 1)]
        names += [f"{a}{a} beyond", f"{a}{a} log distance", f"{a}{a} alternating", f"{a}{a} spread"]
    names += [f"{op} bridge" for op in BRIDGES]
    names += ["parity kept", "magnetisation kept", "parity along x", "other", "mixed edge"]
    return names


NAMES = _names()
OTHER = NAMES.index("other")


def permute_axes(hamiltonian: Hamiltonian, order: tuple[int, ...]) -> Hamiltonian:
    """Rotate all spins so that new axis k is the old axis ``order[k]``, up to sign."""
    x, z = hamiltonian.x, hamiltonian.z
    old = np.stack([x & ~z, x & z, ~x & z])  # (3, terms, sites): is X, is Y, is Z
    new = old[list(order)]
    # an odd permutation becomes a proper rotation of the spin axes together with their inversion P -> -P
    odd = sum(order[i] > order[j] for i in range(3) for j in range(i + 1, 3)) % 2
    sign = np.where((x | z).sum(1) % 2, -1.0, 1.0) if odd else 1.0
    return replace(
        hamiltonian, x=new[0] | new[1], z=new[1] | new[2], couplings=hamiltonian.couplings * sign, sector=Sector()
    )


def sublattice_signs(hamiltonian: Hamiltonian) -> np.ndarray:
    """Signs (4, terms) that the strings take when every odd site is rotated by pi about nothing, x, y or z."""
    odd = np.arange(hamiltonian.sites) % 2 == 1
    x, z = hamiltonian.x[:, odd], hamiltonian.z[:, odd]
    flipped = np.stack([np.zeros(len(x), int), z.sum(1), (x ^ z).sum(1), x.sum(1)])
    return np.where(flipped % 2, -1.0, 1.0)


def canonical(hamiltonian: Hamiltonian) -> tuple[Hamiltonian, tuple[int, ...]]:
    """The Hamiltonian in its canonical frame, and which old axis each new one is.

    Axes are ordered by nearest-neighbour couplings, then by all couplings, then by ascending field, then from negative to
    positive couplings at even distances (those that no sublattice rotation changes), then by ascending bridges over
    them.  Of the four sublattice rotations one is taken that keeps fields and three-site terms uniform (where any does),
    with the most negative XX, then YY.
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
    return replace(frame, couplings=signed[max(range(4), key=lambda k: rank[k])]), order


def features(hamiltonian: Hamiltonian) -> np.ndarray:
    """Feature vector (len(NAMES),) of a Hamiltonian; dimensionless, and independent of the size for uniform open chains."""
    frame, order = canonical(hamiltonian)
    sites = frame.sites
    value = dict.fromkeys(NAMES, 0.0)
    one = np.zeros((3, sites))
    two = np.zeros((3, sites, sites))
    bridges = dict.fromkeys(BRIDGES, 0.0)
    for letters, (rows, places) in frame.groups().items():
        c = frame.couplings[rows]
        if len(letters) == 1:
            one[AXES.index(letters), places[:, 0]] = c
        elif letters in ("XX", "YY", "ZZ"):
            two[AXES.index(letters[0]), places[:, 0], places[:, 1]] = c
        elif letters in BRIDGES and (places[:, 2] - places[:, 0] == 2).all():
            bridges[letters] = c.sum() / (sites - 2)
        elif len(letters) == 2 and ((places == 0) | (places == sites - 1)).any(1).all():
            value["mixed edge"] += np.abs(c).sum()
        else:
            value["other"] += np.abs(c).sum() / sites
    # averages over the places a term can have, so that an open end does not dilute them
    by_range = np.array([[np.diagonal(pairs, r).mean() for r in range(1, sites)] for pairs in two])
    power = (one**2).mean() * 3 + sum(np.mean(np.diagonal(pairs, r) ** 2) for pairs in two for r in range(1, sites))
    scale = np.sqrt(power + sum(c**2 for c in bridges.values()) + value["other"] ** 2)
    one, two, by_range = one / scale, two / scale, by_range / scale
    for name in ("mixed edge", "other"):
        value[name] /= scale
    # a common rotation by pi can turn every field positive, and takes the bridges over that axis with it
    for k, a in enumerate(AXES):
        over = [op for op in BRIDGES if op[1] == a]
        along = (one[k].mean(), sum(bridges[op] for op in over))
        turn = next((np.sign(c) for c in along if abs(c) > 1e-12), 1.0)
        value |= {f"{op} bridge": turn * bridges[op] / scale for op in over}
    sign = (-1.0) ** np.arange(sites)
    for a, fields, pairs, means in zip(AXES, one, two, by_range, strict=True):
        inner = fields[1:-1] if sites > 2 else fields
        value[f"{a} mean"] = abs(inner.mean())
        value[f"{a} alternating"] = abs(((inner - inner.mean()) * sign[: len(inner)]).mean())
        value[f"{a} spread"] = inner.std()
        value[f"{a} edge"] = abs(fields[0] - inner.mean()) + abs(fields[-1] - inner.mean())
        for r in range(1, min(RANGES, len(means)) + 1):
            value[f"{a}{a} range {r}"] = means[r - 1]
        value[f"{a}{a} beyond"] = means[RANGES:].sum()
        weight = np.abs(means).sum()
        value[f"{a}{a} log distance"] = np.abs(means) @ np.log(np.arange(1, sites)) / weight if weight else 0.0
        nearest = np.diagonal(pairs, 1)
        value[f"{a}{a} alternating"] = ((nearest - nearest.mean()) * sign[:-1]).mean()
        value[f"{a}{a} spread"] = nearest.std()
    kind = hamiltonian.sector.kind
    value["parity kept"] = float(kind.startswith("parity"))
    value["magnetisation kept"] = float(kind == "magnetisation")
    value["parity along x"] = float(kind == "parity_" + AXES[order[0]].lower())
    return np.array([value[name] for name in NAMES])
