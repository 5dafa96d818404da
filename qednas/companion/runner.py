"""Runs of the whole book: reproduce, verify, accept, book, status (`python -m qednas.companion.runner COMMAND`)."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from qednas.base.errors import InputError
from qednas.base.locks import Busy, locked
from qednas.base.progress import note
from qednas.companion import paths, profiles
from qednas.companion.execution import ChapterFailed, execute_chapter
from qednas.companion.run_state import (
    ALTERED,
    FINISHED,
    RUNNING,
    RunState,
    chapter_key,
    chapter_results,
    discard,
    is_kept,
    read_state,
)


def reproduce(
    root: Path, profile: str = "paper", *, seed: int = 0, only: str | None = None, recall: bool = False
) -> int:
    """Execute every chapter (or one) in `_build/<profile>`, then verify; returns the exit status.

    An interrupted run is resumed; after a finished one it starts from scratch. With `recall` tasks that are recorded beside
    committed results, and whose declared version is the same, are taken over. Raises InputError, ChapterFailed.
    """
    if recall:
        os.environ["QEDNAS_TASKS"] = "recall"
    profiles.check_profile(profile)
    build = paths.build_folder(root, profile)
    try:
        with locked(build / ".run.lock", wait=False):
            if only:
                _run_one(root, build, profile, seed, only)
            else:
                _run_all(root, build, profile, seed)
    except Busy:
        raise InputError(f"another run of the {profile} profile is going on in {build}") from None
    from qednas.companion.comparison.verify import verify

    return verify(root, profile, only=only)


def _run_all(root: Path, build: Path, profile: str, seed: int) -> None:
    notebooks = profiles.chapters(root)
    infos = {number: profiles.chapter_info(root, number) for number in notebooks}
    state = read_state(build)
    if state is None or state.state != RUNNING or state.seed != seed:
        discard(build / "results")
        discard(build / "book")
        state = RunState(seed=seed)
        state.write(build)
    elif state.chapters:
        note(f"going on with the interrupted {profile} run; it had {len(state.chapters)} of {len(notebooks)} chapters")
    start = time.monotonic()
    earlier: dict[str, str] = {}  # digests of all results of earlier chapters
    for index, (number, notebook) in enumerate(notebooks.items(), start=1):
        head = f"[{index}/{len(notebooks)}] {number} {infos[number].title}"
        later = list(notebooks)[index:]
        left = sum(infos[chapter].minutes[profile] for chapter in later)
        rest = f"left after it: {len(later)} chapter{'s' * (len(later) != 1)}, ~{left:.3g} min" if later else "the last"
        key = chapter_key(root, number, notebook, profile, seed, earlier)
        executed = build / "book" / notebook.name
        if is_kept(state, number, key, build / "results", executed):
            note(f"{head}: kept")
        else:
            note(f"{head}: running, about {infos[number].minutes[profile]:.3g} min; {rest}")
            seconds = execute_chapter(notebook, executed, number, profile, seed, {})
            note(f"{head}: {seconds:.0f} s")
            results = chapter_results(build / "results", number)
            state.chapters[number] = {"key": key, "seconds": round(seconds, 1), "results": results}
            state.only.pop(number, None)
            state.write(build)
        earlier |= state.chapters[number]["results"]
    state.state, state.only = FINISHED, {}
    state.write(build)
    note(f"{profile} profile: {len(notebooks)} chapters in {time.monotonic() - start:.0f} s, in {build}")


def _run_one(root: Path, build: Path, profile: str, seed: int, only: str) -> None:
    [(number, notebook)] = profiles.select(root, only).items()
    info = profiles.chapter_info(root, number)
    state = read_state(build) or RunState(seed=seed, state=ALTERED)
    if state.only.get(number) != RUNNING:
        discard(build / "results" / number)
    state.only[number] = RUNNING
    state.chapters.pop(number, None)
    if state.state == FINISHED:
        state.state = ALTERED  # a mixture of two runs cannot be accepted as one
    state.write(build)
    head = f"[1/1] {number} {info.title}"
    note(f"{head}: running on the committed results of other chapters, about {info.minutes[profile]:.3g} min")
    upstream = {"QEDNAS_UPSTREAM": "committed"}
    seconds = execute_chapter(notebook, build / "book" / notebook.name, number, profile, seed, upstream)
    state.only[number] = FINISHED
    state.write(build)
    note(f"{head}: {seconds:.0f} s")


def show_status(root: Path) -> int:
    """Print what is stale and why."""
    from qednas.companion.results.status import FRESH, collect

    rows = collect(root)
    for row in rows:
        why = f"  {row['why']}" if row["why"] else ""
        print(f"{row['store']}/{row['name']}  {row['state']}{why}")
    fresh = sum(row["state"] == FRESH for row in rows)
    share = sum((row["seconds"] or 0) * (row["compared"] or 0) for row in rows)
    total = sum(row["seconds"] or 0 for row in rows)
    compared = f"; numbers compared, weighted by run time: {share / total:.1%}" if total else ""
    print(f"{fresh} of {len(rows)} results fresh{compared}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qednas.companion.runner", description=__doc__)
    parser.add_argument("command", choices=["reproduce", "verify", "accept", "expect", "audit", "book", "status"])
    parser.add_argument("--profile", default="paper")
    parser.add_argument("--only", default=None, help="one chapter, as in 05")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=20.0, help="of an audit")
    parser.add_argument("--unverified", action="store_true", help="audit only results whose code changed")
    parser.add_argument(
        "--recall", action="store_true", help="take recorded tasks over; compute only what puts them together"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status (1: mismatch or a chapter failed, 2: bad input, 130: Ctrl-C)."""
    options = _parser().parse_args(arguments)
    only = options.only or None
    try:
        root = paths.project_root()
        profiles.check_profile(options.profile)
        if options.command == "reproduce":
            return reproduce(root, options.profile, seed=options.seed, only=only, recall=options.recall)
        if options.command == "verify":
            from qednas.companion.comparison.verify import verify

            return verify(root, options.profile, only=only)
        if options.command == "accept":
            from qednas.companion import readme, weights
            from qednas.companion.accept import accept

            accepted = accept(root, options.profile, only=only)
            weights.ship(root)
            print(f"{len(accepted)} results accepted into results/paper: look at git diff, then commit")
            try:
                readme.write(root)
            except InputError as error:  # a result of another chapter is older than what the README tells of it
                note(f"README.md stays as it is: {error}")
            return 0
        if options.command == "expect":
            from qednas.companion.accept import expect

            print(
                f"{len(expect(root, only=only))} smoke results are what the tests expect now: look at git diff, then commit"
            )
            return 0
        if options.command == "audit":
            from qednas.companion.comparison.audit import audit

            return audit(root, minutes=options.minutes, seed=options.seed, chapter=only, unverified=options.unverified)
        if options.command == "book":
            from qednas.companion.book import build_book

            build_book()
            return 0
        return show_status(root)
    except InputError as error:
        print(f"qednas: error: {error}", file=sys.stderr)
        return 2
    except ChapterFailed as error:
        print(f"qednas: error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # "make status | head": the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("qednas: interrupted; what is finished is kept, the same command goes on from there", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
