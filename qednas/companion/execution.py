"""Execute one chapter: parameters checked first, stderr passed on live, output moved into place whole."""

from __future__ import annotations

import ast
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from qednas.base.errors import InputError
from qednas.base.parallel import THREADS
from qednas.base.progress import note
from qednas.companion import paths, profiles

TIMEOUT = 2 * 3600  # seconds for one cell; no chapter may take longer


class ChapterFailed(RuntimeError):
    """A chapter raised; the message says which, in which cell, and what."""


def read_notebook(path: Path) -> Any:
    """Notebook of format 4; InputError if the file is not one."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a notebook ({type(error).__name__})") from None


def parameters_of(path: Path) -> dict[str, Any]:
    """Defaults in the notebook's `parameters` cell, which holds plain literals only (InputError otherwise)."""
    cells = [cell for cell in read_notebook(path).cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1 or cells[0].cell_type != "code":
        raise InputError(f"{path.name}: exactly one code cell with the tag parameters is needed, not {len(cells)}")
    parameters = {}
    for statement in ast.parse(cells[0].source).body:
        try:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
                raise ValueError
            parameters[ast.unparse(statement.targets[0])] = ast.literal_eval(statement.value)
        except ValueError:
            line = ast.unparse(statement).split("\n")[0]
            raise InputError(f"{path.name}, parameters cell: {line!r} is not name = literal") from None
    return parameters


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Forward(logging.Handler):
    """Pass on what the kernel writes to stderr (papermill logs it as warnings) while the chapter runs."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().rstrip()
        if text:
            print("      " + text.replace("\n", "\n      "), file=sys.stderr, flush=True)


@contextmanager
def _forwarding() -> Iterator[None]:
    logger = logging.getLogger("papermill")
    handler, propagate = _Forward(level=logging.WARNING), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _kernel_manager(stderr: IO[bytes]) -> type:
    """Kernel manager whose kernels write their own stderr (not that of cells) to a file: tracebacks at shutdown."""
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        async def start_kernel(self, **how: Any) -> None:  # type: ignore[override]
            await super().start_kernel(**{**how, "stderr": stderr})

    return Manager


def execute(path: Path, output: Path, parameters: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Execute the notebook `path` into `output`.

    Raises InputError for a parameter that the notebook does not declare and ChapterFailed if a cell raises, the kernel
    dies or TIMEOUT passes; `output` is then untouched and the failed notebook lies beside it as `<name>.failed.ipynb`.
    """
    declared = parameters_of(path)
    if unknown := sorted(set(parameters) - set(declared)):
        raise InputError(f"{path.name} has no parameter {', '.join(unknown)}; it has {', '.join(declared)}")
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.stem}.tmp.ipynb")
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    failed.unlink(missing_ok=True)
    values = {name: "1" for name in THREADS} | {"PYTHONHASHSEED": "0"} | dict(environment)
    try:
        with _environment(values), _forwarding(), tempfile.TemporaryFile() as kernel_errors:
            papermill.execute_notebook(
                str(path),
                str(temporary),
                parameters=dict(parameters),
                kernel_name="python3",
                cwd=str(path.parent),
                progress_bar=False,
                log_output=True,
                execution_timeout=TIMEOUT,
                kernel_manager_class=_kernel_manager(kernel_errors),
            )
    except PapermillExecutionError as error:
        os.replace(temporary, failed)
        cell = error.cell_index  # counted from 0, with the injected parameters: from 1 in the notebook itself
        first = str(error.evalue).strip().split("\n")[0]
        raise ChapterFailed(f"{path.name}, cell {cell}: {error.ename}: {first} (see {failed})") from None
    except KeyboardInterrupt:
        # nbclient leaves its "kernel died" task unread; asyncio would print its traceback after the one line we owe.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    except CellTimeoutError:
        raise ChapterFailed(f"{path.name}: a cell ran longer than {TIMEOUT / 3600:g} h") from None
    except DeadKernelError:
        raise ChapterFailed(f"{path.name}: its process died (out of memory, or killed)") from None
    else:
        os.replace(temporary, output)
    finally:
        temporary.unlink(missing_ok=True)


def execute_chapter(
    notebook: Path, output: Path, number: str, profile: str, seed: int, environment: dict[str, str]
) -> float:
    start = time.monotonic()
    values = {"QEDNAS_MODE": "run", "QEDNAS_UPSTREAM": "", "QEDNAS_ROOT": str(notebook.parents[1]), **environment}
    try:
        execute(notebook, output, {"profile": profile, "seed": seed}, values)
    except ChapterFailed as error:
        raise ChapterFailed(f"chapter {number}, {error}") from None
    return time.monotonic() - start


def render_chapters(out_dir: Path, root: Path | None = None) -> list[Path]:
    """Execute every chapter on the committed paper results, computing nothing, into `out_dir`; returns the notebooks.

    Raises ChapterFailed (in one line, with the make command that mends it) if a chapter lacks a result.
    """
    root = root or paths.project_root()
    notebooks = profiles.chapters(root)
    rendered = []
    for index, (number, notebook) in enumerate(notebooks.items(), start=1):
        output = out_dir / notebook.name
        seconds = execute_chapter(notebook, output, number, "paper", 0, {"QEDNAS_MODE": "render"})
        note(f"[{index}/{len(notebooks)}] {number} rendered in {seconds:.0f} s")
        rendered.append(output)
    return rendered
