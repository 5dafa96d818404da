"""Compiled loops over Markov chains and configurations: what a proposal costs is arithmetic, not the calls that ask for it.

Every function works on numpy arrays of real or complex numbers and is compiled for their types when it is first called; the
machine code is kept beside this file.  bits are uint8, spins +-1; a flip is an int64 array of sites.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

RUN = 32  # factors multiplied before a logarithm is taken
# Sums and products may be done in any order; infinities and what is not a number stay what they are.
LOOSE = {"reassoc", "contract", "arcp", "nsz"}


def compiled(function):
    return njit(function, cache=True, fastmath=LOOSE, error_model="numpy")


def sites_of(flip: Sequence[int]) -> np.ndarray:
    return np.array(flip, dtype=np.int64)


def padded(flips: Sequence[Sequence[int]]) -> np.ndarray:
    """Flips (flips, longest) as sites, filled up with -1."""
    out = np.full((len(flips), max((len(f) for f in flips), default=1)), -1, dtype=np.int64)
    for row, flip in zip(out, flips, strict=True):
        row[: len(flip)] = flip
    return out


@compiled
def turn(bits, flip, accepted):
    """Turn bits (chains, sites) over at ``flip`` where accepted (chains,)."""
    for c in range(len(bits)):
        if accepted[c]:
            for i in flip:
                bits[c, i] ^= 1


@compiled
def machine_ratio(s, x, linear, factors, starts, ends, flip):
    """ln psi(s')/psi(s) of one configuration s (sites,) of a machine with x (units,); see qednas.qed.blocks.rbm.Turns."""
    total = linear[0] * 0
    low, high = starts[flip[0]], ends[flip[0]]
    for i in flip:
        total += s[i] * linear[i]
        low, high = min(low, starts[i]), max(high, ends[i])
    begin = low
    while begin < high:
        end = min(begin + RUN, high)
        old = x[begin:end]  # slices from 0 are what makes these loops quick
        factor = factors[flip[0], 0 if s[flip[0]] > 0 else 1, begin:end]
        product = total * 0 + 1
        if len(flip) == 1:
            for u in range(len(old)):
                product *= (1 + old[u] * factor[u]) / (1 + old[u])
        else:
            second_factor = factors[flip[1], 0 if s[flip[1]] > 0 else 1, begin:end]
            if len(flip) == 2:
                for u in range(len(old)):
                    product *= (1 + old[u] * factor[u] * second_factor[u]) / (1 + old[u])
            else:
                for u in range(len(old)):
                    new = old[u] * factor[u] * second_factor[u]
                    for i in flip[2:]:
                        new *= factors[i, 0 if s[i] > 0 else 1, begin + u]
                    product *= (1 + new) / (1 + old[u])
        total += np.log(product)
        begin = end
    return total


@compiled
def machine_propose(s, x, linear, factors, starts, ends, flip, out):
    """ln psi(s')/psi(s) into out (chains,) of spins s (chains, sites), x (chains, units)."""
    for c in range(len(s)):
        out[c] = machine_ratio(s[c], x[c], linear, factors, starts, ends, flip)


@compiled
def machine_accept(s, x, factors, starts, ends, flip, accepted):
    """Carry s and x over to the flipped configurations where accepted (chains,)."""
    for c in range(len(s)):
        if accepted[c]:
            for i in flip:
                factor = factors[i, 0 if s[c, i] > 0 else 1, starts[i] : ends[i]]
                part = x[c, starts[i] : ends[i]]
                for u in range(len(part)):
                    part[u] *= factor[u]
                s[c, i] = -s[c, i]


@compiled
def machine_flips(s, x, linear, factors, starts, ends, flips, wanted, out):
    """psi(s')/psi(s) into out (batch, flips) where wanted (batch, flips); flips as :func:`padded` gives them."""
    for c in range(len(s)):
        for f in range(len(flips)):
            if wanted[c, f]:
                count = 0
                while count < flips.shape[1] and flips[f, count] >= 0:
                    count += 1
                out[c, f] = np.exp(machine_ratio(s[c], x[c], linear, factors, starts, ends, flips[f, :count]))


@compiled
def pairs_propose(s, fields, couplings, flip, out):
    """ln psi(s')/psi(s) into out (chains,) of a Jastrow factor with fields (chains, sites), couplings (sites, sites)."""
    for c in range(len(s)):
        total = out[c] * 0
        for k in range(len(flip)):
            i = flip[k]
            total -= 2 * s[c, i] * fields[c, i]
            for j in flip[:k]:
                total += 4 * s[c, i] * s[c, j] * couplings[i, j]
        out[c] = total


@compiled
def pairs_accept(s, fields, couplings, flip, accepted):
    for c in range(len(s)):
        if accepted[c]:
            for i in flip:
                change = -2 * s[c, i]
                s[c, i] = -s[c, i]
                for k in range(fields.shape[1]):
                    fields[c, k] += change * couplings[i, k]


@compiled
def matrix_lefts(bits, tensors, bonds, out, logs):
    """Products of the matrices before each tensor, of size one, into out (sites + 1, batch, bond), ln of their sizes into logs.

    tensors (sites, 2, bond, bond) filled up with zeros, bonds (sites + 1,) their true sizes, bits (batch, sites) along the path,
    logs (batch, sites + 1).
    """
    for c in range(len(bits)):
        out[0, c, 0] = 1
        logs[c, 0] = 0
        for k in range(len(tensors)):
            matrix, vector, new, size = tensors[k, bits[c, k]], out[k, c], out[k + 1, c], 0.0
            for b in range(bonds[k + 1]):
                new[b] = 0
            for a in range(bonds[k]):
                for b in range(bonds[k + 1]):
                    new[b] += vector[a] * matrix[a, b]
            for b in range(bonds[k + 1]):
                size = max(size, abs(new[b]))
            logs[c, k + 1] = logs[c, k] + np.log(size)
            if size > 0:
                for b in range(bonds[k + 1]):
                    new[b] /= size


@compiled
def matrix_rights(bits, tensors, bonds, out, logs):
    """The same from the right: entry k is the product of the tensors k and beyond."""
    sites = len(tensors)
    for c in range(len(bits)):
        out[sites, c, 0] = 1
        logs[c, sites] = 0
        for k in range(sites - 1, -1, -1):
            matrix, size = tensors[k, bits[c, k]], 0.0
            for a in range(bonds[k]):
                total = out[k, c, a] * 0
                for b in range(bonds[k + 1]):
                    total += matrix[a, b] * out[k + 1, c, b]
                out[k, c, a] = total
                size = max(size, abs(total))
            logs[c, k] = logs[c, k + 1] + np.log(size)
            if size > 0:
                for a in range(bonds[k]):
                    out[k, c, a] /= size


@compiled
def through(vector, room, tensors, bonds, bits, turned, first, last):
    """``vector`` times the matrices first..last of one chain, in place; ``room`` is of the same size."""
    for k in range(first, last + 1):
        matrix = tensors[k, bits[k] ^ turned[k]]
        for b in range(bonds[k + 1]):
            room[b] = 0
        for a in range(bonds[k]):
            for b in range(bonds[k + 1]):
                room[b] += vector[a] * matrix[a, b]
        for b in range(bonds[k + 1]):
            vector[b] = room[b]


@compiled
def matrix_amplitudes(bits, tensors, bonds, signs, logs):
    """A number with the phase of psi into signs (batch,), ln |psi| into logs (batch,) of bits (batch, sites) along the path."""
    room = np.empty_like(tensors[0, 0, 0])
    vector = np.empty_like(room)
    nothing = np.zeros(len(tensors), dtype=np.uint8)
    for c in range(len(bits)):
        vector[0] = 1
        logs[c] = 0
        for k in range(len(tensors)):
            through(vector, room, tensors, bonds, bits[c], nothing, k, k)
            size = 0.0
            for b in range(bonds[k + 1]):
                size = max(size, abs(vector[b]))
            if size > 0:
                logs[c] += np.log(size)
                for b in range(bonds[k + 1]):
                    vector[b] /= size
        signs[c] = vector[0]
        logs[c] += np.log(abs(vector[0]))


@compiled
def matrix_forward(vectors, tensors, bonds, bits, place, first):
    """Take the left vectors (chains, bond) from one tensor to another."""
    room = np.empty_like(vectors[0])
    nothing = np.zeros(len(tensors), dtype=np.uint8)
    for c in range(len(vectors)):
        for k in range(place, first):
            through(vectors[c], room, tensors, bonds, bits[c], nothing, k, k)
            size = 0.0
            for b in range(bonds[k + 1]):
                size = max(size, abs(vectors[c, b]))
            if size > 0:
                for b in range(bonds[k + 1]):
                    vectors[c, b] /= size


@compiled
def matrix_propose(vectors, right, tensors, bonds, bits, flip, first, last, out):
    """2 ln |psi(s')/psi(s)| into out (chains,), with what stands to the left of tensor first and to the right of last."""
    nothing = np.zeros(len(tensors), dtype=np.uint8)
    turned = np.zeros(len(tensors), dtype=np.uint8)
    for i in flip:
        turned[i] = 1
    vector, room = np.empty_like(vectors[0]), np.empty_like(vectors[0])
    for c in range(len(vectors)):
        vector[:] = vectors[c]
        through(vector, room, tensors, bonds, bits[c], nothing, first, last)
        old = vector[0] * 0
        for b in range(bonds[last + 1]):
            old += vector[b] * right[c, b]
        vector[:] = vectors[c]
        through(vector, room, tensors, bonds, bits[c], turned, first, last)
        new = vector[0] * 0
        for b in range(bonds[last + 1]):
            new += vector[b] * right[c, b]
        out[c] = 2 * (np.log(abs(new)) - np.log(abs(old)))


@compiled
def matrix_flips(left, right, scale, tensors, bonds, bits, flips, wanted, out):
    """psi(s')/psi(s) into out (batch, flips): left and right (sites + 1, batch, bond) of size one.

    scale (batch, sites + 1, 2) are ln of the sizes of left and right; flips (flips, longest) are places of tensors, see
    :func:`padded`.
    """
    vector, room = np.empty_like(left[0, 0]), np.empty_like(left[0, 0])
    turned = np.zeros(len(tensors), dtype=np.uint8)
    sites = len(tensors)
    for f in range(len(flips)):
        first, last = sites, -1
        for i in flips[f]:
            if i >= 0:
                turned[i] = 1
                first, last = min(first, i), max(last, i)
        for c in range(len(bits)):
            if wanted[c, f]:
                vector[:] = left[first, c]
                through(vector, room, tensors, bonds, bits[c], turned, first, last)
                total = vector[0] * 0
                for b in range(bonds[last + 1]):
                    total += vector[b] * right[last + 1, c, b]
                size = scale[c, first, 0] + scale[c, last + 1, 1] - scale[c, sites, 0]
                out[c, f] = total / left[sites, c, 0] * np.exp(size)
        for i in flips[f]:
            if i >= 0:
                turned[i] = 0
