"""Machines trained to be the ground state of the modified Haldane-Shastry chain (chapter 1), beside exact diagonalisation.

H = sum_{j<k} d_jk^-2 (-XX - YY + ZZ) with d = (N/pi) sin(pi (k-j)/N): Deng, Li and Das Sarma, PRX 7, 021021 (2017), eq. (8).
"""

from __future__ import annotations

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks.rbm import RBM
from qednas.qed.vmc.exact_training import Space, train_exactly
from studies.ch01.entropy_laws import half_chain

START = 0.05  # standard deviation of the weights before training


def full_state(space: Space, sites: int, psi: np.ndarray) -> np.ndarray:
    """Amplitudes (2**sites,) from those of a space."""
    full = np.zeros(1 << sites, complex)
    full[space.numbers] = psi
    return full


@declare(version=1)
def train_machine(task: Task) -> dict:
    """One machine of one size and seed: energies, entropies of its state and of the exact one (nats), overlap."""
    torch.set_num_threads(1)
    sites = task["sites"]
    hamiltonian = build("mhs", sites)
    exact = ground_state(hamiltonian)
    generator = torch.Generator().manual_seed(1000 * task["seed"] + sites)
    machine = RBM(sites, task["density"], scale=START, generator=generator)
    space = Space.of(hamiltonian)
    run = train_exactly(space, machine, task["steps"])
    state = full_state(space, sites, run["psi"])
    reached = [proxies(p) for p in schmidt_spectra(state, sites)]
    true = [proxies(p) for p in exact.spectra]
    return {
        "energy": run["energy"],
        "exact_energy": exact.energy,
        "parameters": run["parameters"],
        "variance": run["variance"],
        "infidelity": float(1 - np.abs(np.vdot(state, exact.vector)) ** 2),
        "profile": [p["entropy"] for p in reached],
        "exact_profile": [p["entropy"] for p in true],
        "renyi2": reached[half_chain(sites)]["renyi2"],
        "exact_renyi2": true[half_chain(sites)]["renyi2"],
    }


@declare(version=1, pieces=(train_machine,))
def learned_machines(sizes: list[int], seeds: int, steps: int, density: float, work: Work = Work()) -> dict:
    """Train ``seeds`` machines of every size by exact sums.

    Returns ``rows``, one per size: energies (Pauli units) and relative errors with their standard error over the seeds, the
    worst entropy difference of any cut (nats), half-chain entropies, infidelity; ``profiles`` of the largest size; and
    ``lowest``, the smallest energy error in Pauli units (negative only by rounding: the energy is variational).
    """
    tasks = [
        {"sites": n, "seed": s, "steps": steps, "density": density}
        for n in sorted(sizes, reverse=True)
        for s in range(seeds)
    ]
    runs = map_tasks(train_machine, tasks, work=work)
    rows = []
    for n in sizes:
        group = [f for f, t in zip(runs, tasks, strict=True) if t["sites"] == n]
        errors = np.array([(f["energy"] - f["exact_energy"]) / abs(f["exact_energy"]) for f in group])
        deviations = np.array([np.abs(np.subtract(f["profile"], f["exact_profile"])).max() for f in group])
        half = n // 2 - 1
        rows.append(
            {
                "sites": n,
                "parameters": group[0]["parameters"],
                "exact_energy": group[0]["exact_energy"],
                "energy": float(np.mean([f["energy"] for f in group])),
                "error": float(errors.mean()),
                "error_sem": float(errors.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else None,
                "infidelity": float(np.mean([f["infidelity"] for f in group])),
                "entropy": float(np.mean([f["profile"][half] for f in group])),
                "exact_entropy": group[0]["exact_profile"][half],
                "renyi2": float(np.mean([f["renyi2"] for f in group])),
                "exact_renyi2": group[0]["exact_renyi2"],
                "worst_entropy": float(deviations.max()),
            }
        )
    largest = [f for f, t in zip(runs, tasks, strict=True) if t["sites"] == max(sizes)]
    return {
        "rows": rows,
        "seeds": seeds,
        "profiles": {
            "machine": np.mean([f["profile"] for f in largest], axis=0).tolist(),
            "exact": largest[0]["exact_profile"],
        },
        "lowest": float(min(f["energy"] - f["exact_energy"] for f in runs)),
    }
