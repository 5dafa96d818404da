"""The differentiable supernet: every candidate block at once, each with a gate, and the parameters that set the gates.

For every kind of block a softmax over (none, size, size, ...) says how much each size takes part.  During the search gates are
drawn by the Gumbel-softmax (Jang, Gu and Poole, ICLR 2017) at a temperature that falls, or are the plain softmax of DARTS (Liu,
Simonyan and Yang, ICLR 2019); "none" is a choice like the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.product import Product
from qednas.qed.blocks.signed import Signed
from qednas.qed.blocks.superposition import Superposition
from qednas.qed.search.architecture import Architecture, generator_of, make_part

COMBINE = ("product", "superposition")
LEAST_GATE = 1e-6


class Gumbel:
    """Gumbel noise -ln(-ln u) {kind: (1 + sizes,)} that changes slowly: its normal scores are a first-order autoregression.

    ``memory`` is the correlation from one step to the next; 0 is noise drawn anew at every step.
    """

    def __init__(self, net: Supernet, memory: float, generator: torch.Generator):
        self.memory, self.generator = memory, generator
        self.scores = {kind: self.draw_scores(len(logits)) for kind, logits in net.logits.items()}

    def draw_scores(self, count: int) -> torch.Tensor:
        return torch.randn(count, dtype=torch.float64, generator=self.generator)

    def next(self) -> dict[str, torch.Tensor]:
        fresh = (1 - self.memory**2) ** 0.5
        self.scores = {k: self.memory * v + fresh * self.draw_scores(len(v)) for k, v in self.scores.items()}
        chances = {k: torch.special.ndtr(v).clamp(1e-12, 1 - 1e-12) for k, v in self.scores.items()}
        return {k: -torch.log(-torch.log(u)) for k, u in chances.items()}


class Supernet:
    """The candidates ``parts`` {kind: parts} of a system with one block each, joined as ``combine`` says.

    ``logits`` {kind: (1 + sizes,)} are the architecture parameters, "none" first.  ``state`` is the block that is trained,
    ``mixture`` the same without the given sign; its gates are set by :meth:`set_gates`.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]], given: Given, *, combine: str = "product", seed: int = 0):
        if combine not in COMBINE:
            raise InputError(f"combine = {combine!r}: one of {', '.join(COMBINE)}")
        self.given, self.combine = given, combine
        self.parts = {kind: list(choices) for kind, choices in parts.items()}
        self.names = [part for choices in self.parts.values() for part in choices]
        blocks = [make_part(part, given, generator_of(seed, part)) for part in self.names]
        self.mixture: Product | Superposition = Product(blocks) if combine == "product" else Superposition(blocks)
        self.state: Block = Signed(self.mixture, torch.tensor(given.pattern)) if any(given.pattern) else self.mixture
        self.logits = {kind: torch.zeros(1 + len(choices), dtype=torch.float64) for kind, choices in self.parts.items()}
        self.counts = torch.tensor([b.parameter_count for b in blocks], dtype=torch.float64)

    def gates(self, temperature: float, noise: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Gates (candidates,) as a differentiable function of ``logits``; noise {kind: (1 + sizes,)} is added to them."""
        shares = []
        for kind, logits in self.logits.items():
            noisy = logits if noise is None else logits + noise[kind]
            shares.append(torch.softmax(noisy / temperature, 0)[1:])
        return torch.cat(shares)

    def set_gates(self, gates: torch.Tensor) -> None:
        self.mixture.gates = gates.detach().clamp_min(LEAST_GATE if self.combine == "superposition" else 0.0)

    def follow(self, gates: torch.Tensor, configurations: torch.Tensor, weights: torch.Tensor, longest: float) -> None:
        """Move the gates towards ``gates`` (candidates,) as far as the state changes by ``longest``, sqrt(<|d ln psi|^2>).

        bits (batch, sites) with weights (batch,) are configurations of the state: samples of it stay good ones of the next.
        """
        now = self.mixture.gates
        change = self.log_slopes(configurations).real @ (gates.detach() - now)
        change = torch.where(weights > 0, change, 0.0)
        length = float((weights * (change - (weights * change).sum()) ** 2).sum().sqrt())
        self.set_gates(now + (gates - now) * min(1.0, longest / max(length, 1e-300)))

    def log_slopes(self, configurations: torch.Tensor) -> torch.Tensor:
        """d ln psi / d gate (batch, candidates), complex128, of bits (batch, sites)."""
        with torch.no_grad():
            if isinstance(self.mixture, Product):
                return torch.stack([b.log_psi(configurations) for b in self.mixture.blocks], 1)
            return (self.mixture.shares(configurations) / self.mixture.gates[:, None]).T.to(torch.complex128)

    def participation(self, configurations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """How much each candidate takes part (candidates,): its gate in a product, its mean share of the amplitude else."""
        if isinstance(self.mixture, Product):
            return self.mixture.gates
        return (self.mixture.shares(configurations).abs() * weights).sum(1).to(torch.float64)

    def probabilities(self) -> dict[str, list[float]]:
        """Of (none, size, size, ...) for every kind."""
        return {kind: torch.softmax(v, 0).tolist() for kind, v in self.logits.items()}

    def rank_architectures(self, budget: int | None = None) -> list[tuple[float, Architecture]]:
        """Every architecture with a block and at most ``budget`` parameters, with ln of its probability; the most probable first.

        Raises InputError when none fits.
        """
        chosen: list[tuple[float, tuple[str, ...], float]] = [(0.0, (), 0.0)]
        counts = dict(zip(self.names, self.counts.tolist(), strict=True))
        for kind, logits in self.logits.items():
            logs = torch.log_softmax(logits.detach(), 0).tolist()
            options: list[tuple[float, tuple[str, ...], float]] = [(logs[0], (), 0.0)]
            options += [(log, (p,), counts[p]) for log, p in zip(logs[1:], self.parts[kind], strict=True)]
            chosen = [(a + b, (*x, *y), m + n) for a, x, m in chosen for b, y, n in options]
        fitting = [(log, parts) for log, parts, used in chosen if parts and (budget is None or used <= budget)]
        if not fitting:
            raise InputError(f"no architecture has at most {budget} parameters")
        return [(log, Architecture(parts)) for log, parts in sorted(fitting, key=lambda pair: -pair[0])]

    def draw_architectures(
        self, best: int, more: int, generator: torch.Generator, budget: int | None = None
    ) -> list[Architecture]:
        """The ``best`` most probable architectures, and ``more`` drawn from the others by their probability, none twice."""
        ranked = self.rank_architectures(budget)
        rest = ranked[best:]
        chances = torch.rand(len(rest), dtype=torch.float64, generator=generator).clamp_min(1e-300)
        keys = torch.tensor([log for log, _ in rest], dtype=torch.float64) - torch.log(-torch.log(chances))
        order = keys.argsort(descending=True)[:more].tolist()
        return [a for _, a in ranked[:best]] + [rest[k][1] for k in order]

    def best(self, budget: int | None = None) -> Architecture:
        """The most probable architecture; see :meth:`rank_architectures`."""
        return self.rank_architectures(budget)[0][1]
