"""Figures and tables of the trained spaces: they only read results and the tables that come with the package."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from qednas.companion.figures import COLOURS
from studies.ch13.trained_verdict import ROWS, best_hand_designed, test_values
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import FOLDER, trained_table

MARKS = ("o", "D", "s")  # of searches, the gradient, networks by hand
ALL, GRADIENT = "all architectures", "by gradient"


def unit(space: str) -> str:
    return "perplexity" if trained_space(space).metric == "perplexity" else "accuracy (%)"


def space_rows(spaces: Sequence[str]) -> list[dict]:
    """What was trained: data, how long, and how far apart the architectures are beside the scatter of a training."""
    rows = []
    for space in spaces:
        recipe = json.loads((FOLDER / f"{space}.json").read_text())
        scores = trained_table(space).scores
        scatter = np.sqrt(np.nanmean(np.nanvar(scores, axis=1, ddof=1)))
        rows.append(
            {
                "space": space,
                "data": recipe["data"],
                "trained on": f"{recipe['rows']['train']:,}",
                "trainings": f"{recipe['trainings']:,}",
                "diverged": recipe["diverged"],
                "hours of a core": f"{recipe['core_minutes'] / 60:.1f}",
                "spread, of means | of a training": f"{np.nanstd(np.nanmean(scores, axis=1)):.1f} | {scatter:.2f}",
            }
        )
    return rows


def landscapes(counterparts, searches: Sequence[str]):
    """Test values of all architectures, of what was found, and of networks by hand and by gradient: a column a space."""
    import matplotlib.pyplot as plt

    spaces = counterparts["spaces"]
    by_hand = dict.fromkeys(name for networks in spaces.values() for name in networks["hand-designed"])
    rows = [ALL, *searches, GRADIENT, *by_hand]
    figure, axes = plt.subplots(1, len(spaces), figsize=(6.6, 0.9 + 0.28 * len(rows)), squeeze=False, sharey=True)
    for axis, (space, networks) in zip(axes[0], spaces.items(), strict=True):
        values = test_values(space)
        apart = np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        axis.plot(values, apart, ".", color="0.7", ms=2, rasterized=True)
        marks = {
            **networks["searches"],
            **({GRADIENT: networks["gradient"]} if networks["gradient"] else {}),
            **networks["hand-designed"],
        }
        for place, name in enumerate(rows):
            if name in marks:
                one, kind = marks[name], 0 if name in searches else 1 if name == GRADIENT else 2
                axis.errorbar(one["test"], place, xerr=one["test_sem"], fmt=MARKS[kind], color=COLOURS[kind], ms=5)
        axis.set(title=space, xlabel=f"test {unit(space)}")
        if trained_space(space).metric == "perplexity":
            axis.invert_xaxis()  # better is to the right, as for accuracies
    axes[0, 0].set_yticks(range(len(rows)), rows)
    axes[0, 0].invert_yaxis()
    return figure


def mean_text(one) -> str:
    return f"{one['test']:.2f} ± {one['test_sem']:.2f}"


def counterpart_rows(counterparts, searches: Sequence[str]) -> list[dict]:
    """Test values on every space: of what searches found, the gradient, the network by hand that is best on held-out data, and
    the best of all."""
    rows = []
    for space, networks in counterparts["spaces"].items():
        score = trained_space(space).score
        name = best_hand_designed(networks["hand-designed"], score)
        rows.append(
            {
                "space": space,
                **{search: mean_text(networks["searches"][search]) for search in searches},
                "by gradient": mean_text(networks["gradient"]) if networks["gradient"] else "",
                "by hand": f"{mean_text(networks['hand-designed'][name])} ({name})",
                "best": f"{networks['best']:.2f}",
            }
        )
    return rows


def paper_rows(counterparts) -> list[dict]:
    """The rows of the paper's table, hypothetical, beside the gains of the champion that were measured."""
    rows = []
    for space, gains in counterparts["rows"].items():
        text, quantum, classical, _ = ROWS[space]
        for name, one in gains.items():
            if name == "paper":
                continue
            rows.append(
                {
                    "paper": f"{text.split(',')[0]}: {quantum:g} against {classical:g}",
                    "its gain": f"{gains['paper']:.2f}",
                    "measured on": space,
                    "against": name,
                    "gain": f"{one['gain']:+.2f} ± {one['gain_sem']:.2f}",
                    "p": f"{counterparts['p'][f'{space} {name}']:.2g}",
                }
            )
    return rows


def architecture_text(choices) -> str:
    """An architecture on one line."""
    return ", ".join(f"{column} {choice}" for column, choice in choices.items())


def transfer_rows(transfer) -> list[dict]:
    """Networks on another data set: what they are and how well they do, mean over trainings with standard error."""
    return [
        {
            "network": name,
            "parameters": f"{network['parameters']:,}",
            "test accuracy (%)": f"{network['test']:.1f} ± {network['test_sem']:.1f}",
            "F1 (%)": f"{network['f1']:.1f} ± {network['f1_sem']:.1f}",
            "seconds of training": f"{network['seconds']:.0f}",
        }
        for name, network in transfer["networks"].items()
    ]
