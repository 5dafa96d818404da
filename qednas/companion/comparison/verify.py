"""Compare a run with the committed results of its profile, by tolerance class (:mod:`qednas.companion.comparison.comparing`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.base.errors import InputError
from qednas.companion import paths, profiles
from qednas.companion.comparison.comparing import Deviation, Ground, deviations, judge_deviations
from qednas.companion.comparison.consistency import inconsistencies
from qednas.companion.ledger import claims
from qednas.companion.results import sums
from qednas.companion.results.result import Result, load, names
from qednas.companion.results.store import Store
from qednas.companion.run_state import FINISHED, read_state

__all__ = ["compare_results", "verify"]

Write = Callable[[str], None]
Row = tuple[str, str, str, str]


def verify(root: Path, profile: str, *, only: str | None = None, write: Write = print) -> int:
    """Print how a run compares; 0 if every value is within its tolerance, 1 if not.  Raises InputError if there is no run."""
    numbers = list(profiles.select(root, only))
    results = paths.build_results(root, profile)
    state = read_state(paths.build_folder(root, profile))
    if not results.is_dir():
        target = "make reproduce" + ("" if profile == "paper" else f" PROFILE={profile}")
        raise InputError(f"nothing to verify in {results}: run {target} first")
    if only is None and state is not None and state.state != FINISHED:
        numbers = [number for number in numbers if number in state.chapters or number in state.only]
        write(f"verify: no complete {profile} run here; looking at chapter {' '.join(numbers) or '-'} only")
    committed = paths.committed_results(root, profile)
    known, computed = set(names(committed)) if committed.is_dir() else set(), set(names(results))
    wanted = sorted(name for name in known | computed if name.split("/")[0] in numbers)
    rows: list[Row] = []
    problems = sums.problems(committed) if committed.is_dir() else {}
    wrong = {name: why for name, why in problems.items() if name.split("/")[0] in numbers or name == sums.NAME}
    bad = {name.rsplit(".", 1)[0] for name in wrong}
    rows += [(name, "-", "-", f"COMMITTED FILE {why}") for name, why in wrong.items()]
    by_result: dict[str, list[Deviation]] = {}
    new, kinds = 0, set()
    for name in wanted:
        if name not in known:
            new += 1
            rows.append((name, "-", "-", "new: nothing committed to compare with (make accept)"))
            continue
        try:
            old, now = load(committed, name), load(results, name)
        except FileNotFoundError:
            bad.add(name)
            rows.append((name, "-", "-", "MISSING in this run"))
            continue
        except files.CorruptFile as error:
            bad.add(name)
            rows.append((name, "-", "-", f"CORRUPT {error}"))
            continue
        by_result[name] = compare_results(now, old, results, committed)
        kinds.add(ground_of(now, old).same)
    shared = sum(value.chance is not None for group in by_result.values() for value in group)
    for name, group in by_result.items():
        lines = summary_rows(name, judge_deviations(group, shared))
        if any(not row[3].startswith("ok") for row in lines):
            bad.add(name)
        rows += lines
    print_table([("result", "class", "largest deviation", "verdict"), *rows], write)
    changed = changed_verdicts(root, results, committed) if profile == "paper" and only is None and known else []
    for row in changed:
        write(f"verify: {row}")
    if False in kinds:
        write(f"verify: another kind of processor: {shared} values compared by standard errors, the others within 1e-6")
    tail = f", {new} new" if new else ""
    compared = len(wanted) - new
    right = compared - len(bad & set(wanted))
    place = committed.relative_to(root).as_posix()
    write(f"verify: {right} of {len(wanted)} results agree with {place}, {compared - right} do not{tail}")
    return 1 if bad or right < compared or changed else 0


def changed_verdicts(root: Path, results: Path, committed: Path) -> list[str]:
    """Claims whose verdict on a whole run is not the committed one: what rests on measured times is compared here.

    What nothing committed judges yet cannot change.
    """
    path = root / "book" / "claims.yml"
    new, old = (claims.evaluate(Store(place, mode="render", profile="paper"), path) for place in (results, committed))
    return [
        f"claim {a['id']} {b['verdict']} by the committed results, {a['verdict']} by this run"
        for a, b in zip(new, old, strict=True)
        if a["verdict"] != b["verdict"] and claims.PENDING not in (a["verdict"], b["verdict"])
    ]


def ground_of(new: Result, old: Result) -> Ground:
    """Whether two results were computed on one kind of processor, and over how many seeds."""
    on = [result.provenance.get("processor") for result in (new, old)]
    return Ground(on[0] is not None and on[0] == on[1], seeds_of(old))


def seeds_of(result: Result) -> int | None:
    """Seeds that a result says it was computed with; of results that it builds on where it does not say."""
    seeds = result.provenance["settings"].get("seeds")
    if isinstance(seeds, list):
        return len(seeds)
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        return seeds
    folder = result.path.parents[1]
    known = []
    for other in result.provenance["upstream"]:
        try:
            known.append(seeds_of(load(folder, other)))
        except (FileNotFoundError, files.CorruptFile):
            continue
    return min((count for count in known if count is not None), default=None)


def compare_results(new: Result, old: Result, *folders: Path) -> list[Deviation]:
    """Every value of a result of a run beside the committed one; what was asked has to be the same too.

    On another kind of processor, where values are compared only by their standard errors, the run's result, in the first of
    ``folders``, also has to be what its own recorded tasks and its inputs, in any of them, give.
    """
    ground = ground_of(new, old)
    differences = [
        Deviation(f"provenance.{part}", "exact", float("inf"), False, f"the {part} of the run is not the committed one")
        for part in ("profile", "seed", "task", "version", "settings")
        if new.provenance.get(part) != old.provenance.get(part)
    ]
    differences += deviations(dict(new), dict(old), old.tolerance, ground)
    if not ground.same and folders:
        differences += inconsistencies(folders[0], new.name, *folders[1:])
    return differences


def summary_rows(name: str, differences: list[Deviation]) -> list[Row]:
    """One line per tolerance class of a result."""
    groups: dict[str, list[Deviation]] = {}
    for deviation in differences:
        groups.setdefault(deviation.kind, []).append(deviation)
    rows = []
    for kind, group in groups.items():
        if kind == "timing":
            rows.append((name, kind, "-", "ok (measured times, not compared)"))
            continue
        if kind == "other processor":
            rows.append(
                (name, kind, "-", f"ok ({len(group)} values without standard errors, not compared between kinds)")
            )
            continue
        wrong = [deviation for deviation in group if not deviation.ok]
        worst = max(group, key=lambda deviation: deviation.size)
        unit = " s.e." if worst.chance is not None else ""
        verdict = "ok" if not wrong else f"MISMATCH in {len(wrong)} of {len(group)}: {wrong[0].path} {wrong[0].why}"
        rows.append((name, kind, f"{worst.size:.2g}{unit}", verdict))
    return rows


def print_table(lines: list[Any], write: Write) -> None:
    """Columns of one width each; the last is not filled."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]) - 1)]
    for line in lines:
        write("  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]))
