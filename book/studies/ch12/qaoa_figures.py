"""Figures and tables of QAOA, its depth and its angles: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS
from qednas.qnas.optimisers.ramps import RAMPS
from studies.ch12.verdict import SHOTS, averaged, judge_shots, transfer_ratios

MIXERS = {"xy-complete": "XY, all pairs", "xy-ring": "XY, ring", "x": "X"}
KINDS = {"fitted": "fitted costs", "random": "random costs"}
LABELS = {
    "shipped ramp": "shipped ramp, no steps",
    "ramp": "ramp, two ends tuned",
    "standard": "all angles (L-BFGS)",
    "interp": "layer by layer (INTERP)",
    "multi-angle": "an angle for every term",
    "cvar": "all angles, CVaR",
}
MARKS = "osD^vP"


def circuit_title(mixer: str, choices: int) -> str:
    return f"{MIXERS[mixer]} ({choices**6:,})"


def title_of(circuit: str) -> str:
    mixer, choices = circuit.split(", ")
    return circuit_title(mixer, int(choices))


def encoding_rows(encodings, name: str) -> list[dict]:
    """Qubits, terms and feasible share of a space."""
    return [
        {
            "encoding": encoding,
            "qubits": counts["qubits"],
            "fields": counts["linear"],
            "couplings": counts["quadratic"],
            "products of more": counts["higher"],
            "couplings of the constraint": counts["constraint"],
            "feasible strings": f"{100 * counts['feasible']:.3g} %",
        }
        for encoding, counts in encodings[name].items()
    ]


def landscape(runs):
    """Approximation ratio and chance of the optimum of one layer, over its two angles; one column a mixer."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(runs), figsize=(2.55 * len(runs), 5.0), squeeze=False, sharex=True)
    rows = (("ratio", "approximation ratio", 1), ("optimum", "chance of the optimum (%)", 100))
    for row, (key, label, factor) in enumerate(rows):
        highest, lowest = (factor * pick([pick(run[key]) for run in runs]) for pick in (np.max, np.min))
        for axis, run in zip(axes[row], runs, strict=True):
            image = axis.pcolormesh(
                run["gammas"], run["betas"], factor * np.asarray(run[key]).T, vmin=lowest, vmax=highest, rasterized=True
            )
            best = np.unravel_index(np.argmax(run[key]), np.shape(run[key]))
            for colour, width in (("black", 3.4), ("white", 1.6)):
                axis.plot(run["gammas"][best[0]], run["betas"][best[1]], "o", ms=9, mfc="none", mec=colour, mew=width)
            axis.plot(*run["ramp"], "x", ms=8, color="#D55E00", mew=2.2)
            axis.grid(visible=False)
        axes[row, 0].set_ylabel(r"$\beta$")
        figure.colorbar(image, ax=axes[row], label=label, pad=0.01)
    for axis, run in zip(axes[0], runs, strict=True):
        axis.set_title(circuit_title(run["mixer"], run["choices"]))
    for axis in axes[1]:
        axis.set_xlabel(r"$\gamma$ (1/standard deviation)")
    return figure


def depth(result, kind: str):
    """Approximation ratio and chance of the optimum against depth, one column a circuit, one line a way to find angles."""
    import matplotlib.pyplot as plt

    circuits = {name: means for name, means in list(averaged(result["found"]).items())[:3]}
    depths, strategies = result["depths"], result["strategies"]
    figure, axes = plt.subplots(
        2, len(circuits), figsize=(2.55 * len(circuits), 5.6), squeeze=False, sharex=True, sharey="row"
    )
    for column, (circuit, kinds) in enumerate(circuits.items()):
        means = kinds[kind]
        for row, key in enumerate(("ratio", "optimum")):
            axis = axes[row, column]
            lines = [name for name in strategies if name != "cvar"]
            for colour, mark, name in zip(COLOURS, MARKS, lines, strict=False):
                place = strategies.index(name)
                # Hollow and dotted, so that what lies beneath is seen: the two often agree.
                look = {"ls": ":", "mfc": "none", "ms": 7} if name == "interp" else {"ls": "-", "ms": 4}
                axis.errorbar(
                    depths, means[key][place], means[f"{key}_sem"][place], marker=mark, lw=1.2, color=colour,
                    label=LABELS[name], **look,
                )  # fmt: skip
            axis.axhline(means["uniform"][key], color="0.5", ls="--", lw=1.2, label="uniform measurement")
        axes[1, column].axhline(means["descent"]["reached"], color="black", ls=":", lw=1.6, label="classical descent")
        axes[1, column].set(yscale="log", xlabel="layers $p$", ylim=(None, 1.4))
        axes[0, column].set_title(title_of(circuit))
        axes[1, column].set_xticks(depths, map(str, depths))
    axes[0, 0].set_ylabel("approximation ratio")
    axes[1, 0].set_ylabel("chance of the optimum")
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def plus_minus(means, key: str, place: tuple[int, ...], form: str, factor: float = 1.0) -> str:
    """A mean with its standard error, at a place of a nested list."""
    values = [means[key], means[f"{key}_sem"]]
    for index in place:
        values = [value[index] for value in values]
    return " ± ".join(f"{factor * value:{form}}" for value in values)


def strategy_rows(result, circuit: str) -> list[dict[str, str]]:
    """What every way to find angles reaches at the largest depth, on both kinds of costs."""
    means = averaged(result["found"][circuit])
    rows = []
    for place, name in enumerate(result["strategies"]):
        row = {"angles": LABELS[name], "circuits": plus_minus(means["fitted"], "circuits", (place, -1), ".0f")}
        for kind, title in KINDS.items():
            row[f"ratio, {title}"] = plus_minus(means[kind], "ratio", (place, -1), ".3f")
            row[f"optimum (%), {title}"] = plus_minus(means[kind], "optimum", (place, -1), ".1f", 100)
        rows.append(row)
    row = {"angles": "uniform measurement", "circuits": "0"}
    descent = {"angles": "classical descent", "circuits": "0"}
    for kind, title in KINDS.items():
        row[f"ratio, {title}"] = plus_minus(means[kind]["uniform"], "ratio", (), ".3f")
        row[f"optimum (%), {title}"] = plus_minus(means[kind]["uniform"], "optimum", (), ".2g", 100).split(" ±")[0]
        descent[f"ratio, {title}"] = ""
        descent[f"optimum (%), {title}"] = plus_minus(means[kind]["descent"], "reached", (), ".1f", 100)
    return [*rows, row, descent]


def mixer_rows(result) -> list[dict[str, str]]:
    """All angles at the largest depth: every circuit on both kinds of costs, in one measurement and in 64."""
    place = result["strategies"].index("standard")
    rows = []
    for circuit, kinds in averaged(result["found"]).items():
        row = {"mixer (configurations)": title_of(circuit)}
        for kind, title in KINDS.items():
            row[f"optimum (%), {title}"] = plus_minus(kinds[kind], "optimum", (place, -1), ".1f", 100)
            row[f"best 1 % (%), {title}"] = plus_minus(kinds[kind], "near", (place, -1), ".1f", 100)
        uniform = kinds["fitted"]["uniform"]["optimum"]
        row[f"optimum in {SHOTS} uniform measurements (%)"] = f"{100 * (1 - (1 - uniform) ** SHOTS):.1f}"
        rows.append(row)
    return rows


def objectives(result, circuit: str):
    """CVaR beside the expectation as what angles are tuned for: ratio and chance of the optimum against depth."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.5))
    for axis, key in zip(axes, ("ratio", "optimum"), strict=True):
        for colour, (kind, title) in zip(COLOURS, KINDS.items(), strict=False):
            means = averaged(result["found"][circuit][kind])
            for style, face, name, label in (("-", colour, "standard", "expectation"), ("--", "white", "cvar", "CVaR")):
                place = result["strategies"].index(name)
                axis.errorbar(
                    result["depths"], means[key][place], means[f"{key}_sem"][place], fmt=f"o{style}", ms=5, mfc=face,
                    color=colour, label=f"{label}, {title}",
                )  # fmt: skip
        axis.set_xticks(result["depths"], map(str, result["depths"]))
        axis.set_xlabel("layers $p$")
    axes[1].axhline(result["alpha"], color="0.5", lw=1.2, ls=":")
    axes[0].set_ylabel("approximation ratio")
    axes[1].set(ylabel="chance of the optimum", ylim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def concentration(result):
    """Ends of the best ramp of every cost against the size of its space: mean and standard deviation over costs."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.6))
    names = (r"$\gamma_{\max}$ ($\sqrt{\ln N}$ / standard deviation)", r"$\beta_{\max}$ (units of the mixer)")
    for end, (axis, name) in enumerate(zip(axes, names, strict=True)):
        for colour, shift, (mixer, parts) in zip(COLOURS, (0.94, 1.06), result["found"].items(), strict=False):
            for (kind, choices, columns), part in zip(result["places"], parts, strict=True):
                values = np.asarray(part["in_units"])[:, end]
                mark, face = ("*", "white") if kind == "fitted" else ("o", colour)
                axis.errorbar(
                    shift * choices**columns, values.mean(), values.std(), fmt=mark, color=colour, mfc=face,
                    ms=12 if kind == "fitted" else 4.5, lw=1,
                    label=f"{MIXERS[mixer]}, {KINDS[kind]}",
                )  # fmt: skip
            axis.axhline(RAMPS[mixer][result["depth"]][end], color=colour, ls="--", lw=1)
        axis.set(xscale="log", xlabel="configurations $N$", ylabel=name, ylim=(0, None))
    handles, labels = axes[0].get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    figure.legend(by_label.values(), by_label.keys(), loc="outside lower center", ncols=2)
    return figure


def group_title(group) -> str:
    kind, choices, columns = group
    return f"{KINDS[kind]}, {choices**columns:,}"


def transfer_rows(transfer) -> list[dict[str, str]]:
    """Approximation ratio with angles of other costs over that with own ones, one row where they are used."""
    ratios = transfer_ratios(np.asarray(transfer["ratio"]), np.asarray(transfer["uniform"]))
    titles = [group_title(group) for group in transfer["groups"]]
    return [
        {"used on": used}
        | {f"from {source}": plus_minus(ratios, "relative", (i, j), ".3f") for j, source in enumerate(titles)}
        for i, used in enumerate(titles)
    ]


def shots(result):
    """Approximation ratio lost to exact gradients against circuits, one line a number of shots; one row a start."""
    import matplotlib.pyplot as plt

    kinds, starts = list(result["found"]), result["starts"]
    figure, axes = plt.subplots(
        len(starts), len(kinds), figsize=(7.0, 2.5 * len(starts) + 0.7), squeeze=False, sharex=True, sharey="row"
    )
    for column, kind in enumerate(kinds):
        losses = judge_shots(result["found"])[kind]
        for row, start in enumerate(starts):
            axis = axes[row, column]
            for colour, mark, place in zip(COLOURS, MARKS, range(len(result["shots"])), strict=False):
                count = result["shots"][place]
                axis.errorbar(
                    result["circuits"], losses["lost"][row][place], losses["lost_sem"][row][place], fmt=f"{mark}-", ms=4, lw=1.2,
                    color=colour, label=f"{count:,} shots" if count else "exact values",
                )  # fmt: skip
            axis.axhline(losses["start"]["lost"][row], color="0.5", ls="--", lw=1.2, label="start")
            axis.axhline(0, color="black", lw=1)
            axis.set_xscale("log")
            axis.set_xticks(result["circuits"], map(str, result["circuits"]))
            axis.minorticks_off()
            where = {1.0: "the shipped ramp", 0.5: "half of it"}.get(start, f"{start:g} of it")
            axis.set_title(f"{KINDS[kind]}, from {where}")
        axes[-1, column].set_xlabel("circuits")
    for axis in axes[:, 0]:
        axis.set_ylabel("ratio lost to L-BFGS")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure
