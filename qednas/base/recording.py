"""Who writes down the tasks that run while a result is being made: whatever keeps results says so here, tasks know no store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar


class TaskRecorder(Protocol):
    """What :func:`qednas.base.parallel.map_tasks` asks and tells while a result is being made."""

    def check(self, function: Callable[..., Any]) -> None:
        """Raise InputError for a function that may not run as a task of this result."""

    def recall(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a task gave before; None where it has to be computed."""

    def add(
        self,
        function: Callable[..., Any],
        arguments: Sequence[dict],
        outputs: Sequence[dict],
        seconds: Sequence[float],
        located: tuple[str, ...],
    ) -> None:
        """Tasks that are done: their arguments, what they gave, seconds of one worker, upstream files that they were told."""


_CURRENT: ContextVar[TaskRecorder | None] = ContextVar("recorder", default=None)
Given = TypeVar("Given", bound=TaskRecorder)


def current() -> TaskRecorder | None:
    """The recorder of the result that is being made, if any."""
    return _CURRENT.get()


@contextmanager
def recording(recorder: Given) -> Iterator[Given]:
    """Hand all tasks that run inside to ``recorder``."""
    token = _CURRENT.set(recorder)
    try:
        yield recorder
    finally:
        _CURRENT.reset(token)
