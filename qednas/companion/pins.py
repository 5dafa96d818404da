"""The pinned environment: requirements.lock for pip and environment.yml for conda, with the same pins in both.

`python -m qednas.companion.pins` writes both from the environment it runs in (after trying a new package there).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from qednas.base.errors import InputError
from qednas.companion.paths import project_root
from qednas.companion.profiles import read_yaml

PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!]*")
NOT_PINNED = ("qednas", "pip", "setuptools", "wheel")


def lock_pins(path: Path) -> list[str]:
    """Lines of a lock file; InputError names the first that is not name==version."""
    lines = path.read_text(encoding="utf-8").split("\n")
    pins = [line for line in lines if line]
    for pin in pins:
        if not PIN.fullmatch(pin):
            raise InputError(f"{path}: {pin!r} is not name==version")
    return pins


def environment_pins(path: Path) -> list[str]:
    """Pins of the pip section of a conda environment file."""
    for item in read_yaml(path).get("dependencies", []):
        if isinstance(item, dict) and "pip" in item:
            return list(item["pip"])
    raise InputError(f"{path}: no pip section under dependencies")


def installed_pins() -> list[str]:
    """What is installed here, without the project itself and without build tags ("+cpu"), which other machines lack."""
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    pins = [line.split("+")[0] for line in lines if "==" in line]
    return sorted((pin for pin in pins if pin.split("==")[0].lower() not in NOT_PINNED), key=str.lower)


def write_pins(root: Path, pins: list[str]) -> None:
    """Write both files."""
    (root / "requirements.lock").write_text("\n".join(pins) + "\n", encoding="utf-8")
    listed = "\n".join(f"      - {pin}" for pin in pins)
    head = "name: qednas\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
    (root / "environment.yml").write_text(f"{head}{listed}\n", encoding="utf-8")


if __name__ == "__main__":
    pins = installed_pins()
    write_pins(project_root(), pins)
    print(f"{len(pins)} pins written to requirements.lock and environment.yml")
