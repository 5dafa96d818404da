"""Tables of chapter 2: rows of text from stored results; nothing is computed here."""

from __future__ import annotations

import numpy as np

from qednas.physics.families import FAMILIES

TO = "\N{WORD JOINER}–\N{WORD JOINER}"  # a range that does not break


def card(dataset) -> list[dict]:
    """Data card: per family its formula, the classes met, what makes the ground state unique, systems, entropies (nats)."""
    family, sites, label = (np.asarray(dataset[k]) for k in ("family", "sites", "label"))
    rows = []
    for name in dict.fromkeys(family.tolist()):
        mask = family == name
        lengths = sites[mask]
        half = np.asarray(dataset[f"proxies/{name}"])[np.cumsum(lengths - 1) - lengths + lengths // 2, 0]
        pinned = sorted({p for p in np.asarray(dataset["pinning"])[mask].tolist() if p})
        sector = str(FAMILIES[name].sector)
        rows.append(
            {
                "family": name,
                "Hamiltonian": FAMILIES[name].formula,
                "classes": ", ".join(dict.fromkeys(label[mask].tolist())),
                "made unique by": "; ".join([sector] * (sector != "none") + pinned) or "nothing needed",
                "systems": int(mask.sum()),
                "entropy": f"{half.min():.2f}{TO}{half.max():.2f}",
            }
        )
    return rows


def schema(dataset) -> list[dict]:
    """One row per stored array, or per group of arrays that differ by the family: name, shape, type."""
    rows: dict[str, dict] = {}
    for name in dataset:
        array = dataset[name]
        if isinstance(array, np.ndarray):
            group, slash, _ = name.partition("/")
            shape = ", ".join(["cuts" if slash else "systems", *map(str, array.shape[1:])])
            kind = "text" if array.dtype.kind == "U" else array.dtype.name
            rows[group] = {"array": f"{group}/<family>" if slash else group, "shape": f"({shape})", "type": kind}
    return list(rows.values())
