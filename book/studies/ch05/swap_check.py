"""The swap estimator against the exact state of trained blocks, and on a chain that is too long for one (chapter 5)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypedDict, cast

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.families import build
from qednas.physics.reference import reference
from qednas.qed.blocks.block import Block, exact_state
from qednas.qed.blocks.mps import MPS
from qednas.qed.vmc.exact_training import Space, train_exactly
from qednas.qed.vmc.swap import renyi2
from qednas.qed.vmc.vmc import Settings, train
from studies.ch05.capacity import make
from studies.ch05.published import PRODUCT

FIELD = 1.0  # of the Ising chain that the blocks are trained on


class SwapCheck(TypedDict):
    """Second Renyi entropies (nats) of one trained block at its cuts."""

    cuts: list[int]
    wanted: list[float]  # from all amplitudes, or of the exact chain
    swap: np.ndarray  # (cuts,)
    error: np.ndarray  # of swap
    parameters: int


@declare(version=1)
def check_one(task: Task) -> SwapCheck:
    """Both values of S_2 (nats) at cuts of one trained block: from all its amplitudes, or of the exact chain, and from swaps."""
    torch.set_num_threads(1)
    sites = task["sites"]
    hamiltonian = build("tfim", sites, h=FIELD)
    generator = torch.Generator().manual_seed(task["seed"])
    if task["kind"] == "mps, long chain":
        block: Block = MPS(sites, task["size"], generator=generator)
        train(hamiltonian, block, Settings(**{**asdict(PRODUCT), "steps": task["steps"], "seed": task["seed"]}))
        cuts = [sites // 2]
        wanted = [reference(hamiltonian, "free-fermion")["renyi2"]]
    else:
        block = make(task["kind"], sites, task["size"], generator)
        train_exactly(Space.of(hamiltonian), block, task["steps"])
        spectra = schmidt_spectra(exact_state(block), sites)
        cuts = list(range(1, sites))
        wanted = [proxies(p)["renyi2"] for p in spectra]
    estimate = renyi2(hamiltonian, block, [range(cut) for cut in cuts], task["pairs"], seed=100 + task["seed"])
    return {
        "cuts": cuts,
        "wanted": wanted,
        "swap": estimate.entropy,
        "error": estimate.error,
        "parameters": block.parameter_count,
    }


class SwapRow(SwapCheck):
    """The check of one block, and what the block is."""

    kind: str
    sites: int
    size: int
    worst: float  # largest difference, in standard errors


class SwapChecks(TypedDict):
    """The checks of all blocks."""

    rows: list[SwapRow]
    worst: float  # over the blocks of which the exact state is known, as cuts
    cuts: int
    pairs: int  # of configurations for each swap value


@declare(version=1, pieces=(check_one,))
def swap_check(
    sites: int,
    sizes: dict[str, int],
    steps: int,
    pairs: int,
    long: dict[str, int],
    work: Work = Work(),
) -> SwapChecks:
    """Blocks {kind: size} trained on the critical Ising chain; ``long``: sites, size and steps of a long one."""
    tasks = [
        {"kind": k, "sites": sites, "size": s, "steps": steps, "pairs": pairs, "seed": 0} for k, s in sizes.items()
    ] + [{"kind": "mps, long chain", "pairs": pairs, "seed": 0, **long}]
    rows = []
    for task, check in zip(tasks, map_tasks(check_one, tasks, work=work), strict=True):
        off = np.abs(check["swap"] - np.array(check["wanted"])) / check["error"]
        rows.append(
            cast(
                SwapRow,
                {
                    "kind": task["kind"],
                    "sites": task["sites"],
                    "size": task["size"],
                    "worst": float(off.max()),
                    **check,
                },
            )
        )
    known = [row for row in rows if row["kind"] in sizes]
    return {
        "rows": rows,
        "worst": max(row["worst"] for row in known),
        "cuts": sum(len(row["cuts"]) for row in known),
        "pairs": pairs,
    }
