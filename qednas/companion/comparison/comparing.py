"""Compare two results value by value, by tolerance class.

`exact`, `converged` and `seeded` values have to agree within a relative limit.  `statistical` values come from trainings and
other long computations that multiply rounding: on one kind of processor they agree as `seeded` ones do; between kinds they are
compared by their standard errors, stored beside them (`x` and `x_sem`) or taken from rows that differ in their seed alone.
`timing` is for measured times, which are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qednas.companion.results.tolerance import LIMITS, tolerance_class

FALSE_ALARM = 0.01  # chance that a whole verify of an honest rerun on another kind of processor tells of a mismatch
SEM = "_sem"
SEED = "seed"
ROUNDING = 1e-9  # below which values may be rounding alone
LEAST_ROWS = 2  # of a group whose scatter is its yardstick


@dataclass(frozen=True)
class Deviation:
    """One compared value. `size` is in units of the class: relative, or combined standard errors; `chance` of a deviation at
    least as large in an honest rerun, for values that are compared by standard errors."""

    path: str
    kind: str
    size: float
    ok: bool
    why: str = ""
    chance: float | None = None


@dataclass(frozen=True)
class Ground:
    """What two results were computed on: one kind of processor or two, and over how many seeds (None: unknown)."""

    same: bool = True
    seeds: int | None = None

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a difference of two means over the seeds."""
        return 2.0 * (self.seeds - 1) if self.seeds is not None and self.seeds > 1 else 2.0


def deviations(
    new: Mapping[str, Any], old: Mapping[str, Any], tolerance: str | Mapping[str, str], ground: Ground = Ground()
) -> Iterator[Deviation]:
    """Compare two results value by value, against the tolerance of the committed one."""
    yield from _compare(new, old, tolerance, "", ground)


def _compare(
    new: Mapping[str, Any], old: Mapping[str, Any], tolerance: str | Mapping[str, str], path: str, ground: Ground
) -> Iterator[Deviation]:
    for key in [*old, *(key for key in new if key not in old)]:
        inner = f"{path}.{key}" if path else str(key)
        kind = tolerance_class(tolerance, inner)
        if kind == "timing" and not any(isinstance(side.get(key), (Mapping, list)) for side in (new, old)):
            yield Deviation(inner, kind, 0.0, True)
        elif path and kind == "statistical" and not ground.same and (key not in new or key not in old):
            yield Deviation(inner, "other processor", 0.0, True)  # keys that name what was found, as "the best block"
        elif key not in new or key not in old:
            yield Deviation(inner, kind, np.inf, False, "only in the " + ("committed result" if key in old else "run"))
        elif isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            yield from _compare(new[key], old[key], tolerance, inner, ground)
        elif _is_list_of_mappings(old[key]) and _is_list_of_mappings(new[key]) and len(old[key]) == len(new[key]):
            if kind == "statistical" and not ground.same and all(SEED in row for row in old[key]):
                yield from _compare_groups(new[key], old[key], tolerance, inner, ground)
                continue
            left, right = ({str(i): item for i, item in enumerate(side[key])} for side in (new, old))
            yield from _compare(left, right, tolerance, inner, ground)
        elif kind == "timing":
            yield Deviation(inner, kind, 0.0, True)
        elif _is_list_of_mappings(old[key]) and (not isinstance(new[key], list) or len(new[key]) != len(old[key])):
            count = len(new[key]) if isinstance(new[key], list) else "no list"
            yield Deviation(inner, kind, np.inf, False, f"{count} rows, not {len(old[key])}")
        elif kind == "statistical" and not ground.same:
            if not str(key).endswith(SEM):  # the yardstick itself
                yield _compare_sem(inner, new[key], old[key], new.get(f"{key}{SEM}"), old.get(f"{key}{SEM}"), ground)
        else:
            yield _compare_value(inner, kind, new[key], old[key], ground.same)


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def numbers(value: Any) -> np.ndarray | None:
    """An array of a value that is a number or numbers, else None."""
    if value is None or isinstance(value, (str, bool, Mapping)):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # ragged list
        return None
    return array if array.dtype.kind in "iufc" else None


def _compare_value(path: str, kind: str, new: Any, old: Any, same: bool) -> Deviation:
    left, right = numbers(new), numbers(old)
    if left is None or right is None:
        return _compare_nested(path, kind, new, old, same)
    if left.shape != right.shape:
        return Deviation(path, kind, np.inf, False, f"shape {left.shape} is not {right.shape}")
    if left.size == 0 or np.array_equal(left, right, equal_nan=left.dtype.kind in "fc" and right.dtype.kind in "fc"):
        return Deviation(path, kind, 0.0, True)
    gaps = np.isnan(left) | np.isnan(right)
    if (np.isnan(left) != np.isnan(right)).any():
        return Deviation(path, kind, np.inf, False, "NaN at other places")
    with np.errstate(invalid="ignore"):
        distance = np.where(gaps | (left == right), 0.0, np.abs(left - right))
    limit = LIMITS["seeded" if kind == "statistical" else kind]
    size = float((distance / np.maximum(1.0, np.where(gaps, 1.0, np.abs(right)))).max())
    if same and kind in ("seeded", "statistical"):
        size = max(size, _relative_to_largest(distance, np.where(gaps, 0.0, np.abs(right))))
    ok = bool(size <= limit)
    return Deviation(path, kind, size, ok, "" if ok else f"deviates by {size:.2g}, allowed {limit:g}")


def _relative_to_largest(distance: np.ndarray, sizes: np.ndarray) -> float:
    """Deviation relative to the largest of small values, by which one processor computes the same twice: 5 % of 1e-5 are seen."""
    largest = float(sizes.max())
    return float(distance.max()) / largest if ROUNDING < largest < 1.0 else 0.0


def _compare_nested(path: str, kind: str, new: Any, old: Any, same: bool) -> Deviation:
    """Text, lists of lists of different lengths, and whatever is no number."""
    if isinstance(new, list) and isinstance(old, list) and new and len(new) == len(old):
        inner = [_compare_value(f"{path}.{k}", kind, a, b, same) for k, (a, b) in enumerate(zip(new, old, strict=True))]
        wrong = [value for value in inner if not value.ok]
        return replace(max(wrong or inner, key=lambda value: value.size), path=wrong[0].path if wrong else path)
    same = np.array_equal(new, old) if isinstance(old, np.ndarray) else new == old
    why = "" if same else f"{new!r} is not {old!r}"[:120]
    return Deviation(path, kind, 0.0 if same else np.inf, bool(same), why)


def _compare_sem(path: str, new: Any, old: Any, *rest: Any) -> Deviation:
    """By standard errors, on another kind of processor; without any a value cannot be compared there."""
    new_sem, old_sem, ground = rest
    left, right = numbers(new), numbers(old)
    errors = [numbers(sem) for sem in (new_sem, old_sem)]
    if left is None or right is None or any(error is None for error in errors):
        return Deviation(path, "other processor", 0.0, True)
    if left.shape != right.shape or any(error.shape not in (left.shape, ()) for error in errors if error is not None):
        return Deviation(path, "statistical", np.inf, False, f"shape {left.shape} is not {right.shape}")
    combined = np.sqrt(sum(np.abs(error) ** 2 for error in errors if error is not None))
    return _judge_distance(path, np.abs(left - right), combined, ground.freedom)


def _judge_distance(path: str, distance: np.ndarray, combined: np.ndarray, freedom: float) -> Deviation:
    from scipy.special import stdtr

    # A standard error of zero (one seed, or seeds that happened to agree) tells nothing of the scatter: nothing is judged by it.
    measured = combined > 0
    floor = LIMITS["seeded"] * np.maximum(1.0, combined)
    if not measured.any() and (distance > floor).any():
        return Deviation(path, "other processor", 0.0, True)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.where((distance <= floor) | ~measured, 0.0, distance / combined)
    size = float(np.max(sizes, initial=0.0))
    chance = min(1.0, float(2 * stdtr(freedom, -size)) * max(1, int(np.size(sizes)))) if np.isfinite(size) else 0.0
    return Deviation(path, "statistical", size, True, "", chance)


def _compare_groups(
    new: list[Mapping[str, Any]], old: list[Mapping[str, Any]], tolerance: Any, path: str, ground: Ground
) -> Iterator[Deviation]:
    """Rows that differ in their seed alone: their means, by the scatter over the seeds."""
    labels = [key for key in old[0] if all(isinstance(row.get(key), (str, bool)) or key == SEED for row in old)]
    places = [key for key in labels if all(a.get(key) == b.get(key) for a, b in zip(new, old, strict=True))]
    for index, (a, b) in enumerate(zip(new, old, strict=True)):
        if a.get(SEED) != b.get(SEED):
            yield Deviation(f"{path}.{index}.{SEED}", "exact", np.inf, False, f"{a.get(SEED)} is not {b.get(SEED)}")
            return
    groups: dict[tuple, list[int]] = {}
    for index, row in enumerate(old):
        fixed = [row[key] for key in places if key != SEED]
        fixed += [str(row.get(key)) for key in ("target", "system", "number") if key in row]
        groups.setdefault(tuple(fixed), []).append(index)
    for members in groups.values():
        for key in old[0]:
            inner = f"{path}.{members[0]}.{key}"
            sides = [[numbers(rows[k].get(key)) for k in members] for rows in (new, old)]
            if key == SEED or tolerance_class(tolerance, inner) != "statistical" or len(members) < LEAST_ROWS:
                continue
            if any(value is None or value.shape != () for side in sides for value in side):
                continue
            left, right = (np.array([float(np.real(v)) for v in side if v is not None]) for side in sides)
            combined = np.sqrt(left.var(ddof=1) / len(left) + right.var(ddof=1) / len(right))
            freedom = 2.0 * (len(left) - 1)
            yield _judge_distance(inner, np.abs(left.mean() - right.mean()), np.asarray(combined), freedom)


def judge_deviations(group: list[Deviation], compared: int) -> list[Deviation]:
    """Deviations with their verdicts: those by standard errors against :data:`FALSE_ALARM` shared among all ``compared``."""
    threshold = FALSE_ALARM / max(1, compared)
    return [
        value
        if value.chance is None or value.chance >= threshold
        else replace(value, ok=False, why=f"{value.size:.1f} standard errors apart (chance {value.chance:.1g})")
        for value in group
    ]
