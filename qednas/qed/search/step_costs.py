"""What one step of training costs, measured once: equal cost is counted in steps, so that a rerun finds the same numbers.

The table ``step_costs.csv`` has seconds of one core for every network, by what decides its cost: the sites, the flips that the
Hamiltonian makes, and what is known of the ground state.  ``make costs`` measures it again.  A product of blocks is not measured
in every combination: it costs a common part and one part for each of its blocks, fitted to products that were measured.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from qednas.base.errors import InputError
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.given import Given
from qednas.qed.search.architecture import Architecture
from qednas.qed.search.settings import SearchSettings
from qednas.qed.vmc.local_energy import LocalEnergy

TABLE = Path(__file__).with_name("step_costs.csv")
JOINED = "joined"  # rows of the parts of a product
FIGURES = ("seconds", "start", "spread")


@dataclass(frozen=True)
class CostClass:
    """What decides the cost of a step, apart from the network.

    flips: configurations that H joins to one.  signs: whether the network has to learn them, which makes it complex.
    conserved: whether sum Z is.  even: whether turning all spins over changes nothing.  ring: whether every site is the image of
    every other.
    """

    sites: int
    flips: int
    signs: bool
    conserved: bool
    even: bool
    ring: bool

    @classmethod
    def of(cls, hamiltonian: Hamiltonian, given: Given) -> CostClass:
        return cls(
            sites=hamiltonian.sites,
            flips=len(LocalEnergy(hamiltonian).flips),
            signs=not given.positive,
            conserved=given.magnetisation is not None,
            even=given.even,
            ring=given.is_ring,
        )

    def __str__(self) -> str:
        marks = [name for name in ("signs", "conserved", "even", "ring") if getattr(self, name)]
        return f"{self.sites} sites, {self.flips} flips" + "".join(f", {mark}" for mark in marks)


@dataclass(frozen=True)
class Cost:
    """seconds of one core for a step, and before the first one (``start``); spread: (largest - smallest) / median of repeats."""

    seconds: float
    start: float
    spread: float

    def steps(self, seconds: float) -> int:
        """Steps that ``seconds`` pay for, at least one."""
        return max(1, round((seconds - self.start) / self.seconds))


def search_name(settings: SearchSettings, budget: int) -> str:
    """Row of a supernet of all blocks within ``budget`` parameters a site, trained as ``settings`` say."""
    level = "one level" if settings.level == "one" else settings.level
    blind = "" if settings.entanglement > 0 else ", energy only"
    return f"supernet {budget}, {settings.samples} samples, {level}{blind}"


class StepCosts:
    """The measured table; lookups raise InputError, naming the command that measures, where a row is missing."""

    def __init__(self, rows: dict[tuple[CostClass, str], Cost]):
        self.rows = rows

    def row(self, where: CostClass, network: str) -> Cost:
        try:
            return self.rows[where, network]
        except KeyError:
            raise InputError(f"no measured cost of {network} for {where}: measure it with make costs") from None

    def of(self, where: CostClass, architecture: Architecture) -> Cost:
        """Cost of training an architecture."""
        if len(architecture.parts) == 1:
            return self.row(where, architecture.parts[0])
        shares = [self.row(where, JOINED), *(self.row(where, f"{JOINED} {part}") for part in architecture.parts)]
        return Cost(
            sum(share.seconds for share in shares), sum(share.start for share in shares), max(s.spread for s in shares)
        )

    def of_search(self, where: CostClass, settings: SearchSettings, budget: int) -> Cost:
        """Cost of training a supernet."""
        return self.row(where, search_name(settings, budget))


@cache
def measured_costs(path: Path = TABLE) -> StepCosts:
    """The committed table.  Raises InputError when it is missing or has a row that cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return StepCosts(dict(map(read_row, csv.DictReader(file))))
    except (OSError, KeyError, ValueError, TypeError) as problem:
        raise InputError(f"{path.name}: no table of costs can be read ({problem}); make costs writes it") from None


def read_row(row: dict[str, str]) -> tuple[tuple[CostClass, str], Cost]:
    names = [field.name for field in fields(CostClass)]
    sites, flips, *marks = (int(row[name]) for name in names)
    figures = [float(row[name]) for name in FIGURES]
    if not figures[0] >= 0 or (figures[0] == 0 and not row["network"].startswith(JOINED)):  # a share may be nothing
        raise ValueError(f"seconds = {row['seconds']} of {row['network']}")
    return (CostClass(sites, flips, *map(bool, marks)), row["network"]), Cost(*figures)


def costs_identity() -> dict[str, str]:
    """For the keys of results that count their steps by this table: its checksum."""
    try:
        return {"table": hashlib.sha256(TABLE.read_bytes()).hexdigest()}
    except OSError as error:
        raise InputError(f"{TABLE.name}: {error.strerror}; make costs writes it") from None
