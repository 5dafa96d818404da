"""Every architecture of a small search space trained alone: what the best one is, and what it costs to know (chapter 6)."""

from __future__ import annotations

import time
from typing import Any

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


def space_of(system: dict[str, Any], budget_per_site: int) -> tuple[Hamiltonian, Given, dict[str, list[str]], int]:
    """The Hamiltonian of {family, sites, parameters}, what is given, the parts of its search space, and the budget."""
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


@declare(version=1)
def train_architecture(task: Task) -> dict[str, Any]:
    """One architecture trained by exact sums: its relative energy error, its entropy, and the CPU seconds it took."""
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


@declare(version=1, pieces=(train_architecture,))
def every_architecture(systems: list[dict], budget: int, seeds: int, steps: int, work: Work = Work()) -> dict[str, Any]:
    """Train all architectures of at most ``budget`` parameters a site with every seed.

    Returns for every system ``exact`` (energy, Pauli units), ``proxies`` and ``rows``, one per architecture: parts, parameters,
    and over the seeds ``relative`` (energy error) and ``entropy`` (nats); ``timing`` has the CPU seconds of each system.
    """
    tasks: list[dict[str, Any]] = []
    out: list[dict[str, Any]] = []
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
                "rows": [{"architecture": list(a.parts), "relative": [], "entropy": []} for a in candidates],
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


@declare(version=1)
def contained(systems: list[dict], budget: int) -> dict[str, Any]:
    """How far a supernet whose gates are 0 and 1 is from the network of each architecture, with the same weights.

    Returns ``count`` of architectures and the ``worst`` difference of ln psi, relative to its spread over random configurations.
    """
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
