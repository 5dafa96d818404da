"""The data that networks of the trained spaces are trained on: tensors, split once and for all.

Test parts are those of the publishers; what is held out to search by is drawn from their training parts.  Landsat has no test
part where it comes from: see :func:`landsat_data`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qednas.base.errors import InputError
from qednas.data import images as image_sets
from studies.spaces import satellite as satellite_tables
from studies.spaces import sensors
from studies.spaces import text as texts
from studies.spaces.landsat import TILE, assign_tiles, pixel_positions

PREPARATION = 1  # of the tensors that are handed out; raised with every change of them
SPLIT_SEED = 14
WORDS = 32  # of a window of text
IMAGES_TRAINED, IMAGES_HELD = 10_000, 5_000
CIFAR_TRAINED = 20_000
TEXT_TRAINED = 400_000  # words, the first ones


@dataclass(frozen=True)
class Problem:
    """parts: {"train", "held", "test": (inputs (count, ...), targets (count, ...))}.

    shape: of one input.  classes: that targets can be; of text, its vocabulary.
    """

    name: str
    parts: dict[str, tuple[Tensor, Tensor]]
    shape: tuple[int, ...]
    classes: int


def split(x: np.ndarray, y: np.ndarray, held: int, trained: int | None = None) -> dict[str, tuple[Tensor, Tensor]]:
    """``held`` rows drawn at random, and of the others all, or ``trained``."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(y))
    used = {"held": order[:held], "train": order[held:][:trained]}
    return {part: (torch.from_numpy(x[rows]), torch.from_numpy(y[rows])) for part, rows in used.items()}


def standardise(parts: dict[str, tuple[Tensor, Tensor]], dims: tuple[int, ...]) -> dict[str, tuple[Tensor, Tensor]]:
    """With mean 0 and standard deviation 1 over ``dims`` of the training part."""
    x = parts["train"][0]
    mean, std = x.mean(dims, keepdim=True), x.std(dims, keepdim=True)
    return {part: ((inputs - mean) / std, y) for part, (inputs, y) in parts.items()}


def image_data(name: str, held: int, trained: int | None) -> Problem:
    from qednas.data.images import images

    def read(part: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = images(name, part)
        planes = x[:, None] if x.ndim == 3 else np.moveaxis(x, 3, 1)
        return np.ascontiguousarray(planes), y.astype(np.int64)

    parts = split(*read("train"), held, trained)
    x, y = read("test")
    parts["test"] = torch.from_numpy(x), torch.from_numpy(y)
    parts = {
        part: (x.contiguous(memory_format=torch.channels_last), y)
        for part, (x, y) in standardise(parts, (0, 2, 3)).items()
    }
    return Problem(name, parts, tuple(x.shape[1:]), int(y.max()) + 1)


def series_data(name: str) -> Problem:
    """A set of the UCR archive; a fifth of its training part is held out."""
    from studies.spaces.sensors import ucr

    x, y = ucr(name, "train")
    parts = split(x[:, None, None], y, len(y) // 5)
    x, labels = ucr(name, "test")
    parts["test"] = torch.from_numpy(x[:, None, None]), torch.from_numpy(labels)
    return Problem(name, parts, (1, 1, x.shape[1]), int(max(y.max(), labels.max())) + 1)


def text_data(name: str) -> Problem:
    """Windows of words and the words after them; ranks by frequency in the whole training text stand for words."""
    from studies.spaces.text import treebank_text

    words = {part: treebank_text(part).replace("\n", " <eos> ").split() for part in ("train", "valid", "test")}
    known, counts = np.unique(words["train"], return_counts=True)
    rank = {str(word): place for place, word in enumerate(known[np.argsort(-counts, kind="stable")])}
    parts = {}
    for part, source in (("train", "train"), ("held", "valid"), ("test", "test")):
        line = torch.tensor([rank[word] for word in words[source]])[: TEXT_TRAINED if part == "train" else None]
        count = (len(line) - 1) // WORDS
        parts[part] = (line[: count * WORDS].view(count, WORDS), line[1 : count * WORDS + 1].view(count, WORDS))
    return Problem(name, parts, (WORDS,), len(rank))


def landsat_data(name: str) -> Problem:
    """A pixel of the Landsat picture and its eight neighbours in four bands, as one row of numbers.

    Neighbourhoods overlap, so parts are tiles of the picture, and pixels at the edge of a tile, which tell of the next one, are
    left out.
    """
    from studies.spaces.satellite import satellite

    x, y, _ = satellite(name)
    tile, inner = assign_tiles(pixel_positions(x), TILE)
    drawn = (
        np.random.default_rng(SPLIT_SEED).permutation(tile.max() + 1)[tile] % 5
    )  # three parts of five are trained on
    parts = {
        part: (torch.from_numpy(x[mask]), torch.from_numpy(y[mask]))
        for part, mask in (
            ("train", inner & (drawn > 1)),
            ("held", inner & (drawn == 0)),
            ("test", inner & (drawn == 1)),
        )
    }
    return Problem(name, standardise(parts, (0,)), (x.shape[1],), int(y.max()) + 1)


PROBLEMS: dict[str, Callable[[str], Problem]] = {
    "fashion-mnist": lambda name: image_data(name, IMAGES_HELD, IMAGES_TRAINED),
    "cifar10": lambda name: image_data(name, IMAGES_HELD, CIFAR_TRAINED),
    "digits": lambda name: image_data(name, 300, None),
    "ECG5000": series_data,
    "ElectricDevices": series_data,
    "FordA": series_data,
    "penn-treebank": text_data,
    "satimage": landsat_data,
}


def register(name: str, make: Callable[[str], Problem]) -> None:
    """Add a data set, which ``make`` prepares when it is asked for.  Raises InputError for a name that is taken."""
    if name in PROBLEMS:
        raise InputError(f"problem {name!r} is there already")
    PROBLEMS[name] = make


@cache
def problem(name: str) -> Problem:
    """The data set of that name; raises InputError for another name, and where it cannot be had."""
    if name not in PROBLEMS:
        raise InputError(f"problem {name!r}: one of {', '.join(PROBLEMS)}")
    return PROBLEMS[name](name)


def problems_identity() -> dict[str, Any]:
    """For the keys of results that train on these data: the version of their preparation and the files behind them."""
    return {
        "preparation": PREPARATION,
        "images": image_sets.images_identity(),
        "sensors": sensors.sensors_identity(),
        "satellite": satellite_tables.satellite_identity(),
        "text": texts.text_identity(),
    }
