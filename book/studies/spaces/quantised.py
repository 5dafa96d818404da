"""A trained network in 8-bit integers, as a small device would run it: written, quantised, run on test data and timed.

Weights and activations are signed 8-bit integers, weights with one scale for every channel, ranges fixed beforehand from
training data (static quantisation of ONNX Runtime, QDQ form; the same kind of numbers as in MLPerf Tiny, arXiv:2106.07597).
LSTM has no such kernel there: these layers stay in floating point.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from qednas.base.errors import InputError
from qednas.base.files import sha256, write_atomic
from studies.spaces.data_sets import Problem
from studies.spaces.onnx_files import export_onnx, latency, outputs, slim
from studies.spaces.training import classification_scores

CALIBRATED = 256  # training inputs that ranges are taken from
NETWORK, SMALL, RECORD = "network.onnx", "network-int8.onnx", "network.json"


class CalibrationReader:
    """Batches of inputs (count, ...) as the quantiser of ONNX Runtime reads them."""

    def __init__(self, x: Tensor, size: int = 64):
        self.batches = iter([{"x": part.numpy()} for part in x.split(size)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def quantise(content: bytes, x: Tensor) -> bytes:
    """The ONNX network in 8-bit integers, ranges from inputs x (count, ...) of training data.

    Raises InputError where ONNX Runtime cannot quantise it.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises of steps that change nothing here
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / SMALL
            quantize_static(
                onnx.load_from_string(content),
                place,
                CalibrationReader(x),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
            )
            return slim(onnx.load(place))
    except Exception as error:  # of many kinds, some with pages of text
        message = " ".join(str(error).split())[:200]
        raise InputError(f"the network cannot be quantised: {type(error).__name__}: {message}") from None
    finally:
        root.setLevel(level)


def deploy(
    net: nn.Module, data: Problem, folder: str | Path | None = None, record: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Write a trained network as ONNX, quantise it, run both on the test data and time them.

    Ranges come from training data alone.  Returns ``accuracy``, ``int8 accuracy`` (%, test data), ``same``: share (%) of test
    inputs to which both give the same class, ``bytes``, ``int8 bytes``, ``latency``, ``int8 latency`` (microseconds). folder:
    where network.onnx, network-int8.onnx and, last, network.json with ``record``, these numbers and the sums of both files are
    written; a file is there whole or not at all.  Raises InputError as :func:`~studies.spaces.onnx_files.export_onnx` does,
    before anything is written.
    """
    calibration = data.parts["train"][0][:CALIBRATED]
    x, y = data.parts["test"]
    content = export_onnx(net, calibration)
    small = quantise(content, calibration)
    classes = [outputs(model, x).argmax(1) for model in (content, small)]
    accuracies = [classification_scores(predicted, y.numpy())["accuracy"] for predicted in classes]
    measures = {
        "accuracy": accuracies[0],
        "int8 accuracy": accuracies[1],
        "same": 100 * float(np.mean(classes[0] == classes[1])),
        "bytes": len(content),
        "int8 bytes": len(small),
        "latency": latency(content, x),
        "int8 latency": latency(small, x),
    }
    if folder is not None:
        place = Path(folder)
        sums = {NETWORK: sha256(content), SMALL: sha256(small)}
        text = json.dumps({**(record or {}), **measures, "sha256": sums}, indent=1, allow_nan=False, ensure_ascii=False)
        write_atomic(place / NETWORK, content)
        write_atomic(place / SMALL, small)
        write_atomic(place / RECORD, f"{text}\n".encode())
    return measures
