"""One narrow way to run tasks in parallel: `map_tasks` over any `concurrent.futures.Executor`.

Seeds belong to tasks, every worker has one thread, and results come back in the order of the tasks, as they would be
read from disk: so neither the number of workers nor an interruption changes them.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from qednas.companion import files
from qednas.companion.progress import Progress
from qednas.errors import InputError

Task = Mapping[str, Any]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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


def _start_worker() -> None:
    fix_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Workers hold both ends of their queue, so a killed parent would leave them waiting for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(fn: Callable[[Task], Mapping[str, Any]], task: Task) -> dict[str, Any]:
    return files.normalised(fn(task))


def _short(task: Task) -> str:
    text = files.canonical(task)
    return text if len(text) <= 120 else text[:117] + "..."


def map_tasks(
    fn: Callable[[Task], Mapping[str, Any]],
    tasks: Sequence[Task],
    *,
    executor: Executor | None = None,
    workers: int = 2,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """`[fn(task) for task in tasks]`, in parallel and resumable.

    `fn` is a function of a module; a task is a dictionary of JSON values and holds its own seed; a result is a
    dictionary of JSON values and arrays. Finished tasks are kept in the folder `checkpoint` and not run again.
    Without `executor` a pool of `workers` fresh processes is used (one worker: this process). A failing task cancels
    the rest and raises TaskError (InputError if the task raised one) naming it; Ctrl-C leaves finished tasks saved.
    """
    if workers < 1:
        raise InputError(f"workers={workers}: at least 1")
    plain = [files.split(task)[0] for task in tasks]
    places = [_place(checkpoint, index, task) for index, task in enumerate(plain)]
    results: list[dict[str, Any] | None] = [_finished(place) for place in places]
    waiting = [index for index, result in enumerate(results) if result is None]

    def finish(index: int, result: dict[str, Any]) -> None:
        results[index] = result
        place = places[index]
        if place is not None:
            # Not durable: this protects against a killed process; after a power cut a torn file is computed again.
            files.write_record(place, result, {"task": plain[index]}, durable=False)
        if progress is not None:
            progress(sum(result is not None for result in results), len(results), "")

    if executor is None and (workers == 1 or len(waiting) <= 1):
        fix_threads(1)
        for index in waiting:
            with _naming(index, plain):
                outcome = _run(fn, plain[index])
            finish(index, outcome)
    elif waiting:
        _in_pool(fn, plain, waiting, finish, executor, min(workers, len(waiting)))
    return [result for result in results if result is not None]


def _in_pool(
    fn: Callable[[Task], Mapping[str, Any]],
    tasks: list[dict[str, Any]],
    waiting: list[int],
    finish: Callable[[int, dict[str, Any]], None],
    executor: Executor | None,
    workers: int,
) -> None:
    own = executor is None
    # Fresh processes (spawn): a forked copy of a process with threads can hang.
    context = multiprocessing.get_context("spawn")
    pool = executor or ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    futures: dict[Future[dict[str, Any]], int] = {}
    try:
        for index in waiting:
            futures[pool.submit(_run, fn, tasks[index])] = index
        for future in as_completed(futures):
            with _naming(futures[future], tasks):
                outcome = future.result()
            finish(futures[future], outcome)
    except BaseException:
        for future in futures:
            future.cancel()
        if own:
            _stop(pool)
        raise
    if own:
        pool.shutdown()


def _stop(pool: Executor) -> None:
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
        where = f"task {self.index + 1} of {len(self.tasks)} {_short(self.tasks[self.index])}"
        if isinstance(error, InputError):
            raise InputError(f"{where}: {error}") from error
        if isinstance(error, BrokenProcessPool):
            raise TaskError(f"a worker process died (out of memory?), first missed: {where}") from error
        raise TaskError(f"{where}: {type(error).__name__}: {error}") from error


def _place(checkpoint: Path | None, index: int, task: dict[str, Any]) -> Path | None:
    if checkpoint is None:
        return None
    return checkpoint / f"{index:06d}-{files.sha256(files.canonical(task).encode())[:12]}.json"


def _finished(place: Path | None) -> dict[str, Any] | None:
    if place is None:
        return None
    try:
        return files.read_data(place)
    except (FileNotFoundError, files.CorruptFile):
        return None
