"""Variational Monte Carlo: train a block to be the ground state of a Hamiltonian, and measure the energy of the result.

Each step draws configurations from |psi|^2 (exactly where the block can, else by Metropolis), takes their local energies and
moves the parameters by the natural gradient.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.derivatives import add_to_parameters
from qednas.qed.vmc.estimates import Estimate, over_chains
from qednas.qed.vmc.local_energy import LocalEnergy
from qednas.qed.vmc.natural_gradient import natural_step
from qednas.qed.vmc.sampler import Sampler
from qednas.qed.vmc.settings import Settings, used_share
from qednas.qed.vmc.training_run import Run, TrainingHistory, fingerprint, load, save, state_of

SAVE_SECONDS = 20.0  # between checkpoints
BELOW = 3.0  # standard errors that an energy may lie below the exact one
KEPT_EVERY = 5  # steps between the states that a run can go back to
RENEW_EVERY = 8  # steps between renewals of chains
TURNS = 6  # times that a run goes back
ROUNDING = 1e-10  # relative, of an energy without statistical error


def train(
    hamiltonian: Hamiltonian,
    block: Block,
    settings: Settings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainingHistory:
    """Train ``block`` in place and return the history of the run.

    checkpoint: a file from which an interrupted run goes on, to the same numbers.  seconds: the time of the run by ``clock``,
    what it took before an interruption included; rate and shift then follow the time or the steps, whichever is further.
    Raises InputError when the checkpoint belongs to another system, block or settings.
    """
    if block.sites != hamiltonian.sites:
        raise InputError(f"the block has {block.sites} sites, the Hamiltonian {hamiltonian.sites}")
    began = clock()
    generator = torch.Generator().manual_seed(settings.seed)
    label = fingerprint(hamiltonian, block, settings)
    run = Run.start()
    saved = None if checkpoint is None else load(checkpoint, label)
    sampler = Sampler(hamiltonian, block, settings.chains, generator, 0 if saved else settings.warm_up)
    if saved:
        run = Run.from_checkpoint(saved, block, sampler)
    run.good = state_of(block)
    run.fallback = run.fallback or run.good
    local_energy, elapsed, last_saved, stopped = LocalEnergy(hamiltonian), run.elapsed(), time.perf_counter(), ""
    for step in range(len(run.energy), settings.steps):
        share = step / max(settings.steps - 1, 1)
        if seconds is not None:
            share = max(share, used_share(elapsed + clock() - began, seconds))
            if share > 1:
                stopped = f"out of time after {step} steps"
                break
        try:
            estimate = train_step(block, run, sampler, local_energy, settings, step, share)
        except NumericalError as problem:
            block.load_state_dict(run.good)
            stopped = f"step {step}: {problem}"
            break
        now = time.perf_counter()
        run.add(estimate, elapsed + clock() - began, sampler.markov.accepted if sampler.markov else 1.0)
        if checkpoint is not None and now - last_saved > SAVE_SECONDS:
            save(checkpoint, label, run, block, sampler)
            last_saved = now
        if progress:
            progress(step + 1, settings.steps, f"energy {estimate.mean:.6f} +- {estimate.error:.6f}")
    if checkpoint is not None:
        save(checkpoint, label, run, block, sampler)
    return run.to_history(stopped, block.parameter_count)


def train_step(
    block: Block, run: Run, sampler: Sampler, local_energy: LocalEnergy, settings: Settings, step: int, share: float
) -> Estimate:
    """Move the parameters of ``block`` once, or go back where the run has lost its way; returns the energy before the move.

    share: how much of the run is over, from 0 to 1.  Raises NumericalError where no step is possible.
    """
    records = settings.samples // settings.chains
    if settings.renewed and step and step % RENEW_EVERY == 0:
        sampler.renew(block, settings.renewed, step // RENEW_EVERY, settings.warm_up)
    bits = sampler.draw(block, records, settings.sweeps).flatten(0, 1)
    local = local_energy(block, bits)
    estimate = over_chains(local.reshape(records, settings.chains).numpy())
    if run.has_lost_energy(estimate) and run.turns < TURNS:
        run.turn_back(block, sampler, settings.warm_up)
        return estimate
    rate, shift = settings.at(share)
    update = natural_step(
        block.derivatives(bits),
        local,
        torch.full((settings.samples,), 1 / settings.samples, dtype=torch.float64),
        shift,
        holomorphic=block.holomorphic,
        before=run.direction,
        momentum=settings.momentum,
    )
    run.good = state_of(block)
    if step % KEPT_EVERY == 0:
        run.fallback = run.good
    longest = settings.longest / max(update.length**0.5, 1e-300)
    add_to_parameters(block, update.direction * (run.factor * min(rate, longest)))
    run.direction = update.direction
    return estimate


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
    sampler = Sampler(hamiltonian, block, chains, torch.Generator().manual_seed(seed), warm_up)
    local_energy = LocalEnergy(hamiltonian)
    values = [local_energy(block, sampler.draw(block, 1, sweeps)[0]).numpy() for _ in range(samples // chains)]
    estimate = over_chains(np.array(values))
    if exact is not None:
        check_above(estimate, exact)
    return estimate


def check_above(estimate: Estimate, exact: float) -> None:
    """Raise NumericalError when an energy breaks the variational principle beyond what chance allows."""
    allowed = BELOW * estimate.error + ROUNDING * abs(exact)
    if not estimate.mean >= exact - allowed:
        raise NumericalError(
            f"energy {estimate.mean:.10g} +- {estimate.error:.2g} lies below the exact {exact:.10g} by more than "
            f"{BELOW:g} standard errors"
        )
