"""The predictor's network: couplings in, the parameters of a finite-size scaling form out, entanglement of any cut from them.

Written once over an array module ``xp`` (numpy to answer, torch to train).  For the cut after l of N sites, with the
conformal length D = (2N/pi) sin(pi l/N) and a correlation length xi,

    L      = ln of (D^-p + xi^-p)^(-1/p)
    value  = base + slope g(L) + (-1)^l parity exp(-L/2) + approach exp(-D/xi),

where g(L) = L for entropy, variance and Renyi-2 (critical chains grow like (c/6) ln D: Calabrese and Cardy 2004) and
g(L) = 1/(1+L) for the mean level and the skewness.  The size enters through D only, so nothing but physics extrapolates.
"""

from __future__ import annotations

import math
from types import ModuleType

from qednas.physics.entanglement import PROXIES

PER_PROXY = 4  # base, slope, parity, approach
OUTPUTS = 1 + PER_PROXY * len(PROXIES)  # the first one is ln xi
LAYERS = 3
LOGARITHMIC = tuple(name in ("entropy", "variance", "renyi2") for name in PROXIES)
OFFSETS = (0.05, 2.0, 0.05, 1.0, 0.05)  # errors are relative to |value| + offset (nats; none for the skewness)
CROSSOVER = 2.0  # p: how sharply D gives way to xi
LOG_XI = (-1.5, 9.0)  # bounds of ln xi


def network(weights: dict, x, xp: ModuleType):
    """Scaling parameters (members, batch, OUTPUTS) of standardised features x (batch, features).

    weights: ``w0 (members, features, width), b0 (members, 1, width), ...`` for each of LAYERS layers.
    """
    h = x
    for k in range(LAYERS):
        h = h @ weights[f"w{k}"] + weights[f"b{k}"]
        if k + 1 < LAYERS:
            h = xp.tanh(h)
    return h


def softplus(x, xp: ModuleType, sharpness: float = 8.0):
    """Smooth max(x, 0), written so that large arguments do not overflow."""
    return (xp.log1p(xp.exp(-xp.abs(sharpness * x))) + xp.clip(sharpness * x, 0, None)) / sharpness


def scaling_form(theta, sites, cut, xp: ModuleType):
    """Proxies (members, batch, cuts, 5) from parameters theta (members, batch, OUTPUTS).

    sites: (batch, 1) and cut: (batch, cuts), float arrays of ``xp``.
    """
    low, high = LOG_XI
    log_xi = low + (high - low) / (1 + xp.exp(-theta[..., :1]))  # (members, batch, 1)
    chord = 2 * sites / math.pi * xp.sin(math.pi * cut / sites)  # (batch, cuts)
    xi = xp.exp(log_xi)
    length = -xp.log(chord**-CROSSOVER + xi**-CROSSOVER) / CROSSOVER  # (members, batch, cuts)
    alternation = xp.cos(math.pi * cut) * xp.exp(-0.5 * length)
    approach = xp.exp(-chord / xi)
    columns = []
    for k, logarithmic in enumerate(LOGARITHMIC):
        base, slope, parity, extra = (theta[..., 1 + PER_PROXY * k + j][..., None] for j in range(PER_PROXY))
        growth = length if logarithmic else 1 / (1 + xp.clip(length, -0.5, None))
        value = base + slope * growth + parity * alternation + extra * approach
        columns.append(softplus(value, xp) if logarithmic else value)
    return xp.stack(columns, -1)
