"""What is stale, unverified or edited, and why: stored provenance against today's declarations, settings, inputs and code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.base.errors import InputError
from qednas.companion import paths, profiles
from qednas.companion.results import provenance, sums
from qednas.companion.results.coverage import compared_share
from qednas.companion.results.result import Result, load, names
from qednas.companion.results.store import Store, key_contents, other_versions
from qednas.companion.results.tasks import find_task

FRESH, UNVERIFIED, STALE, CORRUPT, MISSING, EDITED = "fresh", "unverified", "stale", "corrupt", "missing", "edited"
PARTS = {"task": "task", "version": "version", "pieces": "version of", "data": "data", "files": "file"}
SHOWN = 3  # modules named of those that changed

CodeBehind = Callable[[str], tuple[dict[str, str], dict[str, str]]]  # of a module, as provenance.code_behind


def result_rows(store: Store, root: Path | None = None, behind: CodeBehind | None = None) -> list[dict[str, Any]]:
    """One row {name, state, why, seconds, compared} per result in the store's root; `root` is the project, for settings.

    seconds: of the run that made it.  compared: share of its numbers that verify compares, all but measured times.
    """
    behind = behind or once_each(provenance.code_behind)
    rows: list[dict[str, Any]] = []
    stale: set[str] = set()
    for name in names(store.root):
        try:
            result = load(store.root, name)
            reasons, doubts = stale_reasons(result, store, root, stale, behind), code_changes(result, behind)
        except files.CorruptFile as error:
            rows.append({"name": name, "state": CORRUPT, "why": str(error), "seconds": None, "compared": None})
            continue
        if reasons:
            stale.add(name)
        state = STALE if reasons else UNVERIFIED if doubts else FRESH
        rows.append(
            {
                "name": name,
                "state": state,
                "why": "; ".join(reasons or doubts),
                "seconds": result.provenance["seconds"],
                "compared": compared_share(result),
            }
        )
    return rows


def once_each(behind: CodeBehind) -> CodeBehind:
    """`behind` that looks at every module once, for as long as it is kept: the results of a chapter share their modules."""
    return lru_cache(maxsize=None)(behind)


def collect(root: Path) -> list[dict[str, Any]]:
    """Status of every result of the project: {store, name, state, why, seconds, compared}.

    Chapters without any result are listed as missing; committed files that are not what was accepted as edited or missing.
    """
    rows: list[dict[str, Any]] = []
    places: dict[str, Store] = {}
    for profile in reversed(profiles.PROFILES):
        committed = paths.committed_results(root, profile)
        if committed.is_dir():
            places[committed.relative_to(root).as_posix()] = Store(committed, mode="render", profile=profile)
    for profile in profiles.PROFILES:
        folder = paths.build_results(root, profile)
        if folder.is_dir():
            fallback = paths.committed_results(root, profile)
            places[folder.relative_to(root).as_posix()] = Store(folder, fallback=fallback, profile=profile)
    behind = once_each(provenance.code_behind)
    for place, store in places.items():
        by_name = {row["name"]: {"store": place, **row} for row in result_rows(store, root, behind)}
        if place.startswith("results/"):
            for name, why in sums.problems(store.root).items():
                row = by_name.setdefault(
                    name, {"store": place, "name": name, "seconds": None, "compared": None, "state": FRESH}
                )
                if row["state"] != CORRUPT:
                    row |= {"state": MISSING if why == sums.GONE else EDITED, "why": why}
        rows.extend(by_name.values())
    known = {row["name"].split("/")[0] for row in rows if row["store"] == "results/paper"}
    for number, notebook in profiles.chapters(root).items():
        if number not in known and "get_or_run" in notebook.read_text(encoding="utf-8"):
            why = f"no result of this chapter; make reproduce ONLY={number}, then make accept ONLY={number}"
            rows.append({"store": "results/paper", "name": f"{number}/", "state": MISSING, "why": why,
                         "seconds": None, "compared": None})  # fmt: skip
    return rows


def function_of(result: Result) -> Callable[..., Any]:
    """The function that made a result, where it is today. Raises InputError where it is gone."""
    return find_task(str(result.provenance["function"]))


def stale_reasons(result: Result, store: Store, root: Path | None, stale: set[str], behind: CodeBehind) -> list[str]:
    """Why the key of a result would be another today; empty where it would be the same."""
    record = result.provenance
    try:
        fn = function_of(result)
        now = key_contents(result.name, fn, record["settings"], record["upstream"], record["files"])
        libraries = behind(fn.__module__)[1]
    except InputError as error:
        return [str(error)]
    reasons = [reason for part, word in PARTS.items() for reason in _changes(word, record.get(part), now[part])]
    then = record["libraries"]
    reasons += [f"library {name} is {libraries[name]}, was {then[name]}" for name in other_versions(then, libraries)]
    for name, digest in record["upstream"].items():
        try:
            if store.read(name, asking=result.name).identity != digest:
                reasons.append(f"upstream {name} changed")
            elif name in stale:
                reasons.append(f"upstream {name} is stale")
        except InputError:
            reasons.append(f"upstream {name} is missing or corrupt")
    if root is not None:
        reasons += list(_changed_settings(result, root))
        reasons += _changed_files(record["files"], root)
    return reasons


def _changes(word: str, then: Any, now: Any) -> Iterator[str]:
    if then == now:
        return
    if not isinstance(now, Mapping):
        yield f"{word} is {now}, was {then}"
        return
    before = then if isinstance(then, Mapping) else {}
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            change = (f"is {now[name]}, was {before[name]}" if name in now and name in before else
                    "is new" if name in now else "is gone")  # fmt: skip
            yield f"{word} {name} {change if len(change) < 60 else 'changed'}"


def code_changes(result: Result, behind: CodeBehind) -> list[str]:
    """Modules whose code differs from that which computed a result, or with which an audit agreed since."""
    then = result.provenance["code"]
    try:
        now, _ = behind(function_of(result).__module__)
    except InputError as error:
        return [str(error)]
    audited = result.provenance.get("audited", {}).get("code")
    then, audited = ({module: code for module, code in known.items() if not provenance.is_machinery(module)}
                     for known in (then, audited or {}))  # fmt: skip
    if now in (then, audited):
        return []
    changed = {name for name in now.keys() & then if now[name] != then[name]}
    groups = (("code of {} changed", changed), ("now also uses {}", now.keys() - then), ("no longer uses {}", then.keys() - now))
    return [pattern.format(_listed(group)) for pattern, group in groups if group]


def _listed(modules: Iterable[str]) -> str:
    """The first modules by name, and how many more."""
    listed = sorted(modules)
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")


def _changed_settings(result: Result, root: Path) -> Iterator[str]:
    record, number = result.provenance, result.name.split("/")[0]
    settings, origins = record["settings"], dict(record["origins"])
    try:
        known = profiles.chapter_info(root, number).for_profile(record["profile"])
        whole = origins.pop("*", None)
        expected = dict(profiles.setting_at(known, whole)) if whole is not None else {}
        expected |= {setting: profiles.setting_at(known, path) for setting, path in origins.items()}
    except InputError as error:
        yield str(error)
        return
    for setting, value in expected.items():
        if setting != profiles.WORKERS and (setting not in settings or settings[setting] != value):
            was = repr(settings[setting]) if setting in settings else "not there"
            yield f"setting {setting} in book/chapters/{number}.yml is {value!r}, was {was}"


def _changed_files(recorded: Mapping[str, str], root: Path) -> list[str]:
    reasons = []
    for name, digest in recorded.items():
        copies = [path for folder in ("qednas", "book") for path in (root / folder).rglob(name)]
        if not any(files.sha256(path.read_bytes()) == digest for path in copies):
            reasons.append(f"file {name} changed" if copies else f"file {name} is gone")
    return reasons
