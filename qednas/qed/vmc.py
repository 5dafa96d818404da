"""Variational Monte Carlo: train a block to be the ground state of a Hamiltonian, and measure the energy of the result.

Each step draws configurations from |psi|^2 (exactly where the block can, else by Metropolis), takes their local energies and
moves the parameters by the natural gradient.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qednas.companion.weights import write_weights
from qednas.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.derivatives import add_to_parameters
from qednas.qed.estimates import Estimate, over_chains
from qednas.qed.local_energy import LocalEnergy
from qednas.qed.metropolis import Metropolis
from qednas.qed.natural_gradient import natural_step

VERSION = 1  # of the checkpoint
SAVE_SECONDS = 20.0  # between checkpoints
BELOW = 3.0  # standard errors that an energy may lie below the exact one
HISTORY = "energy", "error", "variance", "seconds", "accepted"
ROUNDING = 1e-10  # relative, of an energy without statistical error


@dataclass(frozen=True)
class Settings:
    """How a block is trained.

    samples: configurations a step; chains: how many Markov chains give them (the same number each).  sweeps: between two
    configurations of a chain; warm_up: sweeps before the first.  rate and shift: (first, last), geometric in between; shift of
    the natural gradient relative to its mean diagonal.  momentum: of the step before.  longest: bound on the length of a step
    in the state, sqrt(<|d ln psi|^2>), which keeps the samples of the next step near this one.
    """

    steps: int = 300
    samples: int = 1024
    chains: int = 1024
    sweeps: int = 1
    warm_up: int = 20
    rate: tuple[float, float] = (0.1, 0.02)
    shift: tuple[float, float] = (1e-2, 1e-4)
    momentum: float = 0.0
    longest: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "samples", "chains", "sweeps"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} = {value}: a whole number, 1 or more")
        if self.samples % self.chains:
            raise InputError(f"samples = {self.samples}: a multiple of chains = {self.chains} is needed")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum = {self.momentum}: from 0 to below 1")
        if min(*self.rate, *self.shift, self.longest) <= 0:
            raise InputError(f"rate = {self.rate}, shift = {self.shift}, longest = {self.longest}: all positive")

    def at(self, step: int) -> tuple[float, float]:
        """Rate and shift of a step."""
        share = step / max(self.steps - 1, 1)
        rate, shift = (pair[0] * (pair[1] / pair[0]) ** share for pair in (self.rate, self.shift))
        return rate, shift


class Source:
    """Configurations (records, chains, sites) of a block, by whichever way it allows."""

    def __init__(self, hamiltonian: Hamiltonian, block: Block, chains: int, generator: torch.Generator, warm_up: int):
        self.chains, self.generator = chains, generator
        self.markov = None if block.samples_exactly else Metropolis(hamiltonian, chains, generator)
        if self.markov and warm_up:
            self.markov.run(block, warm_up)

    def draw(self, block: Block, records: int, sweeps: int) -> torch.Tensor:
        if self.markov is None:
            return block.sample(records * self.chains, self.generator).unflatten(0, (records, self.chains))
        return torch.stack([self.markov.run(block, sweeps) for _ in range(records)])


def train(
    hamiltonian: Hamiltonian,
    block: Block,
    settings: Settings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Train ``block`` in place and return the history of the run.

    checkpoint: a file from which an interrupted run goes on, to the same numbers.  seconds: stop after as many, counted from
    this call.  Returns arrays over the steps, ``energy``, ``error`` and ``variance`` (Pauli units), ``seconds`` and ``accepted``,
    with the number of ``steps`` and ``stopped``: "" or why the run ended early, and then the block has its last good state.
    Raises InputError when the checkpoint belongs to another system, block or settings.
    """
    if block.sites != hamiltonian.sites:
        raise InputError(f"the block has {block.sites} sites, the Hamiltonian {hamiltonian.sites}")
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(settings.seed)
    records = settings.samples // settings.chains
    label = fingerprint(hamiltonian, block, settings)
    run = Run.fresh()
    saved = None if checkpoint is None else load(checkpoint, label)
    source = Source(hamiltonian, block, settings.chains, generator, 0 if saved else settings.warm_up)
    if saved:
        run = Run.restored(saved, block, source)
    local_energy = LocalEnergy(hamiltonian)
    weights = torch.full((settings.samples,), 1 / settings.samples, dtype=torch.float64)
    run.good = state_of(block)
    spent, last_saved, stopped = run.spent(), time.perf_counter(), ""
    for step in range(len(run.energy), settings.steps):
        if seconds is not None and time.perf_counter() - began > seconds:
            stopped = f"out of time after {step} steps"
            break
        drawn = source.draw(block, records, settings.sweeps)
        bits = drawn.flatten(0, 1)
        local = local_energy(block, bits)
        rate, shift = settings.at(step)
        try:
            moved = natural_step(
                block.derivatives(bits),
                local,
                weights,
                shift,
                holomorphic=block.holomorphic,
                before=run.direction,
                momentum=settings.momentum,
            )
        except InputError as problem:
            block.load_state_dict(run.good)
            stopped = f"step {step}: {problem}"
            break
        run.good = state_of(block)
        add_to_parameters(block, moved.direction * min(rate, settings.longest / max(moved.length**0.5, 1e-300)))
        run.direction = moved.direction
        estimate = over_chains(local.reshape(records, settings.chains).numpy())
        now = time.perf_counter()
        run.add(estimate, spent + now - began, source.markov.accepted if source.markov else 1.0)
        if checkpoint is not None and now - last_saved > SAVE_SECONDS:
            save(checkpoint, label, run, block, source)
            last_saved = now
        if progress:
            progress(step + 1, settings.steps, f"energy {estimate.mean:.6f} +- {estimate.error:.6f}")
    if checkpoint is not None:
        save(checkpoint, label, run, block, source)
    return {**run.history(), "steps": len(run.energy), "stopped": stopped, "parameters": block.parameter_count}


def measure(
    hamiltonian: Hamiltonian,
    block: Block,
    samples: int,
    *,
    chains: int = 1024,
    sweeps: int = 2,
    warm_up: int = 50,
    seed: int = 1,
    exact: float | None = None,
) -> Estimate:
    """Energy (Pauli units) of a block from ``samples`` configurations, with an error that knows of their correlations.

    exact: the energy of the ground state; raises InputError when the result lies below it by more than three standard errors.
    """
    if samples < chains:
        raise InputError(f"samples = {samples}: at least one for each of {chains} chains")
    source = Source(hamiltonian, block, chains, torch.Generator().manual_seed(seed), warm_up)
    local_energy = LocalEnergy(hamiltonian)
    values = [local_energy(block, source.draw(block, 1, sweeps)[0]).numpy() for _ in range(samples // chains)]
    estimate = over_chains(np.array(values))
    if exact is not None:
        check_above(estimate, exact)
    return estimate


def check_above(estimate: Estimate, exact: float) -> None:
    """Raise InputError when an energy breaks the variational principle beyond what chance allows."""
    allowed = BELOW * estimate.error + ROUNDING * abs(exact)
    if not estimate.mean >= exact - allowed:
        raise InputError(
            f"energy {estimate.mean:.10g} +- {estimate.error:.2g} lies below the exact {exact:.10g} by more than "
            f"{BELOW:g} standard errors"
        )


@dataclass
class Run:
    """What a training run has done so far."""

    energy: list[float]  # in the order of HISTORY
    error: list[float]
    variance: list[float]
    seconds: list[float]
    accepted: list[float]
    direction: torch.Tensor | None = None
    good: dict[str, torch.Tensor] = field(default_factory=dict)

    @classmethod
    def fresh(cls) -> Run:
        return cls([], [], [], [], [])

    def add(self, estimate: Estimate, seconds: float, accepted: float) -> None:
        values = estimate.mean, estimate.error, estimate.variance, seconds, accepted
        for name, value in zip(HISTORY, values, strict=True):
            getattr(self, name).append(value)

    def spent(self) -> float:
        return self.seconds[-1] if self.seconds else 0.0

    def history(self) -> dict[str, np.ndarray]:
        return {n: np.array(getattr(self, n)) for n in HISTORY}

    @classmethod
    def restored(cls, saved: dict[str, torch.Tensor], block: Block, source: Source) -> Run:
        """The run of a checkpoint; block and source are set to where they were."""
        run = cls.fresh()
        for name in HISTORY:
            setattr(run, name, saved[f"history/{name}"].tolist())
        block.load_state_dict({n.removeprefix("state/"): v for n, v in saved.items() if n.startswith("state/")})
        source.generator.set_state(saved["generator"])
        if source.markov:
            source.markov.bits = saved["chains"]
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


def save(path: Path, label: dict[str, str], run: Run, block: Block, source: Source) -> None:
    """Write the checkpoint as one file, whole or not at all."""
    tensors = {f"history/{n}": torch.from_numpy(v) for n, v in run.history().items()}
    tensors |= {f"state/{n}": v.detach() for n, v in block.state_dict().items()}
    tensors["generator"] = source.generator.get_state()
    if source.markov:
        tensors["chains"] = source.markov.bits
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
        if (found := record.get("label", {}).get(name)) != value:
            raise InputError(
                f"checkpoint {path.name} is of another {name} ({found}, not {value}); remove it to start anew"
            )
    return {n: torch.view_as_complex(v) if n in record["complex"] else v for n, v in tensors.items()}
