"""The hybrid loop: ask for a configuration, tell its score, until the evaluations are spent.

The state is a file of plain JSON: what was evaluated, what was asked for, and the searcher's own memory.  Random numbers are
seeded by the seed and the length of the history, so a search that was interrupted goes on to the same numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.qnas.methods import batch_of, searcher
from qednas.qnas.space.interfaces import History, Searcher
from qednas.qnas.space.limits import Cost, by_column, within
from qednas.qnas.space.space import Configuration, Space

FORMAT = "qednas nas 1"


class Trial(TypedDict):
    """A configuration that was told: its score, or why it has none, and what else was measured."""

    choices: dict[str, str]
    score: float | None
    failed: str | None
    measured: dict[str, float]


class SearchResult(TypedDict):
    """What a search has come to."""

    best: dict[str, str] | None  # None where all failed
    best_score: float | None
    evaluations: int
    failed: int  # how many
    history: list[Trial]
    method: str
    counts: dict[str, Any]  # what the method itself counted


class Exhausted(Exception):
    """Nothing is left to evaluate."""


def split_score(value: float | Mapping[str, float] | None) -> tuple[float | None, dict[str, float]]:
    """The score that an objective returned, and what else it measured."""
    if not isinstance(value, Mapping):
        return value, {}
    if "score" not in value:
        raise InputError(f"the objective returned {', '.join(value) or 'nothing'}: need a score")
    return value["score"], {name: number for name, number in value.items() if name != "score"}


class Search:
    """A search of a space, by ask and tell.

    choices: {column: choices}, or a :class:`Space`.  method: one of :func:`~qednas.qnas.methods.methods`, or a Searcher.
    costs: {name: function of {column: choice}, or {column: {choice: cost}} to be summed}.  limits: {name: most allowed}; where
    there is no cost of that name its value is to be told with every score.  weights: {name of a summed cost: what a unit of it
    takes from the fitted target, whose standard deviation is 1}, for methods with a surrogate.  path: a file that keeps the
    state.  rows: configurations (n, columns) that can be evaluated, where those are not all.

    Raises InputError for what does not fit together, and for the file of another search.
    """

    def __init__(
        self,
        choices: Mapping[str, Sequence[Any]] | Space,
        method: str | Searcher = "qaoa",
        seed: int = 0,
        *,
        costs: Mapping[str, Cost] | None = None,
        limits: Mapping[str, float] | None = None,
        weights: Mapping[str, float] | None = None,
        path: str | Path | None = None,
        rows: np.ndarray | None = None,
        batch: int | None = None,
    ):
        self.space = choices if isinstance(choices, Space) else Space.of(choices)
        costs, self.limits = dict(costs or {}), dict(limits or {})
        known = self.sum_weighted_costs(costs, dict(weights or {}))
        self.method = method if isinstance(method, str) else type(method).__name__
        self.searcher = searcher(method, known) if isinstance(method, str) else method
        self.batch = batch or batch_of(self.method)
        self.seed, self.path = seed, None if path is None else Path(path)
        self.source = within(self.space, costs, self.limits, rows)
        # Limits on what only an evaluation tells.
        self.measured_limits = [name for name in self.limits if name not in costs]
        self.memory: dict[str, Any] = {}
        self.queue: list[np.ndarray] = []
        self.trials: list[Trial] = []
        self.digits: list[np.ndarray] = []
        self.scores: list[float] = []
        self.evaluated: set[bytes] = set()
        if self.path is not None and self.path.exists():
            self.resume(self.path)

    def sum_weighted_costs(
        self, costs: Mapping[str, Cost], weights: Mapping[str, float]
    ) -> tuple[np.ndarray, ...] | None:
        """The costs with a weight, added up by column."""
        total = None
        for name, weight in weights.items():
            if not isinstance(costs.get(name), Mapping):
                raise InputError(f"weight of {name!r}: needs a cost of that name given as {{column: {{choice: cost}}}}")
            weighted = [weight * column for column in by_column(self.space, costs[name])]  # type: ignore[arg-type]
            total = weighted if total is None else [a + b for a, b in zip(total, weighted, strict=True)]
        return None if total is None else tuple(total)

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def history(self) -> History:
        """All that was told, in order."""
        columns = len(self.space.names)
        return History(np.array(self.digits, dtype=np.int64).reshape(-1, columns), np.array(self.scores))

    def ask(self) -> Configuration:
        """{column: choice} to evaluate next; the same until it is told. Raises Exhausted where none is left."""
        if not self.queue:
            rng = np.random.default_rng([self.seed, len(self)])
            candidates = self.source.candidates(self.digits)
            proposals = self.searcher.ask(self.history, candidates, self.batch, rng, self.memory)
            if not len(proposals):
                raise Exhausted(f"all that can be evaluated was: {len(self)} configurations")
            self.queue = list(proposals)
            self.save()
        return self.space.named(self.queue[0])

    def tell(
        self,
        choices: Mapping[str, Any],
        score: float | None,
        measured: Mapping[str, float] | None = None,
        failed: str | None = None,
    ) -> Trial:
        """Record the score (higher is better) of a configuration, asked for or not, and what else was measured.

        A score of None, NaN or infinity, and a measured value above its limit, are recorded as failed; the search goes on.
        Raises InputError for a configuration that is not of
        the space or was told before, and where a value that has a limit is not told.
        """
        digits = self.space.read(choices)
        if digits.tobytes() in self.evaluated:
            raise InputError(f"{self.space.named(digits)} was told before")
        measured = {name: float(value) for name, value in (measured or {}).items()}
        value = math.nan if score is None or failed is not None else float(score)
        if failed is None and not math.isfinite(value):
            failed = f"score is {score}"
        for name in self.measured_limits if failed is None else []:
            if name not in measured:
                raise InputError(f"{name} has a limit and no cost: tell its value with the score")
            if not measured[name] <= self.limits[name]:
                failed = f"{name} = {measured[name]:g} is above its limit {self.limits[name]:g}"
        value = math.nan if failed is not None else value
        record: Trial = {
            "choices": self.space.named(digits),
            "score": None if failed is not None else value,
            "failed": failed,
            "measured": measured,
        }
        self.trials.append(record)
        self.digits.append(digits)
        self.evaluated.add(digits.tobytes())
        self.scores.append(value)
        self.queue = [row for row in self.queue if not np.array_equal(row, digits)]
        self.save()
        return record

    def run(
        self,
        objective: Callable[[Configuration], float | Mapping[str, float]],
        evaluations: int,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> SearchResult:
        """Go on until so many evaluations were told in all, or nothing is left.

        objective: {column: choice} -> its score, or {"score": ..., and what has a limit: ...}. What it raises is recorded.
        progress: is called with evaluations done, evaluations in all, and the best score so far in words.
        """
        while len(self) < evaluations:
            try:
                choices = self.ask()
            except Exhausted:
                break
            try:
                value = objective(choices)
            except Exception as error:  # a training that fails is a result too
                self.tell(choices, None, failed=f"{type(error).__name__}: {error}")
            else:
                self.tell(choices, *split_score(value))
            if progress is not None:
                progress(len(self), evaluations, f"best score {max(self.best_so_far(), default=math.nan):.6g}")
        return self.result()

    def best_so_far(self) -> list[float]:
        """The best score after each evaluation from the first that did not fail."""
        best: list[float] = []
        for score in self.scores:
            if math.isfinite(score) or best:
                best.append(max([*best[-1:], *([score] if math.isfinite(score) else [])]))
        return best

    def result(self) -> SearchResult:
        good = [trial for trial in self.trials if trial["score"] is not None]
        best = max(good, key=lambda trial: trial["score"] or 0.0, default=None)
        counts = {key: value for key, value in self.memory.items() if isinstance(value, int) or key == "calls"}
        return {
            "best": best and best["choices"],
            "best_score": best and best["score"],
            "evaluations": len(self),
            "failed": len(self) - len(good),
            "history": self.trials,
            "method": self.method,
            "counts": counts,
        }

    def identity(self) -> dict[str, Any]:
        """What has to agree for a state to be gone on with."""
        choices = [list(column) for column in self.space.choices]
        return {
            "format": FORMAT,
            "columns": list(self.space.names),
            "choices": choices,
            "method": self.method,
            "seed": self.seed,
            "limits": self.limits,
        }

    def save(self) -> None:
        """Write the state, whole or not at all."""
        if self.path is not None:
            queue = [[int(d) for d in row] for row in self.queue]
            state = self.identity() | {"memory": self.memory, "queue": queue, "trials": self.trials}
            write_atomic(self.path, (json.dumps(state, indent=1) + "\n").encode())

    def resume(self, path: Path) -> None:
        """Go on from the file; raises InputError where it is not a state, or that of another search."""
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: not the state of a search ({error})") from None
        for key, value in self.identity().items():
            if not isinstance(state, dict) or state.get(key) != value:
                raise InputError(f"{path}: the state of another search ({key} differs); remove it or give another file")
        self.memory, self.trials = state["memory"], state["trials"]
        self.queue = [np.array(row) for row in state["queue"]]
        self.digits = [self.space.read(trial["choices"]) for trial in self.trials]
        self.evaluated = {row.tobytes() for row in self.digits}
        self.scores = [math.nan if trial["score"] is None else trial["score"] for trial in self.trials]
