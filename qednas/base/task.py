"""What is computed, declared beside the function that computes it: a version, its pieces, the data that it reads.

A result is keyed by its settings, its inputs and this declaration, not by the text of the code or the file that holds it.
Whoever changes what a function computes raises its version; whoever only tidies it up or moves it to another module leaves
the version alone, and an audit shows that nothing changed.  A task is called as its function; no two tasks have one name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from qednas.base.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])
Identity = Callable[[], Mapping[str, Any]]  # version of a preparation of data and checksums of the files that it reads
ATTRIBUTE = "declared_task"


@dataclass(frozen=True)
class Declared:
    """version: of what the function computes.  pieces: functions that it runs as separate tasks.  data: identities of the data
    that it, or a piece, reads."""

    version: int
    pieces: tuple[Callable[..., Any], ...] = ()
    data: tuple[Identity, ...] = ()


def declare(
    version: int, *, pieces: tuple[Callable[..., Any], ...] = (), data: tuple[Identity, ...] = ()
) -> Callable[[Function], Function]:
    """Declare a function of a module as a task: a result of the store, or a piece of one that can be computed alone.

    Raises InputError for a version that is no whole number from 1 on, and for a piece that is no task.
    """
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"task version {version!r}: a whole number, 1 or more")
    for piece in pieces:
        declaration(piece)

    def attach(function: Function) -> Function:
        setattr(function, ATTRIBUTE, Declared(version, tuple(pieces), tuple(data)))
        return function

    return attach


def name_of(function: Callable[..., Any]) -> str:
    """Name of a task or of an identity of data: that of the function, whichever module holds it."""
    return function.__qualname__


def declaration(function: Callable[..., Any]) -> Declared:
    """What is declared of a function.  Raises InputError, naming what to write, where nothing is."""
    declared = getattr(function, ATTRIBUTE, None)
    if not isinstance(declared, Declared):
        where = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', function)}"
        raise InputError(f"{where} is a task without a version: write @declare(version=1) above it")
    return declared


def every_piece(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """{name: function} of all pieces of a task, their own pieces too.  Raises InputError where two have the same name."""
    pieces: dict[str, Callable[..., Any]] = {}
    for piece in declaration(function).pieces:
        for name, task in {name_of(piece): piece, **every_piece(piece)}.items():
            if pieces.setdefault(name, task) is not task:
                raise InputError(f"two pieces of {name_of(function)} are called {name}: give one another name")
    return dict(sorted(pieces.items()))


def key_parts(function: Callable[..., Any]) -> dict[str, Any]:
    """What the declaration adds to the key of a result: ``version``, ``pieces`` {name: version}, ``data`` {name: identity}."""
    pieces = every_piece(function)
    identities = {
        name_of(identity): dict(identity())
        for each in (function, *pieces.values())
        for identity in declaration(each).data
    }
    return {
        "version": declaration(function).version,
        "pieces": {name: declaration(piece).version for name, piece in pieces.items()},
        "data": dict(sorted(identities.items())),
    }
