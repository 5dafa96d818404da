"""A trained network in a folder, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.weights import write_weights
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.given import Given
from qednas.qed.search.architecture import Architecture

VERSION = 1


def save(folder: Path, architecture: Architecture, given: Given, block: Block, record: Mapping[str, Any]) -> None:
    """Write ``network.safetensors`` and then ``network.json``, from which :func:`load` makes the same state."""
    state = {n: (torch.view_as_real(v) if v.is_complex() else v).detach() for n, v in block.state_dict().items()}
    write_weights(folder / "network.safetensors", {n: v.numpy() for n, v in state.items()}, {"version": VERSION})
    content = {"version": VERSION, "parts": list(architecture.parts), "given": asdict(given), **record}
    write_atomic(folder / "network.json", (json.dumps(content, indent=1) + "\n").encode())


def load(folder: Path) -> tuple[Block, dict[str, Any]]:
    """The network of a folder and its record.  Raises InputError when a file is missing, torn or of another version."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        record = json.loads((folder / "network.json").read_text())
        if record["version"] != VERSION:
            raise InputError(f"{folder.name}: network of version {record['version']}, not {VERSION}")
        given = record["given"]
        lists = {"pattern": tuple(given["pattern"]), "images": tuple(map(tuple, given["images"]))}
        block = Architecture(tuple(record["parts"])).build(Given(**{**given, **lists}))
        arrays = load_file(folder / "network.safetensors")
        state = block.state_dict()
        if {n: tuple(torch.view_as_real(v).shape if v.is_complex() else v.shape) for n, v in state.items()} != {
            n: np.shape(a) for n, a in arrays.items()
        }:
            raise InputError(f"{folder.name}: the weights are not those of {' + '.join(record['parts'])}")
        block.load_state_dict(
            {
                n: torch.view_as_complex(torch.from_numpy(a)) if state[n].is_complex() else torch.from_numpy(a)
                for n, a in arrays.items()
            }
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"{folder.name}: no network can be read ({problem})") from None
    return block, record
