"""What an audit can look at, in which order, and what it has done so far."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base import files
from qednas.companion.comparison.comparing import Deviation
from qednas.companion.results import records, sums
from qednas.companion.results.result import Result, load, names

LEAST_TASKS = 3  # of an unverified result that have to agree before it is stamped, or all of them


@dataclass(frozen=True)
class Item:
    """One task of a result, or (identity "") a result that has none and is computed as a whole."""

    result: str
    identity: str
    seconds: float

    @property
    def key(self) -> str:
        return f"{self.result} {self.identity}"


@dataclass
class Run:
    """The paper run as it is stored: results, their records, and the items that can be drawn."""

    folder: Path
    results: dict[str, Result]
    recorded: dict[str, records.Tasks]
    items: list[Item]
    unrecorded: list[str]

    @property
    def seconds(self) -> float:
        """Of one worker, for everything that the results took."""
        known = sum(item.seconds for item in self.items)
        return known + sum(2 * self.results[name].provenance["seconds"] for name in self.unrecorded)


def read_run(folder: Path, chosen: set[str] | None = None) -> Run:
    """Everything stored in ``folder``, of the results ``chosen``.  Raises CorruptFile for a record that cannot be used."""
    run = Run(folder, {}, {}, [], [])
    for name in names(folder):
        if chosen is not None and name not in chosen:
            continue
        result = load(folder, name)
        run.results[name] = result
        recorded = records.read_tasks(records.path_of(result.path), result.digest)
        if recorded is not None:
            run.recorded[name] = recorded
            run.items += [Item(name, task.identity, max(task.seconds, 1e-3)) for task in recorded.tasks]
        elif result.provenance["pieces"]:
            run.unrecorded.append(name)
        else:
            seconds = max(float(result.provenance["seconds"]), 1e-3)
            run.items.append(Item(name, "", seconds))
    return run


def draw_items(items: list[Item], seed: int, every_result_first: bool) -> list[Item]:
    """Items in random order, a second of the run as likely as any other (Efraimidis and Spirakis, doi:10.1016/j.ipl.2005.11.003).

    With ``every_result_first`` the first few tasks of each result come before the rest, the quickest results first.
    """
    rng = np.random.default_rng([seed, len(items)])
    keys = rng.exponential(size=len(items)) / np.array([item.seconds for item in items])
    order = [items[k] for k in np.argsort(keys)]
    if not every_result_first:
        return order
    first: dict[str, list[Item]] = {}
    for k in rng.permutation(len(items)):
        group = first.setdefault(items[k].result, [])
        if len(group) < LEAST_TASKS:
            group.append(items[k])
    lists = sorted(first.values(), key=lambda group: sum(item.seconds for item in group))
    begin = [item for group in lists for item in group]
    taken = set(begin)
    return begin + [item for item in order if item not in taken]


class Journal:
    """What an audit has done so far, so that an interrupted one goes on; gone once it has ended."""

    def __init__(self, root: Path, folder: Path, arguments: list[Any]):
        content = (folder / sums.NAME).read_bytes() if (folder / sums.NAME).is_file() else b""
        name = files.sha256(files.canonical([arguments, files.sha256(content)]).encode())[:16]
        self.path = root / "_build" / "audit" / f"{name}.json"
        self.done: dict[str, list[list[Any]]] = {}
        self.spent = 0.0

    def __enter__(self) -> Journal:
        try:
            saved = json.loads(self.path.read_text())
            self.done, self.spent = dict(saved["done"]), float(saved["spent"])
        except (OSError, ValueError, KeyError, TypeError):
            self.done, self.spent = {}, 0.0
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self.path.unlink(missing_ok=True)

    def add(self, key: str, deviations: list[Deviation], spent: float) -> None:
        self.done[key] = [[d.path, d.kind, min(d.size, 1e300), d.ok, d.why, d.chance] for d in deviations]
        self.spent = spent
        files.write_atomic(self.path, (json.dumps({"done": self.done, "spent": spent}) + "\n").encode(), durable=False)

    def deviations(self, key: str) -> list[Deviation]:
        return [Deviation(*fields) for fields in self.done[key]]
