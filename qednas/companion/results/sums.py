"""Checksums of everything that is committed as results: a file edited, emptied, swapped or gone is seen before it is shown.

``SHA256SUMS`` in the folder of results has the format of sha256sum, so ``sha256sum -c`` checks it too.
"""

from __future__ import annotations

import re
from pathlib import Path

from qednas.base import files

NAME = "SHA256SUMS"
GONE, CHANGED, UNKNOWN = "it is gone", "it is not what was accepted", "it was never accepted"
KEPT = (".json", ".npz", ".tasks", ".svg", ".png", ".csv")
LINE = re.compile(r"([0-9a-f]{64})  ([0-9A-Za-z][0-9A-Za-z_./-]*)")


def kept_files(folder: Path) -> list[Path]:
    """Files of results, records and figures under ``folder``."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in KEPT and path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def write_sums(folder: Path) -> None:
    """Write the checksums of everything in ``folder``."""
    lines = [
        f"{files.sha256(path.read_bytes())}  {path.relative_to(folder).as_posix()}\n" for path in kept_files(folder)
    ]
    files.write_atomic(folder / NAME, "".join(lines).encode())


def update(folder: Path, path: Path) -> None:
    """Write the checksum of one file anew, as an audit does that has stamped it."""
    checksums = read_sums(folder) | {path.relative_to(folder).as_posix(): files.sha256(path.read_bytes())}
    files.write_atomic(folder / NAME, "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums)).encode())


def read_sums(folder: Path) -> dict[str, str]:
    """{file: checksum}. Raises CorruptFile for a missing or malformed list."""
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise files.CorruptFile(f"{path} is missing or cannot be read") from None
    checksums = {}
    for number, line in enumerate(lines, start=1):
        match = LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/"):
            raise files.CorruptFile(f"{path}, line {number}: not a checksum and a file")
        checksums[match[2]] = match[1]
    return checksums


def problems(folder: Path, only: str | None = None) -> dict[str, str]:
    """{file, without suffix for results: what is wrong} of the folder's files (of one chapter), against the list."""
    try:
        expected = read_sums(folder)
    except files.CorruptFile as error:
        return {NAME: str(error)}
    there = {path.relative_to(folder).as_posix(): path for path in kept_files(folder)}
    faults: dict[str, str] = {}
    for name in sorted({*expected, *there}):
        if only is not None and name.split("/")[0] != only:
            continue
        if name not in there:
            why = GONE
        elif name not in expected:
            why = UNKNOWN
        elif files.sha256(there[name].read_bytes()) != expected[name]:
            why = CHANGED
        else:
            continue
        faults[name.removesuffix(".json")] = why
    return faults
