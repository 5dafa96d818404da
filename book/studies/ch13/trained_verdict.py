"""What searches of the trained spaces found, on test data, beside hand-designed networks and differentiable searches.

The paper's table has three rows, all of them declared hypothetical; :data:`ROWS` are their counterparts among what was trained
here.  A difference is in points of accuracy, of perplexities in per cent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.statistics import compare, compare_unpaired, mean_sem
from qednas.base.task import declare
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import FOLDER, parse_number, read_hand_designed, read_rows, trained_values

# Of the paper, section 6.1: (its row, what it says of Q-NAS, of traditional search, by how much that is better in our units).
ROWS = {
    "images": ("CIFAR-10, accuracy (%)", 94.5, 93.7, 94.5 - 93.7),
    "language": ("Penn Treebank, perplexity", 55.0, 58.0, 100 * float(np.log(58 / 55))),
    "sensors": ("UCR archive, accuracy (%)", 89.2, 88.5, 89.2 - 88.5),
}


def test_values(space: str) -> np.ndarray:
    """(architectures,) test accuracy in %, or perplexity, mean over trainings that did not diverge."""
    return np.nanmean(trained_values(space)[f"test {trained_space(space).metric}"], axis=1)


def hand_designed_values(space: str, folder: Path = FOLDER) -> dict[str, dict[str, float]]:
    """{network: test mean and ``_sem``, held (mean), parameters} of hand-designed networks."""
    return {
        name: mean_sem(one["test"], "test") | {"held": float(one["held"].mean()), "parameters": one["parameters"]}
        for name, one in read_hand_designed(space, folder).items()
    }


def best_hand_designed(hand, score) -> str:
    """The hand-designed network that is best on held-out data: test data choose nothing."""
    return max(hand, key=lambda name: score(hand[name]["held"]))


def gradient_result(space: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """What differentiable searches chose: test mean over searches, ``_sem``; ``trainings``: one search in times of a training."""
    path = folder / f"{space}-differentiable.csv"
    if not path.exists():
        return None
    trained, rows = trained_space(space), read_rows(path)
    chosen = [int(trained.space.index(trained.space.read({c: row[c] for c in trained.space.names}))) for row in rows]
    seconds = np.mean([parse_number(row["seconds"]) for row in rows])
    usual = np.nanmean(trained_values(space)["seconds"])
    return mean_sem(test_values(space)[chosen], "test") | {"trainings": float(seconds / usual), "chosen": chosen}


@declare(version=1)
def counterparts(inputs, champion: str, rival: str) -> dict[str, Any]:
    """From ``13/trained``: test values of what was found, mean over seeds and ``_sem``.

    ``spaces``: {space: {"searches": {name: ...}, "hand-designed", "gradient", "best": of the whole space}}.
    ``rows``: {space: gains of the champion over the rival, over the best hand-designed network, and over the gradient (means with
    ``_sem``), and the gain that the paper writes}.  ``p``: {"space against": raw}, of Wilcoxon's test where seeds are shared, of
    Welch's otherwise.
    """
    curves = inputs["13/trained"]["curves"]
    spaces: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    p: dict[str, float] = {}
    for space, searches in curves.items():
        trained, test = trained_space(space), test_values(space)
        scores = np.array([trained.score(value) for value in test])
        hand, gradient = hand_designed_values(space), gradient_result(space)
        best = max(range(len(scores)), key=lambda k: scores[k])
        spaces[space] = {
            "searches": {name: mean_sem(test[np.asarray(one["found"])], "test") for name, one in searches.items()},
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
