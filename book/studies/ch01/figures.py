"""Figures and tables of the networks of chapter 1: they only read results."""

from __future__ import annotations

import numpy as np

from studies.ch01.network_laws import ORTHOGONAL, POISSON

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKS = "os^Dvp"


def short_range(draws):
    """Largest and mean entropy of every cut over random machines, one colour a range, with the bound 2 R ln 2."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    cuts = np.arange(1, draws["sites"])
    for colour, mark, (reach, curve) in zip(COLOURS, MARKS, draws["ranges"].items(), strict=False):
        axis.plot(cuts, curve["largest"], mark + "-", color=colour, ms=4, label=f"R = {reach}, largest")
        axis.plot(cuts, curve["mean"], mark + ":", color=colour, ms=3, lw=1, mfc="none", label="mean")
        axis.axhline(curve["bound"], color=colour, lw=1, ls="--")
        axis.annotate(
            rf"$2R\ln 2$, R = {reach}",
            (cuts[-1], curve["bound"]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=colour,
            fontsize=8,
        )
    top = max(curve["bound"] for curve in draws["ranges"].values())
    axis.set(xlabel="cut after site", ylabel="entropy (nats)", ylim=(0, 1.42 * top))
    axis.legend(ncols=len(draws["ranges"]), loc="upper center", fontsize=8)
    return figure


def random_machines(machines):
    """Half-chain entropy over Page's value (left) and mean gap ratio (right) against the size, one mark an ensemble."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 4.4), layout="constrained")
    sizes = np.array(machines["sizes"])
    page = np.array(machines["page"])
    left.plot(sizes, page, "-", color="0.4", lw=1, label="Page")
    for colour, mark, (name, e) in zip(COLOURS, MARKS, machines["ensembles"].items(), strict=True):
        style = {"fmt": mark + "-", "ms": 4, "lw": 1, "capsize": 2, "color": colour}
        left.errorbar(sizes, e["entropy"], e["sem"], label=name, **style)
        right.errorbar(sizes, e["ratio"], e["ratio_sem"], **style)
    for value, text, shift in ((POISSON, "Poisson", -10), (ORTHOGONAL, "GOE", 3)):
        right.axhline(value, color="0.4", lw=1, ls="--")
        right.annotate(
            text, (sizes[-1], value), xytext=(0, shift), textcoords="offset points", ha="right", fontsize=8, color="0.3"
        )
    left.set(xlabel="sites N", ylabel="half-chain entropy (nats)", title="growth with the size", xticks=sizes)
    right.set(
        xlabel="sites N", ylabel="mean gap ratio of the levels", title="level statistics", ylim=(0.3, 0.6), xticks=sizes
    )
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


def machine_rows(exact) -> list[dict]:
    """Rows of the table of exact machines."""
    return [
        {
            "state": row["state"],
            "sites": row["sites"],
            "hidden units": row["units"],
            "parameters that are not 0": row["parameters"],
            "worst stabiliser, |⟨P⟩ − 1|": "" if row["stabilisers"] is None else f"{row['stabilisers']:.0e}",
            "worst entropy (nats)": f"{row['entropies']:.0e}",
        }
        for row in exact["rows"]
    ]


def ensemble_rows(machines) -> list[dict]:
    """Rows of the table of ensembles, at the largest size."""
    n = machines["sizes"][-1]
    return [
        {
            "weights": name,
            f"entropy at N = {n} (nats)": f"{e['entropy'][-1]:.3f} ± {e['sem'][-1]:.3f}",
            "share of Page": f"{e['share'][-1]:.0%}",
            "growth over Page's": f"{e['slope_share']:.0%} ± {e['slope_share'] * e['slope_sem'] / abs(e['slope']):.0%}",
            "gap ratio": f"{e['ratio'][-1]:.3f} ± {e['ratio_sem'][-1]:.3f}",
        }
        for name, e in machines["ensembles"].items()
    ]


def learned_machines(machines):
    """Energy error against the size (left) and the entropy of every cut of the largest size (right)."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
    sizes = [row["sites"] for row in machines["rows"]]
    errors = [max(row["error"], 1e-12) for row in machines["rows"]]
    left.errorbar(sizes, errors, [row["error_sem"] or 0.0 for row in machines["rows"]], fmt="o-", ms=4, capsize=2)
    left.set(xlabel="sites N", ylabel="relative energy error", yscale="log", title="trained machines", xticks=sizes)
    cuts = np.arange(1, sizes[-1])
    right.plot(cuts, machines["profiles"]["exact"], "-", color="0.3", lw=1, label="exact diagonalisation")
    right.plot(cuts, machines["profiles"]["machine"], "o", color=COLOURS[1], ms=5, mfc="none", label="machine")
    right.set(xlabel="cut after site", ylabel="entropy (nats)", title=f"N = {sizes[-1]}", ylim=(0, None))
    right.legend(loc="lower center")
    return figure


def learned_rows(machines) -> list[dict]:
    """Rows of the table of trained machines."""
    return [
        {
            "sites": row["sites"],
            "parameters": row["parameters"],
            "exact energy": f"{row['exact_energy']:.7f}",
            "relative error": f"{row['error']:.1e}" + (f" ± {row['error_sem']:.0e}" if row["error_sem"] else ""),
            "entropy (exact)": f"{row['entropy']:.5f} ({row['exact_entropy']:.5f})",
            "Rényi-2 (exact)": f"{row['renyi2']:.5f} ({row['exact_renyi2']:.5f})",
        }
        for row in machines["rows"]
    ]
