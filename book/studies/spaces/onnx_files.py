"""Networks as ONNX: written from torch, compared with it, made small, run and timed on one thread."""

from __future__ import annotations

import io
import logging
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from qednas.base.errors import InputError

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession

CLOSE = 1e-5  # of onnxruntime to torch, relative to the largest output
BATCHES = (1, 3)  # sizes at which they are compared
AT_ONCE = 500  # inputs of a batch where many are run
ROUNDS, RUNS, WARM = 5, 100, 20  # medians, timed runs of each, runs before


def export_onnx(net: nn.Module, example: Tensor) -> bytes:
    """The network in evaluation mode as ONNX, for any size of the batch, inputs ``x`` and outputs ``y``; see :func:`slim`.

    example: inputs (count, ...).  onnxruntime has to agree with torch to 1e-5 on batches of 1 and 3.  Raises InputError, in one
    line that names the operator, for what ONNX cannot hold.
    """
    from onnx import load_from_string

    net = net.eval()
    several = example[torch.arange(max(BATCHES)) % len(example)]
    written = io.BytesIO()
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    # It writes the whole graph of what it cannot write, whatever is asked for: torch takes its log for enabled at all times.
    quiet = patch.object(torch._C, "_jit_onnx_log", lambda *messages: None)
    try:
        with warnings.catch_warnings(), torch.no_grad(), quiet:
            warnings.simplefilter("ignore")  # of torch about itself
            # The older exporter takes a twentieth of the time of the newer: a space has hundreds of networks.
            torch.onnx.export(
                net,
                (several,),
                written,  # type: ignore[arg-type]
                dynamo=False,
                input_names=["x"],
                output_names=["y"],
                dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
            )
    except Exception as error:  # of many kinds, some with pages of text
        message = " ".join(str(error).split()).split(". ")[0][:200]
        raise InputError(f"{type(net).__name__} cannot be written as ONNX: {message}") from None
    finally:
        exporter.setLevel(level)
    content = slim(load_from_string(written.getvalue()))
    for size in BATCHES:
        check_against_torch(net, content, several[:size])
    return content


@torch.no_grad()
def check_against_torch(net: nn.Module, content: bytes, x: Tensor) -> None:
    """Raises InputError where onnxruntime and torch do not give the same outputs."""
    computed, expected = session(content).run(None, {"x": x.numpy()})[0], net(x).numpy()
    same_shape = computed.shape == expected.shape
    distance = float(np.abs(computed - expected).max()) if same_shape else np.inf
    if not distance <= CLOSE * max(1.0, float(np.abs(expected).max())):
        raise InputError(f"{type(net).__name__} as ONNX: onnxruntime and torch differ by {distance:.2g}")


def slim(model: ModelProto) -> bytes:
    """The same network without what a device has no use for: long names, traces of its Python code, shapes in between.

    Numbers are kept as plain bytes, so that the size of a file does not hang on their values.
    """
    from onnx import AttributeProto, numpy_helper

    graph = model.graph
    for field in (model.metadata_props, graph.metadata_props, graph.value_info):
        del field[:]
    interface = {value.name for value in (*graph.input, *graph.output)} | {""}
    short: dict[str, str] = {}
    nested = any(a.type == AttributeProto.GRAPH for node in graph.node for a in node.attribute)

    def short_name(name: str) -> str:
        return name if name in interface or nested else short.setdefault(name, np.base_repr(len(short), 36))

    for place, tensor in enumerate(graph.initializer):
        plain = numpy_helper.from_array(numpy_helper.to_array(tensor), short_name(tensor.name))
        graph.initializer[place].CopyFrom(plain)
    for node in graph.node:
        node.name = node.doc_string = ""
        del node.metadata_props[:]
        node.input[:] = [short_name(name) for name in node.input]
        node.output[:] = [short_name(name) for name in node.output]
    return model.SerializeToString()


def session(content: bytes) -> InferenceSession:
    """Of onnxruntime, with one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def outputs(content: bytes, x: Tensor) -> np.ndarray:
    """(count, classes) of inputs (count, ...)."""
    inference = session(content)
    return np.concatenate([inference.run(None, {"x": part.numpy()})[0] for part in x.split(AT_ONCE)])


def latency(content: bytes, x: Tensor, rounds: int = ROUNDS, runs: int = RUNS) -> float:
    """Microseconds for one input on one thread: the lowest of ``rounds`` medians over ``runs``.

    x: inputs (count, ...), of which the first is used.  What else runs on the machine can only make a median longer.
    """
    inference, feed = session(content), {"x": x[:1].numpy()}

    def times(count: int) -> Iterator[float]:
        for _ in range(count):
            start = time.perf_counter_ns()
            inference.run(None, feed)
            yield (time.perf_counter_ns() - start) / 1000

    list(times(WARM))
    return min(float(np.median(list(times(runs)))) for _ in range(rounds))
