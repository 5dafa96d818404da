"""One stored result as a reader meets it: a mapping with provenance, checked on loading, arrays read on first use."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base import files
from qednas.base.errors import InputError

MEASURED_TIME = re.compile(r"timing|seconds|.*_seconds")  # keys of data that differ from run to run by nature


class Result(Mapping[str, Any]):
    """One stored result: a read-only mapping whose arrays are loaded on first use."""

    def __init__(self, path: Path, record: Mapping[str, Any]):
        self.path = path
        self.name: str = record["name"]
        self.digest: str = record["digest"]
        self.identity: str = _identity(record)
        self.key: str = record["key"]
        self.tolerance: str | dict[str, str] = record["tolerance"]
        self.provenance: dict[str, Any] = record["provenance"]
        self._record = record
        loaded = lru_cache(maxsize=None)(lambda array: files.read_array(path, record, array))
        self._array = lambda array: loaded(array).copy()  # a caller may change what it gets, not what the next one gets

    def __getitem__(self, key: str) -> Any:
        data = self._record["data"]
        if key not in data:
            raise KeyError(f"{self.name} has no {key!r}; it has {', '.join(data)}")
        return files.join(data[key], self._array)

    def __iter__(self) -> Iterator[str]:
        return iter(self._record["data"])

    def __len__(self) -> int:
        return len(self._record["data"])

    def __repr__(self) -> str:
        return f"Result({self.name}: {', '.join(self)})"

    def outline(self) -> tuple[Mapping[str, Any], dict[str, int]]:
        """The data with a marker for every array, and how many numbers each array holds; nothing is loaded."""
        contents = (self._record["arrays"] or {}).get("contents", {})
        return self._record["data"], {path: math.prod(about["shape"]) for path, about in contents.items()}

    def at(self, dotted: str) -> Any:
        """Value at a dotted path ("errors.energy", list positions as numbers); InputError where there is none."""
        value, stopped = self._follow(dotted)
        if stopped:
            raise InputError(f"result {self.name} has no value {dotted!r} (stopped at {stopped!r})")
        return value

    def has(self, dotted: str) -> bool:
        """Whether there is a value at a dotted path."""
        return not self._follow(dotted)[1]

    def _follow(self, dotted: str) -> tuple[Any, str]:
        """The value at a dotted path and ""; where there is none, what is last on the way and the part that it lacks."""
        value: Any = self
        for part in dotted.split("."):
            try:
                value = value[int(part)] if isinstance(value, (list, np.ndarray)) else value[part]
            except (KeyError, IndexError, ValueError, TypeError):
                return value, part
        return value, ""


def _identity(record: Mapping[str, Any]) -> str:
    """Digest of the content without measured times: what results that build on this one are keyed by.

    Otherwise running a chapter again would make all that follow stale, for a time that is never the same twice.
    """
    used: set[str] = set()

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get(files.ARRAY), str):
                used.add(value[files.ARRAY])
            return {key: timeless(item) for key, item in value.items() if not MEASURED_TIME.fullmatch(key)}
        return [timeless(item) for item in value] if isinstance(value, list) else value

    data = timeless(record["data"])
    contents = record["arrays"]["contents"] if record["arrays"] else {}
    return files.digest(data, {path: contents[path] for path in contents if path in used})


def load(root: Path, name: str) -> Result:
    """Result `name` under `root`. Raises FileNotFoundError, or CorruptFile naming the file."""
    path = root / f"{name}.json"
    for attempt in range(3):
        try:
            return Result(path, files.read_record(path))
        except files.CorruptFile:
            if attempt == 2:
                raise
            time.sleep(0.05)  # a writer may be between its two renames
        except KeyError as error:
            raise files.CorruptFile(f"{path} lacks {error}") from None
    raise AssertionError("unreachable")


def names(root: Path) -> list[str]:
    """Names of all results under `root`, in order."""
    candidates = (path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.json"))
    return sorted(name for name in candidates if not name.startswith(".") and "/." not in name)
