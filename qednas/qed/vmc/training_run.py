"""What the training of a block has done so far, and the checkpoint from which it goes on."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.weights import write_weights
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.vmc.estimates import Estimate
from qednas.qed.vmc.sampler import Sampler
from qednas.qed.vmc.settings import Settings

VERSION = 2  # of the checkpoint
HISTORY = "energy", "error", "variance", "seconds", "accepted", "scale"
LOST = 0.3  # share of the energy gained so far that a run may lose again before it goes back
FREE = 10  # first steps, and steps after a return, that may lose energy: they overshoot and come back by themselves
SURE = 8.0  # standard errors that such a loss has to have


class TrainingHistory(TypedDict):
    """The history of a run: arrays over its steps, and how it ended."""

    energy: np.ndarray  # Pauli units, like error and the root of variance
    error: np.ndarray
    variance: np.ndarray
    seconds: np.ndarray
    accepted: np.ndarray  # share of proposals
    scale: np.ndarray  # by which steps are shortened
    steps: int
    stopped: str  # why the run ended early, or ""; the block then has its last good state
    parameters: int


@dataclass
class Run:
    """What a training run has done so far."""

    energy: list[float]  # in the order of HISTORY
    error: list[float]
    variance: list[float]
    seconds: list[float]
    accepted: list[float]
    scale: list[float]
    direction: torch.Tensor | None = None
    good: dict[str, torch.Tensor] = field(default_factory=dict)  # before the last step
    fallback: dict[str, torch.Tensor] = field(default_factory=dict)  # to go back to
    factor: float = 1.0  # by which steps are shortened now

    @classmethod
    def start(cls) -> Run:
        return cls([], [], [], [], [], [])

    @property
    def turns(self) -> int:
        """How often the run has gone back."""
        return round(-math.log2(self.factor))

    def has_lost_energy(self, now: Estimate) -> bool:
        """Whether the run has clearly lost a good part of what it had gained since it last went back."""
        since = [k for k, scale in enumerate(self.scale) if scale == self.factor]
        if len(since) <= FREE or not math.isfinite(now.mean):
            return False
        best = min(since, key=lambda k: self.energy[k] + 2 * self.error[k])
        gained, loss = self.energy[0] - self.energy[best], now.mean - self.energy[best]
        return loss > LOST * gained and loss > SURE * math.hypot(now.error, self.error[best])

    def turn_back(self, block: Block, sampler: Sampler, warm_up: int) -> None:
        block.load_state_dict(self.fallback)
        self.factor, self.direction = self.factor / 2, None
        sampler.restart(block, warm_up)

    def add(self, estimate: Estimate, seconds: float, accepted: float) -> None:
        values = estimate.mean, estimate.error, estimate.variance, seconds, accepted, self.factor
        for name, value in zip(HISTORY, values, strict=True):
            getattr(self, name).append(value)

    def elapsed(self) -> float:
        return self.seconds[-1] if self.seconds else 0.0

    def history(self) -> dict[str, np.ndarray]:
        return {n: np.array(getattr(self, n)) for n in HISTORY}

    def to_history(self, stopped: str, parameters: int) -> TrainingHistory:
        return {
            "energy": np.array(self.energy),
            "error": np.array(self.error),
            "variance": np.array(self.variance),
            "seconds": np.array(self.seconds),
            "accepted": np.array(self.accepted),
            "scale": np.array(self.scale),
            "steps": len(self.energy),
            "stopped": stopped,
            "parameters": parameters,
        }

    @classmethod
    def from_checkpoint(cls, saved: dict[str, torch.Tensor], block: Block, sampler: Sampler) -> Run:
        """The run of a checkpoint; block and sampler are set to where they were."""
        run = cls.start()
        for name in HISTORY:
            setattr(run, name, saved[f"history/{name}"].tolist())
        state, fallback = (
            {n.removeprefix(part): v for n, v in saved.items() if n.startswith(part)} for part in ("state/", "kept/")
        )
        block.load_state_dict(state)
        run.fallback, run.factor = fallback, run.scale[-1] if run.scale else 1.0
        sampler.generator.set_state(saved["generator"])
        if sampler.markov:
            sampler.markov.bits = saved["chains"]
        run.direction = saved.get("direction")
        return run


def state_of(block: Block) -> dict[str, torch.Tensor]:
    """A copy of the parameters and buffers of a block."""
    return {name: value.detach().clone() for name, value in block.state_dict().items()}


def fingerprint(hamiltonian: Hamiltonian, block: Block, settings: Settings) -> dict[str, str]:
    """What has to be the same for a checkpoint to be taken up: the system, the block and the settings, as digests."""
    system = hashlib.sha256(str(hamiltonian.sector).encode())
    for array in (hamiltonian.x, hamiltonian.z, hamiltonian.couplings):
        system.update(np.ascontiguousarray(array).tobytes())
    shapes = [(n, list(v.shape), str(v.dtype)) for n, v in block.state_dict().items()]
    return {
        "version": str(VERSION),
        "system": system.hexdigest()[:16],
        "block": hashlib.sha256(f"{block} {shapes}".encode()).hexdigest()[:16],
        "settings": hashlib.sha256(str(asdict(replace(settings, steps=1))).encode()).hexdigest()[:16]
        + f" {settings.steps} steps",
    }


def save(path: Path, label: dict[str, str], run: Run, block: Block, sampler: Sampler) -> None:
    """Write the checkpoint as one file, whole or not at all."""
    tensors = {f"history/{n}": torch.from_numpy(v) for n, v in run.history().items()}
    tensors |= {f"state/{n}": v.detach() for n, v in block.state_dict().items()}
    tensors |= {f"kept/{n}": v for n, v in run.fallback.items()}
    tensors["generator"] = sampler.generator.get_state()
    if sampler.markov:
        tensors["chains"] = sampler.markov.bits
    if run.direction is not None:
        tensors["direction"] = run.direction
    arrays = {n: (torch.view_as_real(v) if v.is_complex() else v).numpy() for n, v in tensors.items()}
    write_weights(path, arrays, {"label": label, "complex": [n for n, v in tensors.items() if v.is_complex()]})


def load(path: Path, label: dict[str, str]) -> dict[str, torch.Tensor] | None:
    """The tensors of the checkpoint at ``path``, or None where there is none.

    Raises InputError when it belongs to another run or is no checkpoint.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            record = json.loads((stored.metadata() or {}).get("record", "{}"))
            tensors = {n: stored.get_tensor(n) for n in stored.keys()}
    except SafetensorError as problem:
        raise InputError(f"checkpoint {path.name} cannot be read ({problem}); remove it to start anew") from None
    for name, value in label.items():
        if (recorded := record.get("label", {}).get(name)) != value:
            raise InputError(
                f"checkpoint {path.name} is of another {name} ({recorded}, not {value}); remove it to start anew"
            )
    return {n: torch.view_as_complex(v) if n in record["complex"] else v for n, v in tensors.items()}
