"""Figures and tables of the blocks of chapter 5: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS

KINDS = {"rbm": ("RBM", "o"), "mps": ("MPS", "s"), "attention": ("attention", "^"), "dense": ("dense", "D")}
FLOOR = 1e-8  # infidelities below are drawn here


def capacity(fits):
    """Entropy reached (top) and infidelity (bottom) against parameters, one column a target, one mark a block."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    targets = list(dict.fromkeys(row["target"] for row in fits["rows"]))
    figure, axes = plt.subplots(2, len(targets), figsize=(9.6, 5.4), sharex=True, layout="constrained")
    for column, target in enumerate(targets):
        top, bottom = axes[:, column]
        for colour, (kind, (label, mark)) in zip(COLOURS, KINDS.items(), strict=False):
            curve = sorted(
                (r for r in fits["rows"] if r["target"] == target and r["kind"] == kind), key=lambda r: r["parameters"]
            )
            count = [r["parameters"] for r in curve]
            style = {"fmt": mark + "-", "ms": 4, "lw": 1, "color": colour}
            top.errorbar(
                count, [r["entropy"] for r in curve], [r["entropy_sem"] or 0 for r in curve], label=label, **style
            )
            bottom.errorbar(
                count, [max(r["infidelity"], FLOOR) for r in curve], [r["infidelity_sem"] or 0 for r in curve], **style
            )
        wanted = next(r["wanted"] for r in fits["rows"] if r["target"] == target)
        top.axhline(wanted, color="0.3", ls="--", lw=1)
        top.set(title=target, xscale="log", ylim=(0, 1.25 * wanted))
        counts = [r["parameters"] for r in fits["rows"]]
        bottom.set(xscale="log", yscale="log", ylim=(FLOOR / 2, 3), xlabel="real parameters")
        bottom.set_xlim(min(10, min(counts)), 1.5 * max(counts))
        bottom.xaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].set_ylabel("half-chain entropy (nats)")
    axes[1, 0].set_ylabel("infidelity")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def equal_rows(comparison) -> list[dict]:
    """Rows of the table of blocks at one number of parameters."""
    rows = []
    for row in comparison["rows"]:
        cells = {"target": row["target"], "entropy of the target": f"{row['wanted']:.3f}"}
        for kind, (label, _) in KINDS.items():
            if kind in row["infidelity"]:
                cells[label] = f"{short(row['infidelity'][kind])} ({row['entropy'][kind]:.2f})"
        rows.append(cells | {"best": KINDS[row["best"]][0]})
    return rows


def published_energies(energies):
    """Relative energy errors, ours with standard errors beside the published ones, one line a system."""
    import matplotlib.pyplot as plt

    rows = energies["rows"][::-1]
    figure, axis = plt.subplots(figsize=(8.4, 0.42 * len(rows) + 1.4), layout="constrained")
    for place, row in enumerate(rows):
        above = row["relative"] > 0
        shown = row["relative"] if above else row["error"]
        low = min(row["error"], shown * 0.9)
        axis.errorbar(
            shown, place, xerr=[[low], [row["error"] if above else 0]], fmt="o", color=COLOURS[0], ms=5, zorder=3,
            mfc=COLOURS[0] if above else "white",
        )  # fmt: skip
        for number, (method, value) in enumerate(row["published"].items()):
            axis.plot(value, place, "x", color=COLOURS[1], ms=6, mew=1.6)
            axis.annotate(
                method, (value, place), xytext=(0, 6 if number % 2 == 0 else -12), textcoords="offset points", fontsize=7,
                ha="center", color=COLOURS[1],
            )  # fmt: skip
        if row["bar"]:
            axis.plot(row["bar"], place, "|", color="0.2", ms=13, mew=1.6)
    handles = [
        plt.Line2D([], [], color=COLOURS[0], marker="o", ls="", label="ours"),
        plt.Line2D([], [], color=COLOURS[1], marker="x", ls="", label="published"),
        plt.Line2D([], [], color="0.2", marker="|", ls="", ms=11, label="set as a bar"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    axis.margins(x=0.09)
    axis.set(xscale="log", xlabel="relative error of the energy", ylim=(-0.7, len(rows) - 0.3))
    axis.set_yticks(range(len(rows)), [row["case"] for row in rows])
    return figure


def training(energies):
    """Relative error of the energy while training (running mean of five steps), one panel a system, one line a seed."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    exact = {row["case"]: row["exact"] for row in energies["rows"]}
    cases = list(exact)
    across = min(4, len(cases))
    down = -(-len(cases) // across)
    figure, axes = plt.subplots(
        down, across, figsize=(9.6, 2.1 * down + 0.3), sharey=True, squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(cases) :]:
        axis.set_axis_off()
    for axis, case in zip(axes.flat, cases, strict=False):
        for curve in (c for c in energies["curves"] if c["case"] == case):
            error = (np.array(curve["energy"]) - exact[case]) / abs(exact[case])
            axis.plot(curve["steps"], np.maximum(error, 1e-7), lw=1)
        axis.set(xscale="log", yscale="log", ylim=(1e-7, 2))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_title(case.replace(", ", ",\n", 1), fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("step")
    for axis in axes[:, 0]:
        axis.set_ylabel("relative error")
    return figure


def short(value: float, digits: int = 1) -> str:
    """2.4e-06 as 2.4e-6, with a hyphen at which a table does not break the line."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "\u2011")


def published_rows(energies) -> list[dict]:
    """Rows of the table of energies, with short names: the table has to fit the width of a page."""
    return [
        {
            "system": row["case"].replace("modified Haldane-Shastry", "MHS").replace(" sites", ""),
            "block": row["block"],
            "P": row["parameters"],
            "relative error": f"{short(row['relative'])} ± {short(row['error'], 0)}"
            + (" (stopped early)" if row["stopped"] else ""),
            "bar": short(row["bar"], 0) if row["bar"] else "",
            "published": "; ".join(f"{name} {short(value)}" for name, value in row["published"].items()),
            "V-score": short(row["v_score"]),
            "seconds": f"{row['seconds']:.0f}",
        }
        for row in energies["rows"]
    ]


def swap_rows(check) -> list[dict]:
    """Rows of the table of the swap estimator, at the cut in the middle."""
    rows = []
    for row in check["rows"]:
        middle = len(row["cuts"]) // 2
        rows.append(
            {
                "block": row["kind"],
                "sites": row["sites"],
                "parameters": row["parameters"],
                "S₂ of the middle cut": f"{row['wanted'][middle]:.4f}",
                "from swaps": f"{row['swap'][middle]:.4f} ± {row['error'][middle]:.4f}",
                "largest difference of any cut (standard errors)": f"{row['worst']:.1f}",
            }
        )
    return rows
