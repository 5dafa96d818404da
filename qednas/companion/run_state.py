"""How far a run of one profile got: `_build/<profile>/run.json`, so that the next call knows whether to resume."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.companion.execution import read_notebook
from qednas.companion.results import provenance
from qednas.companion.results.result import load, names

RUNNING, FINISHED, ALTERED = "running", "finished", "altered"


@dataclass
class RunState:
    """State of the full run and of single-chapter runs of one profile."""

    seed: int = 0
    state: str = RUNNING  # of the full run; "altered": finished, but a single chapter was run again since
    chapters: dict[str, dict[str, Any]] = field(default_factory=dict)  # number -> key, seconds, results (name: digest)
    only: dict[str, str] = field(default_factory=dict)  # number -> running or finished, for runs of one chapter

    def write(self, folder: Path) -> None:
        """Write to `folder`/run.json, atomically."""
        files.write_atomic(folder / "run.json", (json.dumps(asdict(self), indent=1) + "\n").encode())


def read_state(folder: Path) -> RunState | None:
    """State of the last run in `folder`; None if there is none or it is unreadable (the run then starts over)."""
    try:
        return RunState(**json.loads((folder / "run.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def discard(folder: Path) -> None:
    """Remove a folder so that a crash half way leaves either all of it or nothing under its name."""
    away = folder.with_name(f".{folder.name}.discarded")
    shutil.rmtree(away, ignore_errors=True)
    if folder.exists():
        folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)


def chapter_results(results: Path, number: str) -> dict[str, str]:
    """Content of one chapter's results, as identities. Raises CorruptFile."""
    return {name: load(results, name).identity for name in names(results) if name.startswith(f"{number}/")}


def chapter_key(root: Path, number: str, notebook: Path, profile: str, seed: int, earlier: dict[str, str]) -> str:
    """Key of an executed chapter: its cells, its settings, the sources it uses and all results of earlier chapters."""
    cells = read_notebook(notebook).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    info = root / "book" / "chapters" / f"{number}.yml"
    what = {
        "cells": [[cell.cell_type, cell.source] for cell in cells],
        "settings": files.sha256(info.read_bytes()),
        "claims": files.sha256((root / "book" / "claims.yml").read_bytes()),
        "modules": provenance.notebook_modules(sources),
        "run": [profile, seed],
        "earlier": earlier,
    }
    return files.sha256(files.canonical(what).encode())


def is_kept(state: RunState, number: str, key: str, results: Path, executed: Path) -> bool:
    """Whether an interrupted run already has this chapter: same key, executed notebook there, results intact."""
    entry = state.chapters.get(number)
    if entry is None or entry.get("key") != key or not executed.is_file():
        return False
    try:
        return chapter_results(results, number) == entry["results"]
    except files.CorruptFile:
        return False
