"""Figures and tables of the comparison of searchers: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import holm
from qednas.companion.figures import COLOURS
from qednas.qnas.methods import has_surrogate
from studies.ch13.verdict import WITHIN
from studies.spaces.trained_spaces import SPACES

TABLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16-120": "ImageNet-16-120"}
TABLES |= {name: name for name in SPACES}
STYLES = ("-", "--")
SHOWN = (25, 50, 100, 200)  # evaluations
LOWEST = 0.02  # accuracy points: where the axis of regrets ends, below the scatter of one training


def groups(searches) -> list[tuple[str, list[str]]]:
    """Names of the searches that fit a surrogate, and of the others, with what each group is called."""
    fitted = [name for name, spec in searches.items() if has_surrogate(spec["method"])]
    return [("with a surrogate", fitted), ("without one", [name for name in searches if name not in fitted])]


def regrets(curves, searches):
    """Mean regret of the incumbent against evaluations, bands of one standard error: a column a table, a row a group."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(curves), figsize=(6.6, 5.6), sharex=True, sharey=True, squeeze=False)
    for row, (title, names) in enumerate(groups(searches)):
        for column, (table, table_curves) in enumerate(curves.items()):
            axis = axes[row, column]
            for place, name in enumerate(names):
                values = np.asarray(table_curves[name]["incumbent"], float)
                mean, error = values.mean(0), values.std(0, ddof=1) / len(values) ** 0.5
                x = np.arange(1, len(mean) + 1)
                colour, style = COLOURS[place % len(COLOURS)], STYLES[place // len(COLOURS)]
                axis.plot(x, mean, color=colour, ls=style, lw=1.2, label=name)
                axis.fill_between(x, mean - error, mean + error, color=colour, alpha=0.15, lw=0)
            axis.set(yscale="log", ylim=(LOWEST, None))
            if row == 0:
                axis.set_title(TABLES[table])
            else:
                axis.set_xlabel("evaluations")
        axes[row, 0].set_ylabel(f"regret (points),\n{title}")
    for row, spot in ((0, "outside upper center"), (1, "outside lower center")):
        figure.legend(*axes[row, 0].get_legend_handles_labels(), loc=spot, ncols=4 + row, fontsize=8)
    return figure


def evaluations_needed(verdict):
    """Median evaluations until a row within half a point of the best was evaluated, with bootstrap intervals."""
    import matplotlib.pyplot as plt

    tables = verdict["needed"]
    figure, axes = plt.subplots(1, len(tables), figsize=(6.6, 3.8), sharex=True, sharey=True, squeeze=False)
    for axis, (table, searches) in zip(axes[0], tables.items(), strict=True):
        for place, evaluations in enumerate(searches.values()):
            close = evaluations["close"]
            colour = "0.6" if close["censored"] else COLOURS[0]
            axis.plot([close["low"], close["high"]], [place, place], color=colour, lw=2)
            axis.plot(close["median"], place, ">" if close["censored"] else "o", color=colour, ms=5)
        axis.set(title=TABLES[table], xlabel="evaluations", xscale="log")
        axis.set_xticks(SHOWN, map(str, SHOWN))
        axis.minorticks_off()
        axis.set_yticks(range(len(searches)), list(searches))
    axes[0, 0].invert_yaxis()
    return figure


def median_text(evaluations) -> str:
    """A median with its interval; beyond the budget it is only known to be larger."""
    median = f"> {evaluations['median'] - 1:.0f}" if evaluations["censored"] else f"{evaluations['median']:.0f}"
    return f"{median} ({evaluations['reached']})"


def regret_rows(verdict) -> list[dict]:
    """Each search: mean regret at the end on every table, and its mean rank over them."""
    tables = list(verdict["regret"])
    ranks = {
        name: np.mean([verdict["tests"][t]["ranks"][name] for t in tables]) for name in verdict["regret"][tables[0]]
    }
    return [
        {
            "search": name,
            **{TABLES[t]: f"{(r := verdict['regret'][t][name])['mean']:.2f} ± {r['mean_sem']:.2f}" for t in tables},
            "mean rank": f"{rank:.1f}",
        }
        for name, rank in sorted(ranks.items(), key=lambda item: item[1])
    ]


def evaluations_needed_rows(verdict) -> list[dict]:
    """Each search: median evaluations to within half a point, and to the best row, in how many runs."""
    tables = list(verdict["needed"])
    return [
        {"search": name, **{f"{TABLES[t]}, {words}": median_text(verdict["needed"][t][name][key]) for t in tables
                            for key, words in (("close", f"{WITHIN:g} points"), ("best", "best"))}}
        for name in verdict["needed"][tables[0]]
    ]  # fmt: skip


def paired_rows(verdict, first: str, reference: str) -> list[dict]:
    """One search against another on every table: p corrected for all comparisons of this kind, effects, and the t-test that the
    paper asks for."""
    tests = verdict["tests"]
    places = [
        (table, r["first"], r["second"]) for table, table_tests in tests.items() for r in table_tests["comparisons"]
    ]
    raw = [row["p"] for table_tests in tests.values() for row in table_tests["comparisons"]]
    corrected = dict(zip(places, holm(raw), strict=True))
    rows = []
    for table, table_tests in tests.items():
        comparison = next(r for r in table_tests["comparisons"] if (r["first"], r["second"]) == (first, reference))
        rows.append(
            {
                "table": TABLES[table],
                "median difference": f"{comparison['median']:+.2f}",
                "Wilcoxon p, Holm": f"{corrected[table, first, reference]:.2g}",
                "rank-biserial": f"{comparison['rank_biserial']:+.2f}",
                "A12": f"{comparison['a12']:.2f} ({comparison['a12_low']:.2f} to {comparison['a12_high']:.2f})",
                "t-test p": f"{comparison['t_p']:.2g}",
                "equal": comparison["zeros"],
            }
        )
    return rows


def champion_rows(verdict) -> list[dict]:
    """The champion against others: regret, evaluations and how often the best row was seen, averaged over tables."""
    rows = []
    for other, gains in verdict["summary"].items():
        gain, error = gains["speed"]["gain"], gains["speed"]["gain_sem"]
        p = [f"{verdict['p'][f'{other} {part}']:.2g}" for part in ("regret", "speed", "optimum")]
        factors = [f"{np.exp(-gain + shift):.2f}" for shift in (0, -error, error)]
        rows.append(
            {
                "against": other,
                "regret lower by (points)": f"{gains['regret']['gain']:.2f} ± {gains['regret']['gain_sem']:.2f}",
                "p": p[0],
                "times their evaluations": f"{factors[0]} ({factors[1]} to {factors[2]})",
                "p ": p[1],
                "best seen more often by (%)": f"{100 * gains['optimum']['gain']:.0f} ± {100 * gains['optimum']['gain_sem']:.0f}",
                "p  ": p[2],
            }
        )
    return rows


def time_rows(verdict) -> list[dict]:
    """What the loop itself takes for each evaluation, mean over tables, and all the trainings of a search."""
    tables = list(verdict["seconds"])
    return [
        {
            "search": name,
            "loop (ms)": f"{1000 * np.mean([verdict['seconds'][t][name] for t in tables]):.1f}",
            **{
                f"{TABLES[t]} (days)": f"{(d := verdict['days'][t][name])['mean']:.1f} ± {d['mean_sem']:.1f}"
                for t in tables
            },
        }
        for name in verdict["seconds"][tables[0]]
    ]


def count_rows(comparison, searches) -> list[dict]:
    """What searches used besides evaluations, and proposals drawn at random for want of others; means over runs."""
    kinds = {"circuits": "circuits", "oracle calls": "oracle calls", "sweeps": "sweeps", "measured": "shots"}
    kinds |= {"infeasible": "infeasible shots", "random": "proposals at random"}
    rows = []
    for name in searches:
        runs = sum(len(by_search[name]["seconds"]) for by_search in comparison["curves"].values())
        total = {
            key: sum(by_search[name].get(key, 0) for by_search in comparison["counts"].values()) / runs for key in kinds
        }
        if any(total.values()):
            rows.append(
                {"search": name}
                | {
                    title: f"{total[key]:,.0f}" if total[key] >= 100 else f"{total[key]:.3g}"
                    for key, title in kinds.items()
                }
            )
    return rows


def development_rows(comparison, tried, reported) -> list[dict]:
    """All that was tried on the table that settings were chosen on: regret at the end and over the course, and time.

    tried, reported: {name: specification} of what was tried, and of what is reported; ``kept`` in a row is the name it has there.
    """
    rows = []
    for searches in comparison["curves"].values():
        for name, curves in searches.items():
            curve = np.asarray(curves["incumbent"], float)
            end, mean = curve[:, -1], curve.mean(1)
            rows.append(
                {
                    "search": name,
                    "regret at the end": f"{end.mean():.2f} ± {end.std(ddof=1) / len(end) ** 0.5:.2f}",
                    "mean over the search": f"{mean.mean():.2f} ± {mean.std(ddof=1) / len(mean) ** 0.5:.2f}",
                    "seconds a search": f"{np.median(curves['seconds']):.1f}",
                    "kept as": next((other for other, spec in reported.items() if spec == tried[name]), ""),
                }
            )
    return rows
