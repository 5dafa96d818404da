"""Every architecture of a small search space trained alone: what the best one is, and what it costs to know (chapter 6)."""

from __future__ import annotations

import time
from typing import Any, TypedDict

import numpy as np
import torch

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import make_ready
from qednas.qed.search.architecture import Architecture, architectures, every_part, part_parameters
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.supernet import Supernet
from qednas.qed.vmc.exact_training import Space, train_exactly

KINDS = ("jastrow", "rbm", "mps", "dense")
PROBED = 256  # configurations on which a supernet is compared with a network


class System(TypedDict):
    """A Hamiltonian by its name."""

    family: str
    sites: int
    parameters: dict[str, Any]  # as the family names them: couplings are float, widths and seeds int


class TrainedAlone(TypedDict):
    """What :func:`qednas.qed.search.trained_alone.train_alone` gives of a network."""

    energy: float  # Pauli units
    error: float
    variance: float
    v_score: float | None  # None where training failed, as r_hat
    r_hat: float | None
    renyi2: float | None  # half chain, nats; None where the samples do not resolve it
    renyi2_error: float | None
    parameters: int
    train_steps: int
    train_seconds: float


def space_of(system: System, budget_per_site: int) -> tuple[Hamiltonian, Given, dict[str, list[str]], int]:
    """The Hamiltonian of a system, what is given, the parts of its search space, and the budget."""
    hamiltonian = build(system["family"], system["sites"], **system["parameters"])
    given = given_of(hamiltonian)
    budget = budget_per_site * hamiltonian.sites
    return hamiltonian, given, every_part(given, KINDS, budget), budget


def architectures_within(given: Given, parts: dict[str, list[str]], budget: int) -> list[Architecture]:
    counts = {part: part_parameters(part, given) for choices in parts.values() for part in choices}
    return architectures(parts, counts.__getitem__, budget)


def half_chain(psi: np.ndarray, space: Space) -> dict[str, float]:
    """Proxies (nats) of the half chain of amplitudes psi (states,) on the configurations of a space."""
    sites = space.bits.shape[1]
    whole = np.zeros(1 << sites, psi.dtype)
    whole[space.numbers] = psi
    return proxies(schmidt_spectra(whole, sites)[sites // 2 - 1])


class ExactTraining(TypedDict):
    """What one architecture came to, with one seed."""

    relative: float  # energy error
    entropy: float  # half chain, nats
    parameters: int
    seconds: float  # of CPU


@declare(version=1)
def train_architecture(task: Task) -> ExactTraining:
    """One architecture trained by exact sums."""
    hamiltonian, given, _, _ = space_of(task["system"], task["budget"])
    make_ready()
    block = Architecture(tuple(task["parts"])).build(given, task["seed"])
    began = time.process_time()
    space = Space.of(hamiltonian)
    run = train_exactly(space, block, steps=task["steps"])
    return {
        "relative": (run["energy"] - task["exact"]) / abs(task["exact"]),
        "entropy": half_chain(run["psi"], space)["entropy"],
        "parameters": block.parameter_count,
        "seconds": time.process_time() - began,
    }


class ArchitectureRow(TypedDict):
    """One architecture trained with every seed."""

    architecture: list[str]  # parts
    relative: list[float]  # energy error of each seed
    entropy: list[float]  # half chain, nats
    parameters: int


class SolvedSystem(TypedDict):
    """A system and its ground state."""

    system: System
    exact: float  # energy, Pauli units
    proxies: dict[str, float]  # of the half chain, nats


class TrainedSystem(SolvedSystem):
    """A system with all architectures of its search space."""

    parts: dict[str, list[str]]  # by kind
    rows: list[ArchitectureRow]


class SystemSeconds(TypedDict):
    """What the trainings of each system took."""

    seconds: list[float]  # of CPU


class EveryArchitecture(TypedDict):
    """All architectures of small search spaces."""

    systems: list[TrainedSystem]
    seeds: int
    steps: int
    budget: int  # parameters a site
    timing: SystemSeconds


@declare(version=1, pieces=(train_architecture,))
def every_architecture(
    systems: list[System], budget: int, seeds: int, steps: int, work: Work = Work()
) -> EveryArchitecture:
    """Train all architectures of at most ``budget`` parameters a site with every seed."""
    tasks: list[Task] = []
    out: list[TrainedSystem] = []
    system: Any  # first as it was given, then with what was trained
    for system in systems:
        hamiltonian, given, parts, most = space_of(system, budget)
        state = ground_state(hamiltonian)
        candidates = architectures_within(given, parts, most)
        out.append(
            {
                "system": system,
                "exact": state.energy,
                "proxies": proxies(state.spectra[hamiltonian.sites // 2 - 1]),
                "parts": parts,
                "rows": [  # parameters follow
                    {"architecture": list(a.parts), "relative": [], "entropy": []}  # type: ignore[typeddict-item]
                    for a in candidates
                ],
            }
        )
        common = {"system": system, "budget": budget, "steps": steps, "exact": state.energy}
        tasks += [common | {"parts": list(a.parts), "seed": seed} for a in candidates for seed in range(seeds)]
    trainings = iter(map_tasks(train_architecture, tasks, work=work))
    seconds = []
    for system in out:
        spent = 0.0
        for row in system["rows"]:
            for _ in range(seeds):
                training = next(trainings)
                row["relative"].append(training["relative"])
                row["entropy"].append(training["entropy"])
                row["parameters"] = training["parameters"]
                spent += training["seconds"]
        seconds.append(spent)
    return {"systems": out, "seeds": seeds, "steps": steps, "budget": budget, "timing": {"seconds": seconds}}


class Containment(TypedDict):
    """How far supernets are from the networks that they contain."""

    count: int  # of architectures
    worst: float  # difference of ln psi, relative to its spread over random configurations


@declare(version=1)
def contained(systems: list[System], budget: int) -> Containment:
    """How far a supernet whose gates are 0 and 1 is from the network of each architecture, with the same weights."""
    worst, count = 0.0, 0
    for system in systems:
        _, given, parts, most = space_of(system, budget)
        net = Supernet(parts, given, seed=3)
        bits = torch.rand(PROBED, given.sites, generator=torch.Generator().manual_seed(1)) < 0.5
        for architecture in architectures_within(given, parts, most):
            net.set_gates(torch.tensor([float(name in architecture.parts) for name in net.names], dtype=torch.float64))
            with torch.no_grad():
                alone = architecture.build(given, seed=3).log_psi(bits)
                difference = net.state.log_psi(bits) - alone
            spread = float((alone - alone.mean()).abs().max())
            wrapped = torch.complex(difference.real, torch.remainder(difference.imag + np.pi, 2 * np.pi) - np.pi)
            worst = max(worst, float(wrapped.abs().max()) / max(spread, 1e-12))
            count += 1
    return {"count": count, "worst": worst}
