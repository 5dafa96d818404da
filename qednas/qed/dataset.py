"""Phase 0 data set: exact ground states of 10-16 spins over gapped, gapless, critical, topological, long-range,
disordered and two-dimensional families, with the entanglement spectrum of every cut.

A *point* is one draw of a family's parameters and is solved at every size, so that finite-size trends can be learned.
The draw of a point depends on the seed, the family and the number of the point only: not on how the work is divided.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qednas.companion.parallel import Task, map_tasks
from qednas.physics.entanglement import PROXIES, levels, proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Hamiltonian

NAMED_CLASSES = ("gapped", "gapless", "critical", "topological")  # those the proposal asks for
LEVELS_KEPT = 16  # lowest entanglement levels stored of every cut
DEGENERATE_GAP = 1e-6  # gap inside the sector, relative to the strongest coupling, below which a label means nothing


@dataclass(frozen=True)
class Recipe:
    """How the parameters of a family are drawn (``draw(rng)``) and the class a point belongs to (``label(**parameters)``)."""

    draw: Callable[[np.random.Generator], dict]
    label: Callable[..., str]


def near(
    rng: np.random.Generator, low: float, high: float, *critical: float, width: float = 0.15, share: float = 0.4
) -> float:
    """Uniform in [low, high], but a share of the draws is normal around one of the critical values."""
    if critical and rng.random() < share:
        return float(np.clip(rng.normal(rng.choice(critical), width), low, high))
    return float(rng.uniform(low, high))


def disorder(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def ising_label(distance: float) -> str:
    return "critical" if abs(distance) < 0.1 else "gapped"


RECIPES: dict[str, Recipe] = {
    "tfim": Recipe(lambda r: {"h": near(r, 0.2, 3, 1.0)}, lambda h: ising_label(h - 1)),
    "xy": Recipe(
        lambda r: {"gamma": float(r.uniform(0.1, 1)), "h": near(r, 0, 2, 1.0)}, lambda gamma, h: ising_label(h - 1)
    ),
    "xxz": Recipe(
        lambda r: {"delta": near(r, -0.8, 4, 0.0, 1.0, width=0.4)}, lambda delta: "gapless" if delta <= 1 else "gapped"
    ),
    "j1j2": Recipe(lambda r: {"j2": near(r, 0, 1, 0.241)}, lambda j2: "gapless" if j2 <= 0.2411 else "gapped"),
    "cluster": Recipe(
        lambda r: {"h": near(r, 0, 2.5, 1.0)},
        lambda h: "critical" if abs(h - 1) < 0.1 else "topological" if h < 1 else "gapped",
    ),
    "ssh": Recipe(
        lambda r: {"delta": near(r, -0.9, 0.9, 0.0)},
        lambda delta: "gapless" if abs(delta) < 0.05 else "topological" if delta < 0 else "gapped",
    ),
    "annni": Recipe(
        lambda r: {"kappa": float(r.uniform(0, 0.7)), "h": near(r, 0.2, 2)},
        lambda kappa, h: "gapped" if h > 1.1 or kappa < 0.35 else "frustrated",
    ),
    "long_range_ising": Recipe(
        lambda r: {"alpha": float(r.uniform(1.3, 6)), "h": near(r, 0.5, 5, 1.4, width=0.5)}, lambda **_: "long-range"
    ),
    "random_field": Recipe(lambda r: {"w": near(r, 0.1, 5), "disorder_seed": disorder(r)}, lambda **_: "disordered"),
    "random_tfim": Recipe(
        lambda r: {"h": near(r, 0.3, 2, 1.0), "w": float(r.uniform(0.1, 0.9)), "disorder_seed": disorder(r)},
        lambda **_: "disordered",
    ),
    "mixed_field_ising": Recipe(
        lambda r: {"h": near(r, 0.2, 2, 1.0), "g": float(r.uniform(0.02, 1))}, lambda **_: "gapped"
    ),
    "cluster_ising": Recipe(
        lambda r: {"lam": near(r, -0.95, 0.95), "h": near(r, 0, 2.5)},
        lambda lam, h: "topological" if h + abs(lam) < 0.9 else "gapped",
    ),
    "tfim_2d": Recipe(
        lambda r: {"h": near(r, 0.5, 5, 2.0, 3.0, width=0.4), "width": int(r.choice([2, 4]))},
        lambda **_: "two-dimensional",
    ),
    "mhs": Recipe(lambda r: {}, lambda: "long-range"),
}


def plan(points: int, sizes: list[int], seed: int) -> list[dict]:
    """The systems of the data set: one task (a dictionary of plain values) per family, point and size.

    A family without parameters has one point; a ladder whose width does not divide a size is made two wide there.
    """
    tasks = []
    for number, (family, recipe) in enumerate(RECIPES.items()):
        for point in range(points if FAMILIES[family].parameters else 1):
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


def solve_chunk(task: Task) -> dict:
    """Labels of a chunk of systems; the unit of work of one process."""
    labels = [label_state(build(s["family"], s["sites"], **s["parameters"])) for s in task["systems"]]
    columns = ("energy", "gap", "sector", "pinning", "degenerate", "norm_error")
    return {name: [label[name] for label in labels] for name in columns} | {
        "proxies": np.concatenate([label["proxies"] for label in labels]).astype(np.float32),
        "levels": np.concatenate([label["levels"] for label in labels]).astype(np.float32),
    }


def build_dataset(
    points: int,
    sizes: list[int],
    seed: int = 0,
    workers: int = 2,
    chunk: int = 12,
    executor=None,
    checkpoint=None,
    progress=None,
) -> dict:
    """Solve every system of :func:`plan` in parallel and collect them.

    Returns arrays over the systems (``family``, ``point``, ``sites``, ``parameters`` as JSON text, ``label``, ``energy``,
    ``gap``, ``sector``, ``pinning``, ``degenerate``) and, per family, arrays over all its cuts in the same order:
    ``proxies/<family>`` (cuts, 5) and ``levels/<family>`` (cuts, 16), float32; a ``summary`` and the ``timing``.
    """
    start = time.perf_counter()
    systems = plan(points, sizes, seed)
    tasks = []
    for family in RECIPES:  # a chunk holds one family, so that its arrays can be joined by family
        own = [s for s in systems if s["family"] == family]
        tasks += [{"systems": own[i : i + chunk]} for i in range(0, len(own), chunk)]
    found = map_tasks(solve_chunk, tasks, executor=executor, workers=workers, checkpoint=checkpoint, progress=progress)
    out: dict = {name: np.array([s[name] for s in systems]) for name in ("family", "point", "sites")}
    out["parameters"] = np.array([json.dumps(s["parameters"]) for s in systems])
    out["label"] = np.array([RECIPES[s["family"]].label(**s["parameters"]) for s in systems])
    for name in ("energy", "gap", "sector", "pinning", "degenerate"):
        out[name] = np.array([value for chunk_labels in found for value in chunk_labels[name]])
    for kind in ("proxies", "levels"):
        for family in RECIPES:
            parts = [f[kind] for f, t in zip(found, tasks, strict=True) if t["systems"][0]["family"] == family]
            out[f"{kind}/{family}"] = np.concatenate(parts)
    counts = {label: int((out["label"] == label).sum()) for label in dict.fromkeys(out["label"].tolist())}
    out["summary"] = {
        "systems": len(systems),
        "families": len(RECIPES),
        "systems_of_class": counts,
        "fewest_of_named_class": min(counts.get(label, 0) for label in NAMED_CLASSES),
        "degenerate": int(out["degenerate"].sum()),
        "worst_norm_error": max(error for f in found for error in f["norm_error"]),
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
