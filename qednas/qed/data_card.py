"""The data card of chapter 2: what is in the data set, as rows of a table."""

from __future__ import annotations

import numpy as np

from qednas.physics.families import FAMILIES


def card(dataset) -> list[dict]:
    """One row per family: formula, classes met, degeneracy policy, number of systems and of degenerate ones, entropies."""
    family, sites, label = (np.asarray(dataset[k]) for k in ("family", "sites", "label"))
    rows = []
    for name in dict.fromkeys(family.tolist()):
        own = family == name
        pinned = sorted({p for p in np.asarray(dataset["pinning"])[own].tolist() if p})
        lengths = sites[own]
        half = np.asarray(dataset[f"proxies/{name}"])[np.cumsum(lengths - 1) - lengths + lengths // 2, 0]
        rows.append(
            {
                "family": name,
                "Hamiltonian": FAMILIES[name].formula,
                "classes": ", ".join(dict.fromkeys(label[own].tolist())),
                "sector": str(FAMILIES[name].sector),
                "pinning": "; ".join(pinned) or "none",
                "systems": int(own.sum()),
                "degenerate": int(np.asarray(dataset["degenerate"])[own].sum()),
                "half-chain entropy": f"{half.min():.3f} to {half.max():.3f}",
            }
        )
    return rows


def schema(dataset) -> list[dict]:
    """One row per stored array: name, shape, type."""
    return [
        {"array": name, "shape": str(np.shape(dataset[name])), "type": str(np.asarray(dataset[name]).dtype)}
        for name in dataset
    ]
