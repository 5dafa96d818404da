"""Figures and tables of VQE, annealing, Grover search and of the surrogate: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS
from studies.ch12.qaoa_figures import KINDS, MARKS, plus_minus
from studies.ch12.verdict import averaged, with_logs

AIMS = {"expectation": "expectation", "cvar": "CVaR"}
ANNEALERS = {"thermal": ("simulated annealing", ("#9ecae1", "#4292c6", "#084594")),
             "quantum": ("path-integral annealing", ("#fdae6b", "#d94801", "#7f2704"))}  # fmt: skip
LINES = {
    ("quadratic", "rank"): "quadratic, ranks",
    ("factorisation", "rank"): "factorisation, ranks",
    ("linear", "rank"): "no pairs, ranks",
    ("quadratic", "raw"): "quadratic, raw accuracies",
    ("factorisation", "raw"): "factorisation, raw accuracies",
}
FEWEST, MOST = 1, 15_625  # ranks


def vqe(result):
    """Approximation ratio and chance of the optimum of VQE against its entangling layers."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.5))
    places = np.arange(len(result["layers"]))
    shifts = dict(zip(KINDS, (-0.06, 0.06), strict=True))
    for axis, key in zip(axes, ("ratio", "optimum"), strict=True):
        for colour, (kind, title) in zip(COLOURS, KINDS.items(), strict=False):
            mean = averaged(result["found"][kind])
            for row, (name, style, face) in enumerate(zip(AIMS.values(), ("-", "--"), (colour, "white"), strict=True)):
                axis.errorbar(
                    places + shifts[kind], mean[key][row], mean[f"{key}_sem"][row], fmt=f"o{style}", ms=5, mfc=face, color=colour,
                    label=f"{name}, {title}",
                )  # fmt: skip
        axis.set_xticks(places, map(str, result["layers"]))
        axis.set_xlabel("entangling layers (0: a product state)")
    axes[0].set_ylabel("approximation ratio")
    axes[1].set(ylabel="chance of the optimum", ylim=(0, 1.05))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def annealing(result):
    """Feasible share and chance of the optimum against the penalty; one row a kind of costs, one line a number of sweeps."""
    import matplotlib.pyplot as plt

    kinds = list(next(iter(result["found"].values())))
    figure, axes = plt.subplots(
        len(kinds), 2, figsize=(7.0, 2.5 * len(kinds) + 0.8), squeeze=False, sharex=True, sharey="col"
    )
    penalties = result["penalties"]
    for row, kind in enumerate(kinds):
        for axis, key in zip(axes[row], ("feasible", "optimum"), strict=True):
            for mark, (name, (title, shades)) in zip("os", ANNEALERS.items(), strict=True):
                means = averaged(result["found"][name][kind])
                for place, sweeps in enumerate(result["sweeps"][name]):
                    axis.errorbar(
                        penalties, means[key][place], means[f"{key}_sem"][place], fmt=f"{mark}-", ms=4, lw=1.2,
                        color=shades[place % len(shades)], label=f"{title}, {sweeps:,} sweeps",
                    )  # fmt: skip
            axis.set(xscale="log", title=KINDS[kind])
            axis.set_xticks(penalties, map(str, penalties))
            axis.minorticks_off()
        axes[row, 0].set_ylabel("feasible share of shots")
        axes[row, 1].set_ylabel("share at the optimum")
    for axis, top in zip(axes[-1], (1.03, None), strict=True):
        axis.set(xlabel="penalty (standard deviations)", ylim=(0, top))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def annealing_rows(result) -> list[dict[str, str]]:
    """Share of shots at the optimum with the best penalty, and the time of a shot on this machine."""
    rows = []
    for name, (title, _) in ANNEALERS.items():
        for place, sweeps in enumerate(result["sweeps"][name]):
            row = {"annealing": title, "sweeps": f"{sweeps:,}"}
            for kind, label in KINDS.items():
                means = averaged(result["found"][name][kind])
                best = int(np.argmax(means["optimum"][place]))
                row[f"optimum (%), {label}"] = plus_minus(means, "optimum", (place, best), ".1f", 100)
                row[f"penalty, {label}"] = f"{result['penalties'][best]:g}"
            seconds = np.median([runs["seconds"][:, place] for runs in result["found"][name].values()])
            rows.append(row | {"ms a shot": f"{1e3 * seconds:.2g}"})
    return rows


def grover(result):
    """Oracle calls, and measurements, until the minimum: two panels, for the two cannot be added up."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.6))
    sizes = np.array(result["sizes"], float)
    for axis, key in zip(axes, ("calls", "measurements"), strict=True):
        counts = np.asarray(result[key])
        error = counts.std(1, ddof=1) / counts.shape[1] ** 0.5 if counts.shape[1] > 1 else None
        axis.plot(sizes, result["expected"][key], "-", color=COLOURS[0], label="expected")
        axis.errorbar(sizes, counts.mean(1), error, fmt="o", color=COLOURS[0], label="simulated")
    axes[0].plot(sizes, np.pi / 4 * sizes**0.5, "--", color=COLOURS[1], label=r"$(\pi/4)\sqrt{N}$, one marked item")
    axes[1].plot(sizes, (sizes + 1) / 2, ":", color="black", label="one by one, at random")
    axes[0].set_ylabel("oracle calls until the minimum")
    axes[1].set_ylabel("measured and evaluated")
    for axis in axes:
        axis.set(xscale="log", yscale="log", xlabel="configurations $N$")
        axis.legend(loc="upper left")
    return figure


def surrogate(result):
    """How well surrogates know other cells than the evaluated ones, against evaluations: four measures."""
    import matplotlib.pyplot as plt

    means = averaged(with_logs(result["found"]))
    lines = [(name, means[model][kind]) for (model, kind), name in LINES.items() if model in means]
    figure, axes = plt.subplots(2, 2, figsize=(7.0, 5.8), sharex=True)
    panels = {"r2": "$R^2$", "spearman": "Spearman's correlation", "spearman_top": "the same, best tenth of all cells"}
    for axis, (key, label) in zip(axes.flat, panels.items(), strict=False):
        for colour, mark, (name, line) in zip(COLOURS, MARKS, lines, strict=False):
            axis.errorbar(
                result["counts"], line[key], line[f"{key}_sem"], fmt=f"{mark}-", ms=4, lw=1.2, color=colour, label=name
            )  # fmt: skip
        axis.set_ylabel(label)
    for colour, mark, (name, line) in zip(COLOURS, MARKS, lines, strict=False):
        draw_rank(axes[1, 1], result["counts"], line, f"{mark}-", colour, name)
    draw_rank(axes[1, 1], result["counts"], means["evaluated"], "--", "black", "best of those evaluated")
    axes[1, 1].set(yscale="log", ylabel="true rank of the best", ylim=(MOST, FEWEST))
    for axis in axes[1]:
        axis.set_xlabel("evaluations")
    for axis in axes.flat:
        axis.set_xscale("log")
        axis.set_xticks(result["counts"], map(str, result["counts"]))
        axis.minorticks_off()
    figure.legend(*axes[1, 1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_rank(axis, counts, line, style: str, colour: str, label: str) -> None:
    """Geometric mean of ranks and a standard error of its logarithm, up and down."""
    middle, error = np.array(line["log_rank"]), np.array(line["log_rank_sem"])
    ends = np.array([10**middle - 10 ** (middle - error), 10 ** (middle + error) - 10**middle])
    axis.errorbar(counts, 10**middle, ends, fmt=style, ms=4, lw=1.2, color=colour, label=label)
