"""What a network takes: parameters, operations, time on one thread, bytes after quantisation.

parameters: trained numbers.  flops: operations for one input, two for each multiplication that is added up (convolutions,
linear layers, matrix products, LSTM); biases, normalisation, activations and pooling are not counted.  latency: microseconds
for one input with ONNX Runtime on one thread, see :func:`~studies.spaces.onnx_files.latency`.  bytes: of the ONNX file of the
network in 8-bit integers, and ``int8 latency`` that of this network, see :mod:`~studies.spaces.quantised`.

Of the language space one input is a window of words, the output the probabilities of all words that may follow the last one.
Its recurrent networks have no form in 8-bit integers with fixed ranges in ONNX Runtime, so bytes and int8 latency are left out
there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.parallel import Task, Work, map_tasks
from studies.spaces.data_sets import Problem, problem
from studies.spaces.onnx_files import export_onnx, latency
from studies.spaces.quantised import CALIBRATED, quantise
from studies.spaces.sequence_cells import LanguageNetwork
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import FOLDER, csv_content, parse_number, read_rows
from studies.spaces.untrained_network import untrained_network

COLUMNS = ("parameters", "flops", "latency", "bytes", "int8 latency")
TURNS = 3
DRAWN = 0.1  # spread of the numbers that stand for those of a training


class LastWord(nn.Module):
    """Words (batch, words) to the natural logarithms of probabilities (batch, vocabulary) of the word after the last."""

    def __init__(self, net: LanguageNetwork):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        softmax = self.net.softmax
        read = self.net(x)[:, -1]
        head = softmax.head(read).log_softmax(1)
        parts = [head[:, : softmax.shortlist_size]]
        for place, tail in enumerate(softmax.tail):
            cluster = softmax.shortlist_size + place
            parts.append(tail(read).log_softmax(1) + head[:, cluster : cluster + 1])
        return torch.cat(parts, 1)


def inference_network(net: nn.Module) -> nn.Module:
    """The network as it is used for one input after another: of a network of words, :class:`LastWord`."""
    return LastWord(net) if isinstance(net, LanguageNetwork) else net


def parameters(net: nn.Module) -> int:
    """Trained numbers."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


@torch.no_grad()
def flops(net: nn.Module, x: Tensor) -> int:
    """Of one input, x (1, ...)."""
    net = inference_network(net).eval()
    lstm_inputs: list[tuple[nn.LSTM, tuple[int, ...]]] = []
    hooks = [
        module.register_forward_pre_hook(lambda lstm, inputs: lstm_inputs.append((lstm, inputs[0].shape)))
        for module in net.modules()
        if isinstance(module, nn.LSTM)
    ]
    total = torch_flops(net, x)
    for hook in hooks:
        hook.remove()
    # What torch counts of an LSTM depends on the kernel that it takes: mostly nothing.
    return total + sum(lstm_flops(lstm, shape) - torch_flops(lstm, torch.zeros(shape)) for lstm, shape in lstm_inputs)


def torch_flops(net: nn.Module, x: Tensor) -> int:
    """As :mod:`torch.utils.flop_counter` has it."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        net(x)
    return int(counter.get_total_flops())


def lstm_flops(lstm: nn.LSTM, shape: Sequence[int]) -> int:
    """Of an LSTM on inputs (batch, steps, features): four gates, each of the input and of the state before."""
    steps, inputs = shape[1], lstm.input_size
    total = 0
    for _ in range(lstm.num_layers):
        total += 2 * 4 * lstm.hidden_size * (inputs + lstm.hidden_size) * steps
        inputs = lstm.hidden_size
    return total * shape[0]


@torch.no_grad()
def perturbed_copy(net: nn.Module, seed: int) -> nn.Module:
    """A copy with all numbers drawn a little off: equal ones, as at the start of a training, would be stored once."""
    net, draws = copy.deepcopy(net), torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            off = DRAWN * torch.randn(value.shape, generator=draws)
            value.add_(off.abs() if name.endswith("running_var") else off)
    return net


def network_costs(net: nn.Module, data: Problem) -> dict[str, float]:
    """All costs of a network, trained or not; bytes and int8 latency where its inputs are numbers."""
    x = data.parts["train"][0]
    values: dict[str, float] = {"parameters": parameters(net), "flops": flops(net, x[:1])}
    content = export_onnx(inference_network(net), x[:CALIBRATED])
    values["latency"] = latency(content, x)
    if x.is_floating_point():
        small = quantise(content, x[:CALIBRATED])
        values |= {"bytes": len(small), "int8 latency": latency(small, x)}
    return values


def cost_row(task: Task) -> dict[str, float]:
    """Costs of one architecture; numbers that a training would find are drawn, they change none of them."""
    trained = trained_space(task["space"])
    data, choices = problem(trained.data), trained.space.named(trained.space.digits([task["row"]])[0])
    return network_costs(perturbed_copy(untrained_network(trained.name, choices, data, task["row"]), task["row"]), data)


def cost_space(name: str, rows: Sequence[int] | None = None, work: Work = Work()) -> list[dict[str, str | float]]:
    """Choices and costs of every architecture of a space (or of some rows), one after the other: two would slow each other.

    All are gone through three times, minutes apart, and the lowest latencies kept, so that no network pays for what else ran.
    """
    space = trained_space(name).space
    chosen = range(space.size) if rows is None else rows
    tasks: list[Task] = [{"space": name, "row": row, "turn": turn} for turn in range(TURNS) for row in chosen]
    measurements = map_tasks(cost_row, tasks, work=work.alone())
    turns = [measurements[turn * len(chosen) : (turn + 1) * len(chosen)] for turn in range(TURNS)]
    return [
        space.named(space.digits([row])[0]) | {key: min(row_costs[key] for row_costs in several) for key in several[0]}
        for row, several in zip(chosen, zip(*turns, strict=True), strict=True)
    ]


def write_costs(name: str, rows: Sequence[Mapping[str, str | float]], folder: Path = FOLDER) -> None:
    """The file of a space."""
    known = [column for column in COLUMNS if column in rows[0]]
    write_atomic(folder / f"{name}-costs.csv", csv_content(rows, (*trained_space(name).space.names, *known)))


@cache
def costs(name: str, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """{cost: (architectures,)} in the order of the space; raises InputError for a file that is missing or has not every row."""
    space = trained_space(name).space
    path = folder / f"{name}-costs.csv"
    rows = read_rows(path)
    columns = [column for column in COLUMNS if rows and column in rows[0]]
    table = {column: np.full(space.size, np.nan) for column in columns}
    for row in rows:
        place = int(space.index(space.read({column: row[column] for column in space.names})))
        for column in columns:
            table[column][place] = parse_number(row[column])
    known = min((int(np.isfinite(values).sum()) for values in table.values()), default=0)
    if known < space.size:
        raise InputError(f"{path} has {known} of {space.size} architectures: make it with `make tables`")
    return table
