"""What the searches of a trained space are compared with: hand-designed networks, and differentiable searches.

``tables/NAME-hand-designed.csv``: a row for every training.  ``tables/NAME-differentiable.csv``: a row for every search, with
what it chose; the score of that is in the table of the space.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qednas.base.files import write_atomic
from qednas.base.parallel import Task
from studies.spaces.data_sets import problem
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import METRICS, csv_content
from studies.spaces.training import train_and_measure
from studies.tables import differentiable
from studies.tables.hand_designed import HAND_DESIGNED, hand_designed_network

REPEATS = 5  # of hand-designed networks, and of differentiable searches
SEARCH_EPOCHS = {"images": 6, "sensors": 12, "language": 1}  # as many as a training


def tasks(space: str) -> list[Task]:
    """All that is compared with a space."""
    by_hand: list[Task] = [
        {"space": space, "network": name, "repeat": repeat}
        for name in HAND_DESIGNED[space]
        for repeat in range(REPEATS)
    ]
    searches: list[Task] = [
        {"space": space, "seed": seed, "epochs": SEARCH_EPOCHS[space]}
        for seed in range(REPEATS if space in SEARCH_EPOCHS else 0)
    ]
    return by_hand + searches


def run(task: Task) -> dict[str, Any]:
    """One of :func:`tasks`: a row of one of the two files."""
    if "network" not in task:
        result = differentiable.search(task)
        return {"seed": task["seed"], **result["choices"], "loss": result["loss"], "seconds": result["seconds"]}
    trained = trained_space(task["space"])
    data, seed = problem(trained.data), task["repeat"]
    net = hand_designed_network(trained.name, task["network"], data, seed)
    record = train_and_measure(net, data, trained.schedule, seed)
    return {
        "network": task["network"],
        "repeat": seed,
        "parameters": sum(p.numel() for p in net.parameters()),
        "diverged": int(record["diverged"]),
        **{f"{part} {m}": record[part][m] for part in ("held", "test") for m in METRICS[trained.metric]},
        "seconds": record["seconds"],
    }


def write(space: str, rows: list[dict[str, Any]], folder: Path) -> None:
    """The two files of a space."""
    for name, table_rows, first in (
        ("hand-designed", [row for row in rows if "network" in row], ("network", "repeat")),
        ("differentiable", [row for row in rows if "network" not in row], ("seed", *trained_space(space).space.names)),
    ):
        if table_rows:
            write_atomic(folder / f"{space}-{name}.csv", csv_content(table_rows, first))
