"""Take a finished run over as committed results: paper results as results, smoke values as what the tests expect."""

from __future__ import annotations

import shutil
from pathlib import Path

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.locks import Busy, locked
from qednas.companion import paths, profiles
from qednas.companion.results import sums
from qednas.companion.results.result import load, names
from qednas.companion.results.status import FRESH, UNVERIFIED, result_rows
from qednas.companion.results.store import Store
from qednas.companion.run_state import FINISHED, RunState, read_state

EXPECTED = (".json", ".npz")  # of the smoke profile: values alone, no figure and no record of tasks


def accept(root: Path, profile: str = "paper", *, only: str | None = None) -> list[str]:
    """Copy the results and figures of a finished run over results/paper; returns the names of the results taken.

    With `only` one chapter is taken, run on the committed results of the chapters before it. Raises InputError, with
    results/paper untouched, for the smoke profile and a run that is missing, going on, incomplete, altered or stale.
    """
    if profile != "paper":
        raise InputError(f"accept takes the paper profile only: {profile} numbers are not results")
    return _accept_locked(root, profile, only, sums.KEPT)


def expect(root: Path, *, only: str | None = None) -> list[str]:
    """Copy the values of a finished smoke run over results/smoke, with which the tests compare; as :func:`accept` otherwise."""
    return _accept_locked(root, "smoke", only, EXPECTED)


def _accept_locked(root: Path, profile: str, only: str | None, suffixes: tuple[str, ...]) -> list[str]:
    build = paths.build_folder(root, profile)
    if not build.is_dir():
        raise InputError(
            f"nothing to accept: run make reproduce{'' if profile == 'paper' else f' PROFILE={profile}'} first"
        )
    try:
        with locked(build / ".run.lock", wait=False):
            return _accept(root, build, profile, only, suffixes)
    except Busy:
        raise InputError(f"a {profile} run is going on: accept it when it has finished") from None


def _accept(root: Path, build: Path, profile: str, only: str | None, suffixes: tuple[str, ...]) -> list[str]:
    state = read_state(build)
    numbers = list(profiles.select(root, only))
    _check_finished(state, numbers, only)
    results = build / "results"
    accepted = [name for name in names(results) if name.split("/")[0] in numbers]
    committed = paths.committed_results(root, profile)
    _check_results(root, results, accepted, profile)
    edited = sums.problems(committed) if (committed / sums.NAME).is_file() else {}
    if edited := {name: why for name, why in edited.items() if only is not None and name.split("/")[0] not in numbers}:
        name = next(iter(edited))
        raise InputError(f"results/{profile}/{name}: {edited[name]}; restore it before other results are accepted")
    staged, old = committed.with_name(f".{profile}-new"), committed.with_name(f".{profile}-old")
    if old.exists() and not committed.exists():  # an accept was killed between its two renames
        old.rename(committed)
    shutil.rmtree(staged, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    try:
        staged.mkdir(parents=True)
        if committed.is_dir():
            _keep(committed, staged, drop=numbers if only else None)
        for number in numbers:
            for path in sorted((results / number).rglob("*")) if (results / number).is_dir() else []:
                if path.suffix in suffixes and not path.name.startswith("."):
                    target = staged / path.relative_to(results)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
        for name in accepted:
            load(staged, name)
        sums.write_sums(staged)
    except (OSError, files.CorruptFile) as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise InputError(f"cannot copy the results ({error}); results/{profile} is unchanged") from None
    if committed.exists():
        committed.rename(old)
    staged.rename(committed)
    shutil.rmtree(old, ignore_errors=True)
    return accepted


def _keep(committed: Path, staged: Path, drop: list[str] | None) -> None:
    """Copy what stays: everything but the chapters taken; without `drop` everything that is no chapter."""
    for path in committed.iterdir():
        is_chapter = path.is_dir() and path.name.isdigit()
        if is_chapter and (drop is None or path.name in drop):
            continue
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, staged / path.name)


def _check_finished(state: RunState | None, numbers: list[str], only: str | None) -> None:
    if state is None:
        raise InputError("nothing to accept: run make reproduce first")
    if only is not None:
        number = numbers[0]
        if state.only.get(number) != FINISHED:
            raise InputError(f"no finished run of chapter {number}: make reproduce ONLY={number} first")
        return
    if state.state != FINISHED:
        again = " ".join(sorted(state.only)) or "-"
        raise InputError(
            f"the last full run is {state.state} (single chapters: {again}): make reproduce to its end first"
        )
    if missing := [number for number in numbers if number not in state.chapters]:
        raise InputError(f"chapter {' '.join(missing)} is not in the last full run: make reproduce first")


def _check_results(root: Path, results: Path, accepted: list[str], profile: str) -> None:
    for name in accepted:
        try:
            result = load(results, name)
        except files.CorruptFile as error:
            raise InputError(f"{error}: make reproduce again") from None
        if result.provenance["profile"] != profile:
            raise InputError(f"{name} comes from the {result.provenance['profile']} profile: not a {profile} result")
    store = Store(results, fallback=paths.committed_results(root, profile), profile=profile)
    for row in result_rows(store, root):
        if row["name"] in accepted and row["state"] not in (FRESH, UNVERIFIED):
            raise InputError(f"{row['name']} is {row['state']} ({row['why']}): make reproduce again")
