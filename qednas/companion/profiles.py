"""Chapters and their settings: `_toc.yml` names the chapters, `book/chapters/NN.yml` holds their texts and profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError

PROFILES = ("smoke", "paper")
WORKERS = (
    "workers"  # in a block: how many processes share its tasks, which changes no number and is no setting of a result
)
NOTEBOOK = re.compile(r"book/(\d\d)_[a-z0-9_]+")


@dataclass(frozen=True)
class ChapterInfo:
    """What `book/chapters/NN.yml` says."""

    number: str  # "04"
    title: str
    claim: str  # the paper's claim that the chapter tests
    shows: str  # what the reader will see
    needs: str  # earlier chapters, data, extra packages
    minutes: dict[str, float]  # run time per profile, on 2 cores
    settings: dict[str, dict[str, Any]]  # per profile

    def for_profile(self, profile: str) -> dict[str, Any]:
        """Settings of one profile; InputError names the profiles there are."""
        check_profile(profile)
        return self.settings[profile]


def check_profile(profile: str) -> str:
    """`profile` itself, or InputError."""
    if profile not in PROFILES:
        raise InputError(f"profile {profile!r}: {' or '.join(PROFILES)}")
    return profile


def setting_at(settings: Mapping[str, Any], path: str) -> Any:
    """Value of a profile at a dotted path; "." is the whole profile. Raises InputError where there is none."""
    value: Any = settings
    for part in path.split(".") if path != "." else []:
        if not isinstance(value, Mapping) or part not in value:
            raise InputError(f"setting {path!r}: no {part!r} there; there are {', '.join(value) if value else 'none'}")
        value = value[part]
    return value


def read_yaml(path: Path) -> Any:
    """Parsed YAML; InputError names the file and the line."""
    import yaml

    try:
        # The parser in C where there is one: the chapters' files take most of the time of `qednas status` without it.
        return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise InputError(f"{path} is missing") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{path}{where}: not YAML ({getattr(error, 'problem', None) or error})") from None


def chapter_info(root: Path, number: str) -> ChapterInfo:
    """Texts and settings of chapter `number` ("04"); InputError names what is missing or of the wrong kind."""
    path = root / "book" / "chapters" / f"{number}.yml"
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise InputError(f"{path}: a mapping with title, claim, shows, needs, minutes and one block per profile")
    texts = {}
    for field in ("title", "claim", "shows", "needs"):
        if not isinstance(raw.get(field), str) or not raw[field].strip():
            raise InputError(f"{path}: {field} is missing or not text")
        texts[field] = raw[field].strip()
    minutes = raw.get("minutes")
    if not isinstance(minutes, dict) or not all(isinstance(minutes.get(name), (int, float)) for name in PROFILES):
        raise InputError(f"{path}: minutes needs a number for each of {', '.join(PROFILES)}")
    settings = {name: raw.get(name) or {} for name in PROFILES}
    for name, block in settings.items():
        if not isinstance(block, dict):
            raise InputError(f"{path}: {name} is not a mapping of settings")
    return ChapterInfo(number=number, minutes={k: float(v) for k, v in minutes.items()}, settings=settings, **texts)


def toc_files(node: Any) -> Iterator[str]:
    """Every `file` entry of a parsed table of contents, in order."""
    if isinstance(node, dict):
        if isinstance(node.get("file"), str):
            yield node["file"]
        for value in node.values():
            yield from toc_files(value)
    elif isinstance(node, list):
        for value in node:
            yield from toc_files(value)


def chapters(root: Path) -> dict[str, Path]:
    """Notebooks of the table of contents in its order, by chapter number."""
    notebooks: dict[str, Path] = {}
    for name in toc_files(read_yaml(root / "_toc.yml")):
        stem = name.removesuffix(".ipynb")
        match = NOTEBOOK.fullmatch(stem)
        if match is None:
            continue
        path = root / f"{stem}.ipynb"
        if not path.is_file():
            raise InputError(f"_toc.yml names {path.relative_to(root)}, which does not exist")
        notebooks[match[1]] = path
    if not notebooks:
        raise InputError(f"{root / '_toc.yml'} names no chapter (book/NN_name)")
    return notebooks


def select(root: Path, only: str | None) -> dict[str, Path]:
    """All chapters, or the one called `only` ("4" and "04" are the same); InputError lists those there are."""
    notebooks = chapters(root)
    if not only:
        return notebooks
    number = only.zfill(2)
    if number not in notebooks:
        raise InputError(f"ONLY={only}: no such chapter; there are {' '.join(notebooks)}")
    return {number: notebooks[number]}
