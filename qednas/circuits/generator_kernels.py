"""Compiled loops over the amplitudes of a state: one layer of a circuit in two passes through memory.

A state is one plane of real amplitudes (2^n,), or two, real and imaginary parts.  A rotation about Y acts on each plane by
itself.  cos and sin (n,) are of half the angles, for each bit of the index, the least significant first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LOW = 3  # bits that are turned while the state is gathered: neighbours in memory are too near for vector arithmetic
GROUP = 256  # groups of 2^LOW amplitudes that stay in the cache while their bits are turned


def compiled(function):
    return njit(function, cache=True, fastmath=True, error_model="numpy", nogil=True)


def workspace(size: int, dtype) -> np.ndarray:
    """Room (groups, ...) for :func:`turned` and :func:`turned_back`."""
    low = min(LOW, size.bit_length() - 1)
    return np.empty((2, 1 << low, min(GROUP, size >> low)), dtype)


@compiled
def bits_in(size):
    """The exponent of a power of two."""
    bits = 0
    while (1 << bits) < size:
        bits += 1
    return bits


@compiled
def pair(a, b, c, s):
    """Turn one bit: a and b are the amplitudes where it is 0 and 1."""
    for i in range(len(a)):
        p, q = a[i], b[i]
        a[i] = c * p - s * q
        b[i] = s * p + c * q


@compiled
def four(x, h, c0, s0, c1, s1):
    """Turn the bits h and 2 h of x in one pass."""
    for k in range(0, len(x), 4 * h):
        a, b = x[k : k + h], x[k + h : k + 2 * h]
        d, e = x[k + 2 * h : k + 3 * h], x[k + 3 * h : k + 4 * h]
        for i in range(h):
            p, q, r, t = a[i], b[i], d[i], e[i]
            pp, qq = c0 * p - s0 * q, s0 * p + c0 * q
            rr, tt = c0 * r - s0 * t, s0 * r + c0 * t
            a[i], d[i] = c1 * pp - s1 * rr, s1 * pp + c1 * rr
            b[i], e[i] = c1 * qq - s1 * tt, s1 * qq + c1 * tt


@compiled
def bits_from(x, first, last, cos, sin):
    """Turn the bits from ``first`` to before ``last``."""
    b = first
    while b + 1 < last:
        four(x, 1 << b, cos[b], sin[b], cos[b + 1], sin[b + 1])
        b += 2
    if b < last:
        h = 1 << b
        for k in range(0, len(x), 2 * h):
            pair(x[k : k + h], x[k + h : k + 2 * h], cos[b], sin[b])


@compiled
def turned(old, source, cos, sin, new, room):
    """new = (rotations about Y) (permutation) old, where the permutation brings old[source[k]] to k."""
    tile = room[0]
    width, groups = tile.shape
    chunk, n = width * groups, len(cos)
    low, inner = bits_in(width), bits_in(chunk)
    for k in range(0, len(old), chunk):
        for g in range(groups):
            for j in range(width):
                tile[j, g] = old[source[k + g * width + j]]
        for b in range(low):
            for j in range(width):
                if not (j >> b) & 1:
                    pair(tile[j], tile[j | (1 << b)], cos[b], sin[b])
        part = new[k : k + chunk]
        for g in range(groups):
            for j in range(width):
                part[g * width + j] = tile[j, g]
        bits_from(part, low, inner, cos, sin)
    bits_from(new, inner, n, cos, sin)


@compiled
def pair_back(a, b, u, v, c, s):
    """Turn one bit of a state (a, b) and of its gradient (u, v) back; returns the sum of v a - u b."""
    total = a[0] * 0
    for i in range(len(a)):
        p, q, x, y = a[i], b[i], u[i], v[i]
        total += y * p - x * q
        a[i], b[i] = c * p + s * q, c * q - s * p
        u[i], v[i] = c * x + s * y, c * y - s * x
    return total


@compiled
def four_back(x, w, h, c0, s0, c1, s1, sums, bit):
    """Turn the bits h and 2 h of a state x and of its gradient w back in one pass; adds the sums of both bits to sums."""
    first, second = x[0] * 0, x[0] * 0
    for k in range(0, len(x), 4 * h):
        a, b, d, e = x[k : k + h], x[k + h : k + 2 * h], x[k + 2 * h : k + 3 * h], x[k + 3 * h : k + 4 * h]
        u, v, y, z = w[k : k + h], w[k + h : k + 2 * h], w[k + 2 * h : k + 3 * h], w[k + 3 * h : k + 4 * h]
        for i in range(h):
            a0, b0, d0, e0, u0, v0, y0, z0 = a[i], b[i], d[i], e[i], u[i], v[i], y[i], z[i]
            first += v0 * a0 - u0 * b0 + z0 * d0 - y0 * e0
            second += y0 * a0 - u0 * d0 + z0 * b0 - v0 * e0
            a1, b1 = c0 * a0 + s0 * b0, c0 * b0 - s0 * a0
            d1, e1 = c0 * d0 + s0 * e0, c0 * e0 - s0 * d0
            u1, v1 = c0 * u0 + s0 * v0, c0 * v0 - s0 * u0
            y1, z1 = c0 * y0 + s0 * z0, c0 * z0 - s0 * y0
            a[i], d[i] = c1 * a1 + s1 * d1, c1 * d1 - s1 * a1
            b[i], e[i] = c1 * b1 + s1 * e1, c1 * e1 - s1 * b1
            u[i], y[i] = c1 * u1 + s1 * y1, c1 * y1 - s1 * u1
            v[i], z[i] = c1 * v1 + s1 * z1, c1 * z1 - s1 * v1
    sums[bit] += first
    sums[bit + 1] += second


@compiled
def bits_back(x, w, first, last, cos, sin, sums):
    b = first
    while b + 1 < last:
        four_back(x, w, 1 << b, cos[b], sin[b], cos[b + 1], sin[b + 1], sums, b)
        b += 2
    if b < last:
        h = 1 << b
        for k in range(0, len(x), 2 * h):
            sums[b] += pair_back(x[k : k + h], x[k + h : k + 2 * h], w[k : k + h], w[k + h : k + 2 * h], cos[b], sin[b])


@compiled
def turned_back(new, slope, source, cos, sin, old, old_slope, room, sums):
    """Undo :func:`turned` on a state and on the gradient of a loss with respect to it (both are used up).

    Adds to sums (n,) the sum over pairs of amplitudes of each bit, twice the derivative of the loss with respect to its angle.
    """
    tile, tile_slope = room[0], room[1]
    width, groups = tile.shape
    chunk, n = width * groups, len(cos)
    low, inner = bits_in(width), bits_in(chunk)
    bits_back(new, slope, inner, n, cos, sin, sums)
    for k in range(0, len(old), chunk):
        part, part_slope = new[k : k + chunk], slope[k : k + chunk]
        bits_back(part, part_slope, low, inner, cos, sin, sums)
        for g in range(groups):
            for j in range(width):
                tile[j, g] = part[g * width + j]
                tile_slope[j, g] = part_slope[g * width + j]
        for b in range(low):
            for j in range(width):
                if not (j >> b) & 1:
                    partner = j | (1 << b)
                    sums[b] += pair_back(tile[j], tile[partner], tile_slope[j], tile_slope[partner], cos[b], sin[b])
        for g in range(groups):
            for j in range(width):
                place = source[k + g * width + j]
                old[place] = tile[j, g]
                old_slope[place] = tile_slope[j, g]


@compiled
def walsh_hadamard(x):
    """Replace x (2^n,) by sum_y (-1)^(x.y) x_y."""
    h = 1
    while h < len(x):
        for k in range(0, len(x), 2 * h):
            a, b = x[k : k + h], x[k + h : k + 2 * h]
            for i in range(h):
                p, q = a[i], b[i]
                a[i], b[i] = p + q, p - q
        h *= 2


@compiled
def times_power(re, im, power):
    """Multiply amplitudes by i^power, with power (2^n,) from 0 to 3."""
    for k in range(len(re)):
        x, y = re[k], im[k]
        if power[k] == 1:
            re[k], im[k] = -y, x
        elif power[k] == 2:
            re[k], im[k] = -x, -y
        elif power[k] == 3:
            re[k], im[k] = y, -x


@compiled
def phased(old_re, old_im, source, cos, sin, re, im):
    """Permute as :func:`turned` does, then multiply by the phases cos + i sin (2^n,)."""
    for k in range(len(re)):
        x, y = old_re[source[k]], old_im[source[k]]
        re[k], im[k] = cos[k] * x - sin[k] * y, cos[k] * y + sin[k] * x


@compiled
def phased_back(re, im, source, cos, sin, old_re, old_im):
    """Undo :func:`phased`."""
    for k in range(len(re)):
        x, y = re[k], im[k]
        old_re[source[k]], old_im[source[k]] = cos[k] * x + sin[k] * y, cos[k] * y - sin[k] * x
