"""Hamiltonians from YAML files.

boundary: open            # or periodic
terms:
  - {op: XX, range: 1, coupling: 1.0}         # every pair at distance 1
  - {op: ZXZ, coupling: -1.0}                 # neighbouring letters on neighbouring sites
  - {op: ZZ, power_law: 2.5, coupling: -1.0}  # every pair, coupling / distance**2.5
  - {op: Z, coupling: [0.1, -0.2, ...]}       # one value per place, from left to right
  - {op: ZZ, sites: [[0, 5], [2, 7]], coupling: 0.3}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qednas.base.errors import InputError
from qednas.physics.families import MAX_SITES, MIN_SITES, Term, build, check_number
from qednas.physics.hamiltonian import LETTERS, Hamiltonian, Sector

KEYS = {"op", "coupling", "range", "power_law", "sites"}


def load(path: str | Path, sites: int) -> Hamiltonian:
    """Read a YAML system and put it on ``sites`` spins, with the sector chosen by :func:`choose_sector`.

    Raises InputError naming the file, the term and what is allowed.
    """
    import yaml

    path = Path(path)
    try:
        with path.open() as stream:
            content = yaml.safe_load(stream)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a text file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise InputError(
            f"{path}{where}: is not valid YAML: {getattr(error, 'problem', None) or 'malformed'}"
        ) from None
    try:
        return parse(content, sites, name=path.stem)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def parse(content, sites: int, name: str = "custom") -> Hamiltonian:
    """Hamiltonian from the parsed YAML; see the module text for its form."""
    sites = check_number("sites", sites, MIN_SITES, MAX_SITES, integer=True)
    if not isinstance(content, dict) or not isinstance(content.get("terms"), list) or not content["terms"]:
        raise InputError("needs `terms:`, a list of {op: ..., coupling: ...}")
    if unknown := set(content) - {"terms", "boundary"}:
        raise InputError(f"unknown key {sorted(map(str, unknown))[0]!r}; allowed: terms, boundary")
    boundary = content.get("boundary", "open")
    if boundary not in ("open", "periodic"):
        raise InputError(f"boundary = {boundary!r}: need open or periodic")
    terms: list[Term] = []
    for number, term in enumerate(content["terms"], 1):
        try:
            terms += expand(term, sites, periodic=boundary == "periodic")
        except InputError as error:
            raise InputError(f"term {number}: {error}") from None
    hamiltonian = Hamiltonian.from_terms(sites, terms, name=name)
    return hamiltonian.in_sector(choose_sector(hamiltonian))


def expand(term, sites: int, *, periodic: bool) -> Iterator[Term]:
    """All strings of one YAML term."""
    if not isinstance(term, dict) or "op" not in term or "coupling" not in term:
        raise InputError("needs both op and coupling")
    if unknown := set(term) - KEYS:
        raise InputError(f"unknown key {sorted(map(str, unknown))[0]!r}; allowed: {', '.join(sorted(KEYS))}")
    if len(set(term) & {"range", "power_law", "sites"}) > 1:
        raise InputError("give only one of range, power_law, sites")
    op = str(term["op"])
    if not op or any(letter not in LETTERS for letter in op) or set(op) == {"I"}:
        raise InputError(f"op {op!r} is not made of X, Y, Z, I")
    if "power_law" in term and len(op) != 2:
        raise InputError(f"power_law needs a two-letter op, not {op!r}")
    places, weights = positions(term, op, sites, periodic=periodic)
    coupling = term["coupling"]
    values = coupling if isinstance(coupling, list) else [coupling] * len(places)
    if len(values) != len(places):
        raise InputError(f"coupling of {op} lists {len(values)} values for {len(places)} places")
    for where, weight, value in zip(places, weights, values, strict=True):
        yield op, where, weight * check_number(f"coupling of {op}", value, -1e6, 1e6)


def positions(term: dict, op: str, sites: int, *, periodic: bool) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """The places (tuples of sites) of a term and the factor of each."""
    length = len(op)
    if "sites" in term:
        entries = term["sites"]
        if not isinstance(entries, list) or not entries:
            raise InputError(f"sites of {op} must be a list of places")
        places = []
        for entry in entries:
            entry = entry if isinstance(entry, list) else [entry]
            if len(entry) != length or len(set(map(str, entry))) != length:
                raise InputError(f"sites entry {entry} of {op}: need {length} distinct sites")
            places.append(tuple(check_number(f"site of {op}", i, 0, sites - 1, integer=True) for i in entry))
        return places, np.ones(len(places))
    if "power_law" in term:
        alpha = check_number("power_law", term["power_law"], 0, 20)
        places = [(i, j) for i in range(sites) for j in range(i + 1, sites)]
        distance = np.array([min(j - i, sites - j + i) if periodic else j - i for i, j in places])
        return places, distance.astype(float) ** -alpha
    step = check_number("range", term.get("range", 1), 1, sites - 1, integer=True)
    reach = step * (length - 1)
    if reach >= sites:
        raise InputError(f"{op} with range {step} does not fit on {sites} sites")
    starts = range(sites) if periodic and length > 1 else range(sites - reach)
    places = [tuple((i + step * k) % sites for k in range(length)) for i in starts]
    return places, np.ones(len(places))


def choose_sector(hamiltonian: Hamiltonian) -> Sector:
    """The degeneracy policy of a system that no family names.

    Conserved sum Z: sum Z = 0 if spin flip is a symmetry and the number of sites is even, else the magnetisation with
    the lowest energy.  Otherwise a conserved prod X or prod Z: the sign with the lower energy (+1 when they tie).
    """
    if hamiltonian.conserves_magnetisation:
        flip = hamiltonian.conserves_parity_x and hamiltonian.sites % 2 == 0
        return Sector("magnetisation", 0 if flip else None)
    for kind in ("parity_x", "parity_z"):
        if hamiltonian.conserves(Sector(kind)):
            return Sector(kind)
    return Sector()


def system(name: str, sites: int, parameters: dict | None = None) -> Hamiltonian:
    """A family by name or a YAML file by path: what SYSTEM means on the command line."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        if parameters:
            raise InputError(f"-p {next(iter(parameters))}=...: a YAML file has no parameters")
        return load(name, sites)
    return build(name, sites, **(parameters or {}))
