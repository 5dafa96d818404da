"""One narrow way to run tasks in parallel: `map_tasks` over any `concurrent.futures.Executor`.

Seeds belong to tasks, every worker has one thread, and results come back in the order of the tasks, as they would be
read from disk: so neither the number of workers nor an interruption changes them.  While a result of the store is being made,
every task is recorded beside it (:mod:`qednas.base.recording`).
"""

from __future__ import annotations

import copy
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from qednas.base import files
from qednas.base.errors import InputError, NumericalError
from qednas.base.progress import Progress
from qednas.base.recording import current

Task = Mapping[str, Any]
Record = TypeVar("Record", bound=Mapping[str, Any])
# Of mallopt in glibc, bytes: above which memory is mapped apart (-3), kept at the end of the heap (-1), asked for at once (-2).
MALLOC = {-3: 32 << 20, -1: 512 << 20, -2: 64 << 20}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Work:
    """How tasks are run, which changes none of their numbers.

    workers: processes at a time.  checkpoint: folder in which finished tasks are kept, and not run again; None keeps none.
    progress: told (done, total, text) after every task.
    """

    workers: int = 2
    checkpoint: Path | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 1:
            raise InputError(f"workers = {self.workers!r}: a whole number, 1 or more")

    def at(self, name: str) -> Work:
        """The same, with a folder of its own for these tasks."""
        return self if self.checkpoint is None else replace(self, checkpoint=self.checkpoint / name)

    def alone(self) -> Work:
        """The same, one task after the other in this process: what measures time is not slowed by others."""
        return replace(self, workers=1)


class TaskError(RuntimeError):
    """A task failed; the message names it."""


def fix_threads(count: int = 1) -> None:
    """Limit numerical libraries to `count` threads, those loaded already and those loaded later."""
    for name in THREADS:
        os.environ[name] = str(count)
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(limits=count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    hold_memory()


def hold_memory() -> None:
    """Let the C library keep memory that arrays give back, instead of asking the system for it page by page again.

    Arrays of some megabytes are made and dropped in every step of a training; where pages are costly (virtual machines) nearly
    half of the time went there.  It changes no number.  Other C libraries than glibc have no such settings.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for setting, size in MALLOC.items():
            library.mallopt(setting, size)


def start_worker() -> None:
    """Make a fresh process a worker: one thread, Ctrl-C left to its parent, no life after it."""
    fix_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Workers hold both ends of their queue, so a killed parent would leave them waiting for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def run_task(
    fn: Callable[[Task], Mapping[str, Any]],
    task: Task,
    located: Mapping[str, str] | None = None,
    scratch: str | None = None,
) -> tuple[dict[str, Any], float]:
    """What a task gives, as it would come back from disk, and the seconds it took; see :func:`map_tasks`."""
    start = time.perf_counter()
    places = {**({"paths": dict(located)} if located else {}), **({"scratch": scratch} if scratch else {})}
    output = files.normalised(fn({**task, **places} if places else task))
    return output, time.perf_counter() - start


def _describe_task(task: Task) -> str:
    text = files.canonical(task)
    return text if len(text) <= 120 else text[:117] + "..."


def map_tasks(
    fn: Callable[[Task], Record],
    tasks: Sequence[Task],
    *,
    work: Work = Work(),
    executor: Executor | None = None,
    located: Mapping[str, str] | None = None,
    scratch: str | None = None,
) -> list[Record]:
    """`[fn(task) for task in tasks]`, in parallel and resumable.

    `fn` is a function of a module; a task is a dictionary of JSON values and holds its own seed; a result is a
    dictionary of JSON values and arrays. Finished tasks are kept in the checkpoint of `work` and not run again. `located`
    {result: file} is given to every task as "paths", and a folder `scratch` in the checkpoint, if there is one, as "scratch":
    where things lie is not what a task is.
    Without `executor` a pool of fresh processes is used (one worker: this process). A failing task cancels the rest and
    raises TaskError (InputError or NumericalError if the task raised one) naming it; Ctrl-C leaves finished tasks saved.
    """
    workers, checkpoint, progress = work.workers, work.checkpoint, work.progress
    folder = str(checkpoint / scratch) if checkpoint is not None and scratch is not None else None
    plain = [files.split(task)[0] for task in tasks]
    recorder = current()
    if recorder is not None:
        recorder.check(fn)
    places = [_checkpoint_file(checkpoint, index, task) for index, task in enumerate(plain)]
    saved = [_read_finished(place) for place in places]
    results: list[dict[str, Any] | None] = [None if record is None else record[0] for record in saved]
    seconds = [0.0 if record is None else record[1] for record in saved]
    if recorder is not None:
        results = [recorder.recall(fn, task) if old is None else old for old, task in zip(results, plain, strict=True)]
    waiting = [index for index, result in enumerate(results) if result is None]

    def finish(index: int, outcome: tuple[dict[str, Any], float]) -> None:
        results[index], seconds[index] = outcome
        place = places[index]
        if place is not None:
            # Not durable: this protects against a killed process; after a power cut a torn file is computed again.
            header = {"task": plain[index], "seconds": seconds[index]}
            files.write_record(place, outcome[0], header, durable=False)
        if progress is not None:
            progress(sum(result is not None for result in results), len(results), "")

    if executor is None and (workers == 1 or len(waiting) <= 1):
        fix_threads(1)
        for index in waiting:
            with _naming(index, plain):
                outcome = run_task(fn, plain[index], located, folder)
            finish(index, outcome)
    elif waiting:
        _in_pool(fn, plain, waiting, finish, executor, min(workers, len(waiting)), located, folder)
    done = [result for result in results if result is not None]
    if recorder is not None:
        recorder.add(fn, plain, done, seconds, tuple(located or ()))
        done = copy.deepcopy(done)  # what a study does to them is not what the tasks gave
    return cast(list[Record], done)


def _in_pool(
    fn: Callable[[Task], Mapping[str, Any]],
    tasks: list[dict[str, Any]],
    waiting: list[int],
    finish: Callable[[int, tuple[dict[str, Any], float]], None],
    executor: Executor | None,
    workers: int,
    located: Mapping[str, str] | None,
    scratch: str | None,
) -> None:
    own_pool = executor is None
    # Fresh processes (spawn): a forked copy of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    pool = executor or ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker)
    futures: dict[Future[tuple[dict[str, Any], float]], int] = {}
    try:
        for index in waiting:
            futures[pool.submit(run_task, fn, tasks[index], located, scratch)] = index
        for future in as_completed(futures):
            with _naming(futures[future], tasks):
                outcome = future.result()
            finish(futures[future], outcome)
    except BaseException:
        for future in futures:
            future.cancel()
        if own_pool:
            stop_pool(pool)
        raise
    if own_pool:
        pool.shutdown()


def stop_pool(pool: Executor) -> None:
    """End the workers of a pool, those at work too."""
    # The standard library ends running workers only from Python 3.14 on.
    processes = list((getattr(pool, "_processes", None) or {}).values())
    for process in processes:
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


class _naming:
    """Turn an error of one task into one that names the task."""

    def __init__(self, index: int, tasks: list[dict[str, Any]]):
        self.index, self.tasks = index, tasks

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception):
            return
        where = f"task {self.index + 1} of {len(self.tasks)} {_describe_task(self.tasks[self.index])}"
        for kind in (InputError, NumericalError):
            if isinstance(error, kind):
                raise kind(f"{where}: {error}") from error
        if isinstance(error, BrokenProcessPool):
            raise TaskError(f"a worker process died (out of memory?), first missed: {where}") from error
        raise TaskError(f"{where}: {type(error).__name__}: {error}") from error


def _checkpoint_file(checkpoint: Path | None, index: int, task: dict[str, Any]) -> Path | None:
    if checkpoint is None:
        return None
    return checkpoint / f"{index:06d}-{files.sha256(files.canonical(task).encode())[:12]}.json"


def _read_finished(place: Path | None) -> tuple[dict[str, Any], float] | None:
    if place is None:
        return None
    try:
        record = files.read_record(place)
        return files.whole_data(place, record), float(record.get("seconds", 0.0))
    except (FileNotFoundError, files.CorruptFile):
        return None
