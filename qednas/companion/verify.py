"""Compare a run with the committed results, by tolerance class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qednas.companion import files, paths, profiles
from qednas.companion.result import MEASURED_TIME, Result, load, names
from qednas.companion.run_state import FINISHED, chapter_results, read_state
from qednas.errors import InputError

LIMITS = {"exact": 1e-12, "converged": 1e-8, "seeded": 1e-6}  # |new - old| / max(1, |old|)
STANDARD_ERRORS = 3.0  # statistical: combined standard errors
SEM = "_sem"


@dataclass(frozen=True)
class Deviation:
    """One compared value. `size` is in units of the class: relative, or combined standard errors."""

    path: str
    kind: str
    size: float
    ok: bool
    why: str = ""


def tolerance_class(tolerance: str | Mapping[str, str], path: str) -> str:
    """Class of the value at a dotted path: the longest prefix in `tolerance` counts, "*" is the default.

    Measured times ("timing", "seconds", "..._seconds") are of the class timing without saying so."""
    parts = path.split(".")
    if any(MEASURED_TIME.fullmatch(part) for part in parts):
        return "timing"
    if isinstance(tolerance, str):
        return tolerance
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in tolerance:
            return tolerance[".".join(parts[:length])]
    return tolerance.get("*", "seeded")


def deviations(
    new: Mapping[str, Any], old: Mapping[str, Any], tolerance: str | Mapping[str, str]
) -> Iterator[Deviation]:
    """Compare two results value by value, against the tolerance of the committed one."""
    yield from _compare(new, old, tolerance, "")


def _compare(new: Any, old: Any, tolerance: str | Mapping[str, str], path: str) -> Iterator[Deviation]:
    for key in [*old, *(key for key in new if key not in old)]:
        inner = f"{path}.{key}" if path else str(key)
        kind = tolerance_class(tolerance, inner)
        if kind == "timing" and not any(isinstance(side.get(key), Mapping) for side in (new, old)):
            yield Deviation(inner, kind, 0.0, True)
        elif key not in new or key not in old:
            yield Deviation(inner, kind, np.inf, False, "only in the " + ("committed result" if key in old else "run"))
        elif isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            yield from _compare(new[key], old[key], tolerance, inner)
        elif _is_list_of_mappings(old[key]) and _is_list_of_mappings(new[key]) and len(old[key]) == len(new[key]):
            left, right = ({str(i): item for i, item in enumerate(side[key])} for side in (new, old))
            yield from _compare(left, right, tolerance, inner)
        elif kind == "statistical" and str(key).endswith(SEM):
            yield Deviation(inner, kind, 0.0, True)  # the yardstick itself
        else:
            sems = new.get(f"{key}{SEM}"), old.get(f"{key}{SEM}")
            yield _value(inner, kind, new[key], old[key], sems)


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _numbers(value: Any) -> np.ndarray | None:
    if value is None or isinstance(value, (str, Mapping)):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # ragged list
        return None
    return array if array.dtype.kind in "iufc" else None


def _value(path: str, kind: str, new: Any, old: Any, sems: tuple[Any, Any]) -> Deviation:
    left, right = _numbers(new), _numbers(old)
    if left is None or right is None:
        same = np.array_equal(new, old) if isinstance(old, np.ndarray) else new == old
        return Deviation(
            path, kind, 0.0 if same else np.inf, bool(same), "" if same else f"{new!r} is not {old!r}"[:120]
        )
    if left.shape != right.shape:
        return Deviation(path, kind, np.inf, False, f"shape {left.shape} is not {right.shape}")
    if left.size == 0 or np.array_equal(left, right, equal_nan=left.dtype.kind in "fc" and right.dtype.kind in "fc"):
        return Deviation(path, kind, 0.0, True)
    gaps = np.isnan(left) | np.isnan(right)
    if (np.isnan(left) != np.isnan(right)).any():
        return Deviation(path, kind, np.inf, False, "NaN at other places")
    with np.errstate(invalid="ignore"):
        distance = np.where(gaps | (left == right), 0.0, np.abs(left - right))
    if kind == "statistical":
        return _statistical(path, distance, sems)
    size = float((distance / np.maximum(1.0, np.where(gaps, 1.0, np.abs(right)))).max())
    ok = bool(size <= LIMITS[kind])
    return Deviation(path, kind, size, ok, "" if ok else f"deviates by {size:.2g}, allowed {LIMITS[kind]:g}")


def _statistical(path: str, distance: np.ndarray, sems: tuple[Any, Any]) -> Deviation:
    errors = [_numbers(sem) for sem in sems]
    if any(error is None or error.shape not in (distance.shape, ()) for error in errors):
        return Deviation(path, "statistical", np.inf, False, f"differs and has no {path.split('.')[-1]}{SEM}")
    combined = np.sqrt(sum(np.abs(error) ** 2 for error in errors if error is not None))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = float(np.where(distance == 0, 0.0, distance / combined).max())
    ok = size <= STANDARD_ERRORS
    return Deviation(path, "statistical", size, ok, "" if ok else f"{size:.1f} standard errors apart")


def verify(root: Path, profile: str, *, only: str | None = None, write: Callable[[str], None] = print) -> int:
    """Print how a run compares; 0 if every value is within its tolerance, 1 if not.

    The paper profile is compared with the committed results, the smoke profile is only checked for being complete and
    readable. Raises InputError if there is no run.
    """
    numbers = list(profiles.select(root, only))
    results = paths.build_results(root, profile)
    state = read_state(paths.build_folder(root, profile))
    if state is None or not results.is_dir():
        target = "make reproduce" + ("" if profile == "paper" else f" PROFILE={profile}")
        raise InputError(f"nothing to verify in {results}: run {target} first")
    if only is None and state.state != FINISHED:
        numbers = [number for number in numbers if number in state.chapters or number in state.only]
        write(f"verify: no complete {profile} run here; looking at chapter {' '.join(numbers) or '-'} only")
    if profile == "paper":
        return _against_committed(root, results, numbers, write)
    bad = 0
    for number in numbers:
        try:
            found = chapter_results(results, number)
            recorded = state.chapters.get(number, {}).get("results", {})
            lost = sorted(set(recorded) - set(found))
            bad += bool(lost)
            write(f"{number}  {len(found)} results" + (f"  MISSING {', '.join(lost)}" if lost else "  ok"))
        except files.CorruptFile as error:
            bad += 1
            write(f"{number}  CORRUPT {error}")
    write(f"verify: {len(numbers) - bad} of {len(numbers)} chapters complete and readable (smoke: values not compared)")
    return 1 if bad else 0


def _against_committed(root: Path, results: Path, numbers: list[str], write: Callable[[str], None]) -> int:
    committed = paths.paper_results(root)
    known, made = set(names(committed)) if committed.is_dir() else set(), set(names(results))
    wanted = sorted(name for name in known | made if name.split("/")[0] in numbers)
    lines: list[tuple[str, str, str, str]] = []
    bad = new = 0
    for name in wanted:
        if name not in known:
            new += 1
            lines.append((name, "-", "-", "new: nothing committed to compare with (make accept)"))
            continue
        try:
            old, now = load(committed, name), load(results, name)
        except FileNotFoundError:
            bad += 1
            lines.append((name, "-", "-", "MISSING in this run"))
            continue
        except files.CorruptFile as error:
            bad += 1
            lines.append((name, "-", "-", f"CORRUPT {error}"))
            continue
        rows = _summary(name, now, old)
        bad += any(not row[3].startswith("ok") for row in rows)
        lines.extend(rows)
    lines.insert(0, ("result", "class", "largest deviation", "verdict"))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        write("  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]))
    tail = f", {new} new" if new else ""
    write(f"verify: {len(wanted) - bad - new} of {len(wanted)} results agree with results/paper, {bad} do not{tail}")
    return 1 if bad else 0


def _summary(name: str, new: Result, old: Result) -> list[tuple[str, str, str, str]]:
    """One line per tolerance class of a result."""
    groups: dict[str, list[Deviation]] = {}
    for deviation in deviations(new, old, old.tolerance):
        groups.setdefault(deviation.kind, []).append(deviation)
    rows = []
    for kind, found in groups.items():
        if kind == "timing":
            rows.append((name, kind, "-", "ok (recorded, not compared)"))
            continue
        wrong = [deviation for deviation in found if not deviation.ok]
        worst = max(found, key=lambda deviation: deviation.size)
        unit = " s.e." if kind == "statistical" else ""
        verdict = "ok" if not wrong else f"MISMATCH in {len(wrong)} of {len(found)}: {wrong[0].path} {wrong[0].why}"
        rows.append((name, kind, f"{worst.size:.2g}{unit}", verdict))
    return rows
