"""A trained network as files that need no quantum simulator: its weights as safetensors, the whole network as ONNX.

    save_weights(net, "weights.safetensors")                  # my_module.load_state_dict(safetensors.torch.load_file(...))
    save_onnx(net, torch.zeros(1, 784), "network.onnx")

Every file is read back and checked before it takes its name, so it is there whole and right, or not at all.
With shots every call generates other weights: take ``plain(net)`` once, and save that.
"""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qednas.base.errors import InputError, NumericalError
from qednas.base.files import sha256, write_atomic
from qednas.diffqas.generated import Generated

CLOSE = 1e-5  # of onnxruntime to torch, relative to the largest output
BATCHES = (1, 3)  # sizes at which an ONNX network is compared
WEIGHTS, NETWORK, RECORD = "weights.safetensors", "network.onnx", "network.json"


def plain(net: nn.Module) -> nn.Module:
    """A copy of the module of a generator, with the generated weights in place of its own, and its buffers.

    Any other module is only copied.  Raises NumericalError for weights that are not finite.
    """
    if not isinstance(net, Generated):
        return copy.deepcopy(net)
    module = copy.deepcopy(net.module)
    with torch.no_grad():
        weights = net.weights()
    for name, parameter in module.named_parameters():  # of a tied weight the first name stands for all
        if not torch.isfinite(weights[name]).all():
            raise NumericalError(f"the generated weights {name!r} are not finite")
        parameter.data = weights[name].clone()
    return module


def writable_path(path: str | Path) -> Path:
    """The path of a file to be written.  Raises InputError when its folder does not exist or it is a folder itself."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder")
    return target


def bitwise_equal(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Bit for bit, kind and shape included."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return left.numpy(force=True).tobytes() == right.numpy(force=True).tobytes()


def save_weights(net: nn.Module, path: str | Path) -> Path:
    """Write the state dict of ``plain(net)``: generated weights and buffers, under the names of the module.

    Loaded into a fresh module it gives the same state bit for bit, which is checked.  Returns the path.  Raises InputError for a
    folder that does not exist, a file that cannot be written, and a module whose state is not tensors only.
    """
    from safetensors.torch import load, save

    target, module = writable_path(path), plain(net)
    state = module.state_dict()
    if odd := [name for name, value in state.items() if not isinstance(value, torch.Tensor)]:
        raise InputError(f"the state {odd[0]!r} of the module is not a tensor: safetensors holds nothing else")
    content = save({name: value.detach().clone().contiguous() for name, value in state.items()})
    fresh = copy.deepcopy(module)
    for value in fresh.state_dict().values():
        value.zero_()
    fresh.load_state_dict(load(content))
    if wrong := [name for name, value in fresh.state_dict().items() if not bitwise_equal(value, state[name])]:
        raise InputError(f"{target} was not written: {wrong[0]!r} does not come back as it was")
    write_atomic(target, content)
    return target


def save_onnx(net: nn.Module, example_inputs: torch.Tensor | tuple[torch.Tensor, ...], path: str | Path) -> Path:
    """Write ``plain(net)`` as an ONNX network, in evaluation mode, for any size of the batch (first dimension of every input).

    example_inputs: as the module takes them, of any batch size; the other dimensions stay as they are here.  Before the file
    takes its name onnxruntime has to agree with torch to 1e-5 on three batch sizes.  Returns the path.  Raises InputError for
    inputs that are not tensors with one batch size, a module that ONNX cannot hold, and as :func:`save_weights`.
    """
    target, module = writable_path(path), plain(net).eval()
    inputs = (example_inputs,) if isinstance(example_inputs, torch.Tensor) else tuple(example_inputs)
    if not inputs or not all(isinstance(x, torch.Tensor) and x.ndim and len(x) for x in inputs):
        raise InputError("example inputs: one tensor or more, batch first, at least one example")
    if len({len(x) for x in inputs}) > 1:
        raise InputError(f"example inputs: batches of {', '.join(str(len(x)) for x in inputs)}, one size is needed")
    content = to_onnx(module, inputs)
    for size in (len(inputs[0]), *BATCHES):
        compare(module, content, tuple(batch_of(x, size) for x in inputs), target)
    write_atomic(target, content)
    return target


def batch_of(x: torch.Tensor, size: int) -> torch.Tensor:
    """A batch of another size, by repetition."""
    return x[torch.arange(size) % len(x)]


def to_onnx(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> bytes:
    """The module as ONNX.  Raises InputError when it cannot be."""
    several = tuple(batch_of(x, max(2, len(x))) for x in inputs)  # a size of one would be taken for a constant
    batch = torch.export.Dim("batch")
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)  # it warns of packages that are not installed and not needed
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch about itself
            shapes = tuple({0: batch} for _ in several)
            program = torch.onnx.export(module, several, dynamo=True, dynamic_shapes=shapes, verbose=False)
        assert program is not None
        return program.model_proto.SerializeToString()
    except Exception as error:  # of many kinds, with pages of text
        cause = error.__cause__ or error
        reason = " ".join(str(cause).split())[:300]
        raise InputError(f"the module cannot be written as ONNX: {type(cause).__name__}: {reason}") from None
    finally:
        exporter.setLevel(level)


def compare(module: nn.Module, content: bytes, inputs: tuple[torch.Tensor, ...], target: Path) -> None:
    """Raises InputError when onnxruntime and torch do not give the same outputs."""
    import onnxruntime
    from torch.utils._pytree import tree_leaves

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    outputs = session.run(None, {name: x.numpy() for name, x in zip(names, inputs, strict=True)})
    with torch.no_grad():
        expected = tree_leaves(module(*inputs))
    for left, right in zip(outputs, expected, strict=True):
        distance = (torch.from_numpy(left) - right).abs().max() if right.numel() else torch.tensor(0.0)
        if left.shape != tuple(right.shape) or not distance <= CLOSE * max(1.0, float(right.abs().max())):
            raise InputError(f"{target} was not written: onnxruntime and torch differ by {float(distance):.2g}")


def prepare(folder: str | Path) -> Path:
    """A folder for the files of a network, made if need be.  Raises InputError when it cannot be written to."""
    directory = Path(folder)
    write_atomic(directory / ".writable", b"", durable=False)
    (directory / ".writable").unlink()
    return directory


def save_network(net: nn.Module, example_inputs: torch.Tensor, folder: str | Path, record: Mapping[str, Any]) -> dict:
    """Write weights.safetensors, network.onnx and, last, network.json: the record with the names and sums of the two.

    Returns {"weights", "onnx", "record"}: the paths.  Raises InputError as :func:`save_weights` and :func:`save_onnx` do.
    """
    directory, module = prepare(folder), plain(net)
    files = [save_weights(module, directory / WEIGHTS), save_onnx(module, example_inputs, directory / NETWORK)]
    sums = {file.name: sha256(file.read_bytes()) for file in files}
    text = json.dumps({**record, "sha256": sums}, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomic(directory / RECORD, f"{text}\n".encode())
    return {"weights": str(files[0]), "onnx": str(files[1]), "record": str(directory / RECORD)}
