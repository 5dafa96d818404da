"""The learned part of the predictor: what a network adds to the mean field of a chain that has interactions.

Written once over an array module ``xp`` (numpy to answer, torch to train).  For the cut after l of N sites, with the
conformal length D = (2N/pi) sin(pi l/N), a correlation length xi and a reach b of the ends,

    L      = -ln(D^-2 + xi^-2) / 2
    added  = c0 + f c1 G(L) + (-1)^l c2 exp(-p L) + c3 exp(-D/b)
    value  = base exp(g f m) + g [ added - (1 - f) r (ln D - L) ],

where base is the mean field at this size and cut, and G(L) = L for entropy, variance and Renyi-2 (c1 changes the growth
(c/6) ln D of Calabrese and Cardy, J. Stat. Mech. P06002 (2004)) and 1/(1+L) for mean level and skewness.  The gate g is 0
where the mean field is exact.  f is 0 in uniform chains that conserve sum Z: the free chain has the right growth with rate
r = c/6 (c/8 for Renyi-2), c = 1, as long as D < xi, and the alternation decays with its own exponent p (a Luttinger
liquid's; Laflorencie et al., PRL 96, 100603).  Entropies, variances and Renyi-2 entropies below SMALL are corrected by
shares of themselves, and stay positive.  All parameters come from the couplings alone, so the size enters through base, D
and L only.
"""

from __future__ import annotations

import math
from types import ModuleType

from qednas.physics.entanglement import PROXIES

PER_PROXY = 5  # c0 ... c3, m
SHARED = 3  # ln xi, p and ln b
OUTPUTS = SHARED + PER_PROXY * len(PROXIES)
LAYERS = 3
LOGARITHMIC = tuple(name in ("entropy", "variance", "renyi2") for name in PROXIES)
UNITS = (1.0, 4.0, 1.0, 4.0, 1.0)  # of the additive corrections
OFFSETS = (
    0.005,
    2.0,
    0.005,
    1.0,
    0.005,
)  # training errors are relative to |value| + offset (nats; none for the skewness)
RATES = (1 / 6, 0.0, 1 / 6, 0.0, 1 / 8)  # growth of the free chain's proxies with ln D: c = 1
LOG_XI = (-1.5, 9.0)  # bounds of ln xi
LOG_REACH = (-1.5, 3.0)  # bounds of ln b
LONG = 2.0  # before training ln xi is nearer to the upper bound: short lengths have to be learned
LOG_EXPONENT = (-1.05, 0.35)  # bounds of ln p
SMALL, LEAST = 0.2, 1e-4  # nats: corrections to less than SMALL are shares of it
BEND = 0.2  # of the curve that keeps entropies positive
TINY = 1e-24  # keeps its slope finite at nothing


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


def positive(value, size, xp: ModuleType):
    """Smooth max(value, 0) that bends over the positive ``size`` and leaves ``value == size`` as it is, so that small
    entropies are corrected like large ones: by shares of themselves."""
    y = value - BEND**2 / 4 * size
    return (y + xp.sqrt(y**2 + (BEND * size) ** 2 + TINY)) / 2


def lengths(theta, sites, cut, xp: ModuleType):
    """xi, p, b, D and L of the module's formula."""
    xi = between(LOG_XI, theta[..., 0] + LONG, xp)
    chord = 2 * sites / math.pi * xp.sin(math.pi * cut / sites)
    length = -0.5 * xp.log(chord**-2 + xi**-2)
    return xi, between(LOG_EXPONENT, theta[..., 1], xp), between(LOG_REACH, theta[..., 2], xp), chord, length


def corrected(theta, base, gate, grows, sites, cut, xp: ModuleType):
    """Proxies (members, batch, 5) from parameters theta (members, batch, OUTPUTS).

    base (batch, 5): mean field; gate, grows, sites, cut (batch,): float arrays of ``xp``.
    """
    _, exponent, reach, chord, length = lengths(theta, sites, cut, xp)
    sign = xp.cos(math.pi * cut)
    columns = []
    for k, logarithmic in enumerate(LOGARITHMIC):
        first = SHARED + PER_PROXY * k
        c0, c1, c2, c3, m = (theta[..., first + j] for j in range(PER_PROXY))
        growth = length if logarithmic else 1 / (1 + xp.clip(length, -0.5, None))
        added = c0 + grows * c1 * growth + sign * c2 * xp.exp(-exponent * length) + c3 * xp.exp(-chord / reach)
        added = UNITS[k] * added
        lifted = base[:, k] * xp.exp(gate * grows * xp.clip(m, -5, 5))
        if logarithmic:
            added = added * (base[:, k] + LEAST) / (base[:, k] + SMALL)
            added = added - (1 - grows) * RATES[k] * (xp.log(chord) - length)
            columns.append(positive(lifted + gate * added, lifted, xp))
        else:
            columns.append(lifted + gate * added)
    return xp.stack(columns, -1)
