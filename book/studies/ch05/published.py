"""Our blocks on the benchmark systems whose energies others have published (chapter 5).

Published energies: the collection of Wu et al., Science 386, 296 (2024); relative errors are those of the listed energies
against the exact ones.  Every system is in Pauli units.  Settings were chosen with seed 0; what the book shows are other seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.reference import reference
from qednas.physics.symmetries import permutations
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.rbm import RBM
from qednas.qed.blocks.signed import Signed, marshall
from qednas.qed.vmc.vmc import Settings, measure, train
from studies.ch05.rings import heisenberg_ring, tfim_ring, tfim_ring_energy, tfim_torus

START = 0.05  # standard deviation of the weights of a machine before training
SEEDS = 1  # the first seed that the book shows


def machine(
    density: float, *, names: tuple[str, ...] | None = None, width: int | None = None
) -> Callable[[Hamiltonian, torch.Generator], Block]:
    """A positive, even machine tied by the symmetries of H, behind the sign of Marshall."""

    def build_block(hamiltonian: Hamiltonian, generator: torch.Generator) -> Block:
        tied = torch.from_numpy(permutations(hamiltonian, width, names))
        block = RBM(
            hamiltonian.sites, density, dtype=torch.float64, tied=tied, even=True, scale=START, generator=generator
        )
        pattern = marshall(hamiltonian)
        return Signed(block, pattern) if bool(pattern.any()) else block

    return build_block


def product(bond: int) -> Callable[[Hamiltonian, torch.Generator], Block]:
    """A real matrix product state."""
    return lambda hamiltonian, generator: MPS(hamiltonian.sites, bond, generator=generator)


def biased_machine(density: float) -> Callable[[Hamiltonian, torch.Generator], Block]:
    """A positive machine with biases, tied by the symmetries of H: for frames in which turning all spins over is none."""

    def build_block(hamiltonian: Hamiltonian, generator: torch.Generator) -> Block:
        tied = torch.from_numpy(permutations(hamiltonian))
        return RBM(hamiltonian.sites, density, dtype=torch.float64, tied=tied, scale=START, generator=generator)

    return build_block


@dataclass(frozen=True)
class Case:
    """A system, its exact energy, the block and settings that we give it, and what others reached {method: relative error}."""

    system: Callable[[], Hamiltonian]
    exact: Callable[[], float]
    source: str  # of the exact energy
    block: Callable[[Hamiltonian, torch.Generator], Block]
    what: str
    settings: Settings
    final: int  # configurations of the final energy
    published: dict[str, float]
    bar: float | None = None  # relative error that this project set itself


def exact_by_diagonalisation(hamiltonian: Callable[[], Hamiltonian]) -> Callable[[], float]:
    return lambda: ground_state(hamiltonian()).energy


def chain_energy(sites: int, h: float) -> Callable[[], float]:
    return lambda: float(reference(build("tfim", sites, h=h), "free-fermion")["energy"])


MACHINE = Settings(steps=300, rate=(0.1, 0.05), shift=(1e-2, 1e-5), longest=0.1)
PRODUCT = Settings(steps=120, samples=512, chains=512, rate=(0.3, 0.1), shift=(1e-2, 1e-5), longest=0.5)
LONG = Settings(steps=2400, samples=2048, chains=2048, rate=(0.2, 0.05), shift=(1e-2, 1e-6), longest=0.2)
TORUS = ("translation", "translation of rows")


def mhs(sites: int) -> Case:
    def system() -> Hamiltonian:
        return build("mhs", sites)

    exact = exact_by_diagonalisation(system)
    return Case(system, exact, "exact diagonalisation", machine(4), "RBM, density 4, tied", MACHINE, 1 << 17, {})


CASES: dict[str, Case] = {
    "tfim ring, 32 sites, h = 1": Case(
        lambda: tfim_ring(32, 1.0), lambda: tfim_ring_energy(32, 1.0), "closed form", machine(12), "RBM, density 12, tied", LONG,
        1 << 20, {"RBM": 5.9e-5, "symmetric feed-forward": 6.0e-7}, 2e-6,
    ),
    "tfim ring, 32 sites, h = 0.5": Case(
        lambda: tfim_ring(32, 0.5).swap_xz(), lambda: tfim_ring_energy(32, 0.5), "closed form", biased_machine(4),
        "RBM, density 4, tied, X frame", replace(MACHINE, shift=(1e-2, 1e-4)), 1 << 17, {"symmetric feed-forward": 1.2e-6},
    ),
    "Heisenberg chain, 20 sites, open": Case(
        lambda: build("xxz", 20, delta=1.0), lambda: -34.72989333759587, "published exact diagonalisation", machine(4),
        "RBM, density 4, tied", Settings(300, 2048, 2048, rate=(0.1, 0.05), shift=(1e-2, 1e-5), longest=0.1), 1 << 17,
        {"RBM": 8.0e-5, "RNN": 1.9e-6}, 1e-5,
    ),
    "Heisenberg ring, 20 sites": Case(
        lambda: heisenberg_ring(20), lambda: -35.61754611950579, "published exact diagonalisation", machine(8),
        "RBM, density 8, tied", MACHINE, 1 << 17, {"RBM": 3.8e-4, "RNN, translations": 1.0e-6},
    ),
    "tfim torus, 6 x 6, h = 3": Case(
        lambda: tfim_torus(6, 6, 3.0), lambda: -115.232707303718, "published exact diagonalisation",
        machine(4, names=TORUS, width=6), "RBM, density 4, tied", MACHINE, 1 << 18, {"RBM": 9.2e-6}, 9e-6,
    ),
    "tfim chain, 64 sites, h = 1": Case(
        lambda: build("tfim", 64, h=1.0), chain_energy(64, 1.0), "free fermions", product(8), "MPS, bond 8", PRODUCT, 1 << 17,
        {}, 2e-4,
    ),
    "tfim chain, 64 sites, h = 0.5": Case(
        lambda: build("tfim", 64, h=0.5).swap_xz(), chain_energy(64, 0.5), "free fermions", product(4), "MPS, bond 4, X frame",
        PRODUCT, 1 << 17, {}, 2e-5,
    ),
    **{f"modified Haldane-Shastry, {n} sites": mhs(n) for n in (12, 14, 16, 18)},
}  # fmt: skip


class CaseRun(TypedDict):
    """One case trained with one seed; energies in Pauli units."""

    exact: float
    energy: float
    error: float
    variance: float
    v_score: float
    r_hat: float | None
    correlation: float | None  # time of recorded energies, 1 where they are independent
    parameters: int
    seconds: float  # of training
    stopped: str  # why the training ended early, or ""
    steps: list[int]  # of the history, 1 the first
    history: list[float]  # energy: mean of the last five steps


@declare(version=1)
def run_case(task: Task) -> CaseRun:
    """Train and measure one case with one seed; raises InputError when the energy breaks the variational principle."""
    torch.set_num_threads(1)
    case = CASES[task["case"]]
    hamiltonian, exact = case.system(), case.exact()
    settings = Settings(**{**asdict(case.settings), "seed": task["seed"], **task["changed"]})
    block = case.block(hamiltonian, torch.Generator().manual_seed(task["seed"]))
    began = time.perf_counter()
    path = (
        Path(task["scratch"]) / f"{list(CASES).index(task['case']):02d}-{task['seed']}.safetensors"
        if "scratch" in task
        else None
    )
    run = train(hamiltonian, block, settings, checkpoint=path)
    trained = time.perf_counter() - began
    final = min(case.final, task["final"] or case.final)
    e = measure(hamiltonian, block, final, chains=min(1024, final), seed=1000 + task["seed"], exact=exact)
    steps = np.unique(np.geomspace(1, run["steps"], 60).astype(int)) - 1
    return {
        "exact": exact,
        "energy": e.mean,
        "error": e.error,
        "variance": e.variance,
        "v_score": e.v_score(hamiltonian.sites),
        "r_hat": e.r_hat,
        "correlation": e.correlation,
        "parameters": block.parameter_count,
        "seconds": trained,
        "stopped": run["stopped"],
        "steps": (steps + 1).tolist(),
        "history": [float(run["energy"][max(0, k - 4) : k + 1].mean()) for k in steps],
    }


class CaseRow(TypedDict):
    """Our energy of one case beside the published ones."""

    case: str
    block: str
    exact: float  # energy, Pauli units
    source: str  # of the exact energy
    relative: float  # relative error, mean over seeds
    error: float  # the larger of the spread over seeds and the sampling error of the mean
    best: float  # relative error of the seed with the least variance
    v_score: float  # mean over seeds, as seconds
    r_hat: float | None  # largest of the seeds
    parameters: int
    seconds: float
    published: dict[str, float]  # relative error by method
    bar: float | None  # relative error that this project set itself
    lowest: float  # least difference from the exact energy, in its own standard errors
    stopped: list[str]  # why trainings ended early


class TrainingCurve(TypedDict):
    """The history of one seed of a case."""

    case: str
    seed: int
    steps: list[int]
    energy: list[float]  # Pauli units


class PublishedEnergies(TypedDict):
    """All cases beside what others have published."""

    rows: list[CaseRow]
    curves: list[TrainingCurve]
    seeds: int


@declare(version=1, pieces=(run_case,))
def published_energies(
    cases: list[str],
    seeds: int,
    final: int | None = None,
    changed: dict | None = None,
    work: Work = Work(),
) -> PublishedEnergies:
    """Train every case with ``seeds`` seeds and put the energies beside the published ones.

    final and changed cut the final sampling and replace settings (for the smoke profile).
    """  # fmt: skip
    tasks: list[Task] = [
        {
            "case": name,
            "seed": SEEDS + k,
            "final": final,
            "changed": changed or {},
        }
        for name in cases
        for k in range(seeds)
    ]
    runs = map_tasks(run_case, tasks, work=work, scratch="training")
    rows: list[CaseRow] = []
    for number, name in enumerate(cases):
        trials = runs[number * seeds : (number + 1) * seeds]
        exact = trials[0]["exact"]
        relative = np.array([(r["energy"] - exact) / abs(exact) for r in trials])
        sampling = np.sqrt(np.sum([r["error"] ** 2 for r in trials])) / seeds / abs(exact)
        spread = relative.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else 0.0
        case = CASES[name]
        rows.append(
            {
                "case": name,
                "block": case.what,
                "exact": exact,
                "source": case.source,
                "relative": float(relative.mean()),
                "error": float(max(sampling, spread)),
                "best": float(relative[np.argmin([r["variance"] for r in trials])]),
                "v_score": float(np.mean([r["v_score"] for r in trials])),
                "r_hat": max((r["r_hat"] for r in trials if r["r_hat"] is not None), default=None),
                "parameters": trials[0]["parameters"],
                "seconds": float(np.mean([r["seconds"] for r in trials])),
                "published": case.published,
                "bar": case.bar,
                "lowest": float(min((r["energy"] - exact) / r["error"] for r in trials)),
                "stopped": [r["stopped"] for r in trials if r["stopped"]],
            }
        )
    curves: list[TrainingCurve] = [
        {"case": t["case"], "seed": t["seed"], "steps": f["steps"], "energy": f["history"]}
        for t, f in zip(tasks, runs, strict=True)
    ]
    return {"rows": rows, "curves": curves, "seeds": seeds}
