"""One space of couplings shared by all Hamiltonians: what the predictor sees instead of a family name.

The Hamiltonian is first brought to its canonical frame (:mod:`qednas.physics.canonical_frame`).  The features are then
averages, alternations and spreads of the couplings by operator and distance, in units of the strength per site, and do
not depend on the size of the chain.
"""

from __future__ import annotations

import numpy as np

from qednas.physics.canonical_frame import AXES, Frame, canonical
from qednas.physics.hamiltonian import Hamiltonian

RANGES = 4  # two-site couplings are resolved to this distance, then summed up
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


def features(hamiltonian: Hamiltonian, known: Frame | None = None) -> np.ndarray:
    """Feature vector (len(NAMES),) of a Hamiltonian; dimensionless, and independent of the size for uniform open chains."""
    chosen = known or canonical(hamiltonian)
    frame, order = chosen.hamiltonian, chosen.order
    sites = frame.sites
    value = dict.fromkeys(NAMES, 0.0)
    one_site = np.zeros((3, sites))
    two_site = np.zeros((3, sites, sites))
    bridges = dict.fromkeys(BRIDGES, 0.0)
    for letters, (rows, places) in frame.groups().items():
        c = frame.couplings[rows]
        if len(letters) == 1:
            one_site[AXES.index(letters), places[:, 0]] = c
        elif letters in ("XX", "YY", "ZZ"):
            two_site[AXES.index(letters[0]), places[:, 0], places[:, 1]] = c
        elif letters in BRIDGES and (places[:, 2] - places[:, 0] == 2).all():
            bridges[letters] = c.sum() / (sites - 2)
        elif len(letters) == 2 and ((places == 0) | (places == sites - 1)).any(1).all():
            value["mixed edge"] += np.abs(c).sum()
        else:
            value["other"] += np.abs(c).sum() / sites
    # averages over the places a term can have, so that an open end does not dilute them
    first, second = np.triu_indices(sites, 1)
    bonds, counts = second - first - 1, np.arange(sites - 1, 0, -1)

    def mean_by_range(pairs: np.ndarray) -> np.ndarray:
        return np.bincount(bonds, pairs[first, second], sites - 1) / counts

    by_range = np.array([mean_by_range(pairs) for pairs in two_site])
    power = (one_site**2).mean() * 3 + sum(mean_by_range(pairs**2).sum() for pairs in two_site)
    scale = np.sqrt(power + sum(c**2 for c in bridges.values()) + value["other"] ** 2)
    one_site, two_site, by_range = one_site / scale, two_site / scale, by_range / scale
    for name in ("mixed edge", "other"):
        value[name] /= scale
    # a common rotation by pi can turn every field positive, and takes the bridges over that axis with it
    for k, a in enumerate(AXES):
        over = [op for op in BRIDGES if op[1] == a]
        along = (one_site[k].mean(), sum(bridges[op] for op in over))
        turn = next((np.sign(c) for c in along if abs(c) > 1e-12), 1.0)
        value |= {f"{op} bridge": turn * bridges[op] / scale for op in over}
    sign = (-1.0) ** np.arange(sites)
    for a, fields, pairs, means in zip(AXES, one_site, two_site, by_range, strict=True):
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
