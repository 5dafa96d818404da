"""The configurations that a search looks at: all of them on a short chain, Markov chains on a long one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.search.entanglement_loss import Distance, exact_distance, sampled_distance
from qednas.qed.search.supernet import Supernet
from qednas.qed.vmc.estimates import over_chains
from qednas.qed.vmc.exact_training import Space, sum_exactly
from qednas.qed.vmc.local_energy import LocalEnergy
from qednas.qed.vmc.sampler import Sampler
from qednas.qed.vmc.swap import conserved_number

RENEW_EVERY, RENEWED = 8, 0.125  # steps, share of the chains: see qednas.qed.vmc.vmc.Settings
WARM_UP = 10  # sweeps of chains that start
HELD_OUT = 3  # one chain in so many is for the architecture only
LOUDEST = 0.5  # standard deviation of what the distance adds to local energies, over their own


@dataclass(frozen=True)
class WeightedConfigurations:
    """Configurations (batch, sites) with weights (batch,) that sum to one, their local energies, the energy with its error
    (None when exact), and the distance from the entanglement that is wanted, where there is one."""

    bits: torch.Tensor
    weights: torch.Tensor
    local: torch.Tensor
    energy: float
    error: float | None
    distance: Distance | None

    @property
    def variance(self) -> float:
        """Of the energy: zero in the ground state."""
        return float((self.weights * (self.local - self.energy).abs() ** 2).sum())

    def spread(self, local: torch.Tensor) -> float:
        """Standard deviation of local values."""
        mean = (self.weights * local).sum()
        return float((self.weights * (local - mean).abs() ** 2).sum() ** 0.5)

    def loss_local(self, strength: float) -> torch.Tensor:
        """Local values (batch,) of energy + strength x distance, the second never louder than :data:`LOUDEST`.

        From samples a distance that is large is also noisy; its noise would drive the state away, which makes it larger still.
        The bound vanishes at the ground state, so that entanglement guides and energy decides.
        """
        if self.distance is None or strength == 0:
            return self.local
        loudest = LOUDEST * self.spread(self.local) / max(self.spread(self.distance.local), 1e-300)
        return self.local + min(strength, loudest) * self.distance.local


class Sampling(Protocol):
    """Where configurations of a state come from."""

    def draw(self, net: Supernet) -> WeightedConfigurations:
        """What the weights are moved on."""
        ...

    def draw_for_architecture(self, net: Supernet, configurations: WeightedConfigurations) -> WeightedConfigurations:
        """What the architecture parameters look at, after the weights have moved on ``configurations``."""
        ...


class FullSummation:
    """All configurations of the sector of a short chain, without statistical error.

    bilevel: the architecture looks at the state after the weights have moved.
    """

    def __init__(self, hamiltonian: Hamiltonian, wanted: Mapping[str, float] | None, bilevel: bool = True):
        self.space, self.sites, self.wanted, self.bilevel = Space.of(hamiltonian), hamiltonian.sites, wanted, bilevel

    def draw(self, net: Supernet) -> WeightedConfigurations:
        sums = sum_exactly(net.state, self.space)
        distance = None
        if self.wanted:
            with torch.no_grad():
                logs = net.state.log_psi(self.space.bits)
            distance = exact_distance(logs, self.space.numbers, self.sites, sums.weights, self.wanted)
        return WeightedConfigurations(self.space.bits, sums.weights, sums.local, sums.energy, None, distance)

    def draw_for_architecture(self, net: Supernet, configurations: WeightedConfigurations) -> WeightedConfigurations:
        return self.draw(net) if self.bilevel else configurations


class MarkovSampling:
    """Markov chains of the state, which follow it from step to step.

    bilevel: one chain in three is for the architecture and never seen by the weights.
    """

    def __init__(
        self,
        hamiltonian: Hamiltonian,
        net: Supernet,
        samples: int,
        wanted: Mapping[str, float] | None,
        generator: torch.Generator,
        bilevel: bool = True,
    ):
        self.wanted, self.generator, self.draw_count = wanted, generator, 0
        self.held_out = 2 * (samples // (2 * HELD_OUT)) if bilevel else 0
        self.conserved = conserved_number(hamiltonian, net.state)
        self.local_energy = LocalEnergy(hamiltonian)
        self.sampler = Sampler(hamiltonian, net.state, samples, generator, WARM_UP)
        self._rest: WeightedConfigurations | None = None

    def draw(self, net: Supernet) -> WeightedConfigurations:
        self.draw_count += 1
        if self.draw_count % RENEW_EVERY == 0:
            self.sampler.renew(net.state, RENEWED, self.draw_count // RENEW_EVERY, WARM_UP)
        bits = self.sampler.draw(net.state, 1, 1)[0]
        local = self.local_energy(net.state, bits)
        count = len(bits) - self.held_out
        if self.held_out:
            self._rest = self.evaluate(net, bits[count:], local[count:])
        return self.evaluate(net, bits[:count], local[:count])

    def draw_for_architecture(self, net: Supernet, configurations: WeightedConfigurations) -> WeightedConfigurations:
        return configurations if self._rest is None else self._rest

    def evaluate(self, net: Supernet, bits: torch.Tensor, local: torch.Tensor) -> WeightedConfigurations:
        estimate = over_chains(local[None].numpy())
        weights = torch.full((len(bits),), 1 / len(bits), dtype=torch.float64)
        distance = sampled_distance(net.state, bits, self.wanted, self.conserved) if self.wanted else None
        return WeightedConfigurations(bits, weights, local, estimate.mean, estimate.error, distance)
