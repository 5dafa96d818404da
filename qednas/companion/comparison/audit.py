"""Recompute a random sample of the paper run and compare: what a stranger can check in twenty minutes.

A task is the smallest piece that can be computed alone at its paper settings: one system, one training, one search and seed.
Every second of the run is equally likely to be looked at.  Results that are looked at are also put together again from what their
tasks gave, so a value that was changed between a task and the book is found too.  A result whose code changed since it was
computed, and whose tasks still give the same, is stamped with the code of today.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base import files, parallel
from qednas.base.errors import InputError
from qednas.base.progress import note
from qednas.base.task import every_piece
from qednas.companion import paths, profiles
from qednas.companion.comparison.audit_plan import LEAST_TASKS, Item, Journal, Run, draw_items, read_run
from qednas.companion.comparison.comparing import Deviation, Ground, deviations, judge_deviations
from qednas.companion.comparison.consistency import arguments_of, inconsistencies
from qednas.companion.comparison.scatter import against_scatter
from qednas.companion.results import provenance, records, sums
from qednas.companion.results.result import load
from qednas.companion.results.status import CORRUPT, STALE, UNVERIFIED, function_of, result_rows
from qednas.companion.results.store import Store

SLACK = 1.2  # a task is begun only if so many times its recorded seconds are left
NOTE_SECONDS = 20.0  # seconds between lines of progress
Write = Callable[[str], None]


def compute_task(
    folder: str, name: str, task: str, arguments: dict[str, Any], located: dict[str, str]
) -> dict[str, Any]:
    """In a worker: one task of a result again."""
    pieces = every_piece(function_of(load(Path(folder), name)))
    if task not in pieces:
        raise InputError(f"{name}: {task} is no longer among its tasks")
    return parallel.run_task(pieces[task], arguments, located)[0]


def compute_whole(folder: str, name: str) -> dict[str, Any]:
    """In a worker: a result without tasks again."""
    result = load(Path(folder), name)
    return files.normalised(function_of(result)(**arguments_of(result, Path(folder))))


def check_consistency(folder: str, name: str) -> list[Deviation]:
    """In a worker: a result put together again from what its tasks gave."""
    return inconsistencies(Path(folder), name)


def compare_item(run: Run, item: Item, output: dict[str, Any]) -> list[Deviation]:
    """What a task gave now beside what is stored of it."""
    result = run.results[item.result]
    ground = Ground(result.provenance.get("processor") == provenance.processor())
    if not item.identity:
        return list(deviations(output, dict(result), result.tolerance, ground))
    recorded = run.recorded[item.result]
    kind = task_tolerance(result.tolerance)
    if item.identity in recorded.projected:
        return list(deviations(records.projected(output), recorded.projected[item.identity], kind, ground))
    stored = recorded.known[item.identity].output or {}
    values = list(deviations(output, stored, kind, ground))
    return values if ground.same or kind != "statistical" else against_scatter(output, stored, recorded, item.identity)


def task_tolerance(tolerance: str | Mapping[str, str]) -> str:
    """Class of what tasks give: that of the result, or the loosest of its classes but timing."""
    if isinstance(tolerance, str):
        return tolerance
    order = ("statistical", "seeded", "converged", "exact")
    return next((kind for kind in order if kind in tolerance.values()), "seeded")


def audit(
    root: Path,
    *,
    minutes: float = 20.0,
    seed: int = 0,
    chapter: str | None = None,
    unverified: bool = False,
    workers: int = 2,
    write: Write = print,
) -> int:
    """Recompute random tasks of the committed paper run for ``minutes``, print what deviates and how much was covered.

    An interrupted audit goes on where it was.  Returns 1 where something deviates, else 0.  Raises InputError for bad arguments
    and where there is no task to draw.
    """
    if not (np.isfinite(minutes) and minutes > 0):
        raise InputError(f"MINUTES={minutes:g}: a positive number of minutes")
    number = next(iter(profiles.select(root, chapter))) if chapter else None
    folder = paths.paper_results(root)
    problems = sums.problems(folder, number)
    for name, why in problems.items():
        write(f"{name}: {why}")
    rows = [row for row in result_rows(Store(folder, mode="render", profile="paper"), root)
            if number is None or row["name"].startswith(f"{number}/")]  # fmt: skip
    for row in rows:
        if row["state"] == CORRUPT:
            write(f"{row['name']}: {row['why']}")
    stale = sorted(row["name"] for row in rows if row["state"] == STALE)
    if stale:
        write(f"audit: stale, so not drawn from: {', '.join(stale)}")
    chosen = {
        row["name"]
        for row in rows
        if row["state"] == UNVERIFIED or (not unverified and row["state"] not in (CORRUPT, STALE))
    }
    run = read_run(folder, chosen)
    if not run.items:
        what = "unverified result" if unverified else "result"
        where = f"chapter {number}" if number else "the paper run"
        raise InputError(f"no task to audit: {where} has no {what} with recorded tasks")
    plan = draw_items(run.items, seed, unverified)
    with Journal(root, folder, [minutes, seed, number, unverified]) as journal:
        agreed, by_result = recompute(run, plan, journal, 60 * minutes, workers, write)
    compared = sum(len(group) for group in by_result.values())
    wrong = report(run, by_result, compared, agreed, write)
    stamped = stamp(run, {row["name"]: row for row in rows}, agreed, wrong)
    if stamped:
        write(f"audit: {len(stamped)} results stamped with the code of today: {', '.join(sorted(stamped))}")
    corrupt = any(row["state"] == CORRUPT for row in rows)
    return 1 if wrong or problems or corrupt else 0


def recompute(
    run: Run, plan: list[Item], journal: Journal, limit: float, workers: int, write: Write
) -> tuple[list[Item], dict[str, list[Deviation]]]:
    """Items that were computed, and deviations {result: list} of them and of the results put together again."""
    start, before = time.monotonic(), journal.spent
    if before:
        write(f"audit: going on with {len(journal.done)} tasks done in {before:.0f} s")
    by_result: dict[str, list[Deviation]] = {}
    by_key = {item.key: item for item in run.items}
    computed = [by_key[key] for key in journal.done if key in by_key]
    for key in journal.done:
        by_result.setdefault(key.split(" ")[0], []).extend(journal.deviations(key))
    waiting = iter([item for item in plan if item.key not in journal.done])
    checked = {key.split(" ")[0] for key in journal.done if key.endswith(" together")}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=parallel.start_worker)
    running: dict[Future[Any], Item] = {}
    noted = start

    def elapsed() -> float:
        return before + time.monotonic() - start

    def submit_next() -> bool:
        for item in waiting:
            if elapsed() + SLACK * item.seconds > limit:
                continue
            running[submit(pool, run, item)] = item
            if item.identity and item.result not in checked:
                checked.add(item.result)
                together = Item(item.result, "together", 0.0)
                running[pool.submit(check_consistency, str(run.folder), item.result)] = together
            return True
        return False

    try:
        while True:
            while len(running) < workers and submit_next():
                pass
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                differences = outcome(run, item, future)
                if item.identity != "together":
                    computed.append(item)
                by_result.setdefault(item.result, []).extend(differences)
                journal.add(item.key, differences, elapsed())
            if time.monotonic() - noted > NOTE_SECONDS:
                noted = time.monotonic()
                note(f"audit: {len(computed)} tasks in {elapsed():.0f} of {limit:.0f} s")
    except BaseException:
        parallel.stop_pool(pool)
        raise
    pool.shutdown()
    return computed, by_result


def submit(pool: ProcessPoolExecutor, run: Run, item: Item) -> Future[Any]:
    if not item.identity:
        return pool.submit(compute_whole, str(run.folder), item.result)
    record = run.recorded[item.result].known[item.identity]
    located = {name: str(run.folder / f"{name}.json") for name in record.located}
    return pool.submit(compute_task, str(run.folder), item.result, record.task, record.arguments, located)


def outcome(run: Run, item: Item, future: Future[Any]) -> list[Deviation]:
    """Deviations of a finished piece of work; one that fails deviates."""
    try:
        output = future.result()
    except Exception as error:  # whatever a task raises now it did not raise when the run was made
        first = str(error).split("\n")[0][:160]
        return [Deviation("task", "exact", float("inf"), False, f"{type(error).__name__}: {first}")]
    return output if item.identity == "together" else compare_item(run, item, output)


def report(
    run: Run, by_result: dict[str, list[Deviation]], compared: int, computed: list[Item], write: Write
) -> dict[str, list[Deviation]]:
    """Print deviations and what was covered; returns the deviations by result."""
    shared = sum(value.chance is not None for group in by_result.values() for value in group)
    wrong = {
        name: [value for value in judge_deviations(group, shared) if not value.ok] for name, group in by_result.items()
    }
    wrong = {name: group for name, group in wrong.items() if group}
    for name, group in sorted(wrong.items()):
        for value in group[:5]:
            write(f"{name}: {value.path} {value.why}")
        if len(group) > 5:
            write(f"{name}: and {len(group) - 5} more values")
    if run.unrecorded:
        write(f"audit: no recorded tasks, so not drawn from: {', '.join(run.unrecorded)}")
    seconds, looked = sum(item.seconds for item in computed), {item.result for item in computed}
    write(
        f"audit: {len(computed)} of {len(run.items)} tasks of {len(looked)} of {len(run.results)} results computed again, "
        f"{seconds / 60:.1f} of {run.seconds / 60:.0f} minutes of a core ({seconds / run.seconds:.1%}); {compared} values "
        f"compared, {sum(map(len, wrong.values()))} deviate"
    )
    return wrong


def stamp(run: Run, rows: Mapping[str, Mapping[str, Any]], computed: list[Item], wrong: Mapping[str, Any]) -> list[str]:
    """Stamp unverified results of which enough tasks agree with the code of today; returns their names."""
    stamped = []
    for name in run.results:
        done = [item for item in computed if item.result == name]
        total = [item for item in run.items if item.result == name]
        if rows[name]["state"] != UNVERIFIED or name in wrong or len(done) < min(LEAST_TASKS, len(total)) or not done:
            continue
        result = run.results[name]
        record = dict(files.read_record(result.path))
        code, _ = provenance.code_behind(function_of(result).__module__)
        share = sum(item.seconds for item in done) / sum(item.seconds for item in total)
        audited = {"code": code, "tasks": len(done), "share": round(share, 4), "created": provenance.today()}
        record["provenance"] = {**record["provenance"], "audited": audited}
        files.rewrite_header(result.path, record)
        sums.update(run.folder, result.path)
        stamped.append(name)
    return stamped
