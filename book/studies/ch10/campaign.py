"""What the measurements of time series, control and ablations share: methods by name, and trainings side by side as tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypedDict, TypeVar

from torch import nn

from qednas.base.parallel import Task, Work, map_tasks
from qednas.diffqas.candidates import PAPER, Candidate
from qednas.diffqas.generated import Generated
from studies.ch09.blockwise import Blockwise
from studies.ch09.classification import DISTINCT, SEARCHED
from studies.ch09.coordinates import Coordinates
from studies.ch10.side_by_side import SideBySide

FIXED = tuple(
    f"fixed/{k + 1}" for k in DISTINCT
)  # candidates alone; the others give the same probabilities as one of these
CIRCUITS = (SEARCHED, *FIXED)
Run = TypeVar("Run")  # the record of one


class Runs(TypedDict, Generic[Run]):
    """What was trained, a row a run."""

    runs: list[Run]


class TaskEntries(TypedDict):
    """The entries of a task that trains side by side; one of each a run."""

    methods: list[str]
    seeds: list[int]
    rates: list[float]


def pool_of(method: str) -> Sequence[Candidate]:
    """The candidates of "searched", all, or of "fixed/k", number k."""
    return PAPER if method == SEARCHED else [PAPER[int(method.split("/")[1]) - 1]]


def circuits(module: nn.Module, methods: Sequence[str], seeds: Sequence[int], depth: int, **options: Any) -> SideBySide:
    """Generators of ``module`` for each of ``methods`` (:data:`CIRCUITS`) with its seed; options as of :class:`SideBySide`."""
    return SideBySide(module, depth, [(pool_of(m), s) for m, s in zip(methods, seeds, strict=True)], **options)


def narrow_weights(net: Generated, start: float) -> Generated:
    """The same with weights that start ``start`` times as wide."""
    scale = {Blockwise: "mixing", Coordinates: "outer"}[type(net)]
    getattr(net, scale).data *= start
    return net


def task_entries(runs: Sequence[tuple[str, int, float]]) -> TaskEntries:
    """The entries of a task that trains (method, seed, rate) side by side."""
    return {
        "methods": [method for method, *_ in runs],
        "seeds": [seed for _, seed, _ in runs],
        "rates": [rate for *_, rate in runs],
    }


def each_run(run: Callable[[Task], Runs[Run]], tasks: Sequence[Task], name: str, work: Work) -> list[Run]:
    """Do the tasks, and list all their runs."""
    parts = map_tasks(run, tasks, work=work.at(name))
    return [row for part in parts for row in part["runs"]]
