"""Records of tasks: beside a result, what each of its tasks was given and gave.

A task can then be computed alone again and compared, and the result put together again from what its tasks gave, without
computing them.  One compressed file, ``name.tasks``, written whole, checked by its digest, never unpickled.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.task import name_of

FORMAT = 2
SUFFIX = ".tasks"
LARGEST = 600_000  # bytes of a record beyond which arrays are told by checksums and projections alone
PROJECTIONS = 6  # random sums of an array that stand for it where it is not kept


@dataclass
class TaskRecord:
    """One task: its name, arguments, what it gave, seconds of one worker, upstream results whose files it was told."""

    task: str
    arguments: dict[str, Any]
    output: dict[str, Any] | None
    seconds: float
    located: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        return identity_of(self.task, self.arguments)


def identity_of(task: str, arguments: Mapping[str, Any]) -> str:
    return files.sha256(files.canonical([task, arguments]).encode())[:20]


@dataclass
class Recorder:
    """What tasks ran while a result was made; or, with ``known``, what they gave before, which is then not computed again.

    allowed: names of what may run as tasks (the declared pieces); missing: what to do with a task that is not
    known, "compute" or "refuse".
    """

    allowed: frozenset[str]
    result: str = ""
    known: Mapping[str, TaskRecord] = field(default_factory=dict)
    missing: str = "compute"
    tasks: list[TaskRecord] = field(default_factory=list)

    def check(self, function: Callable[..., Any]) -> None:
        """Raise InputError for a function that is not declared as a piece of this result."""
        if (name := name_of(function)) not in self.allowed:
            raise InputError(f"{self.result}: {name} runs as a task but is not among the pieces that @declare names")

    def recall(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a task gave before; None where it has to be computed.  Raises InputError in refusing mode."""
        record = self.known.get(identity_of(name_of(function), arguments))
        if record is not None and record.output is not None:
            return record.output
        if self.missing == "refuse":
            raise InputError(f"{self.result}: a task of {name_of(function)} is not recorded")
        return None

    def add(
        self,
        function: Callable[..., Any],
        arguments: Sequence[dict],
        outputs: Sequence[dict],
        seconds: Sequence[float],
        located: tuple[str, ...],
    ) -> None:
        """Tasks that are done; those that were recalled keep the seconds that they took when they were computed."""
        for given, output, spent in zip(arguments, outputs, seconds, strict=True):
            record = TaskRecord(name_of(function), given, output, spent, located)
            before = self.known.get(record.identity)
            self.tasks.append(before if before is not None and before.output is output else record)


def _pack(array: np.ndarray) -> dict[str, Any]:
    content = np.ascontiguousarray(array)
    return {"dtype": content.dtype.str, "shape": list(content.shape),
            "zlib": base64.b64encode(zlib.compress(content.tobytes(), 6)).decode()}  # fmt: skip


def _unpack(stored: Mapping[str, Any]) -> np.ndarray:
    content = zlib.decompress(base64.b64decode(stored["zlib"]))
    dtype = np.dtype(stored["dtype"])
    if dtype.hasobject:
        raise ValueError("an array of objects")
    return np.frombuffer(content, dtype).reshape(stored["shape"]).copy()


def projected(value: Any, path: str = "") -> Any:
    """A value with every array replaced by its shape, sum of squares and random projections, by which it can be compared."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            return {"shape": list(value.shape), "text": files.sha256(repr(value.tolist()).encode())}
        flat = value.reshape(-1).astype(np.complex128 if value.dtype.kind == "c" else np.float64)
        parts = np.concatenate([flat.real, flat.imag]) if np.iscomplexobj(flat) else flat
        signs = np.random.default_rng(zlib.crc32(path.encode())).standard_normal((PROJECTIONS, parts.size))
        sums = signs @ np.nan_to_num(parts) / max(parts.size, 1) ** 0.5
        size = float(np.sqrt(np.mean(np.nan_to_num(parts) ** 2))) if parts.size else 0.0
        return {"shape": list(value.shape), "size": size, "projections": sums.tolist()}
    if isinstance(value, Mapping):
        return {key: projected(item, f"{path}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [projected(item, f"{path}/{index}") for index, item in enumerate(value)]
    return value


def _encode(tasks: Sequence[TaskRecord], full: bool) -> list[dict[str, Any]]:
    rows = []
    for record in tasks:
        row: dict[str, Any] = {"task": record.task, "arguments": record.arguments, "seconds": round(record.seconds, 3)}
        if record.located:
            row["located"] = list(record.located)
        if full:
            plain, arrays = files.split(record.output or {})
            row |= {"output": plain, "arrays": {name: _pack(array) for name, array in arrays.items()}}
        else:
            row["projected"] = files.split(projected(record.output or {}))[0]
        rows.append(row)
    return rows


def path_of(result: Path) -> Path:
    """The record beside a result file."""
    return result.with_suffix(SUFFIX)


def write_tasks(path: Path, digest: str, tasks: Sequence[TaskRecord]) -> None:
    """Write the record of the result with this content ``digest``; without tasks none is left."""
    if not tasks:
        path.unlink(missing_ok=True)
        return
    for full in (True, False):
        body = {"format": FORMAT, "result": digest, "tasks": _encode(tasks, full)}
        text = files.canonical({**body, "digest": files.sha256(files.canonical(body).encode())})
        packed = gzip.compress(text.encode(), 9, mtime=0)
        if len(packed) <= LARGEST:
            break
    files.write_atomic(path, packed)


@dataclass(frozen=True)
class Tasks:
    """A record as it was read: ``tasks``, and for those without output ``projected`` instead, by identity."""

    tasks: tuple[TaskRecord, ...]
    projected: Mapping[str, Any]

    @property
    def known(self) -> dict[str, TaskRecord]:
        return {record.identity: record for record in self.tasks}

    @property
    def whole(self) -> bool:
        """Whether every output is kept, so that the result can be put together again."""
        return not self.projected


def read_tasks(path: Path, digest: str) -> Tasks | None:
    """The record at ``path``, None where there is none.  Raises CorruptFile for a torn or altered one, or of another result."""
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        body = json.loads(gzip.decompress(packed))
        stated = body.pop("digest")
        if body["format"] != FORMAT or stated != files.sha256(files.canonical(body).encode()):
            raise files.CorruptFile(f"{path} does not match its own digest: it was altered")
        if body["result"] != digest:
            raise files.CorruptFile(f"{path} belongs to another version of its result")
        tasks, sums = [], {}
        for row in body["tasks"]:
            output = None
            if "output" in row:
                arrays = {name: _unpack(stored) for name, stored in row["arrays"].items()}
                output = files.join(row["output"], arrays.__getitem__)
            located = tuple(row.get("located", ()))
            record = TaskRecord(row["task"], row["arguments"], output, float(row["seconds"]), located)
            tasks.append(record)
            if output is None:
                sums[record.identity] = row["projected"]
    except files.CorruptFile:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError) as error:
        raise files.CorruptFile(f"{path} is truncated or no record of tasks ({type(error).__name__})") from None
    return Tasks(tuple(tasks), sums)
