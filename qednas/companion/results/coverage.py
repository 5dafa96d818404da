"""Which share of a result's numbers a comparison looks at: all but measured times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qednas.base import files
from qednas.companion.results.tolerance import tolerance_class
from qednas.companion.results.result import Result


def leaves(value: Any, sizes: Mapping[str, int], path: str = "") -> Iterator[tuple[str, int]]:
    """Dotted path and count of every number, or array of numbers, in the stored data of a result; `sizes` of its arrays."""
    if isinstance(value, Mapping) and set(value) == {files.ARRAY}:
        yield path, sizes[value[files.ARRAY]]
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, sizes, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        if any(isinstance(item, (Mapping, list)) for item in value):
            for index, item in enumerate(value):
                yield from leaves(item, sizes, f"{path}.{index}")
        elif value:
            yield path, len(value)
    elif value is not None:
        yield path, 1


def compared_share(result: Result) -> float:
    """From 0 to 1; a result without numbers has nothing that is not compared."""
    total = compared = 0
    for path, count in leaves(*result.outline()):
        total += count
        compared += count * (tolerance_class(result.tolerance, path) != "timing")
    return round(compared / total, 6) if total else 1.0
