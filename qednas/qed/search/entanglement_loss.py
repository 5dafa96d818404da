"""How far the entanglement of a state in training is from the one that was predicted, and the slope of that distance.

Slopes are given as local values a(s): the derivative by a real parameter is 2 Re <O* (a - <a>)> with O = d ln psi / d theta, as
it is for the energy with its local energies, so that both are followed by one natural gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from qednas.physics.entanglement import FLOOR
from qednas.qed.blocks.block import Block
from qednas.qed.vmc.swap import Number, swap_ratios

MATCHED = "entropy", "variance", "renyi2"  # the lowest levels and the skewness hang on Schmidt values near 1e-10
LEAST = 0.25  # nats: proxies smaller than this are compared on this scale
RARE = 1e-14  # weights below this have no local value


@dataclass(frozen=True)
class Distance:
    """The distance (a number), its local values (batch,), complex128, and the proxies of the state."""

    value: float
    local: torch.Tensor
    proxies: dict[str, float]


def torch_proxies(spectrum: torch.Tensor) -> dict[str, torch.Tensor]:
    """Those of :data:`MATCHED`, differentiable, of a spectrum (count,); see :func:`qednas.physics.entanglement.proxies`."""
    p = spectrum.clamp_min(FLOOR**2)
    p = p / p.sum()
    xi = -torch.log(p)
    entropy = (p * xi).sum()
    variance = (p * (xi - entropy) ** 2).sum()
    return {"entropy": entropy, "variance": variance, "renyi2": -torch.log((p * p).sum())}


def mean_squared_deviation(proxies: Mapping[str, torch.Tensor], wanted: Mapping[str, float]) -> torch.Tensor:
    """Mean over ``proxies`` of ((proxy - wanted) / max(|wanted|, LEAST))^2."""
    terms = [((value - wanted[name]) / max(abs(wanted[name]), LEAST)) ** 2 for name, value in proxies.items()]
    return torch.stack(terms).mean()


def exact_distance(
    logs: torch.Tensor, numbers: np.ndarray, sites: int, weights: torch.Tensor, wanted: Mapping[str, float]
) -> Distance:
    """Of a state ln psi (states,) on the configurations ``numbers``, by its Schmidt values at the half chain."""
    variable = logs.detach().clone().requires_grad_()
    psi = torch.exp(variable - variable.real.max().detach())
    whole = torch.zeros(1 << sites, dtype=psi.dtype).index_put((torch.from_numpy(numbers),), psi)
    matrix = whole.reshape(1 << (sites // 2), -1)
    values = torch.linalg.eigvalsh(matrix @ matrix.mH).flip(0).clamp_min(0)
    proxies = torch_proxies(values / values.sum())
    distance = mean_squared_deviation(proxies, wanted)
    (slope,) = torch.autograd.grad(distance, variable)
    local = torch.where(weights > RARE, slope / (2 * weights.clamp_min(RARE)), 0)
    return Distance(distance.item(), local, {n: v.item() for n, v in proxies.items()})


def sampled_distance(
    block: Block, bits: torch.Tensor, wanted: Mapping[str, float], conserved: Number | None
) -> Distance:
    """Of the Renyi-2 entropy at the half chain, the one proxy that pairs of samples give.

    The first half of bits (batch, sites) is paired with the second, and both must be independent; see
    :func:`qednas.qed.vmc.swap.swap_ratios`.
    """
    first, second = bits.bool().chunk(2)
    ratio = swap_ratios(block, first[: len(second)], second, range(block.sites // 2), conserved)
    purity = float(ratio.real.mean().clamp(1 / len(ratio), 1.0))
    entropy = torch.tensor(-np.log(purity), dtype=torch.float64, requires_grad=True)
    distance = mean_squared_deviation({"renyi2": entropy}, wanted)
    (slope,) = torch.autograd.grad(distance, entropy)
    local = -2 * ratio / purity * slope
    return Distance(distance.item(), torch.cat([local, local])[: len(bits)], {"renyi2": entropy.item()})
