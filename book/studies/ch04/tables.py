"""Tables of chapter 4: rows of text from stored results; nothing is computed here."""

from __future__ import annotations

from qednas.physics.entanglement import PROXIES
from studies.ch02.tables import TO
from studies.ch03.tables import TIGHT, spread
from studies.ch04.references import title


def power(value: float) -> str:
    """Order of magnitude with a real minus sign, at which a line does not break: 2e−15."""
    return f"{value:.0e}".replace("-", "−")


def evidence(references) -> list[dict]:
    """Convergence evidence of each reference: changes over the last stage, and differences to the exact solution."""
    rows = []
    for target, diagnostics in zip(references["targets"], references["evidence"], strict=True):
        row = dict.fromkeys(("target", "χ", "ΔE/E", "ΔS", "variance", "E - exact", "S - exact", "converged"), "")
        row |= {"target": title(target), "converged": "yes" if target["converged"] else "NO"}
        if "stages" in diagnostics:
            last, before = diagnostics["stages"][-1], diagnostics["stages"][-2]
            row |= {
                "χ": last["used_chi"],
                "ΔE/E": power(abs(last["energy"] - before["energy"]) / abs(last["energy"])),
                "ΔS": power(abs(last["entropy"] - before["entropy"])),
                "variance": power(abs(diagnostics["variance"])),
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

    def percent(value) -> str:
        return f"{100 * value:.1f} %" if isinstance(value, float) else f"{100 * value[0]:.0f}{TO}{100 * value[1]:.0f} %"

    return [
        {
            "figure": r["bar"],
            "over": GROUPS[r["group"]],
            "measured": percent(r["value"]),
            "wanted": ("at most " if isinstance(r["bound"], float) else "") + percent(r["bound"]),
            "met": "yes" if r["met"] else "NO",
        }
        for r in rows
    ]


def rivals(summary) -> list[dict]:
    """Every method over all targets and over those that are corrected."""
    from studies.ch04.targets import METHODS

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
