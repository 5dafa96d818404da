"""What is stale, and why: stored provenance against today's sources, settings, upstream results and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qednas.companion import files, paths, profiles, provenance
from qednas.companion.result import Result, load, names
from qednas.companion.store import Store
from qednas.errors import InputError

FRESH, STALE, CORRUPT, MISSING = "fresh", "stale", "corrupt", "missing"


def result_rows(store: Store, root: Path | None = None) -> list[dict[str, Any]]:
    """One row {name, state, why} per result in the store's root; `root` is the project, for settings of chapters."""
    rows: list[dict[str, Any]] = []
    stale: set[str] = set()
    for name in names(store.root):
        try:
            reasons = _reasons(load(store.root, name), store, root, stale)
        except files.CorruptFile as error:
            rows.append({"name": name, "state": CORRUPT, "why": str(error)})
            continue
        if reasons:
            stale.add(name)
        rows.append({"name": name, "state": STALE if reasons else FRESH, "why": "; ".join(reasons)})
    return rows


def collect(root: Path) -> list[dict[str, Any]]:
    """Status of every result of the project: {store, name, state, why}; chapters without any are listed as missing."""
    rows: list[dict[str, Any]] = []
    places = {"results/paper": Store(paths.paper_results(root), mode="render", profile="paper")}
    for profile in profiles.PROFILES:
        folder = paths.build_results(root, profile)
        if folder.is_dir():
            fallback = paths.paper_results(root) if profile == "paper" else None
            places[folder.relative_to(root).as_posix()] = Store(folder, fallback=fallback, profile=profile)
    for place, store in places.items():
        rows.extend({"store": place, **row} for row in result_rows(store, root))
    known = {row["name"].split("/")[0] for row in rows if row["store"] == "results/paper"}
    for number, notebook in profiles.chapters(root).items():
        if number not in known and "get_or_run" in notebook.read_text(encoding="utf-8"):
            why = f"no result of this chapter; make reproduce ONLY={number}, then make accept ONLY={number}"
            rows.append({"store": "results/paper", "name": f"{number}/", "state": MISSING, "why": why})
    return rows


def _reasons(result: Result, store: Store, root: Path | None, stale: set[str]) -> list[str]:
    record = result.provenance
    reasons = []
    module = str(record["function"]).split(":")[0]
    if module.split(".")[0] == provenance.PACKAGE:
        now = provenance.module_hashes(module)
        then = record["modules"]
        if module not in now:
            reasons.append(f"module {module} no longer exists")
        else:
            reasons += [f"source of {name} changed" for name in sorted(now.keys() & then) if now[name] != then[name]]
            reasons += [f"now also uses {name}" for name in sorted(now.keys() - then)]
            reasons += [f"no longer uses {name}" for name in sorted(then.keys() - now)]
    for name, digest in record["upstream"].items():
        try:
            if store.read(name, asking=result.name).identity != digest:
                reasons.append(f"upstream {name} changed")
            elif name in stale:
                reasons.append(f"upstream {name} is stale")
        except InputError:
            reasons.append(f"upstream {name} is missing or corrupt")
    if root is not None:
        reasons += _changed_settings(result, root)
        reasons += _changed_files(record["files"], root)
    return reasons


def _changed_settings(result: Result, root: Path) -> list[str]:
    record, number = result.provenance, result.name.split("/")[0]
    try:
        known = profiles.chapter_info(root, number).for_profile(record["profile"])
    except InputError as error:
        return [str(error)]
    settings, origins = record["settings"], dict(record["origins"])
    block = known.get(origins.pop("*", ""))
    if isinstance(block, dict):  # settings added to a block that is passed whole
        origins |= {setting: f"{record['origins']['*']}.{setting}" for setting in block if setting not in settings}
    reasons = []
    for setting, path in origins.items():
        value: Any = known
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value != settings.get(setting):
            was = repr(settings[setting]) if setting in settings else "not there"
            reasons.append(f"setting {setting} in book/chapters/{number}.yml is {value!r}, was {was}")
    return reasons


def _changed_files(recorded: dict[str, str], root: Path) -> list[str]:
    reasons = []
    for name, digest in recorded.items():
        found = [path for folder in ("qednas", "book") for path in (root / folder).rglob(name)]
        if not any(files.sha256(path.read_bytes()) == digest for path in found):
            reasons.append(f"file {name} changed" if found else f"file {name} is gone")
    return reasons
