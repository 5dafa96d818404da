"""Tables of chapters 2-4: rows of text from stored results; nothing is computed here, so no result depends on it."""

from __future__ import annotations

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.physics.families import FAMILIES
from qednas.qed.references import title

TIGHT = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
OVER = "\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}"
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


RIVALS = {
    "errors": "predictor",
    "mean_field": "mean field alone",
    "boosting": "boosting",
    "nearest": "nearest neighbour",
}
OWN = {"largest": "value at the largest size below", "scaling_fit": "fit to its own small chains"}


def spread(figures, sem: bool = False) -> str:
    """Median / 95th percentile of the relative error in %."""
    error = f"{TIGHT}{100 * figures['relative_median_sem']:.1f}" if sem else ""
    return f"{100 * figures['relative_median']:.1f}{error}{OVER}{100 * figures['relative_p95']:.0f}"


def split_records(random, sizes, critical, families, mixed) -> dict[str, dict]:
    """Figures of the entropy on every held-out part: name -> method -> figures, and ``test`` (systems)."""

    def record(source, errors=None) -> dict:
        rivals = {k: source[k]["entropy"] for k in ("mean_field", "boosting", "nearest")}
        return {"test": source["test"], "errors": (errors or source["errors"])["entropy"]} | rivals

    out = {"random points": record(random)}
    for size, source in sizes["sizes"].items():
        own = {k: v["entropy"] for k, v in sizes["own"][size].items()}
        out[f"size {size}, trained to {sizes['trained']}"] = record(source) | own
    out["near criticality"] = record(critical)
    out["mixtures of two families"] = record(mixed, mixed["errors"]["all"])
    out |= {f"family {name}".replace("_", " "): record(source) for name, source in families["families"].items()}
    return out


def splits(records: dict[str, dict]) -> list[dict]:
    """One row per held-out part."""
    rows = []
    for name, record in records.items():
        row = {"held out": name, "systems": record["test"]}
        row |= {text: spread(record[key]) for key, text in RIVALS.items()}
        row |= {text: spread(record[key]) if key in record else "" for key, text in OWN.items()}
        calibrated = not name.startswith("family")
        rows.append(row | {"in 90 %": f"{100 * record['errors']['covered']:.0f}" if calibrated else ""})
    return rows


def ablation(result) -> list[dict]:
    """One row per variant, three proxies."""
    return [
        {"variant": name} | {proxy: spread(found[proxy], sem=True) for proxy in ("entropy", "variance", "skewness")}
        for name, found in result["variants"].items()
    ]


def refinements(result) -> list[dict]:
    """One row per kind of exact parts."""
    texts = {"rebuilt": "the same couplings at smaller sizes", "windows": "windows around the cut (disorder)"}
    return [
        {"exact parts": texts[kind], "systems": found["systems"]}
        | {
            text: spread(found[key]["entropy"], sem=True)
            for key, text in (("before", "predictor"), ("after", "refined"), ("scaling_fit", "scaling fit"))
        }
        | {"refined, in 90 %": f"{100 * found['after']['entropy']['covered']:.0f}"}
        for kind, found in result.items()
    ]


def evidence(references) -> list[dict]:
    """Convergence evidence of each reference: changes over the last stage, and differences to the exact solution."""
    rows = []
    for target, found in zip(references["targets"], references["evidence"], strict=True):
        row = dict.fromkeys(("target", "χ", "ΔE/E", "ΔS", "variance", "E - exact", "S - exact", "converged"), "")
        row |= {"target": title(target), "converged": "yes" if target["converged"] else "NO"}
        if "stages" in found:
            last, before = found["stages"][-1], found["stages"][-2]
            row |= {
                "χ": last["used_chi"],
                "ΔE/E": power(abs(last["energy"] - before["energy"]) / abs(last["energy"])),
                "ΔS": power(abs(last["entropy"] - before["entropy"])),
                "variance": power(abs(found["variance"])),
            }
            if target["exact_energy"] is not None:
                row["E - exact"] = power(target["energy"] - target["exact_energy"])
                row["S - exact"] = power(target["proxies"]["entropy"] - target["exact_entropy"])
        else:
            row["converged"] = "exact"
        rows.append(row)
    return rows


def comparison(result) -> list[dict]:
    """Prediction beside reference: entropy at the half-chain cut (nats)."""

    def error(row: dict, method: str) -> str:
        truth = row["reference"]["entropy"]
        return f"{abs(row[method]['entropy'] - truth) / abs(truth):.1%}" if method in row and truth > 1e-6 else ""

    return [
        {
            "target": r["name"] + (" *" if r["exact"] else ""),
            "reference": f"{r['reference']['entropy']:.4f}",
            "predicted": f"{r['predicted']['entropy']:.4f}"
            + ("" if r["exact"] else f"{TIGHT}{r['std']['entropy']:.4f}"),
            "error": error(r, "predicted"),
            "refined": f"{r['refined']['entropy']:.4f}" if "refined" in r else r["problem"].split(":")[0],
            "its error": error(r, "refined"),
            "inside": "yes" if r["in_domain"] else "no",
        }
        for r in result["rows"]
    ]


GROUPS = {"all": "all targets", "corrected": "mean field not exact"}


def bars(rows: list[dict]) -> list[dict]:
    """Every bar with what was measured."""

    def shown(value) -> str:
        return f"{100 * value:.1f} %" if isinstance(value, float) else f"{100 * value[0]:.0f}{TO}{100 * value[1]:.0f} %"

    return [
        {
            "figure": r["bar"],
            "over": GROUPS[r["group"]],
            "measured": shown(r["value"]),
            "wanted": ("at most " if isinstance(r["bound"], float) else "") + shown(r["bound"]),
            "met": "yes" if r["met"] else "NO",
        }
        for r in rows
    ]


def rivals(summary) -> list[dict]:
    """Every method over all targets and over those that are corrected."""
    from qednas.qed.targets import METHODS

    return [
        {"method": text}
        | {
            f"{head} ({summary[group]['targets']})": spread(summary[group][method]["entropy"], sem=True)
            for group, head in GROUPS.items()
        }
        for method, text in METHODS.items()
    ]


def by_group(summary) -> list[dict]:
    """Median relative error (%) of every proxy by class and by family."""
    return [
        {"targets of": label.replace("_", " "), "number": s["targets"]}
        | {name: f"{100 * s['predicted'][name]['relative_median']:.1f}" for name in PROXIES}
        | {"90 % interval holds": f"{100 * s['predicted']['entropy']['covered']:.0f}"}
        for label, s in summary.items()
    ]


def costs(result) -> list[dict]:
    """One row per timed target."""
    rows = []
    for target in result["targets"]:
        first, last = target["runs"][0], target["runs"][-1]
        reached = target["ratio"] is not None
        rows.append(
            {
                "target": target["name"],
                "prediction (s)": f"{target['predict']:.3f}",
                "DMRG to 1e-4 (s)": f"{last['seconds']:.1f}" if reached else "not reached",
                "at χ": last["chi"],
                "times as long": f"{target['ratio']:,.0f}" if reached else "",
                "χ = 4 (s)": f"{first['seconds']:.1f}",
                "its error (nats)": power(first["error"]),
            }
        )
    return rows
