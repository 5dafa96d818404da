"""Trained weights that travel with the package: copied from the accepted results, never made on their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.weights import write_weights
from qednas.companion import paths
from qednas.companion.results.store import load

PREFIX = "weights/"
SHIPPED = {
    "qednas/qed/predictor/weights/predictor.safetensors": "03/predictor"
}  # file in the package: result it is a copy of


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
