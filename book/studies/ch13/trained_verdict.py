"""What searches of the trained spaces found, on test data, beside hand-designed networks and differentiable searches.

The paper's table has three rows, all of them declared hypothetical; :data:`ROWS` are their counterparts among what was trained
here.  A difference is in points of accuracy, of perplexities in per cent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare, compare_unpaired, mean_sem
from qednas.base.task import declare
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import FOLDER, parse_number, read_hand_designed, read_rows, trained_values

# Of the paper, section 6.1: (its row, what it says of Q-NAS, of traditional search, by how much that is better in our units).
ROWS = {
    "images": ("CIFAR-10, accuracy (%)", 94.5, 93.7, 94.5 - 93.7),
    "language": ("Penn Treebank, perplexity", 55.0, 58.0, 100 * float(np.log(58 / 55))),
    "sensors": ("UCR archive, accuracy (%)", 89.2, 88.5, 89.2 - 88.5),
}


class MeanOnTest(TypedDict):
    """Test accuracy (%) or perplexity, mean over trainings, or over the searches that found them."""

    test: float
    test_sem: float


class HandDesignedTest(MeanOnTest):
    """A hand-designed network."""

    held: float  # of the same metric, mean over trainings
    parameters: int


class GradientTest(MeanOnTest):
    """What differentiable searches chose."""

    trainings: float  # one search in times of a training
    chosen: list[int]  # architectures, as their index in the space


# Test values on one space.
SpaceCounterparts = TypedDict(
    "SpaceCounterparts",
    {
        "searches": dict[str, MeanOnTest],  # {search: ...}
        "hand-designed": dict[str, HandDesignedTest],  # {network: ...}
        "gradient": GradientTest | None,  # None where there were no such searches
        "best": float,  # of the whole space
    },
)


class Counterparts(TypedDict):
    """What was found beside what people designed and what a gradient finds."""

    spaces: dict[str, SpaceCounterparts]
    rows: dict[str, dict[str, Gain | float]]  # {space: {against: gain of the champion, "paper": what it writes}}
    p: dict[str, float]  # {"space against": raw}, Wilcoxon's where seeds are shared, else Welch's


def test_values(space: str) -> np.ndarray:
    """(architectures,) test accuracy in %, or perplexity, mean over trainings that did not diverge."""
    return np.nanmean(trained_values(space)[f"test {trained_space(space).metric}"], axis=1)


def hand_designed_values(space: str, folder: Path = FOLDER) -> dict[str, HandDesignedTest]:
    """{network: what it is worth} of hand-designed networks."""
    return {
        name: cast(
            HandDesignedTest,
            mean_sem(one["test"], "test") | {"held": float(one["held"].mean()), "parameters": one["parameters"]},
        )
        for name, one in read_hand_designed(space, folder).items()
    }


def best_hand_designed(hand, score) -> str:
    """The hand-designed network that is best on held-out data: test data choose nothing."""
    return max(hand, key=lambda name: score(hand[name]["held"]))


def gradient_result(space: str, folder: Path = FOLDER) -> GradientTest | None:
    """What differentiable searches chose; None where the space has none."""
    path = folder / f"{space}-differentiable.csv"
    if not path.exists():
        return None
    trained, rows = trained_space(space), read_rows(path)
    chosen = [int(trained.space.index(trained.space.read({c: row[c] for c in trained.space.names}))) for row in rows]
    seconds = np.mean([parse_number(row["seconds"]) for row in rows])
    usual = np.nanmean(trained_values(space)["seconds"])
    return cast(
        GradientTest,
        mean_sem(test_values(space)[chosen], "test") | {"trainings": float(seconds / usual), "chosen": chosen},
    )


@declare(version=1)
def counterparts(inputs, champion: str, rival: str) -> Counterparts:
    """From ``13/trained``: test values of what was found, and gains of the champion over the rival, over the best hand-designed
    network and over the gradient."""
    curves = inputs["13/trained"]["curves"]
    spaces: dict[str, SpaceCounterparts] = {}
    rows: dict[str, dict[str, Gain | float]] = {}
    p: dict[str, float] = {}
    for space, searches in curves.items():
        trained, test = trained_space(space), test_values(space)
        scores = np.array([trained.score(value) for value in test])
        hand, gradient = hand_designed_values(space), gradient_result(space)
        best = max(range(len(scores)), key=lambda k: scores[k])
        spaces[space] = {
            "searches": {
                name: cast(MeanOnTest, mean_sem(test[np.asarray(one["found"])], "test"))
                for name, one in searches.items()
            },
            "hand-designed": hand,
            "gradient": gradient,
            "best": float(test[best]),
        }
        if space not in ROWS:
            continue
        champion_scores = scores[np.asarray(searches[champion]["found"])]
        tests = {rival: compare(champion_scores, scores[np.asarray(searches[rival]["found"])])}
        hand_values = read_hand_designed(space)[best_hand_designed(hand, trained.score)]["test"]
        others = {"hand-designed": np.array([trained.score(value) for value in hand_values])}
        if gradient is not None:
            others["gradient"] = scores[gradient["chosen"]]
        tests |= {name: compare_unpaired(champion_scores, values) for name, values in others.items()}
        p |= {f"{space} {name}": test.pop("p") for name, test in tests.items()}
        rows[space] = {**tests, "paper": ROWS[space][3]}
    return {"spaces": spaces, "rows": rows, "p": p}
