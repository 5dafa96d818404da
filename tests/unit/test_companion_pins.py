"""One set of pins in two files."""

from pathlib import Path

import pytest

from qednas.base.errors import InputError
from qednas.companion.pins import environment_pins, lock_pins, write_pins

ROOT = Path(__file__).resolve().parents[2]


def test_lock_and_conda_environment_have_the_same_pins():
    pins = lock_pins(ROOT / "requirements.lock")
    assert len(pins) > 100
    assert pins == environment_pins(ROOT / "environment.yml")
    names = [pin.split("==")[0].lower().replace("_", "-") for pin in pins]
    assert len(set(names)) == len(names)
    assert {"numpy", "torch", "jupyter-book", "papermill", "pytest", "ruff"} <= set(names)


def test_what_is_not_a_pin_is_named(tmp_path):
    for line in ("numpy>=2", "-e .", "torch @ file:///x", "--index-url https://example.org"):
        (tmp_path / "requirements.lock").write_text(f"a==1\n{line}\n")
        with pytest.raises(InputError, match="not name==version"):
            lock_pins(tmp_path / "requirements.lock")


def test_both_files_are_written_together(tmp_path):
    write_pins(tmp_path, ["a==1.0", "b-c==2.0.post1"])
    assert lock_pins(tmp_path / "requirements.lock") == ["a==1.0", "b-c==2.0.post1"]
    assert environment_pins(tmp_path / "environment.yml") == ["a==1.0", "b-c==2.0.post1"]
