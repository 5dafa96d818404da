"""Figures and tables of time series: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import mean_and_sem
from qednas.companion.figures import COLOURS
from qednas.data.series import SERIES, windows
from qednas.diffqas.candidates import PAPER
from studies.ch09.classification import SEARCHED
from studies.ch09.figures import NAMES as OTHERS
from studies.ch09.published import SERIES as TITLES
from studies.ch10.forecasting_verdict import COLUMNS, TUNED, errors, series_of

NAMES = OTHERS | {
    "direct": "small LSTM",
    "full": "whole LSTM",
    "coordinates": "sine network",
    "random": "random numbers",
}
LINES = ["searched", *(f"{k} {c}{' *' if c.fixed else ''}" for k, c in enumerate(PAPER, 1))]


def title(name: str) -> str:
    return TITLES[COLUMNS.index(name)]


def comparison(verdict):
    """Test errors of the thirteen configurations with the published ones, one panel a series."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    table = verdict["table"]
    figure, axes = plt.subplots(1, len(table), figsize=(1.9 * len(table) + 1.2, 4.4), sharey=True, squeeze=False)
    for axis, (name, lines) in zip(axes[0], table.items(), strict=True):
        for place, line in enumerate(lines):
            colour = COLOURS[0] if place == 0 else "0.6" if PAPER[place - 1].fixed else COLOURS[2]
            axis.errorbar(line["mse"], place, xerr=line["sem"], fmt="o", ms=4, capsize=2, color=colour)
            axis.plot(line["published"], place, "x", ms=5, color=COLOURS[1])
        axis.set(title=title(name), xlabel="test error", xscale="log")
        axis.xaxis.set_major_locator(LogLocator(numticks=4))
        axis.minorticks_off()
        axis.set_yticks(range(13), LINES, fontsize=8)
    axes[0, 0].invert_yaxis()
    return figure


def forecasts(runs):
    """The part that is tested on and what the search makes of it, with one seed; one panel a series."""
    import matplotlib.pyplot as plt

    names = series_of(runs)
    figure, axes = plt.subplots(len(names), 1, figsize=(7.0, 1.45 * len(names) + 0.5), squeeze=False)
    for axis, name in zip(axes[:, 0], names, strict=True):
        truth = windows(SERIES[name]()).test[1][:, 0].numpy()
        predicted = [r for r in runs if r["dataset"] == name and "predictions" in r]
        axis.plot(truth, color="0.3", lw=2.4, label="truth")
        for colour, method, label in (
            (COLOURS[1], "fixed/1", "uniform probabilities"),
            (COLOURS[0], SEARCHED, "searched"),
        ):
            run = next(r for r in predicted if (r["method"], r["group"]) == (method, "paper"))
            axis.plot(run["predictions"], color=colour, lw=1.1, label=label)
        axis.set_ylabel(title(name), fontsize=8)
    axes[-1, 0].set_xlabel("window")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def controls(runs, verdict):
    """Test errors with settings that were chosen: search, controls, and two forecasts without a network; one panel a series."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    names = series_of(runs)
    methods = list(dict.fromkeys(r["method"] for r in runs if r["group"] == TUNED))
    simple = list(next(iter(verdict["simple"].values())))
    figure, axes = plt.subplots(1, len(names), figsize=(1.9 * len(names) + 1.2, 3.2), sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for place, method in enumerate(methods):
            mean, sem = mean_and_sem(errors(runs, name, method, TUNED).values())
            colour = COLOURS[0] if method == SEARCHED else COLOURS[6] if method == "full" else COLOURS[1]
            axis.errorbar(mean, place, xerr=sem, fmt="o", ms=4, capsize=2, color=colour)
        for place, method in enumerate(simple, len(methods)):
            axis.plot(verdict["simple"][name][method], place, "s", ms=5, color=COLOURS[3])
        axis.set(title=title(name), xlabel="test error", xscale="log")
        axis.xaxis.set_major_locator(LogLocator(numticks=4))
        axis.minorticks_off()
        axis.set_yticks(range(len(methods) + len(simple)), [NAMES.get(m, m) for m in (*methods, *simple)], fontsize=8)
    axes[0, 0].invert_yaxis()
    return figure


def powers(mean: float, sem: float) -> str:
    """An error in units of 10^-6."""
    return f"{1e6 * mean:,.0f} ± {1e6 * sem:,.0f}"


def error_rows(verdict) -> list[dict[str, str]]:
    """Test errors (10^-6) of the thirteen, with rank, and the published ones with theirs."""
    rows = []
    for place, label in enumerate(LINES):
        row = {"configuration": label}
        for name, lines in verdict["table"].items():
            line = lines[place]
            row[title(name)] = f"{powers(line['mse'], line['sem'])} ({line['rank']:.0f})"
        rows.append(row)
    return rows


def published_rows(verdict) -> list[dict[str, str]]:
    """Ranks of the thirteen among each other, ours and published."""
    return [
        {
            "configuration": label,
            **{
                title(name): f"{lines[place]['rank']:.0f} | {lines[place]['published_rank']:.0f}"
                for name, lines in verdict["table"].items()
            },
        }
        for place, label in enumerate(LINES)
    ]


def ratio(test: dict[str, float]) -> tuple[float, float, float]:
    """A ratio of errors and one standard error below and above, from powers of ten."""
    gain, sem = test["gain"], test["gain_sem"]
    return 10**gain, 10 ** (gain - sem), 10 ** (gain + sem)


def in_words(test: dict[str, float]) -> str:
    middle, low, high = ratio(test)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def ratios(verdict) -> dict[str, str]:
    """The ratios of errors with their errors, in words for a sentence."""
    return {name: in_words(test) for name, test in verdict["summary"].items()}


def ratio_rows(verdict) -> list[dict[str, str]]:
    """Errors of others as multiples of those of the search (geometric means)."""
    summary = verdict["summary"]
    labels = {
        "over_median_fixed": "median of the twelve alone",
        "over_best_fixed": f"{verdict['best_fixed'].split('/')[1]} alone (best, in hindsight)",
        "over_uniform": "uniform probabilities (1, 3, 4, 6)",
        **{
            key: f"{NAMES[key[5:]]}, settings chosen" for key in summary if key.startswith("over_") and key[5:] in NAMES
        },
    }
    return [
        {
            "error of": label,
            "over that of the search": in_words(summary[key]),
            "p": f"{verdict['p'][key]:.2g}" if key in verdict["p"] else "",
        }
        for key, label in labels.items()
    ]


def structure(runs):
    """What the search mixes the candidates with, by series: mean and standard error over seeds."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.0, 3.3))
    names = series_of(runs)
    for colour, shift, name in zip(COLOURS, np.linspace(-0.28, 0.28, len(names)), names, strict=False):
        rows = [r["structure"] for r in runs if (r["dataset"], r["method"], r["group"]) == (name, SEARCHED, "paper")]
        weights = np.array(rows)
        error = weights.std(0, ddof=1) / len(weights) ** 0.5 if len(weights) > 1 else 0 * weights[0]
        axis.errorbar(np.arange(12) + shift, weights.mean(0), error, fmt="o", ms=3.5, color=colour, label=title(name))
    axis.axhline(1 / 12, color="0.5", lw=1, ls="--")
    axis.set_xticks(range(12), LINES[1:], rotation=45, ha="right", fontsize=8)
    axis.set(ylabel="structural weight")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure
