"""Tables of chapters 2-4: rows of text from stored results; nothing is computed here, so no result depends on it."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.physics.families import FAMILIES
from qednas.qed.references import title

TIGHT = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
TO = "\N{WORD JOINER}–\N{WORD JOINER}"  # a range that does not break


def power(value: float) -> str:
    """Order of magnitude with a real minus sign, at which a line does not break: 2e−15."""
    return f"{value:.0e}".replace("-", "−")


def card(dataset) -> list[dict]:
    """Data card: per family its formula, the classes met, what makes the ground state unique, systems, entropies (nats)."""
    family, sites, label = (np.asarray(dataset[k]) for k in ("family", "sites", "label"))
    rows = []
    for name in dict.fromkeys(family.tolist()):
        own = family == name
        lengths = sites[own]
        half = np.asarray(dataset[f"proxies/{name}"])[np.cumsum(lengths - 1) - lengths + lengths // 2, 0]
        pinned = sorted({p for p in np.asarray(dataset["pinning"])[own].tolist() if p})
        sector = str(FAMILIES[name].sector)
        rows.append(
            {
                "family": name,
                "Hamiltonian": FAMILIES[name].formula,
                "classes": ", ".join(dict.fromkeys(label[own].tolist())),
                "made unique by": "; ".join([sector] * (sector != "none") + pinned) or "nothing needed",
                "systems": int(own.sum()),
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


def evidence(references) -> list[dict]:
    """Convergence evidence of each reference: changes over the last stage, and differences to the exact solution."""
    rows = []
    for target, found in zip(references["targets"], references["evidence"], strict=True):
        stages, exact = found["stages"], target["exact_energy"]
        last, before = stages[-1], stages[-2]
        rows.append(
            {
                "target": title(target),
                "χ": last["used_chi"],
                "ΔE/E": power(abs(last["energy"] - before["energy"]) / abs(last["energy"])),
                "ΔS": power(abs(last["entropy"] - before["entropy"])),
                "variance": power(abs(found["variance"])),
                "E - exact": "" if exact is None else power(target["energy"] - exact),
                "S - exact": "" if exact is None else power(target["proxies"]["entropy"] - target["exact_entropy"]),
                "converged": "yes" if target["converged"] else "NO",
            }
        )
    return rows


def comparison(result) -> list[dict]:
    """Prediction beside reference: entropy at the half-chain cut (nats)."""
    return [
        {
            "target": r["name"],
            "class": r["class"],
            "DMRG": f"{r['reference']['entropy']:.4f}",
            "predicted": f"{r['predicted']['entropy']:.3f}{TIGHT}{r['std']['entropy']:.3f}",
            "error": f"{r['relative_error']['entropy']:.1%}",
            "inside": "yes" if r["in_domain"] else "no",
        }
        for r in result["rows"]
    ]


def by_class(result) -> list[dict]:
    """Median relative error (%) of every proxy by class."""
    return [
        {"class": label, "targets": s["targets"]} | {name: f"{100 * s[name]['median']:.1f}" for name in PROXIES}
        for label, s in result["summary"].items()
    ]
