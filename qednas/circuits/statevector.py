"""Compiled loops over the amplitudes of a state, kept as two real arrays (real and imaginary parts) or as one where it is real.

Qubits are named by the bits of the index here, the least significant first.  J is the matrix (0 -1; 1 0), so exp(phi J) turns a
pair of amplitudes by the angle phi; it is exp(-i phi Y).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LOW = 3  # bits whose pairs are too near in memory for vector arithmetic: eight amplitudes are taken at once
INNER = 11  # bits that are turned while a block of 2^INNER amplitudes stays in the cache


def compiled(function):
    return njit(function, cache=True, fastmath=True, error_model="numpy", nogil=True)


@compiled
def cos_sin(angle):
    """Both to a few units of rounding of the angle; loops over it become vector arithmetic, which calls of cos and sin do not.

    The angle is reduced to at most pi/4; the polynomials are those of fdlibm.
    """
    turns = np.rint(angle * (2 / math.pi))
    r = (angle * (2 / math.pi) - turns) * (math.pi / 2)
    z = r * r
    s = 2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
    s = -1.66666666666666324348e-01 + z * (8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * s))
    s = r + r * z * s
    c = -2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
    c = 4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05 + z * c))
    c = 1 - 0.5 * z + z * z * c
    quarter = np.int64(turns)
    cos = s if quarter & 1 else c
    sin = c if quarter & 1 else s
    return -cos if (quarter + 1) & 2 else cos, -sin if quarter & 2 else sin


@compiled
def phase(re, im, diagonal, angle, new_re, new_im):
    """new = exp(-i angle diagonal) old; new may be old."""
    for k in range(len(re)):
        c, s = cos_sin(angle * diagonal[k])
        x, y = re[k], im[k]
        new_re[k], new_im[k] = c * x + s * y, c * y - s * x


@compiled
def phase_back(re, im, diagonal, angle, old_re, old_im):
    """Undo :func:`phase` on a slope (re, im) in place; returns the sum of diagonal Im(conj(slope) old)."""
    total = 0.0
    for k in range(len(re)):
        c, s = cos_sin(angle * diagonal[k])
        x, y = re[k], im[k]
        u, v = c * x - s * y, c * y + s * x
        re[k], im[k] = u, v
        total += diagonal[k] * (u * old_im[k] - v * old_re[k])
    return total


@compiled
def times(re, im, factor_re, factor_im):
    """Multiply a state by a factor, entry by entry, in place."""
    for k in range(len(re)):
        x, y, c, s = re[k], im[k], factor_re[k], factor_im[k]
        re[k], im[k] = c * x - s * y, c * y + s * x


@compiled
def turn_two(x, h, c0, s0, c1, s1):
    """Turn the bits of value h and 2 h in one pass."""
    for k in range(0, len(x), 4 * h):
        a, b = x[k : k + h], x[k + h : k + 2 * h]
        d, e = x[k + 2 * h : k + 3 * h], x[k + 3 * h : k + 4 * h]
        for i in range(h):
            p, q, r, t = a[i], b[i], d[i], e[i]
            p, q, r, t = c0 * p - s0 * q, s0 * p + c0 * q, c0 * r - s0 * t, s0 * r + c0 * t
            a[i], d[i] = c1 * p - s1 * r, s1 * p + c1 * r
            b[i], e[i] = c1 * q - s1 * t, s1 * q + c1 * t


@compiled
def turn_bits(x, first, last, cos, sin):
    """Turn the bits from ``first`` to before ``last``."""
    b = first
    while b + 1 < last:
        turn_two(x, 1 << b, cos[b], sin[b], cos[b + 1], sin[b + 1])
        b += 2
    if b < last:
        h, c, s = 1 << b, cos[b], sin[b]
        for k in range(0, len(x), 2 * h):
            a, d = x[k : k + h], x[k + h : k + 2 * h]
            for i in range(h):
                p, q = a[i], d[i]
                a[i], d[i] = c * p - s * q, s * p + c * q


@compiled
def turn_low(x, cos, sin):
    """Turn the bits 0, 1 and 2: two at once by interleaved vectors, then the third, which is the quickest of what was tried."""
    c0, s0, c1, s1, c2, s2 = cos[0], sin[0], cos[1], sin[1], cos[2], sin[2]
    for g in range(len(x) // 4):
        k = 4 * g
        p, q, r, t = x[k], x[k + 1], x[k + 2], x[k + 3]
        p, q, r, t = c0 * p - s0 * q, s0 * p + c0 * q, c0 * r - s0 * t, s0 * r + c0 * t
        x[k], x[k + 2] = c1 * p - s1 * r, s1 * p + c1 * r
        x[k + 1], x[k + 3] = c1 * q - s1 * t, s1 * q + c1 * t
    for k in range(0, len(x), 8):
        for i in range(k, k + 4):
            p, q = x[i], x[i + 4]
            x[i], x[i + 4] = c2 * p - s2 * q, s2 * p + c2 * q


@compiled
def turn(x, cos, sin):
    """exp(phi_b J) on every bit b of a plane x (2^n,), in place; cos and sin (n,) of phi."""
    n = len(cos)
    inner = min(INNER, n)
    low = LOW if n >= LOW else 0
    for k in range(0, len(x), 1 << inner):
        block = x[k : k + (1 << inner)]
        if low:
            turn_low(block, cos, sin)
        turn_bits(block, low, inner, cos, sin)
    turn_bits(x, inner, n, cos, sin)


@compiled
def slopes_of_bits(x, w, first, last, slopes):
    """Add to slopes what :func:`turn_slopes` says, for the bits from ``first`` to before ``last``."""
    b = first
    while b + 1 < last:
        h, lower, upper = 1 << b, w[0] * 0, w[0] * 0
        for k in range(0, len(x), 4 * h):
            a0, a1 = x[k : k + h], x[k + h : k + 2 * h]
            a2, a3 = x[k + 2 * h : k + 3 * h], x[k + 3 * h : k + 4 * h]
            w0, w1 = w[k : k + h], w[k + h : k + 2 * h]
            w2, w3 = w[k + 2 * h : k + 3 * h], w[k + 3 * h : k + 4 * h]
            for i in range(h):
                lower += w1[i] * a0[i] - w0[i] * a1[i] + w3[i] * a2[i] - w2[i] * a3[i]
                upper += w2[i] * a0[i] - w0[i] * a2[i] + w3[i] * a1[i] - w1[i] * a3[i]
        slopes[b] += lower
        slopes[b + 1] += upper
        b += 2
    if b < last:
        h, lower = 1 << b, w[0] * 0
        for k in range(0, len(x), 2 * h):
            a0, a1, w0, w1 = x[k : k + h], x[k + h : k + 2 * h], w[k : k + h], w[k + h : k + 2 * h]
            for i in range(h):
                lower += w1[i] * a0[i] - w0[i] * a1[i]
        slopes[b] += lower


@compiled
def slopes_of_low(x, w, slopes):
    """The same for the bits 0, 1 and 2."""
    a = b = c = d = w[0] * 0  # several sums, since one addition would have to wait for the other
    for g in range(len(x) // 4):
        k = 4 * g
        a += w[k + 1] * x[k] - w[k] * x[k + 1]
        b += w[k + 3] * x[k + 2] - w[k + 2] * x[k + 3]
        c += w[k + 2] * x[k] - w[k] * x[k + 2]
        d += w[k + 3] * x[k + 1] - w[k + 1] * x[k + 3]
    slopes[0] += a + b
    slopes[1] += c + d
    lanes = np.zeros(4, x.dtype)
    for k in range(0, len(x), 8):
        for i in range(4):
            lanes[i] += w[k + 4 + i] * x[k + i] - w[k + i] * x[k + 4 + i]
    slopes[2] += lanes.sum()


@compiled
def turn_slopes(x, w, slopes):
    """Add to slopes (n,) the products w . J x of every bit: the derivatives by phi of a loss with slope w after :func:`turn`."""
    n = len(slopes)
    inner = min(INNER, n)
    low = LOW if n >= LOW else 0
    for k in range(0, len(x), 1 << inner):
        block, slope = x[k : k + (1 << inner)], w[k : k + (1 << inner)]
        if low:
            slopes_of_low(block, slope, slopes)
        slopes_of_bits(block, slope, low, inner, slopes)
    slopes_of_bits(x, w, inner, n, slopes)


@compiled
def first_to_last(x, matrix, new, room):
    """new[r, j] = sum_i matrix[j, i] x[i, r], for x of d rows and new of d columns, both flat; room (d, at least 1).

    Done once for every axis of a tensor it multiplies each axis by its matrix and leaves the axes in order.
    """
    d, width = matrix.shape[0], room.shape[1]
    rest = len(x) // d
    for start in range(0, rest, width):
        count = min(width, rest - start)
        for j in range(d):
            row = room[j, :count]
            row[:] = 0
            for i in range(d):
                factor, part = matrix[j, i], x[i * rest + start : i * rest + start + count]
                for k in range(count):
                    row[k] += factor * part[k]
        for k in range(count):
            for j in range(d):
                new[(start + k) * d + j] = room[j, k]


@compiled
def transpose(x, rows, new):
    """new = x seen as (rows, columns), columns first; both flat."""
    columns = len(x) // rows
    for i in range(rows):
        for j in range(columns):
            new[j * rows + i] = x[i * columns + j]


@compiled
def add_projection(re, im, vector, after, factor_re, factor_im, room):
    """Add factor |v><v| x to x, in place, along an axis with ``after`` entries behind each of its places; room (2, after)."""
    d, (p, q) = len(vector), room
    for start in range(0, len(re), d * after):
        p[:] = 0
        q[:] = 0
        for i in range(d):
            place, v = start + i * after, vector[i]
            x, y = re[place : place + after], im[place : place + after]
            for k in range(after):
                p[k] += v * x[k]
                q[k] += v * y[k]
        for i in range(d):
            place, c, s = start + i * after, vector[i] * factor_re, vector[i] * factor_im
            x, y = re[place : place + after], im[place : place + after]
            for k in range(after):
                x[k] += c * p[k] - s * q[k]
                y[k] += c * q[k] + s * p[k]


@compiled
def projection_slope(re, im, slope_re, slope_im, vector, after, room):
    """Im <slope|v><v|x> along such an axis; room (4, after)."""
    d, (p, q, u, w) = len(vector), room
    total = 0.0
    for start in range(0, len(re), d * after):
        room[:] = 0
        for i in range(d):
            place, v = start + i * after, vector[i]
            x, y = re[place : place + after], im[place : place + after]
            a, b = slope_re[place : place + after], slope_im[place : place + after]
            for k in range(after):
                p[k] += v * x[k]
                q[k] += v * y[k]
                u[k] += v * a[k]
                w[k] += v * b[k]
        for k in range(after):
            total += u[k] * q[k] - w[k] * p[k]
    return total
