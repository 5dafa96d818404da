"""Restricted Boltzmann machines that are known states exactly: volume law, cluster state, toric code.

Deng, Li and Das Sarma, PRX 7, 021021 (2017) and PRB 96, 195145 (2017).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.rbm import RBM

QUARTER = torch.tensor(0.25j * math.pi, dtype=torch.complex128)


def complex_zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(*shape, dtype=torch.complex128)


def controlled_z(sites: int, pairs: list[tuple[int, int]]) -> RBM:
    """prod CZ |+...+> over the pairs, one hidden unit each.

    cosh(i pi/4 (s + s' - 1)) is (1, 1, 1, -1) / sqrt(2) for (up, up), (up, down), (down, up), (down, down).
    """
    weights = complex_zeros(len(pairs), sites)
    for j, pair in enumerate(pairs):
        weights[j, list(pair)] = QUARTER
    return RBM.from_weights(complex_zeros(sites), complex_zeros(len(pairs)) - QUARTER, weights)


def volume_law(sites: int) -> RBM:
    """Spin k bound to spin k + N/2: every contiguous block of l <= N/2 spins has S = l ln 2, from 3N/2 parameters."""
    if sites % 2:
        raise InputError(f"sites = {sites}: the volume-law machine pairs two halves, sites must be even")
    half = sites // 2
    return controlled_z(sites, [(k, k + half) for k in range(half)])


def cluster(sites: int) -> RBM:
    """Cluster state of a ring: hidden unit k has i pi/4 (1 + 2 s_{k-1} + 3 s_k + s_{k+1}); all Z X Z are +1."""
    if sites < 3:
        raise InputError(f"sites = {sites}: a ring of the cluster state has at least 3")
    weights = complex_zeros(sites, sites)
    for k in range(sites):
        for shift, factor in ((-1, 2), (0, 3), (1, 1)):
            weights[k, (k + shift) % sites] = factor * QUARTER
    return RBM.from_weights(complex_zeros(sites), complex_zeros(sites) + QUARTER, weights)


def cluster_stabilisers(sites: int) -> list[Hamiltonian]:
    """Z X Z around every site of the ring, each as an operator."""
    return [Hamiltonian.from_terms(sites, [("ZXZ", ((k - 1) % sites, k, (k + 1) % sites), 1.0)]) for k in range(sites)]


class Torus:
    """Toric code on a torus of ``width`` x ``height`` vertices (Kitaev, Ann. Phys. 303, 2 (2003)): a spin on every edge.

    Edge 2 (x height + y) leaves vertex (x, y) along x, the next one along y.
    """

    def __init__(self, width: int, height: int):
        if min(width, height) < 2:
            raise InputError(f"torus {width} x {height}: both lengths must be at least 2")
        self.width, self.height = width, height
        self.sites = 2 * width * height

    def edge(self, x: int, y: int, axis: int) -> int:
        return 2 * ((x % self.width) * self.height + y % self.height) + axis

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(x, y) for x in range(self.width) for y in range(self.height)]

    @property
    def stars(self) -> list[list[int]]:
        """The four edges at every vertex."""
        e = self.edge
        return [[e(x, y, 0), e(x - 1, y, 0), e(x, y, 1), e(x, y - 1, 1)] for x, y in self.places]

    @property
    def plaquettes(self) -> list[list[int]]:
        """The four edges around every face."""
        e = self.edge
        return [[e(x, y, 0), e(x, y + 1, 0), e(x, y, 1), e(x + 1, y, 1)] for x, y in self.places]

    @property
    def loops(self) -> list[list[int]]:
        """Edges whose X product goes around the torus and commutes with all plaquettes: what fixes the sector."""
        e = self.edge
        across_x = [e(x, 0, 1) for x in range(self.width)]
        across_y = [e(0, y, 0) for y in range(self.height)]
        return [across_x, across_y]

    def machine(self) -> RBM:
        """One hidden unit per plaquette with weights i pi/4: psi = prod_p cos(pi/4 sum_{e in p} s_e)."""
        faces = self.plaquettes
        weights = complex_zeros(len(faces), self.sites)
        for j, edges in enumerate(faces):
            weights[j, edges] = QUARTER
        return RBM.from_weights(complex_zeros(self.sites), complex_zeros(len(faces)), weights)

    def stabilisers(self) -> list[Hamiltonian]:
        """X products of the stars, then Z products of the plaquettes."""
        strings = [("XXXX", edges) for edges in self.stars] + [("ZZZZ", edges) for edges in self.plaquettes]
        return [Hamiltonian.from_terms(self.sites, [(word, tuple(edges), 1.0)]) for word, edges in strings]

    def entropy(self, region: list[int]) -> float:
        """(|A| - dim G_A) ln 2, where G_A are the stabilisers inside the region, those of the sector included.

        Fattal, Cubitt, Yamamoto, Bravyi and Chuang, quant-ph/0406168.
        """
        outside = np.setdiff1d(np.arange(self.sites), region)
        inside = 0
        for sets in ([*self.stars, *self.loops], self.plaquettes):  # X and Z products are independent of one another
            rows = np.zeros((len(sets), self.sites), bool)
            for row, edges in zip(rows, sets, strict=True):
                np.logical_xor.at(row, edges, True)
            inside += binary_rank(rows) - binary_rank(rows[:, outside])
        return (len(region) - inside) * math.log(2)


def binary_rank(rows: np.ndarray) -> int:
    """Rank over the two-element field of bool rows (n, m)."""
    rows, rank = rows.copy(), 0
    for column in range(rows.shape[1]):
        pivots = np.flatnonzero(rows[rank:, column])
        if len(pivots):
            rows[[rank, rank + pivots[0]]] = rows[[rank + pivots[0], rank]]
            others = np.flatnonzero(rows[:, column])
            rows[others[others != rank]] ^= rows[rank]
            rank += 1
    return rank
