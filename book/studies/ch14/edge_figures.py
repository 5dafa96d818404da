"""Figures and tables of searches within budgets and of what is deployed: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS
from studies.ch14.deployment import TINY

COSTS = {"parameters": "parameters", "flops": "FLOPs", "latency": "latency (µs)", "bytes": "int8 file (bytes)"}
SHOWN = ("QAOA", "random")  # searches whose fronts are drawn
SHIFT = 0.14  # between searches at one budget
MEAN = "mean"  # over spaces


def tick_label(value: float, _: int = 0) -> str:
    """A number on an axis."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def fronts(verdict):
    """Held-out accuracy against every cost: all architectures, their Pareto front, and what searches found with one seed."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    spaces = verdict["points"]
    costs = [cost for cost in COSTS if cost in verdict["places"][next(iter(spaces))]]
    size = (6.6, 1.2 + 1.7 * len(spaces))
    figure, axes = plt.subplots(len(spaces), len(costs), figsize=size, sharey="row", squeeze=False)
    for row, (space, points) in enumerate(spaces.items()):
        score = np.asarray(points["score"], float)
        for axis, cost in zip(axes[row], costs, strict=True):
            price, places = np.asarray(points[cost], float), verdict["places"][space][cost]
            axis.plot(price, score, ".", color="0.8", ms=3, label="architectures")
            for name, colour, mark in (
                ("all", "black", "-"),
                (SHOWN[0], COLOURS[0], "o"),
                (SHOWN[1], COLOURS[1], "x"),
            ):
                if name in places:
                    on_front = np.asarray(places[name], int)
                    on_front = on_front[np.argsort(price[on_front])]
                    how = {"drawstyle": "steps-post", "lw": 1} if mark == "-" else {"ls": "", "ms": 4, "mfc": "none"}
                    label = "Pareto front" if name == "all" else f"found by {name}"
                    axis.plot(price[on_front], score[on_front], mark, color=colour, label=label, **how)
            axis.set_xscale("log")
            span = price.max() / price.min()
            subs = (1,) if span > 100 else (1, 3) if span > 6 else (1, 1.5, 2, 3, 5, 7)
            axis.xaxis.set_major_locator(LogLocator(subs=subs))
            axis.xaxis.set_major_formatter(FuncFormatter(tick_label))
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.tick_params(axis="x", labelsize=8)
            best = score[np.asarray(places["all"], int)]
            axis.set_ylim(best.min() - 0.4 * np.ptp(best) - 1, best.max() + 0.1 * np.ptp(best) + 0.2)
            if row == len(spaces) - 1:
                axis.set_xlabel(COSTS[cost])
        axes[row, 0].set_ylabel(f"{space}:\nheld out (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure


def regrets(verdict):
    """Regret at the end of searches within every budget, relative to the best that keeps it: a row a space."""
    import matplotlib.pyplot as plt

    spaces = verdict["regret"]
    figure, axes = plt.subplots(len(spaces), 1, figsize=(6.6, 1.2 + 1.7 * len(spaces)), sharex=True, squeeze=False)
    for axis, (space, by_cost) in zip(axes[:, 0], spaces.items(), strict=True):
        labels = [(cost, label) for cost in COSTS for label in by_cost.get(cost, ())]
        searches = list(by_cost[labels[0][0]][labels[0][1]])
        for place, name in enumerate(searches):
            regret = [by_cost[cost][label][name] for cost, label in labels]
            x = np.arange(len(labels)) + SHIFT * (place - (len(searches) - 1) / 2)
            means, errors = [one["mean"] for one in regret], [one["mean_sem"] for one in regret]
            axis.errorbar(x, means, errors, fmt="o", ms=4, color=COLOURS[place % len(COLOURS)], label=name)
        axis.set_ylim(0, None)
        axis.set_ylabel(f"{space}:\nregret (points)")
        axis.set_xticks(range(len(labels)), [f"{cost}\n{100 * float(label):g} %" for cost, label in labels], fontsize=8)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=8)
    return figure


def savings(claim):
    """Parameters saved by every search that sweeps, at an observed score that is not lower: a panel a rival."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(claim["summary"]), figsize=(6.6, 3.4), sharey=True, squeeze=False)
    for axis, (rival, searches) in zip(axes[0], claim["summary"].items(), strict=True):
        rows = [(space, claim["spaces"][space][rival]) for space in claim["spaces"]] + [(MEAN, searches)]
        for place, name in enumerate(searches):
            y = np.arange(len(rows)) + SHIFT * (place - (len(searches) - 1) / 2)
            means = [100 * by_search[name]["saved"] for _, by_search in rows]
            errors = [100 * by_search[name]["saved_sem"] for _, by_search in rows]
            axis.errorbar(means, y, xerr=errors, fmt="o", ms=4, color=COLOURS[place % len(COLOURS)], label=name)
        axis.axvline(10, color="0.5", lw=1, ls=":")
        title = "evolution" if rival == "evolution" else "the best hand-designed"
        axis.set(title=f"against {title}", xlabel="fewer parameters (%)")
        axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes[0, 0].invert_yaxis()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    return figure


def budget_rows(result) -> list[dict]:
    """What the budgets of every space are, and the best held-out score within them: a row a cost."""

    def describe(label: str, budget) -> dict[str, str]:
        most = f"{budget['most']:,.4g}" if budget["most"] < 1e4 else f"{budget['most']:,.0f}"
        share = f"{100 * float(label):g} %"
        return {f"{share}: at most": most, f"{share}: best score": f"{budget['best']:.2f}"}

    return [
        {"space": space, "cost": COSTS[cost]}
        | {key: text for label, budget in budgets.items() for key, text in describe(label, budget).items()}
        for space, by_cost in result["budgets"].items()
        for cost, budgets in by_cost.items()
    ]


def front_rows(verdict) -> list[dict]:
    """Share of the hypervolume of every front that each search found."""
    return [
        {"space": space, "cost": COSTS[cost]}
        | {
            name: f"{front_share['share']:.3f} ± {front_share['share_sem']:.3f}"
            for name, front_share in searches.items()
        }
        for space, by_cost in verdict["fronts"].items()
        for cost, searches in by_cost.items()
    ]


def savings_rows(claim, champion: str) -> list[dict]:
    """Parameters saved and test score gained against each rival: by the champion on every space, by all searches on the mean."""

    def per_cent(value: float) -> str:
        return f"{round(100 * value)}"

    return [
        {"space": space, "against": rival, "search": name}
        | {
            "fewer parameters (%)": f"{per_cent(saving['saved'])} ± {per_cent(saving['saved_sem'])}",
            "test score gained (points)": f"{saving['gained']:+.2f} ± {saving['gained_sem']:.2f}",
            "as good in (% of seeds)": per_cent(saving["met"]),
        }
        for space, by_rival in {**claim["spaces"], MEAN: claim["summary"]}.items()
        for rival, searches in by_rival.items()
        for name, saving in searches.items()
        if name == champion or space == MEAN
    ]


def with_error(values, key: str) -> str:
    return f"{values[key]:.1f} ± {values[f'{key}_sem']:.1f}" if f"{key}_sem" in values else f"{values[key]:.1f}"


def deployed_rows(result) -> list[dict]:
    """Every network deployed, found or hand-designed: its size and what 8 bits cost in accuracy."""
    return [
        {
            "space": space,
            "network": name,
            "parameters": f"{network['parameters']:,.0f}",
            "test (%)": with_error(network, "accuracy"),
            "in 8 bits (%)": with_error(network, "int8 accuracy"),
        }
        for space, networks in result["networks"].items()
        for name, network in networks.items()
    ]


def timed_rows(result) -> list[dict]:
    """The same networks: operations, files and times, in floating point and in 8 bits."""
    return [
        {
            "space": space,
            "network": name,
            "MFLOPs": f"{network['flops'] / 1e6:.3g}",
            "file (kB)": f"{network['bytes'] / 1000:.1f}",
            "in 8 bits (kB)": f"{network['int8 bytes'] / 1000:.1f}",
            "latency (µs)": f"{network['timing']['latency']:.0f}",
            "in 8 bits (µs)": f"{network['timing']['int8 latency']:.0f}",
        }
        for space, networks in result["networks"].items()
        for name, network in networks.items()
    ]


def tiny_rows(result) -> list[dict]:
    """What MLPerf Tiny asks for, beside what was found: other data, so that only sizes compare."""
    return [
        {
            "space": space,
            "MLPerf Tiny": f"{TINY[space]['task']}, {TINY[space]['network']}",
            "its target": TINY[space]["target"],
            "its file (kB)": f"{reference['bytes'] / 1000:.1f}",
            "architectures no larger": f"{100 * reference['share']:.0f} %",
        }
        | {name: f"{one['int8 bytes'] / 1000:.1f} kB, {one['int8 accuracy']:.1f} %"
           for name, one in result["networks"][space].items() if name in result["choices"][space]}
        for space, reference in result["tiny"].items()
    ]  # fmt: skip
