"""Tables of evaluated architectures: a CSV whose last column is ``score`` (higher is better), the others categorical choices."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.candidates import Listing
from qednas.qnas.space.space import Configuration, Space

SCORE = "score"


@dataclass(frozen=True)
class Table:
    """digits: configurations (rows, columns), all different.  scores: (rows,) or, from repeated trainings, (rows, repeats), with
    NaN where a row has fewer."""

    space: Space
    digits: np.ndarray
    scores: np.ndarray

    @cached_property
    def means(self) -> np.ndarray:
        """(rows,) mean over repeats."""
        return self.scores if self.scores.ndim == 1 else np.nanmean(self.scores, axis=1)

    @property
    def missing(self) -> int:
        """Configurations of the product space that have no row: they cannot be evaluated."""
        return self.space.size - len(self.digits)

    @cached_property
    def listing(self) -> Listing:
        """Its rows, as what can be evaluated."""
        return Listing(self.space, self.digits)

    def row(self, configuration: Configuration) -> int:
        """Row of a configuration; -1 where it has none."""
        return int(self.listing.rows(configuration.digits[None])[0])


def read_table(path: str | Path) -> Table:
    """Read a CSV with a header. Raises InputError, in one line, for whatever would make a search of it mean nothing.

    Choices are text; they are listed in the order of first appearance, so a table sorted by size keeps its order.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(place, row) for place, row in enumerate(csv.reader(file), 1) if row]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    if not lines:
        raise InputError(f"{path}: empty; need a header and rows")
    header = [name.strip() for name in lines[0][1]]
    if header[-1] != SCORE:
        where = "not the last column" if SCORE in header else "missing"
        raise InputError(f"{path}: column {SCORE!r} is {where}; the columns are {', '.join(header)}")
    if len(header) < 2:
        raise InputError(f"{path}: only a score; need at least one column of choices before it")
    if len(lines) < 3:
        raise InputError(f"{path}: {len(lines) - 1} rows; a search needs at least 2")
    return table_of(path, header, lines[1:])


def table_of(path: Path, header: list[str], lines: list[tuple[int, list[str]]]) -> Table:
    """The checked table of numbered lines."""
    names, width = header[:-1], len(header)
    codes: list[dict[str, int]] = [{} for _ in names]
    digits = np.empty((len(lines), len(names)), dtype=np.int64)
    scores = np.empty(len(lines))
    first: dict[tuple[int, ...], int] = {}
    for place, (line, row) in enumerate(lines):
        if len(row) != width:
            raise InputError(f"{path}, line {line}: {len(row)} values, the header names {width}")
        cells = [cell.strip() for cell in row]
        if "" in cells[:-1]:
            raise InputError(f"{path}, line {line}: no choice in column {names[cells.index('')]!r}")
        try:
            scores[place] = float(cells[-1])
        except ValueError:
            raise InputError(f"{path}, line {line}: score {cells[-1]!r} is not a number") from None
        if not math.isfinite(scores[place]):
            raise InputError(f"{path}, line {line}: score {cells[-1]!r} is not finite")
        key = tuple(code.setdefault(cell, len(code)) for code, cell in zip(codes, cells, strict=False))
        if key in first:
            raise InputError(f"{path}, line {line}: the same choices as in line {first[key]}")
        first[key] = line
        digits[place] = key
    for name, code in zip(names, codes, strict=True):
        if len(code) < 2:
            raise InputError(f"{path}: column {name!r} has one value, {next(iter(code))!r}; there is nothing to choose")
    return Table(Space(tuple(names), tuple(tuple(code) for code in codes)), digits, scores)


def draw_scores(table: Table, seed: int) -> np.ndarray:
    """(rows,) the value of one training of each row, drawn at random among the row's."""
    known = np.isfinite(table.scores)
    count = known.sum(1)
    order = np.argsort(~known, axis=1, kind="stable")  # trainings that exist come first
    pick = np.random.default_rng([seed, 201]).integers(0, count)
    return table.scores[np.arange(len(count)), order[np.arange(len(count)), pick]]
