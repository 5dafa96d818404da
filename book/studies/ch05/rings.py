"""Rings and tori of published benchmarks, with what is known exactly about them (Pauli units, as everywhere)."""

from __future__ import annotations

import math

from qednas.base.errors import InputError
from qednas.physics.families import PARITY_X, ZERO_Z, heisenberg_bond
from qednas.physics.hamiltonian import Hamiltonian


def tfim_ring(sites: int, h: float) -> Hamiltonian:
    """-sum ZZ - h sum X on a ring; the state with prod X = +1."""
    if sites < 3:
        raise InputError(f"sites = {sites}: a ring has 3 or more")
    terms = [("ZZ", tuple(sorted((i, (i + 1) % sites))), -1.0) for i in range(sites)]
    terms += [("X", (i,), -h) for i in range(sites)]
    return Hamiltonian.from_terms(sites, terms, sector=PARITY_X, name="tfim_ring", parameters={"h": h})


def tfim_ring_energy(sites: int, h: float) -> float:
    """Exact ground-state energy of the ring at prod X = +1: minus the sum of sqrt(1 + h^2 - 2 h cos k), k odd multiples of
    pi / N (Pfeuty, Ann. Phys. 57, 79 (1970))."""
    return -math.fsum(math.sqrt(1 + h * h - 2 * h * math.cos(math.pi * (2 * m + 1) / sites)) for m in range(sites))


def heisenberg_ring(sites: int) -> Hamiltonian:
    """sum XX + YY + ZZ on a ring of an even number of sites; the state with sum Z = 0."""
    if sites < 4 or sites % 2:
        raise InputError(f"sites = {sites}: an even number, 4 or more")
    terms = [term for i in range(sites) for term in heisenberg_bond(*sorted((i, (i + 1) % sites)))]
    return Hamiltonian.from_terms(sites, terms, sector=ZERO_Z, name="heisenberg_ring")


def tfim_torus(rows: int, width: int, h: float) -> Hamiltonian:
    """-sum ZZ - h sum X on a square lattice with periodic edges, site = row * width + column; the state with prod X = +1."""
    if min(rows, width) < 3:
        raise InputError(f"{rows} rows of {width}: a torus has 3 or more of each")
    terms: list[tuple[str, tuple[int, ...], float]] = []
    for r in range(rows):
        for c in range(width):
            here = r * width + c
            for there in (r * width + (c + 1) % width, (r + 1) % rows * width + c):
                terms.append(("ZZ", tuple(sorted((here, there))), -1.0))
            terms.append(("X", (here,), -h))
    parameters = {"h": h, "width": width}
    return Hamiltonian.from_terms(rows * width, terms, sector=PARITY_X, name="tfim_torus", parameters=parameters)
