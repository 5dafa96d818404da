"""From a Hamiltonian to a trained network: predict its entanglement, search the supernet for it, train what was found.

Phase 1 takes milliseconds.  Phase 2 ends with a distribution over architectures.  Phase 3 takes the most probable ones and some
that are drawn from it and trains each alone from the start, in rounds of which every one keeps the better part (successive
halving: Jamieson and Talwalkar, AISTATS 2016): what the supernet thinks of an architecture is checked by the energy it reaches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Required, TypedDict

import numpy as np
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.base.progress import Progress, at_most_every
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks import registry
from qednas.qed.blocks.block import Block, exact_state
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import make_ready
from qednas.qed.predictor.predictor import shipped_predictor
from qednas.qed.search import network_files
from qednas.qed.search.architecture import Architecture, every_part
from qednas.qed.search.differentiable_search import search_architecture
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import Cost
from qednas.qed.search.supernet import Supernet
from qednas.qed.search.trained_alone import STEPS, Final, final_values, training_settings
from qednas.qed.vmc.estimates import Estimate
from qednas.qed.vmc.training_run import TrainingHistory
from qednas.qed.vmc.vmc import train

SHARES = {"search": 0.3, "measure": 0.12}  # of the time; training has the rest
# Settings of the supernet, chosen on other systems than the chapters show.
CHOSEN: dict[str, Any] = {"softmax": "plain"}
MOST_PROBABLE = 3  # of the architectures that are trained; the others are drawn
Rounds = Sequence[tuple[int, float]]
ROUNDS: Rounds = ((6, 0.3), (3, 0.3), (1, 0.4))  # architectures in each round of training, and its share of the time
LEAST_SECONDS = 10.0
BUDGET_PER_SITE = 40  # parameters, unless another budget is given
EXACT_ENTROPY = 16  # sites up to which the entropy of the network is exact
REPORT_SECONDS = 5.0  # between lines of progress
AGREED = 1.1  # R-hat above which chains do not tell of one state


class CandidateRow(TypedDict, total=False):
    """What became of an architecture that was trained."""

    architecture: Required[list[str]]  # parts
    rounds: Required[int]
    steps: int
    energy: float
    error: float
    failed: str  # why its training could not go on


class Network(TypedDict):
    """What is measured of the network that a search ends with; energies in Pauli units."""

    architecture: list[str]
    energy: float
    energy_std: float
    v_score: float
    r_hat: float | None
    agreed: bool  # the Markov chains, by r_hat
    entropy: float | None  # half chain, nats; None where the samples do not resolve it
    entropy_std: float | None
    entropy_kind: str
    parameters: int


class SearchResult(Network):
    """A network and how it was found."""

    predicted: dict[str, float]  # proxies
    probabilities: dict[str, dict[str, float]]  # of the supernet, {kind: {part: ...}}
    supernet_steps: int
    candidates: list[CandidateRow]
    history: dict[str, list[float]]  # of the last round of training
    seconds: float


@dataclass
class Candidate:
    """An architecture in training: its network, its energy over the last steps, and the course of the last round."""

    architecture: Architecture
    block: Block
    energy: Estimate | None = None
    run: TrainingHistory | None = None


# long: the three phases in the order in which they happen, each of them one call
def search(
    hamiltonian: Hamiltonian,
    seconds: float = 120.0,
    *,
    seed: int = 0,
    blocks: Sequence[str] | None = None,
    budget: int | None = None,
    width: int | None = None,
    settings: SearchSettings | None = None,
    folder: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> SearchResult:
    """Search and train a network for the ground state of ``hamiltonian`` within ``seconds``.

    blocks: kinds to choose from (all: jastrow, rbm, mps, dense; attention where it is named).  budget: most parameters of the
    network.  width: of the rows of a lattice.  folder: where the network is written and from which an interrupted search goes on.
    Raises InputError for an unknown block, an empty search space, too little time, or a folder with the checkpoint of another
    search.
    """
    began = time.perf_counter()
    tell = progress or (lambda text: None)
    if not seconds >= LEAST_SECONDS:
        raise InputError(f"seconds = {seconds:g}: too little to train a network; at least {LEAST_SECONDS:g}")
    if hamiltonian.sites < 4:
        raise InputError(f"sites = {hamiltonian.sites}: a search needs at least 4")
    budget = BUDGET_PER_SITE * hamiltonian.sites if budget is None else budget
    make_ready()
    given = given_of(hamiltonian, width)
    kinds = [name for name, kind in registry.kinds().items() if kind.by_default] if blocks is None else list(blocks)
    parts = every_part(given, kinds, budget)
    checkpoints = Path(folder) / "checkpoint" if folder is not None else None
    predicted = shipped_predictor().predict(hamiltonian)
    tell(f"phase 1: predicted half-chain entropy {predicted['proxies']['entropy']:.4f} nats")
    net = Supernet(parts, given, seed=seed)
    settings = settings or SearchSettings(**{"steps": STEPS, "seed": seed, **CHOSEN})
    course = search_architecture(
        hamiltonian, net, settings, wanted=predicted["proxies"], budget=budget,
        seconds=SHARES["search"] * seconds - (time.perf_counter() - began), checkpoint=checkpoint_path(checkpoints, "supernet"),
        progress=reporter(tell, "phase 2"),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed + 1)
    ranked = net.draw_architectures(MOST_PROBABLE, ROUNDS[0][0] - MOST_PROBABLE, generator, budget)
    left = seconds * (1 - SHARES["measure"]) - max(time.perf_counter() - began, SHARES["search"] * seconds)
    best, candidates = halving(hamiltonian, given, ranked, left, seed, checkpoints, tell)
    final = final_values(hamiltonian, best.block, seed + 10, seconds=seconds - (time.perf_counter() - began))
    out: SearchResult = {
        **network_values(hamiltonian, best, final),
        "predicted": predicted["proxies"],
        "probabilities": {
            kind: dict(zip(["none", *parts[kind]], values, strict=True)) for kind, values in net.probabilities().items()
        },
        "supernet_steps": course["steps"],
        "candidates": candidates,
        "history": {} if best.run is None else history_of(best.run),
        "seconds": time.perf_counter() - began,
    }
    if folder is not None:
        network_files.save(Path(folder), best.architecture, given, best.block, {"result": out})
        for path in sorted(checkpoints.glob("*.safetensors")) if checkpoints else []:
            path.unlink()
    return out


def history_of(run: TrainingHistory) -> dict[str, list[float]]:
    return {"energy": run["energy"].tolist(), "error": run["error"].tolist(), "seconds": run["seconds"].tolist()}


def network_values(hamiltonian: Hamiltonian, best: Candidate, final: Final) -> Network:
    entropy, error, kind = entropy_of(hamiltonian, best.block, final)
    return {
        "architecture": list(best.architecture.parts),
        "energy": final.energy.mean,
        "energy_std": final.energy.error,
        "v_score": final.energy.v_score(hamiltonian.sites),
        "r_hat": final.energy.r_hat,
        "agreed": bool(final.energy.r_hat is None or final.energy.r_hat < AGREED),
        "entropy": entropy,
        "entropy_std": error,
        "entropy_kind": kind,
        "parameters": best.block.parameter_count,
    }


def checkpoint_path(folder: Path | None, name: str) -> Path | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.safetensors"


def reporter(tell: Callable[[str], None], words: str) -> Progress:
    """What training calls after each step: the energy now and then."""
    return at_most_every(REPORT_SECONDS, lambda step, total, text: tell(f"{words}: step {step}, {text}"))


def halving(
    hamiltonian: Hamiltonian,
    given: Given,
    ranked: Sequence[Architecture],
    seconds: float,
    seed: int,
    checkpoints: Path | None = None,
    tell: Callable[[str], None] = lambda text: None,
    *,
    rounds: Rounds = ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
    cost: Callable[[Architecture], Cost] | None = None,
) -> tuple[Candidate, list[CandidateRow]]:
    """Train the architectures in rounds; returns the best of the last round and what became of each.

    With ``cost`` every network makes as many steps as its share of ``seconds`` pays for, at least one; without it trains until
    that time is over by ``clock``.
    A network whose training cannot go on drops out, with the reason.  Raises InputError when that is so of all of them, or when
    the time is too short for one step of any.
    """
    survivors = [Candidate(a, a.build(given, seed)) for a in ranked]
    rows: dict[Architecture, CandidateRow] = {
        c.architecture: {"architecture": list(c.architecture.parts), "rounds": 0} for c in survivors
    }
    shares = np.cumsum([0.0, *(share for _, share in rounds)])
    for number, (count, share) in enumerate(rounds):
        survivors = survivors[:count]
        quota = seconds * share / len(survivors)
        for index, candidate in enumerate(survivors):
            steps = STEPS if cost is None else cost(candidate.architecture).steps(quota)
            settings = training_settings(
                hamiltonian, seed + number, float(shares[number]), float(shares[number + 1]), steps=steps
            )
            words = f"phase 3, round {number + 1}: {candidate.architecture}"
            row = rows[candidate.architecture]
            path = checkpoint_path(checkpoints, f"round-{number}-{index}")
            try:
                run = train(
                    hamiltonian, candidate.block, settings, seconds=quota if cost is None else None,
                    progress=reporter(tell, words), checkpoint=path, clock=clock,
                )  # fmt: skip
            except NumericalError as problem:
                candidate.energy, row["failed"] = None, str(problem)
                continue
            candidate.energy, candidate.run = (late_energy(run), run) if run["steps"] else (None, run)
            row["rounds"], row["steps"] = number + 1, run["steps"]
            if candidate.energy:
                row["energy"], row["error"] = candidate.energy.mean, candidate.energy.error
        survivors.sort(key=lambda c: c.energy.mean if c.energy else math.inf)
        if survivors[0].energy is None:
            if failures := [row["failed"] for row in rows.values() if "failed" in row]:
                raise NumericalError(failures[0])
            raise InputError(
                f"{quota:.1f} s for each of {len(survivors)} networks: too little for one step of training; give more seconds"
            )
    return survivors[0], list(rows.values())


def late_energy(run: TrainingHistory, share: float = 0.2) -> Estimate:
    """The energy over the last steps of a run, with an error that takes the steps as independent."""
    count = max(1, int(share * len(run["energy"])))
    mean, error = run["energy"][-count:], run["error"][-count:]
    return Estimate(
        float(mean.mean()), float(np.sqrt((error**2).sum()) / count), float(run["variance"][-1]), None, None
    )


def entropy_of(hamiltonian: Hamiltonian, block: Block, final: Final) -> tuple[float | None, float | None, str]:
    """The entropy of a network, its error and which entropy it is: exact and von Neumann's for short chains without a sector."""
    if hamiltonian.sites <= EXACT_ENTROPY and hamiltonian.sector.kind != "magnetisation":
        spectrum = schmidt_spectra(exact_state(block), hamiltonian.sites)[hamiltonian.sites // 2 - 1]
        return proxies(spectrum)["entropy"], 0.0, "von Neumann"
    return final.renyi2, final.renyi2_error, "second Renyi, by swaps"
