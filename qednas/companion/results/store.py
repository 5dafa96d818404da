"""The result store: a number is computed once, kept with its provenance, and recomputed when what it came from changed.

`get_or_run` keys a result by its name, its task, the versions declared beside it and beside the pieces that it runs as tasks,
its settings, the content of the results it builds on (but for measured times), and the checksums of the data and files that it
reads; a numerical library in another version makes it stale too. The module of the task and the hash of the code are recorded
beside the key: where code differs, the result is `unverified`, still shown, until an audit has computed parts of it again.
"""

from __future__ import annotations

import inspect
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.locks import locked
from qednas.base.parallel import Work
from qednas.base.progress import Progress, every, note
from qednas.base.recording import recording
from qednas.base.task import every_piece, key_parts, name_of
from qednas.companion.results import provenance, records
from qednas.companion.results.result import Result, load, names

__all__ = ["Result", "Store", "load", "names"]

CLASSES = ("exact", "converged", "seeded", "statistical", "timing")
NAME = re.compile(r"[0-9a-z]+(/[0-9A-Za-z][0-9A-Za-z_.-]*)+")
PROGRESS_SECONDS = 5.0


class Store:
    """Results under `root`; upstream results may also come from `fallback`.

    mode "run" computes what is missing or stale; mode "render" only reads and never computes.
    `prefer_fallback` reads upstream results of other chapters from `fallback` first (one chapter on committed results).
    `recalled` is a folder of results whose recorded tasks are taken over instead of computing them (what only puts them
    together differently is then made again in seconds).
    """

    def __init__(
        self,
        root: Path,
        *,
        fallback: Path | None = None,
        mode: str = "run",
        profile: str = "smoke",
        seed: int = 0,
        prefer_fallback: bool = False,
        recalled: Path | None = None,
    ):
        if mode not in ("run", "render"):
            raise InputError(f"mode {mode!r}: run or render")
        self.root, self.fallback, self.mode = Path(root), fallback, mode
        self.profile, self.seed, self.prefer_fallback, self.recalled = profile, seed, prefer_fallback, recalled

    def get_or_run(
        self,
        name: str,
        fn: Callable[..., Mapping[str, Any]],
        *,
        upstream: Sequence[str] = (),
        tolerance: str | Mapping[str, str] = "seeded",
        source_files: Sequence[Path] = (),
        origins: Mapping[str, Any] | None = None,
        workers: int = 2,
        **settings: Any,
    ) -> Result:
        """Result `name`, computed by `fn(**settings)` if it is not there or stale.

        `fn` is a function of a module, declared by `@declare`, and returns a dictionary of JSON values and arrays. If its
        signature has them it also gets `work` (how its tasks are run, by `workers` processes and with a folder for partial work, gone
        once the result is written), `progress(done, total, text)` and `inputs` (the upstream Results by name). `source_files` are data files whose
        content enters the key; `origins` says where settings came from (for status only). Raises InputError for bad names,
        settings and values, and for a function without a declared version.
        """
        _check_name(name)
        tolerance = _check_tolerance(name, tolerance)
        if self.mode == "render":
            return self._load_committed(name)
        provenance.function_name(fn)
        plain_settings, arrays = files.split(settings)
        if arrays:
            raise InputError(f"{name}: settings are JSON values; the array {next(iter(arrays))!r} belongs upstream")
        inputs = {other: self.read(other, asking=name) for other in upstream}
        what = key_contents(
            name,
            fn,
            plain_settings,
            {other: result.identity for other, result in inputs.items()},
            {path.name: _file_digest(name, path) for path in map(Path, source_files)},
        )
        libraries = provenance.code_behind(fn.__module__)[1]
        key = key_of(what)
        fresh = self._load_fresh(name, key, libraries, tolerance)
        if fresh is not None:
            return fresh
        slug = name.replace("/", "__")
        waiting = f"{name}: another process is computing it, waiting for its result"
        with locked(self.root / ".locks" / f"{slug}.lock", on_wait=lambda: note(waiting)):
            fresh = self._load_fresh(name, key, libraries, tolerance, warn=True)
            if fresh is not None:
                return fresh
            where = {"function": provenance.function_name(fn), "libraries": libraries, "origins": dict(origins or {})}
            return self._compute(fn, key, what, where, inputs, tolerance, workers)

    def read(self, name: str, *, asking: str = "") -> Result:
        """A result of this or an earlier chapter: from the root, then from the fallback.

        Raises InputError in one line if it is in neither, or corrupt.
        """
        _check_name(name)
        places = [self.root] + ([self.fallback] if self.fallback is not None else [])
        if self.prefer_fallback and name.split("/")[0] != asking.split("/")[0]:
            places.reverse()
        for place in places:
            try:
                return load(place, name)
            except FileNotFoundError:
                continue
            except files.CorruptFile as error:
                raise InputError(f"{error}; {_remedy(name, self.profile)}") from None
        raise InputError(f"result {name} is missing in {' and '.join(map(str, places))}; {_remedy(name, self.profile)}")

    def status(self) -> list[dict[str, Any]]:
        """One row per stored result: {name, state (fresh, stale, corrupt), why}."""
        from qednas.companion.results.status import result_rows

        return result_rows(self)

    def _load_committed(self, name: str) -> Result:
        try:
            result = load(self.root, name)
        except FileNotFoundError:
            raise InputError(f"no result {name} in {self.root}; {_remedy(name, self.profile)}") from None
        except files.CorruptFile as error:
            raise InputError(f"{error}; {_remedy(name, self.profile)}") from None
        if (profile := result.provenance["profile"]) != self.profile:
            raise InputError(f"{result.path} is of the {profile} profile, not a {self.profile} result")
        return result

    def _load_fresh(
        self, name: str, key: str, libraries: Mapping[str, str], tolerance: str | dict[str, str], warn: bool = False
    ) -> Result | None:
        try:
            result = load(self.root, name)
        except FileNotFoundError:
            return None
        except files.CorruptFile as error:
            if warn:
                note(f"warning: {error}; computing {name} again")
            return None
        if result.key != key or other_versions(result.provenance["libraries"], libraries):
            return None
        if result.tolerance != tolerance:  # how it is compared is not how it was computed
            record = dict(files.read_record(result.path))
            record["tolerance"] = tolerance
            files.rewrite_header(result.path, record)
            result = load(self.root, name)
        return result

    def _recorder(
        self, fn: Callable[..., Any], what: Mapping[str, Any], libraries: Mapping[str, str]
    ) -> records.Recorder:
        """Records the tasks of a result; recalls those whose declared version, data and libraries are still the same."""
        recorder = records.Recorder(frozenset(every_piece(fn)), what["name"])
        if self.recalled is None:
            return recorder
        try:
            former = load(self.recalled, what["name"])
            tasks = records.read_tasks(records.path_of(former.path), former.digest)
        except (FileNotFoundError, files.CorruptFile):
            return recorder
        then = former.provenance
        if tasks is None or then.get("data") != what["data"] or other_versions(then["libraries"], libraries):
            return recorder
        recorder.known = {
            record.identity: record
            for record in tasks.tasks
            if what["pieces"].get(record.task, 0) == then["pieces"].get(record.task)
            and all(then["upstream"].get(name) == what["upstream"].get(name) for name in record.located)
        }
        return recorder

    def _compute(
        self,
        fn: Callable[..., Mapping[str, Any]],
        key: str,
        what: dict[str, Any],
        where: dict[str, Any],
        inputs: dict[str, Result],
        tolerance: str | dict[str, str],
        workers: int,
    ) -> Result:
        name = what["name"]
        path = self.root / f"{name}.json"
        slug = name.replace("/", "__")
        partial = self.root / ".partial" / f"{slug}-{key[:16]}"
        for leftover in path.parent.glob(f".{path.stem}.*.tmp"):  # of a writer that was killed; we hold its lock now
            leftover.unlink(missing_ok=True)
        accepted = inspect.signature(fn).parameters
        extra: dict[str, Any] = {}
        before, start, tell = 0.0, time.perf_counter(), every(PROGRESS_SECONDS, name)
        if "work" in accepted:
            try:
                partial.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"cannot make {partial}: {error.strerror}") from None
            before = _read_clock(clock := partial.with_name(f"{partial.name}.seconds"))
            extra["work"] = Work(workers, partial, _with_clock(tell, clock, before, start))
        if "progress" in accepted:
            extra["progress"] = tell
        if "inputs" in accepted:
            extra["inputs"] = inputs
        if clash := sorted(set(extra) & set(what["settings"])):
            raise InputError(f"{name}: {', '.join(clash)} is given by the store and cannot be a setting")
        recorder = self._recorder(fn, what, where["libraries"])
        with recording(recorder):
            data = fn(**what["settings"], **extra)
        seconds = before + time.perf_counter() - start
        if recorder.known:
            with suppress(FileNotFoundError, files.CorruptFile):
                seconds = max(seconds, load(self.recalled or self.root, name).provenance["seconds"])
        try:
            header = self._header(key, what, where, tolerance, seconds)
            header["provenance"]["code"] = provenance.code_behind(fn.__module__)[0]
            content = files.content_digest(data)
            # The record first: without its result it is overwritten by the next run, the other way round one would be missing.
            records.write_tasks(records.path_of(path), content, recorder.tasks)
            files.write_record(path, data, header)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        for folder in (self.root / ".partial").glob(f"{slug}-*"):
            shutil.rmtree(folder, ignore_errors=True)
            if folder.suffix == ".seconds":
                folder.unlink(missing_ok=True)
        return load(self.root, name)

    def _header(
        self, key: str, what: dict[str, Any], where: dict[str, Any], tolerance: str | dict[str, str], seconds: float
    ) -> dict[str, Any]:
        rest = {part: value for part, value in what.items() if part != "name"}
        record = {
            "profile": self.profile,
            "seed": self.seed,
            **rest,
            **where,
            "versions": provenance.versions(),
            "processor": provenance.processor(),
            "threads": provenance.threads(),
            "seconds": round(seconds, 3),
            "peak_memory_mb": provenance.peak_memory_mb(),
            "created": provenance.today(),
        }
        return {"name": what["name"], "key": key, "tolerance": tolerance, "provenance": record}


def key_contents(
    name: str,
    fn: Callable[..., Any],
    settings: Mapping[str, Any],
    upstream: Mapping[str, str],
    read: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that the key of a result is made of; `upstream` and `read` are identities of results and checksums of files."""
    declared = key_parts(fn)
    return {
        "name": name,
        "task": name_of(fn),
        "version": declared["version"],
        "pieces": declared["pieces"],
        "settings": dict(settings),
        "upstream": dict(upstream),
        "files": dict(read),
        "data": declared["data"],
    }


def other_versions(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Numerical libraries whose version differs; one that the code uses only then or only now is a change of the code."""
    return [name for name in then if name in now and then[name] != now[name]]


def key_of(what: Mapping[str, Any]) -> str:
    """Key of a result, from :func:`key_contents`."""
    return files.sha256(files.canonical(what).encode())


def _read_clock(clock: Path) -> float:
    """Seconds that runs spent on this result before they were interrupted."""
    try:
        return max(0.0, float(clock.read_text()))
    except (OSError, ValueError):
        return 0.0


def _with_clock(tell: Progress, clock: Path, before: float, start: float) -> Progress:
    """``tell`` that also keeps the seconds spent so far, so that a run that was interrupted is not told to have been quick."""

    def report(done: int, total: int, text: str = "") -> None:
        with suppress(OSError):
            clock.write_text(f"{before + time.perf_counter() - start:.3f}\n")
        tell(done, total, text)

    return report


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name.endswith((".json", ".npz")):
        raise InputError(f"result name {name!r}: chapter/result, as in 04/targets")


def _check_tolerance(name: str, tolerance: str | Mapping[str, str]) -> str | dict[str, str]:
    for kind in [tolerance] if isinstance(tolerance, str) else tolerance.values():
        if kind not in CLASSES:
            raise InputError(f"{name}: tolerance class {kind!r} is none of {', '.join(CLASSES)}")
    return tolerance if isinstance(tolerance, str) else dict(tolerance)


def _file_digest(name: str, path: Path) -> str:
    try:
        return files.sha256(path.read_bytes())
    except OSError as error:
        raise InputError(f"{name}: source file {path}: {error.strerror}") from None


def _remedy(name: str, profile: str) -> str:
    small = "" if profile == "paper" else f" PROFILE={profile}"
    return f"make it with: make reproduce ONLY={name.split('/')[0]}{small}"
