"""The Hamiltonian families of the book, and how each makes its ground state unique.

Every family is open (except ``mhs``) and written in Pauli matrices; the sums are spelt out in :data:`FAMILIES`.  The
degeneracy policy of a family is part of the Hamiltonian it returns (``sector`` and ``pinning``), so exact
diagonalisation, free fermions and DMRG follow the same one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian, Sector

Term = tuple[str, tuple[int, ...], float]
EDGE_FIELD = 0.25  # pinning field on the two end spins of chains with free edge spins or two Neel states
MIN_SITES, MAX_SITES = 2, 1000


@dataclass(frozen=True)
class Family:
    """A named Hamiltonian: its formula, the allowed interval of each parameter, its class and its terms.

    terms(sites, **parameters) yields (letters, sites, coupling); ``pinning(**parameters)`` tells what the terms add to
    the formula; ``check(sites, **parameters)`` returns what is wrong with that size, or "".
    """

    formula: str
    parameters: dict[str, tuple[float, float]]
    phases: str
    terms: Callable[..., Iterator[Term]]
    sector: Sector
    pinning: Callable[..., str] = lambda **_: ""
    check: Callable[..., str] = lambda sites, **_: ""
    integers: tuple[str, ...] = ()


def bonds(sites: int, distance: int = 1) -> Iterator[tuple[int, int]]:
    """Pairs (i, i + distance) of an open chain."""
    return ((i, i + distance) for i in range(sites - distance))


def even(sites: int, **_) -> str:
    return "" if sites % 2 == 0 else "needs an even number of sites (sum Z = 0)"


def heisenberg_bond(i: int, j: int, coupling: float = 1.0, zz: float = 1.0) -> Iterator[Term]:
    yield "XX", (i, j), coupling
    yield "YY", (i, j), coupling
    yield "ZZ", (i, j), coupling * zz


def edge_field(sites: int) -> Iterator[Term]:
    """+b Z on the first and -b Z on the last spin: singles out one of the two Neel-like edge arrangements at sum Z = 0."""
    yield "Z", (0,), EDGE_FIELD
    yield "Z", (sites - 1,), -EDGE_FIELD


def tfim(sites: int, h: float) -> Iterator[Term]:
    for i, j in bonds(sites):
        yield "ZZ", (i, j), -1.0
    for i in range(sites):
        yield "X", (i,), -h


def xy(sites: int, gamma: float, h: float) -> Iterator[Term]:
    for i, j in bonds(sites):
        yield "XX", (i, j), -(1 + gamma) / 2
        yield "YY", (i, j), -(1 - gamma) / 2
    for i in range(sites):
        yield "Z", (i,), -h


def xxz(sites: int, delta: float) -> Iterator[Term]:
    for i, j in bonds(sites):
        yield from heisenberg_bond(i, j, zz=delta)
    if delta > 1:
        yield from edge_field(sites)


def j1j2(sites: int, j2: float) -> Iterator[Term]:
    for distance, coupling in ((1, 1.0), (2, j2)):
        for i, j in bonds(sites, distance):
            yield from heisenberg_bond(i, j, coupling)


def cluster(sites: int, h: float) -> Iterator[Term]:
    for i in range(sites - 2):
        yield "ZXZ", (i, i + 1, i + 2), -1.0
    yield "XZ", (0, 1), -1.0
    yield "ZX", (sites - 2, sites - 1), -1.0
    for i in range(sites):
        yield "X", (i,), -h


def ssh(sites: int, delta: float) -> Iterator[Term]:
    for i, j in bonds(sites):
        coupling = 1 + (-1) ** i * delta
        yield "XX", (i, j), coupling
        yield "YY", (i, j), coupling
    if delta < 0:
        yield from edge_field(sites)


def annni(sites: int, kappa: float, h: float) -> Iterator[Term]:
    yield from tfim(sites, h)
    for i, j in bonds(sites, 2):
        yield "ZZ", (i, j), kappa


def long_range_ising(sites: int, alpha: float, h: float) -> Iterator[Term]:
    for distance in range(1, sites):
        for i, j in bonds(sites, distance):
            yield "ZZ", (i, j), -(distance**-alpha)
    for i in range(sites):
        yield "X", (i,), -h


def random_field(sites: int, w: float, disorder_seed: int) -> Iterator[Term]:
    for i, j in bonds(sites):
        yield from heisenberg_bond(i, j)
    for i, field in enumerate(np.random.default_rng(int(disorder_seed)).uniform(-w, w, sites)):
        yield "Z", (i,), float(field)


def random_tfim(sites: int, h: float, w: float, disorder_seed: int) -> Iterator[Term]:
    draw = np.random.default_rng(int(disorder_seed))
    couplings, fields = draw.uniform(1 - w, 1 + w, sites - 1), draw.uniform(1 - w, 1 + w, sites)
    for (i, j), c in zip(bonds(sites), couplings, strict=True):
        yield "ZZ", (i, j), -float(c)
    for i, f in enumerate(fields):
        yield "X", (i,), -h * float(f)


def mixed_field_ising(sites: int, h: float, g: float) -> Iterator[Term]:
    yield from tfim(sites, h)
    for i in range(sites):
        yield "Z", (i,), -g


def cluster_ising(sites: int, lam: float, h: float) -> Iterator[Term]:
    for i in range(sites - 2):
        yield "XZX", (i, i + 1, i + 2), -1.0
    for i, j in bonds(sites):
        yield "YY", (i, j), lam
    yield "XZ", (sites - 2, sites - 1), -1.0
    yield "ZX", (0, 1), -1.0
    for i in range(sites):
        yield "Z", (i,), -h


def tfim_2d(sites: int, h: float, width: int) -> Iterator[Term]:
    def site(row: int, column: int) -> int:  # snake: neighbouring rows run in opposite directions
        return row * width + (column if row % 2 == 0 else width - 1 - column)

    rows = sites // width
    for r in range(rows):
        for c in range(width):
            if c + 1 < width:
                yield "ZZ", tuple(sorted((site(r, c), site(r, c + 1)))), -1.0
            if r + 1 < rows:
                yield "ZZ", (site(r, c), site(r + 1, c)), -1.0
    for i in range(sites):
        yield "X", (i,), -h


def mhs(sites: int) -> Iterator[Term]:
    for i in range(sites):
        for j in range(i + 1, sites):
            coupling = (sites / math.pi * math.sin(math.pi * (j - i) / sites)) ** -2
            yield "XX", (i, j), -coupling
            yield "YY", (i, j), -coupling
            yield "ZZ", (i, j), coupling


def _rows(sites: int, width: float, **_) -> str:
    return (
        "" if sites % width == 0 and sites >= 2 * width else f"needs a multiple of width={width:g} with at least 2 rows"
    )


def _at_least(least: int) -> Callable[..., str]:
    return lambda sites, **_: "" if sites >= least else f"needs at least {least} sites"


PARITY_X, PARITY_Z = Sector("parity_x", 1), Sector("parity_z", 1)
ZERO_Z, WHOLE = Sector("magnetisation", 0), Sector()
EDGE_TEXT = f"edge field {EDGE_FIELD} (Z_0 - Z_last)"
WIDE = (-100.0, 100.0)
SEEDS = (0, 2**31 - 1)

FAMILIES: dict[str, Family] = {
    "tfim": Family("-sum ZZ - h sum X", {"h": WIDE}, "gapped, critical at |h| = 1", tfim, PARITY_X),
    "xy": Family(
        "-sum [(1+gamma)/2 XX + (1-gamma)/2 YY] - h sum Z",
        {"gamma": (-1, 1), "h": WIDE},
        "gapped, critical, incommensurate",
        xy,
        PARITY_Z,
    ),
    "xxz": Family(
        "sum XX + YY + delta ZZ",
        {"delta": (-0.999, 100)},
        "gapless for |delta| <= 1, Neel beyond",
        xxz,
        ZERO_Z,
        lambda delta: EDGE_TEXT if delta > 1 else "",
        even,
    ),
    "j1j2": Family(
        "sum s.s + j2 sum s.s at range 2", {"j2": (-2, 5)}, "gapless, dimerised above 0.241", j1j2, ZERO_Z, check=even
    ),
    "cluster": Family(
        "-sum ZXZ - h sum X",
        {"h": WIDE},
        "topological for |h| < 1",
        cluster,
        WHOLE,
        lambda h: "boundary stabilisers -X_0 Z_1 - Z_(N-2) X_(N-1)",
        _at_least(3),
    ),
    "ssh": Family(
        "sum (1+(-1)^i delta)(XX+YY)",
        {"delta": (-1, 1)},
        "topological for delta < 0, gapless at 0",
        ssh,
        ZERO_Z,
        lambda delta: EDGE_TEXT if delta < 0 else "",
        even,
    ),
    "annni": Family(
        "-sum ZZ + kappa sum ZZ at range 2 - h sum X",
        {"kappa": (-2, 5), "h": WIDE},
        "gapped, critical, frustrated",
        annni,
        PARITY_X,
    ),
    "long_range_ising": Family(
        "-sum_(i<j) ZZ / |i-j|^alpha - h sum X",
        {"alpha": (0.5, 20), "h": WIDE},
        "long-range, critical line",
        long_range_ising,
        PARITY_X,
    ),
    "random_field": Family(
        "sum s.s + sum w_i Z_i, w_i uniform in [-w, w]",
        {"w": (0, 100), "disorder_seed": SEEDS},
        "disordered",
        random_field,
        ZERO_Z,
        check=even,
        integers=("disorder_seed",),
    ),
    "random_tfim": Family(
        "-sum J_i ZZ - h sum g_i X, J_i and g_i uniform in [1-w, 1+w]",
        {"h": WIDE, "w": (0, 1), "disorder_seed": SEEDS},
        "disordered",
        random_tfim,
        PARITY_X,
        integers=("disorder_seed",),
    ),
    "mixed_field_ising": Family(
        "-sum ZZ - h sum X - g sum Z", {"h": WIDE, "g": (0.01, 100)}, "gapped", mixed_field_ising, WHOLE
    ),
    "cluster_ising": Family(
        "-sum XZX + lam sum YY - h sum Z",
        {"lam": (-1, 1), "h": WIDE},
        "topological for |lam| < 1",
        cluster_ising,
        WHOLE,
        lambda lam, h: "boundary stabilisers -Z_0 X_1 - X_(N-2) Z_(N-1)",
        _at_least(3),
    ),
    "tfim_2d": Family(
        "-sum ZZ on a rows x width square lattice - h sum X",
        {"h": WIDE, "width": (2, 12)},
        "two-dimensional",
        tfim_2d,
        PARITY_X,
        check=_rows,
        integers=("width",),
    ),
    "mhs": Family("sum_(j<k) d_jk^-2 (-XX - YY + ZZ), periodic", {}, "long-range, gapless", mhs, ZERO_Z, check=even),
}


def check_number(name: str, value, low: float, high: float, *, integer: bool = False):
    """``value`` as float (or int), or InputError naming it and what is allowed."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} = {value!r} is not a number") from None
    kind = "a whole number" if integer else "a finite number"
    if not math.isfinite(number) or not low <= number <= high or (integer and number != int(number)):
        raise InputError(f"{name} = {value!r}: need {kind} from {low:g} to {high:g}")
    return int(number) if integer else number


def register(name: str, family: Family) -> None:
    """Add a family, for every command and function that asks for a system by name.

    Raises InputError for a name that is taken or is no word.
    """
    if name in FAMILIES or not name.isidentifier():
        raise InputError(f"family {name!r}: {'it is there already' if name in FAMILIES else 'a name is one word'}")
    FAMILIES[name] = family


def build(name: str, sites: int, **parameters) -> Hamiltonian:
    """The Hamiltonian of a family, e.g. ``build("tfim", 64, h=1.0)``.

    Raises InputError for an unknown family, unknown, missing, non-finite or out-of-range parameters, and sizes the
    family does not have.
    """
    if name not in FAMILIES:
        raise InputError(f"unknown system {name!r}: a YAML file, or one of {', '.join(FAMILIES)}")
    family = FAMILIES[name]
    sites = check_number("sites", sites, MIN_SITES, MAX_SITES, integer=True)
    allowed = ", ".join(family.parameters) or "none"
    for parameter in parameters:
        if parameter not in family.parameters:
            raise InputError(f"{name} has no parameter {parameter!r}; its parameters: {allowed}")
    missing = [p for p in family.parameters if p not in parameters]
    if missing:
        raise InputError(f"{name} needs {', '.join(missing)}; its parameters: {allowed} (give -p name=value)")
    values = {
        p: check_number(f"{name} {p}", parameters[p], *limits, integer=p in family.integers)
        for p, limits in family.parameters.items()
    }
    if problem := family.check(sites, **values):
        raise InputError(f"{name} with sites = {sites}: {problem}")
    return Hamiltonian.from_terms(
        sites,
        family.terms(sites, **values),
        sector=family.sector,
        pinning=family.pinning(**values),
        name=name,
        parameters=values,
    )
