"""Tables of the trained spaces: every architecture, trained three times, as CSV files that come with the package.

``tables/NAME-trainings.csv``: a row for every training.  ``tables/NAME.csv``: a row for every architecture with its mean score,
as ``qednas nas`` reads it.  ``tables/NAME-costs.csv``: what a network takes, see :mod:`~studies.spaces.costs`.
``tables/NAME.json``: how they were made.  ``make tables`` makes them again.

Every network is trained on its own, on one thread.  Several at once were tried and took longer on two cores: three seeds as one
grouped convolution 1.3 times, dense layers padded to one width 1.6 times.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.parallel import Task, Work, map_tasks
from qednas.qnas.space.table import SCORE, Table
from studies.spaces.data_sets import problem
from studies.spaces.trained_spaces import trained_space
from studies.spaces.training import train_and_measure
from studies.spaces.untrained_network import untrained_network

FOLDER = Path(__file__).parent / "tables"
SEEDS = 3
SEED_STEP = 1000  # between the seeds of the trainings of one architecture: a network has the seed of its row and repeat
METRICS = {"accuracy": ("accuracy", "f1"), "perplexity": ("perplexity",)}


def training_seed(row: int, repeat: int) -> int:
    """Of a training: no two of a table share theirs."""
    return SEED_STEP * (repeat + 1) + row


# One training, as a row of the file; its scores are those of METRICS, None where it diverged.
TrainingRow = TypedDict(
    "TrainingRow",
    {
        "repeat": int,
        "diverged": int,  # 0 or 1
        "loss": float | None,  # nats
        "held accuracy": NotRequired[float | None],  # %, like f1
        "held f1": NotRequired[float | None],
        "held perplexity": NotRequired[float | None],
        "test accuracy": NotRequired[float | None],
        "test f1": NotRequired[float | None],
        "test perplexity": NotRequired[float | None],
        "seconds": float,
    },
)


class RowTrainings(TypedDict):
    """All trainings of one architecture."""

    trainings: list[TrainingRow]


def train_row(task: Task) -> RowTrainings:
    """Train one architecture, once for each of ``repeats``."""
    trained = trained_space(task["space"])
    data, choices = problem(trained.data), trained.space.named(trained.space.digits([task["row"]])[0])
    trainings: list[TrainingRow] = []
    for repeat in task["repeats"]:
        seed = training_seed(task["row"], repeat)
        record = train_and_measure(untrained_network(trained.name, choices, data, seed), data, trained.schedule, seed)
        values = {f"{part} {m}": record[part][m] for part in ("held", "test") for m in METRICS[trained.metric]}
        trainings.append(cast(TrainingRow, {"repeat": repeat, "diverged": int(record["diverged"]), "loss": record["loss"],
                      **values, "seconds": record["seconds"]}))  # fmt: skip
    return {"trainings": trainings}


def train_space(name: str, rows: Sequence[int] | None = None, work: Work = Work()) -> list[dict[str, Any]]:
    """All trainings of a space (or of some rows), each with its choices; a run that was interrupted goes on at the checkpoint of
    ``work``."""
    space = trained_space(name).space
    problem(trained_space(name).data)  # downloads, once and before there are workers
    chosen = range(space.size) if rows is None else rows
    tasks: list[Task] = [{"space": name, "row": row, "repeats": list(range(SEEDS))} for row in chosen]
    results = map_tasks(train_row, tasks, work=work)
    return [
        {**space.named(space.digits([task["row"]])[0]), **training}
        for task, part in zip(tasks, results, strict=True)
        for training in part["trainings"]
    ]


def csv_content(rows: Iterable[Mapping[str, Any]], first: Sequence[str] = ()) -> bytes:
    """Columns ``first``, then the others by name. Numbers to five digits; None is left empty."""
    rows = list(rows)
    text = io.StringIO()
    columns = [*first, *sorted(set(rows[0]) - set(first))]
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({key: format_field(value) for key, value in row.items()})
    return text.getvalue().encode()


def format_field(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value


def parse_number(value: Any) -> float:
    """Of a field; NaN of an empty one."""
    return math.nan if value in (None, "") else float(value)


def mean_scores(name: str, trainings: Sequence[Mapping[str, Any]]) -> list[dict[str, str | float]]:
    """A row for every architecture: its choices and the mean score of its trainings that did not diverge; without such no row."""
    trained = trained_space(name)
    by_architecture: dict[tuple[str, ...], list[float]] = {}
    for row in trainings:
        key = tuple(row[column] for column in trained.space.names)
        by_architecture.setdefault(key, [])
        if not math.isnan(value := parse_number(row[f"held {trained.metric}"])):
            by_architecture[key].append(trained.score(value))
    return [
        dict(zip(trained.space.names, key, strict=True)) | {SCORE: float(np.mean(scores))}
        for key, scores in by_architecture.items()
        if scores
    ]


def write_trainings(name: str, trainings: Sequence[Mapping[str, Any]], folder: Path = FOLDER) -> None:
    """The two files of a space."""
    names = trained_space(name).space.names
    write_atomic(folder / f"{name}-trainings.csv", csv_content(trainings, (*names, "repeat")))
    write_atomic(folder / f"{name}.csv", csv_content(mean_scores(name, trainings), names))


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file of ours; raises InputError where there is none."""
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except OSError:
        raise InputError(f"{path} is missing: make it with `make tables`") from None


def table_files(names: Iterable[str], kinds: Sequence[str] = ("-trainings.csv",)) -> list[Path]:
    """The files of tables, for results that depend on them."""
    return [path for name in names for kind in kinds if (path := FOLDER / f"{trained_space(name).name}{kind}").exists()]


@cache
def trained_values(name: str, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """{column: (architectures, 3)} of all numbers of the trainings, in the order of the space; NaN where one diverged."""
    space = trained_space(name).space
    rows = read_rows(folder / f"{name}-trainings.csv")
    columns = [column for column in rows[0] if column not in space.names and column != "repeat"]
    values = {column: np.full((space.size, SEEDS), np.nan) for column in columns}
    for row in rows:
        place = int(space.index(space.read({column: row[column] for column in space.names})))
        for column in columns:
            values[column][place, int(row["repeat"])] = parse_number(row[column])
    return values


def trained_table(name: str, folder: Path = FOLDER) -> Table:
    """What a search of a trained space looks up: held-out scores (architectures, 3), higher is better."""
    trained = trained_space(name)
    values = trained_values(name, folder)[f"held {trained.metric}"]
    return Table(trained.space, trained.space.digits(), np.vectorize(trained.score)(values))


class Recipe(TypedDict):
    """What a table was made with, as far as it is settings."""

    data: str
    rows: dict[str, int]  # of every part of the data
    schedule: dict[str, float]
    architectures: int
    trainings: int


def recipe(name: str) -> Recipe:
    """What a table was made with, as far as it is settings."""
    trained = trained_space(name)
    data = problem(trained.data)
    return {
        "data": trained.data,
        "rows": {part: len(y) for part, (_, y) in data.parts.items()},
        "schedule": asdict(trained_space(name).schedule),
        "architectures": trained.space.size,
        "trainings": SEEDS * trained.space.size,
    }


class HandDesigned(TypedDict):
    """A hand-designed network: values (trainings,) of the metric, without those that diverged."""

    parameters: int
    held: np.ndarray
    test: np.ndarray


def read_hand_designed(space: str, folder: Path = FOLDER) -> dict[str, HandDesigned]:
    """{network: what its trainings gave}.

    Raises InputError where there is no such network.
    """
    metric = trained_space(space).metric
    networks: dict[str, dict[str, Any]] = {}
    for row in read_rows(folder / f"{space}-hand-designed.csv"):
        one = networks.setdefault(row["network"], {"parameters": int(row["parameters"]), "held": [], "test": []})
        if not int(row["diverged"]):
            for part in ("held", "test"):
                one[part].append(parse_number(row[f"{part} {metric}"]))
    if not networks:
        raise InputError(f"no hand-designed network of {space}: make them with `make tables`")
    return {
        name: cast(
            HandDesigned,
            {"parameters": one["parameters"]} | {part: np.array(one[part]) for part in ("held", "test")},
        )
        for name, one in networks.items()
    }
