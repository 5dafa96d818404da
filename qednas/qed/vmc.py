"""Variational Monte Carlo: train a block to be the ground state of a Hamiltonian, and measure the energy of the result.

Each step draws configurations from |psi|^2 (exactly where the block can, else by Metropolis), takes their local energies and
moves the parameters by the natural gradient.
"""

from __future__ import annotations

import hashlib
import json
import math
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

VERSION = 2  # of the checkpoint
SAVE_SECONDS = 20.0  # between checkpoints
BELOW = 3.0  # standard errors that an energy may lie below the exact one
HISTORY = "energy", "error", "variance", "seconds", "accepted", "scale"
LOST = 0.3  # share of the energy gained so far that a run may lose again before it goes back
FREE = 10  # first steps, and steps after a return, that may lose energy: they overshoot and come back by themselves
SURE = 8.0  # standard errors that such a loss has to have
KEPT_EVERY = 5  # steps between the states that a run can go back to
RENEW_EVERY = 8  # steps between renewals of chains
TURNS = 6  # times that a run goes back
ROUNDING = 1e-10  # relative, of an energy without statistical error


@dataclass(frozen=True)
class Settings:
    """How a block is trained.

    samples: configurations a step; chains: how many Markov chains give them (the same number each).  sweeps: between two
    configurations of a chain; warm_up: sweeps before the first.  rate and shift: (first, last), geometric in between; shift of
    the natural gradient relative to its mean diagonal.  momentum: of the step before.  longest: bound on the length of a step
    in the state, sqrt(<|d ln psi|^2>), which keeps the samples of the next step near this one.  A run that loses a good part
    of the energy it has gained goes back to an earlier state and makes its steps half as long from there.  renewed: share of the
    chains that start anew, annealed, now and then: a state that puts weight where no chain has been is found out that way.
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
    renewed: float = 0.0
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
        if not 0 <= self.renewed <= 1:
            raise InputError(f"renewed = {self.renewed}: a share of the chains, from 0 to 1")
        if min(*self.rate, *self.shift, self.longest) <= 0:
            raise InputError(f"rate = {self.rate}, shift = {self.shift}, longest = {self.longest}: all positive")

    def at(self, share: float) -> tuple[float, float]:
        """Rate and shift when a share from 0 to 1 of the run is done."""
        rate, shift = (pair[0] * (pair[1] / pair[0]) ** share for pair in (self.rate, self.shift))
        return rate, shift


class Source:
    """Configurations (records, chains, sites) of a block, by whichever way it allows."""

    def __init__(self, hamiltonian: Hamiltonian, block: Block, chains: int, generator: torch.Generator, warm_up: int):
        self.chains, self.generator = chains, generator
        self.hamiltonian = hamiltonian
        self.markov = None if block.samples_exactly else Metropolis(hamiltonian, chains, generator)
        if self.markov and warm_up:
            self.markov.warm_up(block, warm_up)

    def renew(self, block: Block, share: float, turn: int, warm_up: int) -> None:
        """Start a share of the chains anew, others every ``turn``."""
        if self.markov and (count := round(share * self.chains)):
            fresh = Metropolis(self.hamiltonian, count, self.generator)
            fresh.warm_up(block, warm_up)
            self.markov.bits = self.markov.bits.clone()
            self.markov.bits[(torch.arange(count) + turn * count) % self.chains] = fresh.bits

    def restart(self, block: Block, warm_up: int) -> None:
        """New chains for a block that has changed by much."""
        if self.markov:
            self.markov = Metropolis(self.hamiltonian, self.chains, self.generator)
            self.markov.warm_up(block, warm_up)

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
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Train ``block`` in place and return the history of the run.

    checkpoint: a file from which an interrupted run goes on, to the same numbers.  seconds: the time of the run by ``clock``,
    what it took before an interruption included; rate and shift then follow the time or the steps, whichever is further.
    Returns arrays over the steps, ``energy``, ``error`` and ``variance`` (Pauli units), ``seconds``, ``accepted`` and ``scale``
    (by which steps are shortened), with the number of ``steps`` and ``stopped``: "" or why the run ended early, and then the
    block has its last good state.
    Raises InputError when the checkpoint belongs to another system, block or settings.
    """
    if block.sites != hamiltonian.sites:
        raise InputError(f"the block has {block.sites} sites, the Hamiltonian {hamiltonian.sites}")
    began = clock()
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
    run.kept = run.kept or run.good
    spent, last_saved, stopped = run.spent(), time.perf_counter(), ""
    for step in range(len(run.energy), settings.steps):
        share = step / max(settings.steps - 1, 1)
        if seconds is not None:
            share = max(share, (spent + clock() - began) / seconds)
            if share > 1:
                stopped = f"out of time after {step} steps"
                break
        if settings.renewed and step and step % RENEW_EVERY == 0:
            source.renew(block, settings.renewed, step // RENEW_EVERY, settings.warm_up)
        drawn = source.draw(block, records, settings.sweeps)
        bits = drawn.flatten(0, 1)
        local = local_energy(block, bits)
        rate, shift = settings.at(share)
        estimate = over_chains(local.reshape(records, settings.chains).numpy())
        if run.lost(estimate) and run.turns < TURNS:
            run.turn_back(block, source, settings.warm_up)
            run.add(estimate, spent + clock() - began, source.markov.accepted if source.markov else 1.0)
            continue
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
        if step % KEPT_EVERY == 0:
            run.kept = run.good
        longest = settings.longest / max(moved.length**0.5, 1e-300)
        add_to_parameters(block, moved.direction * (run.factor * min(rate, longest)))
        run.direction = moved.direction
        now = time.perf_counter()
        run.add(estimate, spent + clock() - began, source.markov.accepted if source.markov else 1.0)
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
    scale: list[float]
    direction: torch.Tensor | None = None
    good: dict[str, torch.Tensor] = field(default_factory=dict)  # before the last step
    kept: dict[str, torch.Tensor] = field(default_factory=dict)  # to go back to
    factor: float = 1.0  # by which steps are shortened now

    @classmethod
    def fresh(cls) -> Run:
        return cls([], [], [], [], [], [])

    @property
    def turns(self) -> int:
        """How often the run has gone back."""
        return round(-math.log2(self.factor))

    def lost(self, now: Estimate) -> bool:
        """Whether the run has clearly lost a good part of what it had gained since it last went back."""
        since = [k for k, scale in enumerate(self.scale) if scale == self.factor]
        if len(since) <= FREE or not math.isfinite(now.mean):
            return False
        best = min(since, key=lambda k: self.energy[k] + 2 * self.error[k])
        gained, lost = self.energy[0] - self.energy[best], now.mean - self.energy[best]
        return lost > LOST * gained and lost > SURE * math.hypot(now.error, self.error[best])

    def turn_back(self, block: Block, source: Source, warm_up: int) -> None:
        block.load_state_dict(self.kept)
        self.factor, self.direction = self.factor / 2, None
        source.restart(block, warm_up)

    def add(self, estimate: Estimate, seconds: float, accepted: float) -> None:
        values = estimate.mean, estimate.error, estimate.variance, seconds, accepted, self.factor
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
        state, kept = (
            {n.removeprefix(part): v for n, v in saved.items() if n.startswith(part)} for part in ("state/", "kept/")
        )
        block.load_state_dict(state)
        run.kept, run.factor = kept, run.scale[-1] if run.scale else 1.0
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
    tensors |= {f"kept/{n}": v for n, v in run.kept.items()}
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
