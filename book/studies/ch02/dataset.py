"""Phase 0 data set: exact ground states of 10-16 spins over gapped, gapless, critical, topological, long-range,
disordered and two-dimensional families, with the entanglement spectrum of every cut.

A *point* is one draw of a family's parameters and is solved at every size, so that finite-size trends can be learned.
The draw of a point depends on the seed, the family and the number of the point only: not on how the work is divided.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.entanglement import PROXIES, levels, proxies
from qednas.physics.exact import DEGENERATE_GAP, ground_state
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Hamiltonian
from studies.ch02.recipes import INTERACTING, RECIPES

NAMED_CLASSES = ("gapped", "gapless", "critical", "topological")  # those the proposal asks for
LEVELS_KEPT = 16  # lowest entanglement levels stored of every cut


def plan(points: int, sizes: list[int], seed: int, interacting: int | None = None) -> list[dict]:
    """The systems of the data set: one task (a dictionary of plain values) per family, point and size.

    interacting: points of each of the families INTERACTING; as many as of the others if None.  A family without parameters
    has one point; a ladder whose width does not divide a size is made two wide there.
    """
    tasks = []
    for number, (family, recipe) in enumerate(RECIPES.items()):
        count = interacting if interacting is not None and family in INTERACTING else points
        for point in range(count if FAMILIES[family].parameters else 1):
            parameters = recipe.draw(np.random.default_rng([seed, number, point]))
            for sites in sizes:
                used = dict(parameters)
                if sites % used.get("width", 1):
                    used["width"] = 2
                tasks.append({"family": family, "point": point, "sites": sites, "parameters": used})
    return tasks


def label_state(hamiltonian: Hamiltonian) -> dict:
    """Exact label of one system: energy, gap, sector, proxies (cuts, 5) and levels (cuts, 16) of every cut (nats)."""
    state = ground_state(hamiltonian)
    features = [proxies(p) for p in state.spectra]
    return {
        "energy": state.energy,
        "gap": float(min(state.gap, 1e6)),
        "sector": str(state.sector),
        "pinning": hamiltonian.pinning,
        "norm_error": float(max(abs(p.sum() - 1) for p in state.spectra)),
        "degenerate": bool(state.gap < DEGENERATE_GAP * np.abs(hamiltonian.couplings).max()),
        "proxies": np.array([[f[name] for name in PROXIES] for f in features]),
        "levels": np.array([levels(p, LEVELS_KEPT) for p in state.spectra]),
    }


@declare(version=1)
def solve_chunk(task: Task) -> dict:
    """Labels of a chunk of systems; the unit of work of one process."""
    labels = [label_state(build(s["family"], s["sites"], **s["parameters"])) for s in task["systems"]]
    columns = ("energy", "gap", "sector", "pinning", "degenerate", "norm_error")
    return {name: [label[name] for label in labels] for name in columns} | {
        "proxies": np.concatenate([label["proxies"] for label in labels]).astype(np.float32),
        "levels": np.concatenate([label["levels"] for label in labels]).astype(np.float32),
    }


@declare(version=1, pieces=(solve_chunk,))
def build_dataset(
    points: int,
    sizes: list[int],
    seed: int = 0,
    interacting: int | None = None,
    chunk: int = 12,
    executor=None,
    work: Work = Work(),
) -> dict:
    """Solve every system of :func:`plan` in parallel and collect them.

    Returns arrays over the systems (``family``, ``point``, ``sites``, ``parameters`` as JSON text, ``label``, ``energy``,
    ``gap``, ``sector``, ``pinning``, ``degenerate``) and, per family, arrays over all its cuts in the same order:
    ``proxies/<family>`` (cuts, 5) and ``levels/<family>`` (cuts, 16), float32; a ``summary`` and the ``timing``.
    """
    start = time.perf_counter()
    systems = plan(points, sizes, seed, interacting)
    tasks = []
    for family in RECIPES:  # a chunk holds one family, so that its arrays can be joined by family
        members = [s for s in systems if s["family"] == family]
        tasks += [{"systems": members[i : i + chunk]} for i in range(0, len(members), chunk)]
    chunks = map_tasks(solve_chunk, tasks, executor=executor, work=work)
    out: dict = {name: np.array([s[name] for s in systems]) for name in ("family", "point", "sites")}
    out["parameters"] = np.array([json.dumps(s["parameters"]) for s in systems])
    out["label"] = np.array([RECIPES[s["family"]].label(**s["parameters"]) for s in systems])
    for name in ("energy", "gap", "sector", "pinning", "degenerate"):
        out[name] = np.array([value for chunk_labels in chunks for value in chunk_labels[name]])
    for kind in ("proxies", "levels"):
        for family in RECIPES:
            parts = [f[kind] for f, t in zip(chunks, tasks, strict=True) if t["systems"][0]["family"] == family]
            out[f"{kind}/{family}"] = np.concatenate(parts)
    counts = {label: int((out["label"] == label).sum()) for label in dict.fromkeys(out["label"].tolist())}
    out["summary"] = {
        "systems": len(systems),
        "families": len(RECIPES),
        "systems_of_class": counts,
        "fewest_of_named_class": min(counts.get(label, 0) for label in NAMED_CLASSES),
        "degenerate": int(out["degenerate"].sum()),
        "worst_norm_error": max(error for f in chunks for error in f["norm_error"]),
    }
    out["timing"] = {"build_seconds": time.perf_counter() - start}
    return out


@dataclass(frozen=True)
class Sample:
    """One system of the data set with its half-open range of cut rows resolved: proxies (sites - 1, 5)."""

    family: str
    point: int
    sites: int
    parameters: dict
    label: str
    energy: float
    gap: float
    degenerate: bool
    proxies: np.ndarray

    def hamiltonian(self) -> Hamiltonian:
        return build(self.family, self.sites, **self.parameters)

    @property
    def half_chain(self) -> dict[str, float]:
        return dict(zip(PROXIES, self.proxies[self.sites // 2 - 1], strict=True))


def samples(dataset) -> list[Sample]:
    """The systems of a stored data set, in order."""
    names = ("family", "point", "sites", "parameters", "label", "energy", "gap", "degenerate")
    columns = {name: np.asarray(dataset[name]).tolist() for name in names}
    proxy_rows = {family: dataset[f"proxies/{family}"] for family in dict.fromkeys(columns["family"])}
    used = dict.fromkeys(proxy_rows, 0)
    out = []
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(names, values, strict=True))
        family, first = row["family"], used[row["family"]]
        used[family] += row["sites"] - 1
        row["parameters"] = json.loads(row["parameters"])
        out.append(Sample(**row, proxies=proxy_rows[family][first : first + row["sites"] - 1]))
    return out
