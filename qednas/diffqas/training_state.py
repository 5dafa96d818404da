"""The state of a training as one file: after an interruption the training goes on from it to the same numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qednas.base.errors import InputError
from qednas.base.files import write_atomic


class TrainingState:
    """What changes while ``net`` is trained: its parameters, the optimiser, the schedule (or None) and the order of images.

    task: what the training is of, JSON; a file of another task is refused.
    """

    def __init__(
        self,
        net: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler | None,
        order: torch.Generator,
        task: Mapping[str, Any],
    ):
        self.net, self.optimiser, self.schedule, self.order = net, optimiser, schedule, order
        self.task = json.loads(json.dumps(task))

    def save(self, path: Path, epochs: int, history: Mapping[str, list]) -> None:
        """Write the state after so many epochs, whole or not at all."""
        from safetensors.torch import save

        inner = self.optimiser.state_dict()
        tensors = {f"net/{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"optimiser/{k}/{name}": v for k, moments in inner["state"].items() for name, v in moments.items()}
        tensors["order"] = self.order.get_state()
        record = {
            "task": self.task,
            "epochs": epochs,
            "history": history,
            "groups": inner["param_groups"],
            "schedule": self.schedule.state_dict() if self.schedule else None,
        }
        content = save({k: v.detach().clone().contiguous() for k, v in tensors.items()}, {"record": json.dumps(record)})
        write_atomic(path, content)

    def load(self, path: Path) -> tuple[int, dict[str, list]]:
        """Take a state over: how many epochs were done, and their history; (0, {}) where there is no file.

        Raises InputError for a file that cannot be read or is of another training; nothing is changed then.
        """
        from safetensors import SafetensorError, safe_open

        if not path.exists():
            return 0, {}
        try:
            with safe_open(path, "pt") as file:
                record = json.loads(file.metadata()["record"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            raise InputError(f"{path} cannot be read: remove it to train from the start") from None
        if wrong := [k for k in self.task if record["task"].get(k) != self.task[k]]:
            name = wrong[0]
            raise InputError(
                f"{path} is of a training with {name} = {record['task'].get(name)!r}, not {self.task[name]!r}: "
                "give another folder, or remove it"
            )
        inner: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser/"):
                _, k, key = name.split("/", 2)
                inner.setdefault(int(k), {})[key] = value
        self.net.load_state_dict({k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")})
        self.optimiser.load_state_dict({"state": inner, "param_groups": record["groups"]})
        if self.schedule:
            self.schedule.load_state_dict(record["schedule"])
        self.order.set_state(tensors["order"])
        return record["epochs"], record["history"]
