"""One architecture trained by Monte Carlo for a fixed time and then measured: the common yardstick of chapters 6 to 8."""

from __future__ import annotations

import time
from typing import Any

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.architecture import Architecture, Given
from qednas.qed.search import final_values, training_settings
from qednas.qed.vmc import train

MEASURED = 0.2  # of the training time goes into the final energy


def trained_alone(
    hamiltonian: Hamiltonian, given: Given, architecture: Architecture, seconds: float, seed: int
) -> dict[str, Any]:
    """Train for ``seconds`` of CPU time and measure with other chains.

    Returns ``energy`` with ``error`` (Pauli units), ``variance``, ``v_score``, ``r_hat``, ``renyi2`` with ``renyi2_error`` (half
    chain, nats; None where the samples do not resolve it), ``parameters``, ``train_steps`` and ``train_seconds``.
    """
    block = architecture.build(given, seed)
    began = time.process_time()
    settings = training_settings(hamiltonian, seed, 0.0, 1.0)
    run = train(hamiltonian, block, settings, seconds=seconds, clock=time.process_time)
    spent = time.process_time() - began
    final = final_values(hamiltonian, block, MEASURED * seconds, seed + 1000, clock=time.process_time)
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
        "train_seconds": spent,
    }
