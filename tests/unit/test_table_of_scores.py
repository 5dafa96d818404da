"""Tables of evaluated architectures: what is read, what is refused, and NAS-Bench-201."""

import hashlib
import pickle

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.space.table import read_table
from studies.spaces import nasbench201

GOOD = "depth,cell,score\n1,a,0.5\n2,a,0.25\n1,b,1e-1\n"


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        (tmp_path / "table.csv").write_text(text)
        return tmp_path / "table.csv"

    return write


def test_a_table_is_read(written):
    table = read_table(written(GOOD))
    assert table.space.names == ("depth", "cell")
    assert table.space.choices == (("1", "2"), ("a", "b"))
    assert table.digits.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert table.scores.tolist() == [0.5, 0.25, 0.1]
    assert table.missing == 1
    assert table.listing.rows(np.array([[0, 1], [1, 1]])).tolist() == [2, -1]


def test_blank_lines_spaces_and_byte_order_marks_are_let_pass(written):
    table = read_table(written("\ufeffdepth , cell,score\n\n 1,a,0.5\n2, a,0.25\n1,b,.1\n"))
    assert table.space.choices == (("1", "2"), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "column 'score' is missing; the columns are a, b"),
        ("score,b\n1,2\n", "column 'score' is not the last column"),
        ("score\n1\n2\n", "only a score"),
        ("a,score\n1,2\n", "1 rows; a search needs at least 2"),
        ("a,score\n1,2\n2\n", "line 3: 1 values, the header names 2"),
        ("a,score\n1,2\n2,high\n", "line 3: score 'high' is not a number"),
        ("a,score\n1,2\n2,\n", "line 3: score '' is not a number"),
        ("a,score\n1,2\n2,nan\n", "line 3: score 'nan' is not finite"),
        ("a,score\n1,2\n,3\n", "line 3: no choice in column 'a'"),
        ("a,b,score\n1,x,2\n2,x,2\n\n1,x,7\n", "line 5: the same choices as in line 2"),
        ("a,b,score\n1,x,2\n2,x,2\n", "column 'b' has one value, 'x'"),
        ("a,a,score\n1,x,2\n2,y,2\n", "two have the same name"),
    ],
)
def test_a_table_that_means_nothing_is_refused_in_one_line(written, text, error):
    with pytest.raises(InputError, match=error) as raised:
        read_table(written(text))
    assert "\n" not in str(raised.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="none.csv: No such file"):
        read_table(tmp_path / "none.csv")


def test_a_table_that_is_no_text(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="not a CSV file"):
        read_table(tmp_path / "x.csv")


def test_large_tables_are_read(written):
    rng = np.random.default_rng(0)
    digits = np.unique(rng.integers(0, 4, size=(20_000, 30)), axis=0)
    lines = [",".join([*(str(d) for d in row), f"{i / 7:.6f}"]) for i, row in enumerate(digits)]
    header = ",".join([*(f"c{i}" for i in range(30)), "score"])
    table = read_table(written("\n".join([header, *lines]) + "\n"))
    assert table.digits.shape == (20_000, 30)
    assert table.listing.rows(table.digits[[5, 19_999]]).tolist() == [5, 19_999]
    assert table.missing == 4**30 - 20_000


@pytest.mark.parametrize(("name", "best"), [("cifar10", 91.607), ("cifar100", 73.493), ("imagenet16-120", 46.733)])
def test_nasbench201_is_whole(name, best):
    table = nasbench201.nasbench201(name)
    assert table.digits.shape == (15_625, 6)
    assert table.scores.shape == (15_625, 3)
    assert np.isfinite(table.scores[:, :2]).all()
    assert table.means.max() == pytest.approx(best, abs=5e-4)
    assert table.missing == 0


def test_parameters_are_a_sum_over_edges():
    digits = nasbench201.SPACE.digits()
    expected = 73_306 + 28_000 * (digits == 2).sum(1) + 243_040 * (digits == 3).sum(1)
    np.testing.assert_array_equal(nasbench201.parameters(), expected)


def test_unknown_tables_are_named():
    with pytest.raises(InputError, match="'svhn': one of cifar10, cifar100, imagenet16-120"):
        nasbench201.measurements("svhn")


def test_plain_values_are_read_and_nothing_else():
    values = {"a": [1.5, 2.5], "b": {"c": [0.25, -1.0], "d": [1e300, 3.0]}}
    assert nasbench201.plain_values(pickle.dumps(values, 4)) == values
    with pytest.raises(InputError, match="the instruction STACK_GLOBAL"):
        nasbench201.plain_values(pickle.dumps({"a": hashlib.sha256, "b": 1.0}, 4))


def test_another_file_is_refused(monkeypatch):
    monkeypatch.setitem(nasbench201.TABLES, "cifar10", ("cifar10", "0" * 64))
    nasbench201.measurements.cache_clear()
    with pytest.raises(InputError, match="checksum differs"):
        nasbench201.measurements("cifar10")
