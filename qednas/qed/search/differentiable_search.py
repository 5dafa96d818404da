"""Phase 2: weights and architecture parameters of a supernet trained together by gradient.

    loss = energy + entanglement x (distance of the state's proxies from the predicted ones) + cost x (parameters / budget)

The weight of the distance grows with the sites and the couplings as the energy does.  That of the parameters follows the energy
that is still missing, as its variance tells: a fixed one is nothing at first and decides everything at the end, when a supernet
with more blocks than it needs is close to the ground state whatever its gates are.

Weights move by the natural gradient of the first two terms; architecture parameters by Adam along the gradient of all three,
which for a gate is a covariance with ln psi of its block.  In the bilevel form (Liu, Simonyan and Yang, ICLR 2019) they look at
configurations that the weights have not been moved on, and they do not move during a first part of the search: blocks that learn
quickly would win before others have begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.derivatives import Derivatives, add_to_parameters
from qednas.qed.blocks.superposition import Superposition
from qednas.qed.search.course import Course
from qednas.qed.search.sampling import FullSummation, MarkovSampling, Sampling, WeightedConfigurations
from qednas.qed.search.settings import SearchSettings, energy_scale
from qednas.qed.search.supernet import Gumbel, Supernet
from qednas.qed.vmc.natural_gradient import NOTHING, natural_step
from qednas.qed.vmc.settings import Settings, used_share
from qednas.qed.vmc.training_run import fingerprint, load

SAVE_SECONDS = 20.0
HALVINGS = 8  # of a step that changes the state by more than it should


def gate_slopes(net: Supernet, configurations: WeightedConfigurations, strength: float) -> torch.Tensor:
    """d (energy + strength x distance) / d gate (candidates,)."""
    local = configurations.loss_local(strength).to(torch.complex128)
    slopes = net.log_slopes(configurations.bits)
    w = configurations.weights.to(torch.complex128)
    support = configurations.weights > 0
    slopes = torch.where(support[:, None], slopes, 0)
    slopes = slopes - (w @ slopes)
    centred = local - (w * local).sum()
    return 2 * ((w * centred)[:, None] * slopes.conj()).sum(0).real


# long: what a checkpoint has to hold is made, restored and written in one place
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
    samples = Settings(steps=settings.steps, samples=settings.samples, chains=settings.samples, seed=settings.seed)
    label = fingerprint(hamiltonian, net.state, samples) | {
        "search": f"{sorted(net.names)} {net.combine} {sorted((wanted or {}).items())} {asdict(settings)}"
    }
    wanted = wanted if settings.entanglement > 0 else None
    for logits in net.logits.values():
        logits.requires_grad_()
    course, gumbel = Course(net), Gumbel(net, settings.memory, generator)
    saved = None if checkpoint is None else load(checkpoint, label)
    if saved:
        course.restore(saved, net, gumbel)
    else:
        net.set_gates(net.gates(settings.at(0.0)[2]))
    bilevel = settings.level == "bilevel"
    sampling: Sampling = (
        FullSummation(hamiltonian, wanted, bilevel)
        if exact
        else MarkovSampling(hamiltonian, net, settings.samples, wanted, generator, bilevel)
    )
    if saved and isinstance(sampling, MarkovSampling):
        course.restore_chains(saved, sampling, generator)
    elapsed, last_saved = course.elapsed(), time.perf_counter()
    unit, size = energy_scale(hamiltonian), float(budget or net.counts.sum())
    for step in range(course.steps, settings.steps):
        share = step / max(settings.steps - 1, 1)
        if seconds is not None:
            share = max(share, used_share(elapsed + clock() - began, seconds))
        if share > 1:  # the time is over
            break
        configurations, temperature = search_step(net, settings, course, gumbel, sampling, share, unit, size)
        course.add(net, configurations, elapsed + clock() - began, temperature)
        if checkpoint is not None and time.perf_counter() - last_saved > SAVE_SECONDS:
            course.save(checkpoint, label, net, sampling, gumbel)
            last_saved = time.perf_counter()
        if progress:
            progress(step + 1, settings.steps, f"energy {course.values['energy'][-1]:.4f}, {net.best(budget)}")
    if checkpoint is not None:
        course.save(checkpoint, label, net, sampling, gumbel)
    return course.history()


def search_step(
    net: Supernet,
    settings: SearchSettings,
    course: Course,
    gumbel: Gumbel,
    sampling: Sampling,
    share: float,
    unit: float,
    size: float,
) -> tuple[WeightedConfigurations, float]:
    """Move the gates, then the weights, then the architecture parameters; returns what these looked at, and the temperature.

    share: how much of the search is over, from 0 to 1.  unit: the :func:`energy_scale`.  size: parameters that the cost is
    measured in.
    """
    rate, shift, temperature = settings.at(share)
    gates = net.gates(temperature, gumbel.next() if settings.softmax == "gumbel" else None)
    if course.last is not None:
        net.follow(gates, course.last.bits, course.last.weights, settings.gate_step)
    configurations = sampling.draw(net)
    if isinstance(net.mixture, Superposition):
        net.mixture.balance(configurations.bits)
        configurations = sampling.draw(net)
    moving = share >= settings.fixed
    strength = settings.entanglement * (unit * net.given.sites) if moving else 0.0
    move_weights(net, configurations, strength, rate / unit, shift, settings.longest)
    validation = sampling.draw_for_architecture(net, configurations)
    if moving:
        slope = gate_slopes(net, validation, strength) + settings.cost * validation.variance / unit * net.counts / size
        slopes = torch.autograd.grad(gates @ slope, list(net.logits.values()))
        course.adam.move(dict(zip(net.logits, slopes, strict=True)), settings.learning)
    return validation, temperature


def move_weights(
    net: Supernet, configurations: WeightedConfigurations, strength: float, rate: float, shift: float, longest: float
):
    """One natural-gradient step of all weights.

    Derivatives are brought to one scale as they are without their gates: a block that hardly takes part must learn slowly, while
    the natural gradient alone would make up for a small gate by large weights.
    """
    if bool((configurations.bits == configurations.bits[0]).all()):  # all alike: they say nothing of any direction
        return
    derivatives = net.state.derivatives(configurations.bits)
    spread = derivatives.spread(configurations.weights)
    share = net.participation(configurations.bits, configurations.weights)[
        torch.repeat_interleave(torch.tensor(derivatives.groups), torch.tensor(derivatives.sizes()))
    ]
    scales = torch.where(spread > NOTHING * spread.max(), share / spread, 0.0)
    update = natural_step(
        Derivatives(derivatives.scaled(scales).pieces),
        configurations.loss_local(strength),
        configurations.weights,
        shift,
        holomorphic=net.state.holomorphic,
    )
    step = update.direction * scales * min(rate, longest / max(update.length**0.5, 1e-300))
    with torch.no_grad():
        before = net.state.log_psi(configurations.bits).real
    add_to_parameters(net.state, step)
    for _ in range(HALVINGS):
        if divergence(net, configurations, before) <= 4 * longest**2:  # twice what a step of that length should make
            return
        step = step / 2
        add_to_parameters(net.state, -step)
    add_to_parameters(net.state, -step)


def divergence(net: Supernet, configurations: WeightedConfigurations, before: torch.Tensor) -> float:
    """Kullback-Leibler divergence of |psi|^2 now from that with ln |psi| = ``before`` (batch,), on samples of the latter."""
    with torch.no_grad():
        change = torch.where(configurations.weights > 0, net.state.log_psi(configurations.bits).real - before, 0.0)
        if not torch.isfinite(change).all():
            return float("inf")
        return float(
            torch.logsumexp(2 * change + configurations.weights.log(), 0) - 2 * (configurations.weights * change).sum()
        )
