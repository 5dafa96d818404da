"""Matrix product operators as plain grids of operator names, for any sum of local-operator products on a chain.

Two-body terms of one operator pair (a, b) form an upper-triangular matrix C[i, j] of couplings.  On the bond after site l
they need as many channels as the rank of the block C[:l+1, l+1:], and no more: the channels are the rows of an
orthonormal basis of that block's row space, carried from bond to bond.  Power laws compress to about ten channels at a
relative accuracy of 1e-13, nearest-neighbour terms to one, a snake of width w to w.
"""

from __future__ import annotations

import numpy as np

RANK_TOLERANCE = 1e-13

Products = dict[tuple[str, tuple[int, ...]], complex]
Entry = list[tuple[str, complex]]


def pair_channels(couplings: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Channels of sum_(i<j) C[i, j] a_i b_j.

    couplings: (sites, sites), only i < j is read.
    Returns per site (start (r,), pass (r_left, r), end (r_left,)): a opens the r channels of the right bond, the identity
    passes r_left channels on, b closes those of the left bond.
    """
    sites = len(couplings)
    scale = np.abs(couplings).max()
    rows = np.zeros((0, sites), couplings.dtype)  # orthonormal rows over the sites at and right of the current one
    weights = np.zeros((0, 0), couplings.dtype)  # rows of the block = unitary @ weights @ rows: tells which rows matter
    out = []
    for site in range(sites):
        end, rest = rows[:, 0] if rows.size else np.zeros(len(rows), couplings.dtype), rows[:, 1:]
        fresh = couplings[site, site + 1 :]
        block = np.vstack([weights @ rest, fresh[None]])
        if block.shape[1] and np.abs(block).max() > 0:
            _, values, basis = np.linalg.svd(block, full_matrices=False)
            basis = basis[values > RANK_TOLERANCE * scale]
        else:
            basis = np.zeros((0, block.shape[1]), couplings.dtype)
        out.append((fresh @ basis.conj().T, rest @ basis.conj().T, end))
        weights = np.zeros((0, 0), couplings.dtype)
        if len(basis):
            weights = np.asarray(np.linalg.qr(block @ basis.conj().T, mode="r"))
        rows = basis
    return out


def build_grids(products: Products, sites: int) -> list[list[list[Entry]]]:
    """Grids ``grid[site][left channel][right channel] = [(operator, coefficient), ...]`` of the MPO of ``products``.

    First and last bond have one channel.  Channel 0 is "nothing yet", the last one "all done".
    """
    onsite: list[Entry] = [[("Id", 0.0)] for _ in range(sites)]  # so that "done" carries a charge on the first bond too
    pairs: dict[tuple[str, str], np.ndarray] = {}
    strings: list[tuple[str, tuple[int, ...], complex]] = []
    for (letters, places), c in products.items():
        order = np.argsort(places)
        letters, places = "".join(letters[k] for k in order), tuple(places[k] for k in order)
        if len(places) == 1:
            onsite[places[0]].append((letters, c))
        elif len(places) == 2:
            matrix = pairs.setdefault((letters[0], letters[1]), np.zeros((sites, sites), complex))
            matrix[places] += c
        else:
            strings.append((letters, places, c))

    # channels of each bond: start, every pair's, every open string's, done
    count = [1] * (sites + 1)
    moves: list[list[tuple[int, int, str, complex]]] = [[] for _ in range(sites)]
    for (a, b), matrix in pairs.items():
        matrix = matrix.real if not matrix.imag.any() else matrix
        offset, left_offset = list(count), 0
        for site, (start, carry, end) in enumerate(pair_channels(matrix)):
            right_offset = offset[site + 1]
            moves[site] += [(0, right_offset + k, a, v) for k, v in enumerate(start)]
            moves[site] += [(left_offset + j, right_offset + k, "Id", carry[j, k]) for j, k in np.ndindex(carry.shape)]
            moves[site] += [(left_offset + j, -1, b, v) for j, v in enumerate(end)]
            count[site + 1] += len(start)
            left_offset = right_offset
    for letters, places, c in strings:
        operator = dict(zip(places, letters, strict=True))
        channel = 0
        for site in range(places[0], places[-1] + 1):
            last = site == places[-1]
            target = -1 if last else count[site + 1]
            moves[site].append((channel, target, operator.get(site, "Id"), c if site == places[0] else 1.0))
            if not last:
                count[site + 1] += 1
            channel = target
    return [_grid(moves[i], onsite[i], count[i] + 1, count[i + 1] + 1, i, sites) for i in range(sites)]


def _grid(moves, onsite: Entry, left: int, right: int, site: int, sites: int) -> list[list[Entry]]:
    """One site's grid from its moves; -1 means the channel "done", and the outer bonds keep a single channel."""
    grid: list[list[Entry]] = [[[] for _ in range(right)] for _ in range(left)]
    grid[0][0].append(("Id", 1.0))
    grid[-1][-1].append(("Id", 1.0))
    grid[0][-1] += onsite
    for row, column, operator, value in moves:
        if value != 0:
            grid[row][column].append((operator, value))
    if site == 0:
        grid = grid[:1]
    if site == sites - 1:
        grid = [row[-1:] for row in grid]
    return grid
