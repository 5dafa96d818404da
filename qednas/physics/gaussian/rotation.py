"""Spins turned about y, and the angle at which a product state is lowest."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from qednas.physics.hamiltonian import Hamiltonian, Sector


def classical_angle(hamiltonian: Hamiltonian) -> float:
    """Angle in the x-z plane of the uniform product state of lowest energy, as in the bulk: of the bonds to distance r an open
    end leaves sites - r, and the angle should not change with the size."""
    x, z = hamiltonian.x, hamiltonian.z
    ups, downs = (x & ~z).sum(1), (z & ~x).sum(1)
    flat = ~(x & z).any(1)
    occupied, sites = x | z, hamiltonian.sites
    distance = sites - 1 - occupied[:, ::-1].argmax(1) - occupied.argmax(1)
    bulk = hamiltonian.couplings * sites / (sites - distance)
    angles = np.linspace(-np.pi, np.pi, 1441)
    powers, which = np.unique(np.stack([ups, downs], 1)[flat], axis=0, return_inverse=True)
    shares = np.bincount(which.reshape(-1), bulk[flat], len(powers))
    energy = shares @ (np.sin(angles) ** powers[:, :1] * np.cos(angles) ** powers[:, 1:])
    return float(angles[energy.argmin()])


def turned(hamiltonian: Hamiltonian, angle: float) -> Hamiltonian:
    """All spins turned about y so that the direction ``angle`` of the x-z plane becomes z."""
    x, z, couplings = hamiltonian.x, hamiltonian.z, hamiltonian.couplings
    cosine, sine = np.cos(angle), np.sin(angle)
    turning = x ^ z  # sites with X or Z
    weight = turning.sum(1)
    parts = []
    for count in np.unique(weight):
        rows = np.flatnonzero(weight == count)
        places = np.nonzero(turning[rows])[1].reshape(len(rows), count)
        is_x = np.take_along_axis(x[rows], places, 1)
        for choice in product((False, True), repeat=int(count)):
            swap = np.zeros((len(rows), hamiltonian.sites), bool)
            np.put_along_axis(swap, places, np.array(choice, bool), 1)
            factor = np.where(choice, np.where(is_x, sine, -sine), cosine).prod(1)
            new_x, new_z = np.where(swap, z[rows], x[rows]), np.where(swap, x[rows], z[rows])
            parts.append((new_x, new_z, couplings[rows] * factor))
    x, z, couplings = (np.concatenate(column) for column in zip(*parts, strict=True))
    keys, first, place = np.unique(
        np.packbits(np.concatenate([x, z], 1), axis=1), axis=0, return_index=True, return_inverse=True
    )
    merged = np.bincount(place.reshape(-1), couplings, len(keys))
    nonzero = np.abs(merged) > 1e-12
    return replace(hamiltonian, x=x[first][nonzero], z=z[first][nonzero], couplings=merged[nonzero], sector=Sector())


def middle(hamiltonian: Hamiltonian, sites: int) -> Hamiltonian:
    """The terms inside ``sites`` spins around the middle; the chain itself if there is none, or it is not longer."""
    first = hamiltonian.sites // 2 - sites // 2
    inside = slice(first, first + sites)
    support = hamiltonian.x | hamiltonian.z
    contained = support[:, inside].sum(1) == support.sum(1)
    if hamiltonian.sites <= sites or not contained.any():
        return hamiltonian
    x, z = hamiltonian.x[contained][:, inside], hamiltonian.z[contained][:, inside]
    return replace(hamiltonian, sites=sites, x=x, z=z, couplings=hamiltonian.couplings[contained], sector=Sector())
