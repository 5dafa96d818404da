"""Train every architecture of the trained spaces again and write their tables: ``make tables``, hours on two cores.

    python -m studies.tables.table_making [SPACE ...] [--workers 2]

What was trained is kept in ``_build/tables`` until a table is whole, so the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.parallel import TaskError, Work, fix_threads, map_tasks
from qednas.base.progress import every, note
from qednas.companion.results import provenance
from studies.spaces.costs import cost_space, write_costs
from studies.spaces.trained_spaces import SPACES, trained_space
from studies.spaces.trained_tables import FOLDER, Recipe, recipe, train_space, write_trainings
from studies.tables import baselines

PROGRESS_SECONDS = 60.0


class TableRecord(Recipe):
    """What ``tables/NAME.json`` says of a table."""

    diverged: int  # trainings
    core_minutes: float
    versions: dict[str, str]
    created: str  # day


def make_table(name: str, folder: Path, partial: Path, workers: int) -> None:
    """The files of one space: its trainings, then the networks that it is compared with, and what its networks take."""
    start = time.perf_counter()
    known = json.loads(path.read_text()) if (path := folder / f"{name}.json").exists() else {}
    duration = f", {known['core_minutes']:.0f} minutes of one core when it was made last" if known else ""
    note(f"{name}: {trained_space(name).space.size} architectures{duration}")

    def work(part: str, text: str) -> Work:
        return Work(workers, partial / f"{name}{part}", every(PROGRESS_SECONDS, f"{name}{text}"))

    trainings = train_space(name, None, work("", ""))
    write_trainings(name, trainings, folder)
    others = map_tasks(baselines.run, baselines.tasks(name), work=work("-others", ", hand-designed and differentiable"))
    baselines.write(name, others, folder)
    known_costs = cost_space(name, None, work("-costs", ", costs"))
    write_costs(name, known_costs, folder)
    took = sum(row["seconds"] for row in trainings) + sum(row["seconds"] for row in others)
    record: TableRecord = {
        **recipe(name),
        "diverged": sum(row["diverged"] for row in trainings),
        "core_minutes": round(took / 60, 1),
        "versions": provenance.versions(),
        "created": provenance.today(),
    }
    files.write_atomic(folder / f"{name}.json", (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    for done in (partial / name, partial / f"{name}-others", partial / f"{name}-costs"):
        shutil.rmtree(done, ignore_errors=True)
    note(f"{name}: written after {time.perf_counter() - start:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables named, or all; returns the exit status (2: bad input, 1: a task failed, 130: Ctrl-C)."""
    parser = argparse.ArgumentParser(prog="studies.tables.table_making", description=__doc__)
    parser.add_argument("spaces", nargs="*", metavar="SPACE", help=", ".join(SPACES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--partial", type=Path, default=Path("_build/tables"))
    options = parser.parse_args(arguments)
    try:
        fix_threads(1)
        for name in [trained_space(name).name for name in options.spaces] or list(SPACES):
            make_table(name, options.folder, options.partial, options.workers)
        return 0
    except InputError as error:
        print(f"qednas: error: {error}", file=sys.stderr)
        return 2
    except TaskError as error:
        print(f"qednas: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("qednas: interrupted; what is trained is kept, the same command goes on from there", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
