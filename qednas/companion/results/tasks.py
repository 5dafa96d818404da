"""Where a recorded task is today: results name tasks, and code may have moved to another module since."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.companion.results import provenance

DECORATOR = "declare"


def find_task(recorded: str) -> Callable[..., Any]:
    """The function recorded as "module:name": there, or in the module that declares the task now, of its own package, of qednas
    or of the studies.

    Raises InputError where no module, or more than one, declares it.
    """
    module, _, name = recorded.partition(":")
    folders = provenance.package_folders()
    if (book := str(folders[provenance.STUDIES])) not in sys.path:
        sys.path.append(book)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        pass
    with suppress(ImportError):
        top = importlib.import_module(module.split(".")[0])
        if top.__file__ is not None:
            folders[top.__name__] = Path(top.__file__).resolve().parents[1]
    places = [place for package, folder in folders.items() for place in declaring_modules(folder, package, name)]
    if len(places) != 1:
        where = f"{' and '.join(places)} declare" if places else "no module declares"
        raise InputError(f"{module}.{name} no longer exists, and {where} a task {name}")
    return getattr(importlib.import_module(places[0]), name)


@lru_cache(maxsize=64)
def declaring_modules(folder: Path, package: str, name: str) -> tuple[str, ...]:
    """Modules of a package in ``folder`` with a declared function of this name."""
    modules = []
    for path in sorted((folder / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if f"def {name}(" in text and DECORATOR in text and name in declared_names(text):
            parts = path.relative_to(folder).with_suffix("").parts
            modules.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return tuple(modules)


def declared_names(source: str) -> set[str]:
    """Names of the functions of a module's source that ``@declare`` makes tasks."""
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == DECORATOR
    }
