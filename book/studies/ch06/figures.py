"""Figures and tables of the searches of chapter 6: they only read results."""

from __future__ import annotations

from collections import Counter

import numpy as np

from qednas.base.statistics import Gain, mean_interval
from qednas.companion.figures import COLOURS
from studies.ch04.references import title
from studies.ch06.ablations import DRAWN, STANDARD, VARIANTS, VariantRun
from studies.ch06.every_architecture import System

FLOOR = 1e-10  # relative errors below are drawn here
GREY = "0.6"
KIND_COLOURS = dict(zip(("jastrow", "rbm", "mps", "dense", "attention"), COLOURS, strict=False))


def name_of(system) -> str:
    return title(system).replace("_", " ")


def systems_of(ablation) -> list[System]:
    """The systems of the runs, each once, in their order."""
    systems = {str(r["system"]): r["system"] for r in ablation["runs"]}
    return list(systems.values())


def runs_of(ablation, system, variant) -> list[VariantRun]:
    return [r for r in ablation["runs"] if r["system"] == system and r["variant"] == variant]


def probabilities(ablation, system, variants=(STANDARD, "annealed", "plain")):
    """Probabilities of the choices of every kind over the search: one row a kind, one column a variant."""
    import matplotlib.pyplot as plt

    variants = [v for v in variants if runs_of(ablation, system, v)]
    runs = [next(r for r in runs_of(ablation, system, v) if r["seed"] == DRAWN) for v in variants]
    kinds = list(runs[0]["probabilities"])
    figure, axes = plt.subplots(
        len(kinds), len(runs), figsize=(8.4, 1.55 * len(kinds) + 0.8), sharex=True, sharey=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    for column, (run, variant) in enumerate(zip(runs, variants, strict=True)):
        axes[0, column].set_title("Gumbel-softmax" if variant == STANDARD else VARIANTS[variant].label)
        for axis, kind in zip(axes[:, column], kinds, strict=True):
            shares = np.linspace(0, 1, len(run["probabilities"][kind]))
            for number, (label, values) in enumerate(
                zip(run["choices"][kind], np.array(run["probabilities"][kind]).T, strict=True)
            ):
                none = label == "none"
                colour = GREY if none else COLOURS[(number - 1) % len(COLOURS)]
                axis.plot(
                    shares, values, color=colour, ls="--" if none else "-", label=label.partition("/")[2] or label
                )
            axis.set_ylim(0, 1)
            if column == 0:
                axis.set_ylabel(kind)
            if column == len(runs) - 1:
                axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("share of the search")
    return figure


def landscape(space, ablation):
    """Relative energy error of every architecture trained alone (grey), and of those the variants found: one panel a system."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    systems = space["systems"]
    figure, axes = plt.subplots(1, len(systems), figsize=(9.2, 4.4), sharey=True, layout="constrained", squeeze=False)
    variants = [v for v in VARIANTS if any(r["variant"] == v for r in ablation["runs"])]
    for axis, system in zip(axes[0], systems, strict=True):
        errors = np.array([row["relative"] for row in system["rows"]])
        middle = np.exp(np.log(np.maximum(errors, FLOOR)).mean(1))
        count = np.array([row["parameters"] for row in system["rows"]])
        axis.scatter(count, middle, color=GREY, s=12, label="every architecture, mean over seeds")
        for number, variant in enumerate(variants):
            runs = runs_of(ablation, system["system"], variant)
            where = [
                next(r["parameters"] for r in system["rows"] if r["architecture"] == o["architecture"]) for o in runs
            ]
            shift = 1 + 0.012 * (number - len(variants) / 2)
            axis.scatter(
                np.array(where) * shift, [max(o["relative"], FLOOR) for o in runs], s=20, marker="osD^vP*X"[number],
                facecolors="none", edgecolors=COLOURS[number], label=VARIANTS[variant].label,
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="parameters", title=name_of(system["system"]))
        axis.title.set_fontsize(8)
        axis.xaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].set_ylabel("relative energy error")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return figure


def comparisons(panels):
    """Factor between the energy errors of each variant and of the standard search, with intervals of 95 %: one panel for each
    {title: result}."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure, axes = plt.subplots(1, len(panels), figsize=(8.8, 3.3), layout="constrained", squeeze=False, sharey=True)
    variants = [v for v in VARIANTS if any(v in ablation["compared"] for ablation in panels.values())]
    for axis, (text, ablation) in zip(axes[0], panels.items(), strict=True):
        for number, variant in enumerate(variants):
            row = ablation["compared"].get(variant)
            if row is None:
                continue
            interval = mean_interval(row["gain"], row["gain_sem"], row["gain_df"])
            axis.plot(np.exp(interval), [number, number], "-", color=COLOURS[0], lw=1.5)
            axis.plot(np.exp(row["gain"]), number, "o", color=COLOURS[0])
        axis.axvline(1, color="0.4", lw=1, ls="--")
        pairs = max(row["pairs"] for row in ablation["compared"].values())
        axis.set(xscale="log", title=f"{text} ({pairs} pairs)")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_yticks(range(len(variants)), [VARIANTS[v].label for v in variants])
    axes[0, 0].invert_yaxis()
    figure.supxlabel("energy error over that of the standard search", fontsize=10)
    return figure


def courses(ablation):
    """Relative energy error of the supernet over the search: one panel a system, a line a seed, a colour a variant."""
    import matplotlib.pyplot as plt

    systems = systems_of(ablation)
    figure, axes = plt.subplots(1, len(systems), figsize=(8.8, 3.6), sharey=True, layout="constrained", squeeze=False)
    shown = [v for v in (STANDARD, "no entanglement", "annealed") if any(r["variant"] == v for r in ablation["runs"])]
    for axis, system in zip(axes[0], systems, strict=True):
        for colour, variant in zip(COLOURS, shown, strict=False):
            for run in runs_of(ablation, system, variant):
                values = np.abs(run["course"]["relative"])
                label = VARIANTS[variant].label if run["seed"] == 0 else None
                axis.plot(np.linspace(0, 1, len(values)), values, color=colour, lw=1, alpha=0.8, label=label)
        axis.set(yscale="log", xlabel="share of the search", title=name_of(system))
    axes[0, 0].set_ylabel("|relative energy error| of the supernet")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def mean_text(values) -> str:
    """Mean and standard error, with two decimals."""
    sem = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{np.mean(values):.2f} ± {sem:.2f}"


def ranks(ablation, variant) -> str:
    """Mean rank of what a variant found among all architectures, 0 the best, with its standard error."""
    return mean_text([r["rank"] for r in ablation["runs"] if r["variant"] == variant])


def gain_over(ablation, variant) -> Gain:
    """The comparison of a variant with the standard search, or none where it was not run."""
    return ablation["compared"].get(variant, Gain(gain=0.0, gain_sem=0.0, pairs=0, p=1.0))


def small_rows(ablation, compared) -> list[dict]:
    """Rows of the table of the short chains: one a variant; compared: each with the standard one."""
    rows = []
    for variant in dict.fromkeys(r["variant"] for r in ablation["runs"]):
        runs = [r for r in ablation["runs"] if r["variant"] == variant]
        deviations = [abs(r["trained_entropy"] - r["wanted"]["entropy"]) for r in runs]
        row = compared.get(variant)
        rows.append(
            {
                "search": VARIANTS[variant].label.removesuffix(" instead of predicted ones"),
                "error": f"{np.exp(np.mean(np.log([max(r['relative'], FLOOR) for r in runs]))):.1e}",
                "rank": ranks(ablation, variant),
                "tau": f"{np.mean([r['tau'] for r in runs]):+.2f}",
                "supernet": f"{np.exp(np.mean(np.log([max(abs(r['supernet']), FLOOR) for r in runs]))):.1e}",
                "entropy": f"{np.median(deviations):.4f}",
                "p": "" if row is None else f"{row['p']:.2g}",
            }
        )
    return rows


def large_rows(ablation) -> list[dict]:
    """Rows of the table of the long chains: one a variant, the error on every system and what was chosen most often."""
    rows = []
    for variant in dict.fromkeys(r["variant"] for r in ablation["runs"]):
        row = {"search": VARIANTS[variant].label}
        for system in systems_of(ablation):
            runs = runs_of(ablation, system, variant)
            errors = np.array([r["relative"] for r in runs])
            chosen, times = Counter(" + ".join(r["architecture"]) for r in runs).most_common(1)[0]
            row[name_of(system)] = (
                f"{errors.mean():.1e} ± {errors.std(ddof=1) / len(errors) ** 0.5 if len(errors) > 1 else 0:.0e}; "
                f"{chosen} ({times}/{len(runs)})"
            )
        rows.append(row)
    return rows
