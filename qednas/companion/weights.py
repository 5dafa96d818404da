"""Trained weights that travel with the package: copied from the accepted results, never made on their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.files import write_atomic
from qednas.companion import paths
from qednas.companion.store import load

PREFIX = "weights/"
SHIPPED = {"qednas/qed/weights/predictor.safetensors": "03/predictor"}  # file in the package: result it is a copy of


def write_weights(path: Path, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> None:
    """Write arrays and a JSON record as one safetensors file, whole or not at all."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    write_atomic(path, save(plain, metadata={"record": json.dumps(record, sort_keys=True)}))


def result_arrays(result: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a training result, by name."""
    return {name.removeprefix(PREFIX): np.asarray(result[name]) for name in result if name.startswith(PREFIX)}


def ship(root: Path) -> list[str]:
    """Copy the weights of the committed results into the package; returns the files written.

    A result that was never accepted (the chapters before it are being accepted one by one) ships nothing.
    """
    written = []
    for file, name in SHIPPED.items():
        try:
            result = load(paths.paper_results(root), name)
        except FileNotFoundError:
            continue
        write_weights(root / file, result_arrays(result), {"result": name, "digest": result.digest})
        written.append(file)
    return written
