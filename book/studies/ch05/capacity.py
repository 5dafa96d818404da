"""What each block can hold (chapter 5): blocks of growing size fitted to a known state, with the entropy that they reach.

The fit lowers the projector -|phi><phi| by exact sums, so nothing but the block limits it: neither samples nor a Hamiltonian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, cast

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks.attention import Attention
from qednas.qed.blocks.block import Block, exact_state
from qednas.qed.blocks.dense import Dense
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.rbm import RBM
from qednas.qed.vmc.exact_training import Space, train_exactly
from studies.ch01.entropy_laws import half_chain
from studies.ch01.exact_machines import volume_law

START = 0.1  # standard deviation of the weights before the fit


def random_state(sites: int) -> np.ndarray:
    """A state drawn uniformly (Haar), always the same one of that size."""
    rng = np.random.default_rng(sites)
    psi = rng.standard_normal(1 << sites) + 1j * rng.standard_normal(1 << sites)
    return psi / np.linalg.norm(psi)


TARGETS: dict[str, Callable[[int], np.ndarray]] = {
    "area law": lambda sites: ground_state(build("tfim", sites, h=2.0)).vector,
    "critical": lambda sites: ground_state(build("tfim", sites, h=1.0)).vector,
    "volume law, structured": lambda sites: exact_state(volume_law(sites)),
    "volume law, random": random_state,
}


def make(kind: str, sites: int, size: int, generator: torch.Generator) -> Block:
    """A complex block: size is the hidden density, the bond dimension, or the width."""
    makers: dict[str, Callable[[], Block]] = {
        "rbm": lambda: RBM(sites, size, scale=START, generator=generator),
        "mps": lambda: MPS(sites, size, dtype=torch.complex128, scale=START, generator=generator),
        "attention": lambda: Attention(sites, size, 1, 2, phase=True, generator=generator),
        "dense": lambda: Dense(sites, [size], phase=True, generator=generator),
    }
    if kind not in makers:
        raise InputError(f"block {kind!r}: one of {', '.join(makers)}")
    return makers[kind]()


class BlockFit(TypedDict):
    """How close a block came to a state; entropies of the half chain in nats."""

    infidelity: float
    parameters: int
    entropy: float  # of the fitted block
    wanted: float  # of the state
    seconds: float


@declare(version=1)
def fit_one(task: Task) -> BlockFit:
    """One block of one size, seed and target."""
    torch.set_num_threads(1)
    sites = task["sites"]
    target = TARGETS[task["target"]](sites)
    block = make(task["kind"], sites, task["size"], torch.Generator().manual_seed(task["seed"]))
    fit = train_exactly(Space.around(target), block, task["steps"], shifts=(1e-2, 1e-5))
    cut = half_chain(sites)
    return {
        "infidelity": max(0.0, 1 + fit["energy"]),
        "parameters": block.parameter_count,
        "entropy": proxies(schmidt_spectra(fit["psi"], sites)[cut])["entropy"],
        "wanted": proxies(schmidt_spectra(target, sites)[cut])["entropy"],
        "seconds": fit["seconds"],
    }


class CapacityRow(TypedDict):
    """A block of one size fitted to a target: means over the seeds, with standard errors that are None for one seed."""

    target: str
    kind: str
    size: int
    parameters: int
    wanted: float  # half-chain entropy of the target, nats
    entropy: float  # that was reached, nats
    entropy_sem: float | None
    infidelity: float
    infidelity_sem: float | None


class Capacity(TypedDict):
    """What every block can hold of every target."""

    rows: list[CapacityRow]
    sites: int
    seeds: int
    steps: int


@declare(version=1, pieces=(fit_one,))
def capacity(sites: int, sizes: dict[str, list[int]], seeds: int, steps: int, work: Work = Work()) -> Capacity:
    """Fit blocks of ``sizes`` {kind: sizes} to every target."""
    cases = [(t, kind, size) for t in TARGETS for kind, listed in sizes.items() for size in listed]
    tasks = [
        {"sites": sites, "target": t, "kind": kind, "size": size, "seed": seed, "steps": steps}
        for t, kind, size in cases
        for seed in range(seeds)
    ]
    fits = map_tasks(fit_one, tasks, work=work)
    rows = []
    for number, (target, kind, size) in enumerate(cases):
        trials = fits[number * seeds : (number + 1) * seeds]
        row: dict[str, str | float | None] = {"target": target, "kind": kind, "size": size}
        row |= {"parameters": trials[0]["parameters"], "wanted": trials[0]["wanted"]}
        for name in ("entropy", "infidelity"):
            values = np.array([f[name] for f in trials])
            row[name] = float(values.mean())
            row[f"{name}_sem"] = float(values.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else None
        rows.append(cast(CapacityRow, row))
    return {"rows": rows, "sites": sites, "seeds": seeds, "steps": steps}
