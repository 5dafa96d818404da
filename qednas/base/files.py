"""Result files: JSON with an optional NPZ beside it, written atomically, checked by digest, never pickled.

`data` is a dictionary of JSON values and numpy arrays at any depth. Arrays go to the NPZ under their path
("spectra/tfim"); in the JSON a marker {"$array": "spectra/tfim"} stands for each. The JSON is written last and
carries the NPZ's checksum, so a pair torn by a crash is seen as corrupt, not read as a result.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.errors import InputError

FORMAT = 2
ARRAY = "$array"


class CorruptFile(ValueError):
    """A result file that is truncated, altered, or not one of ours."""


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def canonical(value: Any) -> str:
    """JSON text that is the same for the same value: sorted keys, no spaces, floats by repr."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def split(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Separate plain JSON values from arrays. Raises InputError for NaN, inf and types that JSON does not know."""
    arrays: dict[str, np.ndarray] = {}

    def plain(value: Any, path: str) -> Any:
        if isinstance(value, np.ndarray) and value.ndim == 0 or isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, np.ndarray):
            if value.dtype.hasobject:
                raise InputError(f"result value {path!r} is an array of Python objects: only numbers, bools and text")
            if path in arrays:
                raise InputError(f"two arrays of one result have the same path {path!r}")
            arrays[path] = value
            return {ARRAY: path}
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise InputError(f"result value {path or 'top level'!r} has the key {key!r}: keys must be text")
            if ARRAY in value:
                raise InputError(f"result value {path!r} has the key {ARRAY!r}, which is reserved")
            return {key: plain(item, f"{path}/{key}" if path else key) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item, f"{path}/{index}") for index, item in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(
                f"result value {path!r} is {value}: NaN and infinity are refused, say what happened instead"
            )
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise InputError(f"result value {path!r} has type {type(value).__name__}: JSON values and numpy arrays only")

    if not isinstance(data, Mapping):
        raise InputError(f"a result must be a dictionary, not {type(data).__name__}")
    return plain(data, ""), arrays


def join(value: Any, array: Callable[[str], np.ndarray]) -> Any:
    """Undo `split`: replace every marker by `array(path)`."""
    if isinstance(value, dict):
        if set(value) == {ARRAY}:
            return array(value[ARRAY])
        return {key: join(item, array) for key, item in value.items()}
    if isinstance(value, list):
        return [join(item, array) for item in value]
    return value


def normalised(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` as it would come back from disk: a fresh and a resumed value are then the same."""
    plain, arrays = split(data)
    return join(json.loads(canonical(plain)), arrays.__getitem__)


def _describe(array: np.ndarray) -> dict[str, Any]:
    content = np.ascontiguousarray(array)
    return {"dtype": content.dtype.str, "shape": list(array.shape), "sha256": sha256(content.tobytes())}


def content_digest(data: Mapping[str, Any]) -> str:
    """Digest that a record of ``data`` will have."""
    plain, arrays = split(data)
    return digest(plain, {name: _describe(array) for name, array in sorted(arrays.items())})


def digest(plain: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """Digest of the content only: neither provenance nor how it was compressed enters."""
    return sha256(canonical([plain, described]).encode())


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    # numpy's own savez takes names as keywords (a "file" would clash); the zip entries carry no date, so equal
    # content gives equal bytes.
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = BytesIO()
            np.lib.format.write_array(member, np.asanyarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(name + ".npy")
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all: temporary file in the same folder, then rename.

    `durable` waits for the disk (a crash of the machine, not only of the process). Raises InputError in one line where
    the disk is full or the folder cannot be written; the old file is then untouched and nothing is left behind.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as handle:
            handle.write(content)
            handle.flush()
            if durable:
                os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        size = f"{len(content) / 1e6:.3g} MB"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(f"disk full: {path} ({size}) was not written, what was there is unchanged") from None
        raise InputError(f"cannot write {path} ({size}): {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # where the folder is a file there is nothing to remove either
            temporary.unlink(missing_ok=True)


def _layout(record: Mapping[str, Any]) -> bytes:
    # One line per entry, so that git shows which number changed, without one line per list element.
    lines = []
    for key, value in record.items():
        if key in ("data", "provenance") and value:
            inner = ",\n".join(f"  {json.dumps(k, ensure_ascii=False)}: {_text(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {_text(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_record(path: Path, data: Mapping[str, Any], header: Mapping[str, Any], *, durable: bool = True) -> str:
    """Write `data` to `path` (JSON) and, if it holds arrays, to the NPZ beside it; returns the content digest.

    `header` (JSON values: name, key, tolerance, provenance ...) goes into the JSON beside the data.
    """
    plain, arrays = split(data)
    described = {name: _describe(array) for name, array in sorted(arrays.items())}
    content = digest(plain, described)
    stored: dict[str, Any] | None = None
    archive = path.with_suffix(".npz")
    if arrays:
        packed = _npz(arrays)
        write_atomic(archive, packed, durable=durable)
        stored = {"file": archive.name, "sha256": sha256(packed), "contents": described}
    provenance = {"provenance": header["provenance"]} if "provenance" in header else {}
    rest = {key: value for key, value in header.items() if key != "provenance"}
    record = {"format": FORMAT, **rest, "digest": content, "data": plain, "arrays": stored, **provenance}
    write_atomic(path, _layout(sealed(record)), durable=durable)
    if not arrays:
        archive.unlink(missing_ok=True)  # left by an older version of this result
    return content


def rewrite_header(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record that was read back with another header; its data and arrays stay as they are."""
    write_atomic(path, _layout(sealed(record)))


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """``record`` with its ``seal``: the checksum of all of it, header included, by which a change of any part is seen."""
    rest = {key: value for key, value in record.items() if key != "seal"}
    return {**rest, "seal": sha256(canonical(rest).encode())}


def read_record(path: Path) -> dict[str, Any]:
    """Read and check a JSON record; arrays are checked by checksum but not loaded.

    Raises FileNotFoundError, or CorruptFile naming the file and what is wrong with it.
    """
    try:
        record = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptFile(f"{path} is truncated or not JSON ({error})") from None
    except RecursionError:
        raise CorruptFile(f"{path} is no result: its values are nested too deeply") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise CorruptFile(f"{path} is not a result file of format {FORMAT}")
    stored = record.get("arrays")
    try:
        content = digest(record["data"], stored["contents"] if stored else {})
        seal = sealed(record)["seal"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFile(f"{path} is incomplete ({error!r})") from None
    if content != record.get("digest"):
        raise CorruptFile(f"{path} does not match its own digest: it was altered")
    if seal != record.get("seal"):
        raise CorruptFile(f"{path} does not match its own seal: its header was altered")
    if stored:
        if stored.get("file") != path.with_suffix(".npz").name:
            raise CorruptFile(f"{path} names {str(stored.get('file'))[:60]!r} for its arrays, not its own file")
        archive = path.with_name(stored["file"])
        try:
            packed = archive.read_bytes()
        except FileNotFoundError:
            raise CorruptFile(f"{archive}, which belongs to {path.name}, is missing") from None
        if sha256(packed) != stored["sha256"]:
            raise CorruptFile(f"{archive} is truncated or does not belong to {path.name}")
    return record


def read_array(path: Path, record: Mapping[str, Any], name: str) -> np.ndarray:
    """One array of a checked record, by its path in the data; the returned array may be changed freely."""
    archive = path.with_name(record["arrays"]["file"])
    with np.load(archive, allow_pickle=False) as stored:
        return stored[name]


def whole_data(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """The whole data of a record that was read from ``path``, arrays loaded."""
    return join(record["data"], lambda name: read_array(path, record, name))
