"""Files of trained weights: arrays and a JSON record in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qednas.base.files import write_atomic


def write_weights(path: Path, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> None:
    """Write arrays and a JSON record as one safetensors file, whole or not at all."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    write_atomic(path, save(plain, metadata={"record": json.dumps(record, sort_keys=True)}))
