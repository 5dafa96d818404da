"""One architecture trained by Monte Carlo at a fixed cost, then measured: the yardstick of the search and its chapters."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import make_ready
from qednas.qed.search.architecture import Architecture
from qednas.qed.search.settings import energy_scale
from qednas.qed.search.step_costs import CostClass, measured_costs
from qednas.qed.vmc.estimates import Estimate, over_chains
from qednas.qed.vmc.local_energy import LocalEnergy
from qednas.qed.vmc.sampler import Sampler
from qednas.qed.vmc.settings import Settings
from qednas.qed.vmc.swap import RESOLVED, conserved_number, swap_ratios
from qednas.qed.vmc.vmc import train

RATE, SHIFT, LONGEST = (0.3, 0.03), (1e-2, 1e-4), 0.5  # of training; the rate times the energy scale of H
STEPS = 100_000  # more than there is time for
FINAL_CHAINS, WARM_UP = 512, 30  # Markov chains of the final energy, and sweeps before they count
LEAST_RECORDS, MOST_RECORDS = 16, 256  # configurations of each chain
MEASURED = 0.2  # of the training time goes into the final energy


def training_settings(
    hamiltonian: Hamiltonian, seed: int, first: float, last: float, samples: int = 512, steps: int = STEPS
) -> Settings:
    """How a network is trained from a share ``first`` to a share ``last`` of its whole training, in ``steps`` at most."""

    def between(pair: tuple[float, float]) -> tuple[float, float]:
        ratio = pair[1] / pair[0]
        return pair[0] * ratio**first, pair[0] * ratio**last

    unit = energy_scale(hamiltonian)
    rate = between(RATE)
    return Settings(
        steps=steps, samples=samples, chains=samples, rate=(rate[0] / unit, rate[1] / unit), shift=between(SHIFT),
        longest=LONGEST, renewed=0.125, warm_up=12, seed=seed,
    )  # fmt: skip


@dataclass(frozen=True)
class Final:
    """Energy (Pauli units) and second Renyi entropy of the half chain (nats) of a trained network.

    The entropy is None where the samples do not resolve it.
    """

    energy: Estimate
    renyi2: float | None
    renyi2_error: float | None


def final_values(
    hamiltonian: Hamiltonian,
    block: Block,
    seed: int,
    *,
    records: int | None = None,
    seconds: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Final:
    """Sample a network: its energy, and its second Renyi entropy by swaps of the same samples.

    records: configurations of each chain; None takes as many as there is time for in ``seconds`` by ``clock``.
    """
    began = clock()

    def enough(count: int) -> bool:
        if records is not None:
            return count >= records
        return count >= LEAST_RECORDS and (clock() - began >= seconds or count >= MOST_RECORDS)

    sampler = Sampler(hamiltonian, block, FINAL_CHAINS, torch.Generator().manual_seed(seed), WARM_UP)
    local_energy, conserved = LocalEnergy(hamiltonian), conserved_number(hamiltonian, block)
    energies: list[np.ndarray] = []
    swaps: list[np.ndarray] = []
    while not enough(len(energies)):
        bits = sampler.draw(block, 1, 2)[0]
        energies.append(local_energy(block, bits).numpy())
        first, second = bits.bool().chunk(2)
        swaps.append(swap_ratios(block, first, second, range(hamiltonian.sites // 2), conserved).real.numpy())
    purity = over_chains(np.array(swaps))
    resolved = purity.mean > RESOLVED * purity.error
    return Final(
        over_chains(np.array(energies)),
        -math.log(purity.mean) if resolved else None,
        purity.error / purity.mean if resolved else None,
    )


def train_alone(
    hamiltonian: Hamiltonian, given: Given, architecture: Architecture, seconds: float, seed: int
) -> dict[str, Any]:
    """Train for as many steps as ``seconds`` of one core pay for by the table of measured costs, and measure with other chains.

    The measurement takes :data:`MEASURED` of the same cost; one configuration of all its chains counts as a step.

    Returns ``energy`` with ``error`` (Pauli units), ``variance``, ``v_score``, ``r_hat``, ``renyi2`` with ``renyi2_error`` (half
    chain, nats; None where the samples do not resolve it), ``parameters``, ``train_steps`` and ``train_seconds`` (as measured).
    """
    make_ready()
    block = architecture.build(given, seed)
    cost = measured_costs().of(CostClass.of(hamiltonian, given), architecture)
    records = min(MOST_RECORDS, max(LEAST_RECORDS, round(MEASURED * seconds / cost.seconds)))
    began = time.process_time()
    settings = training_settings(hamiltonian, seed, 0.0, 1.0, steps=cost.steps(seconds))
    run = train(hamiltonian, block, settings, clock=time.process_time)
    elapsed = time.process_time() - began
    final = final_values(hamiltonian, block, seed + 1000, records=records)
    return {
        "energy": final.energy.mean,
        "error": final.energy.error,
        "variance": final.energy.variance,
        "v_score": final.energy.v_score(hamiltonian.sites),
        "r_hat": final.energy.r_hat,
        "renyi2": final.renyi2,
        "renyi2_error": final.renyi2_error,
        "parameters": block.parameter_count,
        "train_steps": run["steps"],
        "train_seconds": elapsed,
    }
