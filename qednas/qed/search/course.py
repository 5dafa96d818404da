"""What the search of a supernet has done so far, and what it needs to go on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qednas.base.weights import write_weights
from qednas.qed.search.adam import Adam
from qednas.qed.search.sampling import MarkovSampling, Sampling, WeightedConfigurations
from qednas.qed.search.supernet import Gumbel, Supernet

CURVES = ("energy", "error", "distance", "seconds", "temperature")


class Course:
    """What a search has done so far, and what it needs to go on."""

    def __init__(self, net: Supernet):
        self.values: dict[str, list[float]] = {name: [] for name in CURVES}
        self.probabilities: dict[str, list[list[float]]] = {kind: [] for kind in net.parts}
        self.adam = Adam(net.logits)
        self.last: WeightedConfigurations | None = None  # what the gates are moved by

    @property
    def steps(self) -> int:
        return len(self.values["energy"])

    def elapsed(self) -> float:
        return self.values["seconds"][-1] if self.steps else 0.0

    def add(self, net: Supernet, configurations: WeightedConfigurations, seconds: float, temperature: float) -> None:
        self.last = configurations
        distance = configurations.distance.value if configurations.distance else 0.0
        values = configurations.energy, configurations.error or 0.0, distance, seconds, temperature
        for name, value in zip(CURVES, values, strict=True):
            self.values[name].append(value)
        for kind, distribution in net.probabilities().items():
            self.probabilities[kind].append(distribution)

    def history(self) -> dict[str, Any]:
        return {
            **{n: np.array(v) for n, v in self.values.items()},
            "probabilities": {kind: np.array(v) for kind, v in self.probabilities.items()},
            "steps": self.steps,
        }

    def save(self, path: Path, label: Mapping[str, str], net: Supernet, sampling: Sampling, gumbel: Gumbel) -> None:
        """Write the checkpoint as one file, whole or not at all."""
        tensors: dict[str, torch.Tensor] = {f"state/{n}": v.detach() for n, v in net.state.state_dict().items()}
        tensors |= {f"values/{n}": torch.tensor(v, dtype=torch.float64) for n, v in self.values.items()}
        tensors |= {f"probabilities/{k}": torch.tensor(v, dtype=torch.float64) for k, v in self.probabilities.items()}
        tensors |= {f"logits/{k}": v.detach() for k, v in net.logits.items()}
        tensors |= {f"scores/{k}": v for k, v in gumbel.scores.items()}
        tensors |= {f"moments/{k}": v for k, v in self.adam.moments.items()}
        tensors["adam"] = torch.tensor(self.adam.steps)
        if self.last is not None:
            tensors |= {"last/bits": self.last.bits, "last/weights": self.last.weights}
        if isinstance(sampling, MarkovSampling):
            tensors |= {"generator": sampling.generator.get_state(), "drawn": torch.tensor(sampling.draw_count)}
            if sampling.sampler.markov:
                tensors["chains"] = sampling.sampler.markov.bits
        arrays = {n: (torch.view_as_real(v) if v.is_complex() else v).numpy() for n, v in tensors.items()}
        write_weights(
            path, arrays, {"label": dict(label), "complex": [n for n, v in tensors.items() if v.is_complex()]}
        )

    def restore(self, saved: Mapping[str, torch.Tensor], net: Supernet, gumbel: Gumbel) -> None:
        def part(name: str) -> dict[str, torch.Tensor]:
            entries = {n.removeprefix(f"{name}/"): v for n, v in saved.items() if n.startswith(f"{name}/")}
            kinds = {kind: entries.pop(kind) for kind in net.parts if kind in entries}  # a file has an order of its own
            return kinds | entries

        net.state.load_state_dict(part("state"))
        gumbel.scores = part("scores")
        with torch.no_grad():
            for kind, logits in net.logits.items():
                logits.copy_(saved[f"logits/{kind}"])
        self.adam.moments, self.adam.steps = part("moments"), int(saved["adam"])
        self.values = {n: v.tolist() for n, v in part("values").items()}
        self.probabilities = {n: v.tolist() for n, v in part("probabilities").items()}
        if last := part("last"):
            empty = torch.zeros(0)
            self.last = WeightedConfigurations(last["bits"], last["weights"], empty, 0.0, None, None)

    def restore_chains(
        self, saved: Mapping[str, torch.Tensor], sampling: MarkovSampling, generator: torch.Generator
    ) -> None:
        generator.set_state(saved["generator"])
        sampling.draw_count = int(saved["drawn"])
        if sampling.sampler.markov:
            sampling.sampler.markov.bits = saved["chains"]
