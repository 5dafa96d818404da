"""Where things are: the project, its results, its build folder."""

from __future__ import annotations

import os
from pathlib import Path

from qednas.base.errors import InputError


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() and (folder / "book").is_dir()


def project_root() -> Path:
    """Folder with pyproject.toml and book/: QEDNAS_ROOT, else found upwards from here, else the source checkout.

    Raises InputError where there is none (a package installed without its book).
    """
    given = os.environ.get("QEDNAS_ROOT")
    if given:
        root = Path(given).resolve()
        if not _is_project(root):
            raise InputError(f"QEDNAS_ROOT={given} is not the project: it needs pyproject.toml and book/")
        return root
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if _is_project(folder):
            return folder
    raise InputError(f"no project here: neither {here} nor a folder above it has pyproject.toml and book/")


def committed_results(root: Path, profile: str) -> Path:
    """Committed results of a profile: what the book shows (paper), what the tests compare with (smoke)."""
    return root / "results" / profile


def paper_results(root: Path) -> Path:
    """Committed results of the paper profile."""
    return committed_results(root, "paper")


def build_folder(root: Path, profile: str) -> Path:
    """Everything that a run of one profile writes."""
    return root / "_build" / profile


def build_results(root: Path, profile: str) -> Path:
    """Results of a run that nobody has accepted yet."""
    return build_folder(root, profile) / "results"
