"""Phase 2: weights and architecture parameters of a supernet trained together by gradient.

    loss = energy + entanglement x (distance of the state's proxies from the predicted ones) + cost x (parameters / budget)

with weights that grow with the sites and the couplings as the energy does.  Weights move by the natural gradient of the first
two terms; architecture parameters by Adam along the gradient of all three, which for a gate is a covariance with ln psi of its
block.  In the bilevel form (Liu, Simonyan and Yang, ICLR 2019) they look at configurations that the weights have not been moved
on, and they do not move during a first part of the search: blocks that learn quickly would win before others have begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from qednas.companion.weights import write_weights
from qednas.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.derivatives import Derivatives, add_to_parameters
from qednas.qed.blocks.superposition import Superposition
from qednas.qed.entanglement_loss import Distance, exact_distance, sampled_distance
from qednas.qed.estimates import over_chains
from qednas.qed.exact_training import Space, summed
from qednas.qed.local_energy import LocalEnergy
from qednas.qed.natural_gradient import NOTHING, natural_step
from qednas.qed.supernet import Gumbel, Supernet
from qednas.qed.vmc import Source, fingerprint, load

SAVE_SECONDS = 20.0
RENEW_EVERY, RENEWED = 8, 0.125  # steps, share of the chains: see qednas.qed.vmc.Settings
ADAM = (0.9, 0.99, 1e-8)
HALVINGS = 8  # of a step that changes the state by more than it should
CURVES = ("energy", "error", "distance", "seconds", "temperature")


@dataclass(frozen=True)
class SearchSettings:
    """How a supernet is searched.

    rate: of the natural gradient, times the :func:`energy_scale` of H.  entanglement and cost: weights of the two further terms,
    per site in units of that scale.  level: "bilevel" or "one" (architecture
    parameters see the configurations that the weights are moved on).  softmax: "gumbel" or "plain" (no noise, temperature one).
    memory: correlation of the noise from step to step.  gate_step: by how much gates may change the state in a step, sqrt(<|d ln
    psi|^2>).  fixed: share of the search in which the architecture parameters do not move and entanglement does not count.
    """

    steps: int = 80
    samples: int = 256
    rate: tuple[float, float] = (0.3, 0.15)
    shift: tuple[float, float] = (1e-2, 1e-3)
    longest: float = 0.3
    learning: float = 0.05
    temperature: tuple[float, float] = (1.0, 0.3)
    entanglement: float = 0.003
    cost: float = 0.001
    level: str = "bilevel"
    softmax: str = "gumbel"
    memory: float = 0.98
    gate_step: float = 0.1
    fixed: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("level", ("bilevel", "one")), ("softmax", ("gumbel", "plain"))):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} = {getattr(self, name)!r}: one of {', '.join(allowed)}")
        if self.steps < 1 or self.samples < 2 or self.samples % 2:
            raise InputError(
                f"steps = {self.steps}, samples = {self.samples}: at least one step, an even number of samples"
            )
        if min(*self.rate, *self.shift, *self.temperature, self.longest, self.learning) <= 0:
            raise InputError("rate, shift, temperature, longest and learning: all positive")
        if min(self.entanglement, self.cost) < 0 or not 0 <= self.fixed < 1:
            raise InputError(
                f"entanglement = {self.entanglement}, cost = {self.cost}: not negative; fixed = {self.fixed}: from 0 to below 1"
            )

    def at(self, share: float) -> tuple[float, float, float]:
        """Rate, shift and temperature when a share of the search is done."""
        pairs = self.rate, self.shift, (1.0, 1.0) if self.softmax == "plain" else self.temperature
        rate, shift, temperature = (first * (last / first) ** share for first, last in pairs)
        return rate, shift, temperature


@dataclass(frozen=True)
class Population:
    """Configurations (batch, sites) with weights (batch,) that sum to one, their local energies, the energy with its error
    (None when exact), and the distance from the entanglement that is wanted, where there is one."""

    bits: torch.Tensor
    weights: torch.Tensor
    local: torch.Tensor
    energy: float
    error: float | None
    distance: Distance | None


class Populations(Protocol):
    """Where populations of a state come from."""

    def draw(self, net: Supernet) -> Population: ...


class Sums:
    """All configurations of the sector of a short chain, without statistical error."""

    def __init__(self, hamiltonian: Hamiltonian, wanted: Mapping[str, float] | None):
        self.space, self.sites, self.wanted = Space.of(hamiltonian), hamiltonian.sites, wanted
        self.generator = torch.Generator()

    def draw(self, net: Supernet) -> Population:
        found = summed(net.state, self.space)
        distance = None
        if self.wanted:
            logs = net.state.log_psi(self.space.bits)
            distance = exact_distance(logs, self.space.numbers, self.sites, found.weights, self.wanted)
        return Population(self.space.bits, found.weights, found.local, found.energy, None, distance)


class Samples:
    """Markov chains of the state, which follow it from step to step."""

    def __init__(self, hamiltonian: Hamiltonian, net: Supernet, samples: int, wanted, generator: torch.Generator):
        self.wanted, self.generator, self.steps = wanted, generator, 0
        self.conserved = hamiltonian.sector.kind == "magnetisation"
        self.local_energy = LocalEnergy(hamiltonian)
        self.source = Source(hamiltonian, net.state, samples, generator, 10)

    def draw(self, net: Supernet) -> Population:
        self.steps += 1
        if self.steps % RENEW_EVERY == 0:
            self.source.renew(net.state, RENEWED, self.steps // RENEW_EVERY, 10)
        bits = self.source.draw(net.state, 1, 1)[0]
        local = self.local_energy(net.state, bits)
        estimate = over_chains(local[None].numpy())
        weights = torch.full((len(bits),), 1 / len(bits), dtype=torch.float64)
        distance = sampled_distance(net.state, bits, self.wanted, self.conserved) if self.wanted else None
        return Population(bits, weights, local, estimate.mean, estimate.error, distance)


def loss_local(population: Population, strength: float) -> torch.Tensor:
    """Local values of energy + strength x distance."""
    if population.distance is None or strength == 0:
        return population.local
    return population.local + strength * population.distance.local


def gate_slopes(net: Supernet, population: Population, strength: float) -> torch.Tensor:
    """d (energy + strength x distance) / d gate (candidates,)."""
    local = loss_local(population, strength).to(torch.complex128)
    slopes = net.log_slopes(population.bits)
    w = population.weights.to(torch.complex128)
    kept = population.weights > 0
    slopes = torch.where(kept[:, None], slopes, 0)
    slopes = slopes - (w @ slopes)
    missed = local - (w * local).sum()
    return 2 * ((w * missed)[:, None] * slopes.conj()).sum(0).real


class Adam:
    """Kingma and Ba, ICLR 2015, for the architecture parameters."""

    def __init__(self, net: Supernet):
        self.moments = {k: torch.zeros(2, len(v), dtype=torch.float64) for k, v in net.logits.items()}
        self.steps = 0

    def move(self, net: Supernet, slopes: Mapping[str, torch.Tensor], learning: float) -> None:
        self.steps += 1
        for kind, slope in slopes.items():
            first, second = self.moments[kind]
            first.mul_(ADAM[0]).add_((1 - ADAM[0]) * slope)
            second.mul_(ADAM[1]).add_((1 - ADAM[1]) * slope**2)
            mean, square = first / (1 - ADAM[0] ** self.steps), second / (1 - ADAM[1] ** self.steps)
            net.logits[kind] -= learning * mean / (square.sqrt() + ADAM[2])


def search_architecture(
    hamiltonian: Hamiltonian,
    net: Supernet,
    settings: SearchSettings,
    *,
    wanted: Mapping[str, float] | None = None,
    budget: int | None = None,
    exact: bool = False,
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
    checkpoint: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Train ``net`` in place and return the course of the search.

    wanted: proxies of the half chain (nats) that the state should have; where it is sampled only ``renyi2`` is used.  budget:
    parameters that the cost is measured in (default: those of all candidates).  exact: sums over all configurations instead of
    samples.  seconds: stop after as many by ``clock``; what an interrupted search took counts.  Returns arrays over the steps,
    ``energy`` (Pauli units) with its ``error`` (0 when exact), ``distance``, ``seconds`` and ``temperature``,
    ``probabilities`` {kind: (steps, 1 + sizes)}, and ``steps``.  Raises InputError for a checkpoint of another search.
    """
    began = clock()
    generator = torch.Generator().manual_seed(settings.seed)
    label = fingerprint(hamiltonian, net.state, settings_of(settings)) | {
        "search": f"{sorted(net.names)} {net.combine} {sorted((wanted or {}).items())} {asdict(settings)}"
    }
    kept = wanted if settings.entanglement > 0 else None
    course, gumbel = Course(net), Gumbel(net, settings.memory, generator)
    saved = None if checkpoint is None else load(checkpoint, label)
    if saved:
        course.restore(saved, net, gumbel)
    else:
        net.set_gates(net.gates(settings.at(0.0)[2]))
    populations: Populations = (
        Sums(hamiltonian, kept) if exact else Samples(hamiltonian, net, settings.samples, kept, generator)
    )
    if saved and isinstance(populations, Samples):
        course.restore_chains(saved, populations, generator)
    spent, last_saved = course.spent(), time.perf_counter()
    size, unit = float(budget or net.counts.sum()), energy_scale(hamiltonian)
    extensive = unit * hamiltonian.sites

    def one_step(step: int) -> bool:
        """False when the time is over."""
        share = step / max(settings.steps - 1, 1)
        if seconds is not None:
            share = max(share, (spent + clock() - began) / seconds)
        if share > 1:
            return False
        rate, shift, temperature = settings.at(share)
        logits = {k: v.requires_grad_() for k, v in net.logits.items()}
        gates = net.gates(temperature, gumbel.next() if settings.softmax == "gumbel" else None)
        if course.last is not None:
            net.follow(gates, course.last.bits, course.last.weights, settings.gate_step)
        population = populations.draw(net)
        if isinstance(net.mixture, Superposition):
            net.mixture.balance(population.bits)
            population = populations.draw(net)
        moving = share >= settings.fixed
        strength = settings.entanglement * extensive if moving else 0.0
        move_weights(net, population, strength, rate / unit, shift, settings.longest)
        seen = population
        if moving:
            seen = populations.draw(net) if settings.level == "bilevel" else population
            slope = gate_slopes(net, seen, strength) + settings.cost * extensive * net.counts / size
            slopes = dict(zip(logits, torch.autograd.grad(gates @ slope, list(logits.values())), strict=True))
            net.logits = {k: v.detach() for k, v in logits.items()}
            course.adam.move(net, slopes, settings.learning)
        net.logits = {k: v.detach() for k, v in net.logits.items()}
        course.add(net, seen, spent + clock() - began, temperature)
        return True

    for step in range(course.steps, settings.steps):
        if not one_step(step):
            break
        if checkpoint is not None and time.perf_counter() - last_saved > SAVE_SECONDS:
            course.save(checkpoint, label, net, populations, gumbel)
            last_saved = time.perf_counter()
        if progress:
            progress(step + 1, settings.steps, f"energy {course.values['energy'][-1]:.4f}, {net.best(budget)}")
    if checkpoint is not None:
        course.save(checkpoint, label, net, populations, gumbel)
    return course.told()


def energy_scale(hamiltonian: Hamiltonian) -> float:
    """Sum of the absolute couplings per site: the unit in which rates and weights of a loss are told."""
    return float(np.abs(hamiltonian.couplings).sum()) / hamiltonian.sites


def settings_of(settings: SearchSettings):
    """As the settings of a training run: what :func:`qednas.qed.vmc.fingerprint` needs."""
    from qednas.qed.vmc import Settings

    return Settings(steps=settings.steps, samples=settings.samples, chains=settings.samples, seed=settings.seed)


def move_weights(net: Supernet, population: Population, strength: float, rate: float, shift: float, longest: float):
    """One natural-gradient step of all weights.

    Derivatives are brought to one scale as they are without their gates: a block that hardly takes part must learn slowly, while
    the natural gradient alone would make up for a small gate by large weights.
    """
    derivatives = net.state.derivatives(population.bits)
    spread = derivatives.spread(population.weights)
    gate = net.mixture.gates[
        torch.repeat_interleave(torch.tensor(derivatives.groups), torch.tensor(derivatives.sizes()))
    ]
    scales = torch.where(spread > NOTHING * spread.max(), gate / spread, 0.0)
    moved = natural_step(
        Derivatives(derivatives.scaled(scales).pieces),
        loss_local(population, strength),
        population.weights,
        shift,
        holomorphic=net.state.holomorphic,
    )
    step = moved.direction * scales * min(rate, longest / max(moved.length**0.5, 1e-300))
    with torch.no_grad():
        before = net.state.log_psi(population.bits).real
    add_to_parameters(net.state, step)
    for _ in range(HALVINGS):
        if divergence(net, population, before) <= 4 * longest**2:  # twice what a step of that length should make
            return
        step = step / 2
        add_to_parameters(net.state, -step)
    add_to_parameters(net.state, -step)


def divergence(net: Supernet, population: Population, before: torch.Tensor) -> float:
    """Kullback-Leibler divergence of |psi|^2 now from that with ln |psi| = ``before`` (batch,), on a population of the latter."""
    with torch.no_grad():
        change = torch.where(population.weights > 0, net.state.log_psi(population.bits).real - before, 0.0)
        if not torch.isfinite(change).all():
            return float("inf")
        return float(
            torch.logsumexp(2 * change + population.weights.log(), 0) - 2 * (population.weights * change).sum()
        )


class Course:
    """What a search has done so far, and what it needs to go on."""

    def __init__(self, net: Supernet):
        self.values: dict[str, list[float]] = {name: [] for name in CURVES}
        self.probabilities: dict[str, list[list[float]]] = {kind: [] for kind in net.parts}
        self.adam = Adam(net)
        self.last: Population | None = None  # what the gates are moved by

    @property
    def steps(self) -> int:
        return len(self.values["energy"])

    def spent(self) -> float:
        return self.values["seconds"][-1] if self.steps else 0.0

    def add(self, net: Supernet, population: Population, seconds: float, temperature: float) -> None:
        self.last = population
        distance = population.distance.value if population.distance else 0.0
        values = population.energy, population.error or 0.0, distance, seconds, temperature
        for name, value in zip(CURVES, values, strict=True):
            self.values[name].append(value)
        for kind, own in net.probabilities().items():
            self.probabilities[kind].append(own)

    def told(self) -> dict[str, Any]:
        return {
            **{n: np.array(v) for n, v in self.values.items()},
            "probabilities": {kind: np.array(v) for kind, v in self.probabilities.items()},
            "steps": self.steps,
        }

    def save(
        self, path: Path, label: Mapping[str, str], net: Supernet, populations: Populations, gumbel: Gumbel
    ) -> None:
        """Write the checkpoint as one file, whole or not at all."""
        tensors: dict[str, torch.Tensor] = {f"state/{n}": v.detach() for n, v in net.state.state_dict().items()}
        tensors |= {f"values/{n}": torch.tensor(v, dtype=torch.float64) for n, v in self.values.items()}
        tensors |= {f"probabilities/{k}": torch.tensor(v, dtype=torch.float64) for k, v in self.probabilities.items()}
        tensors |= {f"logits/{k}": v for k, v in net.logits.items()}
        tensors |= {f"scores/{k}": v for k, v in gumbel.scores.items()}
        tensors |= {f"moments/{k}": v for k, v in self.adam.moments.items()}
        if self.last is not None:
            tensors |= {"last/bits": self.last.bits, "last/weights": self.last.weights}
        tensors["adam"] = torch.tensor(self.adam.steps)
        if isinstance(populations, Samples):
            tensors |= {"generator": populations.generator.get_state(), "drawn": torch.tensor(populations.steps)}
            if populations.source.markov:
                tensors["chains"] = populations.source.markov.bits
        arrays = {n: (torch.view_as_real(v) if v.is_complex() else v).numpy() for n, v in tensors.items()}
        write_weights(
            path, arrays, {"label": dict(label), "complex": [n for n, v in tensors.items() if v.is_complex()]}
        )

    def restore(self, saved: Mapping[str, torch.Tensor], net: Supernet, gumbel: Gumbel) -> None:
        def part(name: str) -> dict[str, torch.Tensor]:
            found = {n.removeprefix(f"{name}/"): v for n, v in saved.items() if n.startswith(f"{name}/")}
            kinds = {kind: found.pop(kind) for kind in net.parts if kind in found}  # a file has an order of its own
            return kinds | found

        net.state.load_state_dict(part("state"))
        net.logits, gumbel.scores = part("logits"), part("scores")
        self.values = {n: v.tolist() for n, v in part("values").items()}
        self.probabilities = {n: v.tolist() for n, v in part("probabilities").items()}
        if last := part("last"):
            empty = torch.zeros(0)
            self.last = Population(last["bits"], last["weights"], empty, 0.0, None, None)
        self.adam.moments, self.adam.steps = part("moments"), int(saved["adam"])

    def restore_chains(
        self, saved: Mapping[str, torch.Tensor], populations: Samples, generator: torch.Generator
    ) -> None:
        generator.set_state(saved["generator"])
        populations.steps = int(saved["drawn"])
        if populations.source.markov:
            populations.source.markov.bits = saved["chains"]
