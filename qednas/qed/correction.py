"""The learned part of the predictor: what a network adds to the mean field of a chain that has interactions.

Written once over an array module ``xp`` (numpy to answer, torch to train).  For the cut after l of N sites, with the
conformal length D = (2N/pi) sin(pi l/N) and a correlation length xi,

    L      = -ln(D^-2 + xi^-2) / 2
    value  = base exp(g m) + g [ c0 + c1 G(L) + (-1)^l (c2 exp(-p L) + c3 / D) + c4 exp(-D/xi) ],

where base is the mean field at this size and cut, and G(L) = L for entropy, variance and Renyi-2 (c1 changes the growth
(c/6) ln D of Calabrese and Cardy, J. Stat. Mech. P06002 (2004)) and 1/(1+L) for mean level and skewness.  The gate g is 0
where the mean field is exact.  In uniform chains that conserve sum Z the free chain has the right growth: m and c1 are 0
there, and the alternation decays with its own exponent p (a Luttinger liquid's; Laflorencie et al., PRL 96, 100603).
All parameters come from the couplings alone, so the size enters through base, D and L only.
"""

from __future__ import annotations

import math
from types import ModuleType

from qednas.physics.entanglement import PROXIES

PER_PROXY = 6  # c0 ... c4, m
SHARED = 2  # ln xi and p
OUTPUTS = SHARED + PER_PROXY * len(PROXIES)
LAYERS = 3
LOGARITHMIC = tuple(name in ("entropy", "variance", "renyi2") for name in PROXIES)
UNITS = (1.0, 4.0, 1.0, 4.0, 1.0)  # of the additive corrections
OFFSETS = (0.05, 2.0, 0.05, 1.0, 0.05)  # training errors are relative to |value| + offset (nats; none for the skewness)
LOG_XI = (-1.5, 9.0)  # bounds of ln xi
LOG_EXPONENT = (-1.05, 0.35)  # bounds of ln p
SHARPNESS = 40.0  # of the bend that keeps entropies positive, per nat


def network(weights: dict, x, xp: ModuleType):
    """Parameters (members, batch, OUTPUTS) of standardised features x (batch, features).

    weights: ``w0 (members, features, width), b0 (members, 1, width), ...`` for each of LAYERS layers.
    """
    h = x
    for k in range(LAYERS):
        h = h @ weights[f"w{k}"] + weights[f"b{k}"]
        if k + 1 < LAYERS:
            h = xp.tanh(h)
    return h


def between(bounds: tuple[float, float], x, xp: ModuleType):
    """exp of a number in ``bounds``, halfway at x = 0."""
    low, high = bounds
    return xp.exp(low + (high - low) / (1 + xp.exp(-x)))


def softplus(x, xp: ModuleType):
    """Smooth max(x, 0), written so that large arguments do not overflow."""
    scaled = SHARPNESS * x
    return (xp.log1p(xp.exp(-xp.abs(scaled))) + xp.clip(scaled, 0, None)) / SHARPNESS


def corrected(theta, base, gate, grows, sites, cut, xp: ModuleType):
    """Proxies (members, batch, 5) from parameters theta (members, batch, OUTPUTS).

    base (batch, 5): mean field; gate, grows, sites, cut (batch,): float arrays of ``xp``.
    """
    xi, exponent = between(LOG_XI, theta[..., 0], xp), between(LOG_EXPONENT, theta[..., 1], xp)
    chord = 2 * sites / math.pi * xp.sin(math.pi * cut / sites)
    length = -0.5 * xp.log(chord**-2 + xi**-2)
    sign = xp.cos(math.pi * cut)
    columns = []
    for k, logarithmic in enumerate(LOGARITHMIC):
        first = SHARED + PER_PROXY * k
        c0, c1, c2, c3, c4, m = (theta[..., first + j] for j in range(PER_PROXY))
        growth = length if logarithmic else 1 / (1 + xp.clip(length, -0.5, None))
        added = c0 + grows * c1 * growth + sign * (c2 * xp.exp(-exponent * length) + c3 / chord)
        added = UNITS[k] * (added + c4 * xp.exp(-chord / xi))
        value = base[:, k] * xp.exp(gate * grows * xp.clip(m, -5, 5)) + gate * added
        if logarithmic:  # the bend must not move a base that nothing is added to
            value = xp.where(gate > 0, softplus(value, xp), value)
        columns.append(value)
    return xp.stack(columns, -1)
