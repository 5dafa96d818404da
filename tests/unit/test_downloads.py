"""Where data sets come from: the order of sources, that their bytes are checked, and what is told when something is wrong."""

import gzip
import hashlib
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pooch
import pytest

from qednas.base.errors import InputError
from qednas.data import downloads as module
from qednas.data.downloads import Source, Unavailable, fetch, read

FILES = {"a.bin": b"one file" * 9, "b.bin": b"another"}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


def good(source, into):
    for name, content in FILES.items():
        (into / name).write_bytes(content)


def wrong(source, into):
    good(source, into)
    (into / "b.bin").write_bytes(b"something else")


def half(source, into):
    (into / "a.bin").write_bytes(FILES["a.bin"])


def silent(source, into):
    raise Unavailable("no answer")


def never(source, into):
    raise AssertionError("nothing was to be downloaded")


def tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def wheel(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def a_source(package: str = "npm:a-package@1", address: str = "an.address/") -> Source:
    return Source("folder/raw", address, package, "inner/data", SUMS)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where the files of the data set are kept: in a cache that is empty."""
    monkeypatch.setenv("QEDNAS_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "folder" / "raw"


def sources(monkeypatch, **fetchers):
    monkeypatch.setattr(module, "FETCHERS", fetchers)


def clients(monkeypatch, make):
    """Every client puts into its folder what make(folder) puts there; returns the commands."""
    commands = []

    def run(command, place):
        commands.append(command)
        make(place, command)

    monkeypatch.setattr(module, "run", run)
    return commands


def test_the_cache_is_the_folder_that_is_given(monkeypatch):
    monkeypatch.setenv("QEDNAS_DATA", "~/sets")
    assert module.cache() == Path.home() / "sets"
    monkeypatch.delenv("QEDNAS_DATA")
    assert module.cache() == Path(pooch.os_cache("qednas"))


def test_the_first_source_that_answers_is_kept(folder, monkeypatch, capsys):
    sources(monkeypatch, address=silent, package=good)
    assert fetch("some data", a_source()) == folder
    assert capsys.readouterr().err.splitlines() == [
        "some data: downloading from an.address/",
        "some data: downloading from npm:a-package@1",
    ]
    sources(monkeypatch, address=never, package=never)
    fetch("some data", a_source())
    assert capsys.readouterr().err == ""
    assert {name: read(folder, name) for name in FILES} == FILES
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)  # no temporary files


def test_a_source_that_has_not_all_files_is_passed_over(folder, monkeypatch):
    sources(monkeypatch, address=half, package=good)
    assert read(fetch("some data", a_source()), "b.bin") == FILES["b.bin"]


def test_without_an_official_address_only_the_package_is_asked(folder, monkeypatch):
    sources(monkeypatch, address=never, package=good)
    assert fetch("some data", a_source(address="")) == folder


def test_only_what_is_missing_is_written(folder, monkeypatch):
    sources(monkeypatch, package=good)
    folder.mkdir(parents=True)
    (folder / "a.bin.gz").write_bytes(gzip.compress(FILES["a.bin"]))
    fetch("some data", a_source())
    assert sorted(path.name for path in folder.iterdir()) == ["a.bin.gz", "b.bin"]


def test_a_folder_with_compressed_files_serves_as_well(folder, monkeypatch):
    sources(monkeypatch, address=never)
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    assert read(fetch("some data", a_source()), "a.bin") == FILES["a.bin"]


def test_a_download_with_a_wrong_checksum_leaves_nothing(folder, monkeypatch):
    sources(monkeypatch, address=wrong, package=good)
    with pytest.raises(InputError, match=r"b.bin from an.address/ has the SHA-256 \w{64}, not \w{64}: it is not used"):
        fetch("some data", a_source())
    assert not folder.exists()


PACKED = gzip.compress(FILES["a.bin"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.bin", b"torn"),
        ("a.bin.gz", b"\x1f\x8b torn"),
        ("a.bin.gz", PACKED[:-12]),
        ("a.bin.gz", PACKED[:10] + bytes([255 - PACKED[10]]) + PACKED[11:]),
    ],
    ids=["other bytes", "no gzip", "cut off", "altered"],
)
def test_a_kept_file_with_a_wrong_checksum_is_removed_and_told(folder, monkeypatch, name, content):
    sources(monkeypatch, package=good)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} has been removed, run again to download it$"):
        fetch("some data", a_source())
    assert not (folder / name).exists()
    assert fetch("some data", a_source()) == folder


def test_a_wrong_file_that_cannot_be_removed_is_told(folder, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"torn")
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(InputError, match=r"remove .*a.bin, which was not possible \(Permission denied\)"):
        fetch("some data", a_source())


def test_a_file_that_cannot_be_read_is_told_and_stays(folder):
    (folder / "a.bin").mkdir(parents=True)
    with pytest.raises(InputError, match=r"a.bin cannot be read: Is a directory"):
        fetch("some data", a_source())
    assert (folder / "a.bin").exists()


def test_every_source_that_failed_is_named_in_one_line(folder, monkeypatch):
    sources(monkeypatch, address=silent, package=silent)
    words = r"not there; an.address/: no answer; npm:a-package@1: no answer\): put its files \(a.bin, b.bin\) into .*QEDNAS_DATA"
    with pytest.raises(InputError, match=words) as told:
        fetch("some data", a_source())
    assert "\n" not in str(told.value)


def test_a_file_that_disappears_is_told(folder):
    with pytest.raises(InputError, match=r"a.bin is not there any more"):
        read(folder, "a.bin")


def test_an_unknown_name_is_told_with_those_there_are():
    module.check_name("b", ["a", "b"], "letter")
    with pytest.raises(InputError, match=r"^letter 'c': one of a, b$"):
        module.check_name("c", iter(["a", "b"]), "letter")


def test_official_files_are_uncompressed(tmp_path, monkeypatch):
    def retrieve(address, known_hash, fname, path, downloader):
        assert address == f"an.address/{fname}.gz"
        target = Path(path) / fname
        target.write_bytes(gzip.compress(FILES[fname]))
        return str(target)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    module.from_address(a_source(), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES


def test_an_official_archive_is_taken_apart(tmp_path, monkeypatch):
    def retrieve(address, known_hash, fname, path, downloader):
        assert address == "an.address/all.tar.gz"
        target = Path(path) / fname
        tar(target, {f"inner/{name}": content for name, content in {**FILES, "more.txt": b""}.items()})
        return str(target)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    module.from_address(a_source(address="an.address/all.tar.gz"), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "archive.tar.gz", "b.bin"]


@pytest.mark.parametrize("address", ["an.address/", "an.address/all.tar.gz"])
def test_an_official_address_that_does_not_answer_is_unavailable(tmp_path, monkeypatch, address):
    def retrieve(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(Unavailable, match="ConnectionError: no route"):
        module.from_address(a_source(address=address), tmp_path)


MEMBERS = {
    "inner/data/a.bin": FILES["a.bin"],
    "inner/data/b.bin.gz": gzip.compress(FILES["b.bin"]),
    "inner/x.py": b"1/0",
}


def pack(client, members):
    """make(folder, command) of a client that brings a package with these members."""

    def make(place, command):
        if client == "npm":
            tar(place / "a-package-1.tgz", members)
        elif client == "pip":
            wheel(place / "a_package-1-py3-none-any.whl", members)
        elif command[0] == "apt-get":
            (place / "a-package_1.deb").write_bytes(b"")
        else:
            for name, content in members.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(content)

    return make


@pytest.mark.parametrize("client", ["npm", "apt", "pip"])
def test_a_package_is_fetched_by_name_and_read(folder, monkeypatch, client):
    commands = clients(monkeypatch, pack(client, MEMBERS))
    found = fetch("some data", a_source(f"{client}:a-package==1", address=""))
    assert {name: read(found, name) for name in FILES} == FILES
    first = " ".join(commands[0])
    assert first.endswith(" a-package==1")
    assert "://" not in first
    if client == "pip":  # nothing is built, installed or brought along
        assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
        assert "--no-deps --only-binary :all:" in first
    if client == "npm":
        assert "--ignore-scripts" in first


@pytest.mark.parametrize("client", ["npm", "apt", "pip"])
def test_a_package_without_a_file_is_told(folder, monkeypatch, client):
    clients(monkeypatch, pack(client, {"inner/data/a.bin": FILES["a.bin"]}))
    with pytest.raises(InputError, match=rf"{client}:a-package: no b.bin in it\): put its files"):
        fetch("some data", a_source(f"{client}:a-package", address=""))


@pytest.mark.parametrize(
    ("client", "file", "words"),
    [
        ("npm", "a.tgz", "ReadError: "),
        ("pip", "a.whl", "BadZipFile: "),
        ("pip", "a.tar.gz", r"0 files \*.whl instead of one"),
    ],
)
def test_what_is_no_package_is_told(folder, monkeypatch, client, file, words):
    clients(monkeypatch, lambda place, command: (place / file).write_bytes(b"<html>"))
    with pytest.raises(InputError, match=rf"{client}:a-package: {words}"):
        fetch("some data", a_source(f"{client}:a-package", address=""))


def test_a_package_that_points_out_of_its_folder_is_refused(folder, monkeypatch, tmp_path):
    clients(monkeypatch, pack("npm", {"../../out": b"", **MEMBERS}))
    with pytest.raises(InputError, match="OutsideDestinationError"):
        fetch("some data", a_source(address=""))


def test_a_client_that_is_not_installed_is_told(folder, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    for client, name in (("npm", "npm"), ("apt", "apt-get")):
        with pytest.raises(InputError, match=rf"{client}:a-package: {name} is not installed"):
            fetch("some data", a_source(f"{client}:a-package", address=""))


def test_a_client_that_fails_is_told_with_its_last_words(tmp_path):
    code = "import sys; print('ERROR: no matching\\n distribution', file=sys.stderr); sys.exit(1)"
    with pytest.raises(
        Unavailable, match=rf"^{Path(sys.executable).name} -c .* failed: ERROR: no matching distribution$"
    ):
        module.run([sys.executable, "-c", code], tmp_path)


def test_a_client_runs_in_the_folder_and_is_not_asked_anything(tmp_path):
    code = "import sys; open('here', 'w').write(sys.stdin.read())"
    module.run([sys.executable, "-c", code], tmp_path)
    assert os.listdir(tmp_path) == ["here"]
    assert (tmp_path / "here").read_text() == ""
