"""Figures and tables of control: they only read results."""

from __future__ import annotations

import numpy as np

from qednas.companion.figures import COLOURS
from qednas.diffqas.candidates import PAPER
from studies.ch09.classification import SEARCHED
from studies.ch10.control_verdict import runs_of


def label(method: str) -> str:
    names = {SEARCHED: "searched", "full": "trained directly", "random": "random numbers"}
    return names.get(method) or f"{(k := int(method.split('/')[1]))} {PAPER[k - 1]}"


def side(environment: str) -> str:
    """5x5 of MiniGrid-Empty-5x5-v0."""
    return environment.split("-")[2]


def grids(environments):
    """The grids, with the agent where it starts and the way to the goal."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, axes = plt.subplots(1, len(environments), figsize=(2.6 * len(environments), 2.7), squeeze=False)
    for axis, name in zip(axes[0], environments, strict=True):
        width = int(side(name).split("x")[0])
        for column in range(width):
            for row in range(width):
                wall = {column, row} & {0, width - 1}
                colour = "0.45" if wall else COLOURS[2] if column == row == width - 2 else "white"
                axis.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="0.75", lw=0.8))
        axis.plot(1.5, 1.5, ">", ms=11, color=COLOURS[1])
        path = np.array([[1.9, 1.5], [width - 1.5, 1.5], [width - 1.5, width - 1.8]])
        axis.plot(*path.T, color=COLOURS[1], lw=1.5, ls=":")
        axis.set(xlim=(0, width), ylim=(width, 0), aspect="equal", title=f"{side(name)}", xticks=[], yticks=[])
    return figure


def learning(runs, verdict):
    """Exact reward of the policy against episodes played: mean over seeds, bands of one standard error."""
    import matplotlib.pyplot as plt

    environments = list(verdict["final"])
    methods = dict.fromkeys([SEARCHED, verdict["best_fixed"], "fixed/1", "random", "full"])
    colours = (COLOURS[0], COLOURS[2], "0.6", COLOURS[1], COLOURS[6])
    figure, axes = plt.subplots(
        1, len(environments), figsize=(3.7 * len(environments), 3.5), sharey=True, squeeze=False
    )
    for axis, name in zip(axes[0], environments, strict=True):
        for colour, method in zip(colours, methods, strict=False):
            method_runs = runs_of(runs, name, method)
            rewards = np.array([r["reward"] for r in method_runs])
            episodes = np.mean([r["episodes"] for r in method_runs], axis=0)
            error = rewards.std(0, ddof=1) / len(method_runs) ** 0.5 if len(method_runs) > 1 else 0 * rewards[0]
            axis.plot(episodes, rewards.mean(0), color=colour, label=label(method))
            axis.fill_between(episodes, rewards.mean(0) - error, rewards.mean(0) + error, color=colour, alpha=0.2, lw=0)
        axis.set(title=side(name), xlabel="episodes", xscale="log", ylim=(0, 1))
    axes[0, 0].set_ylabel("mean reward of an episode")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def pair(entry: dict[str, float], key: str, form: str) -> str:
    return f"{entry[key]:{form}} ± {entry[f'{key}_sem']:{form}}"


def final_rows(verdict, environment: str) -> list[dict[str, str]]:
    """Each method in one environment: success and steps of the last policy, exact, and reward and spread of the last episodes."""
    return [
        {
            "networks from": label(method),
            "success (%)": f"{100 * entry['success']:.1f} ± {100 * entry['success_sem']:.1f}",
            "steps to the goal": pair(entry, "steps", ".2f"),
            "late reward": pair(entry, "late", ".3f"),
            "its spread": pair(entry, "late_spread", ".3f"),
        }
        for method, entry in verdict["final"][environment].items()
    ]


def paired_rows(verdict) -> list[dict[str, str]]:
    labels = {
        "over_fixed": "late reward: searched − mean of the twelve alone",
        "over_full": "late reward: searched − trained directly",
        "over_random": "late reward: searched − random numbers",
        "spread_over_fixed": "spread: mean of the twelve alone − searched",
        "spread_over_full": "spread: trained directly − searched",
    }
    return [
        {"difference": text, "mean": f"{test['gain']:+.4f} ± {test['gain_sem']:.4f}", "p": f"{verdict['p'][key]:.2g}"}
        for key, text in labels.items()
        for test in [verdict["summary"][key]]
    ]


def blind_rows(blindness) -> list[dict[str, str]]:
    """Each method: share of its policies that see nothing, by grid."""
    grids = list(blindness["blind"])
    return [
        {"networks from": label(m), **{side(e): f"{100 * blindness['blind'][e][m]:.0f}" for e in grids}}
        for m in blindness["blind"][grids[0]]
    ]
