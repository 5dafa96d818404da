"""Whether a stored result is what its recorded tasks and its inputs give: put together again, without computing the tasks."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.parallel import fix_threads
from qednas.base.recording import recording
from qednas.base.task import every_piece
from qednas.companion.comparison.comparing import Deviation, deviations
from qednas.companion.results import records
from qednas.companion.results.result import Result, load

QUICK = 20.0  # seconds of a result without tasks up to which it is computed again


def put_together(result: Result, *folders: Path) -> dict[str, Any] | None:
    """A result made again from what its tasks gave and from its inputs in one of ``folders``.

    None where that would take computing: its record does not keep the outputs, or it has no tasks and took long.  Raises
    InputError and CorruptFile where an input or a record is missing or does not fit.
    """
    from qednas.companion.results.status import function_of

    fn = function_of(result)
    recorded = records.read_tasks(records.path_of(result.path), result.digest)
    if recorded is None:
        if result.provenance["pieces"] or result.provenance["seconds"] > QUICK:
            return None
        recorder = records.Recorder(frozenset(), result.name)
    elif not recorded.whole:
        return None
    else:
        recorder = records.Recorder(frozenset(every_piece(fn)), result.name, recorded.known, "refuse")
    fix_threads(1)
    with recording(recorder):
        return files.normalised(fn(**arguments_of(result, *folders)))


def arguments_of(result: Result, *folders: Path) -> dict[str, Any]:
    """What the function of a result was called with: its settings, and the inputs that it was made from, in one of ``folders``.

    Raises InputError where an input is in none of them, or is another by now.
    """
    from qednas.companion.results.status import function_of

    accepted = inspect.signature(function_of(result)).parameters
    given: dict[str, Any] = dict(result.provenance["settings"])
    if "inputs" in accepted:
        made_from = result.provenance["upstream"].items()
        given["inputs"] = {name: _input(result.name, name, identity, folders) for name, identity in made_from}
    return given


def _input(asking: str, name: str, identity: str, folders: Sequence[Path]) -> Result:
    for folder in folders:
        try:
            result = load(folder, name)
        except FileNotFoundError:
            continue
        if result.identity == identity:
            return result
    raise InputError(f"{asking}: the input {name} that it was made from is not here")


def inconsistencies(folder: Path, name: str, *others: Path) -> list[Deviation]:
    """Values of a stored result that are not what its own tasks and inputs give; none where that cannot be told quickly.

    Its inputs may also lie in ``others``: a run of one chapter builds on the committed results of those before it.
    """
    result = load(folder, name)
    try:
        again = put_together(result, folder, *others)
    except Exception as error:  # whatever putting together raises now it did not raise when the run was made
        first = str(error).split("\n")[0][:160]
        why = first if isinstance(error, (InputError, files.CorruptFile)) else f"{type(error).__name__}: {first}"
        return [Deviation("tasks", "exact", float("inf"), False, why)]
    if again is None:
        return []
    differences = deviations(again, dict(result), result.tolerance)
    return [value for value in differences if not value.ok]
