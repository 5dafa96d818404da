"""What the predictor knows of a Hamiltonian before it corrects anything: its couplings and its mean field, at its own size.

The mean field (:mod:`qednas.physics.mean_field`) is solved for the chain that is asked about, so the growth with the size
comes from physics; a network trained on small chains only corrects it.  Where the mean field is exact nothing is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qednas.companion.parallel import Task, map_tasks
from qednas.physics.canonical_frame import Frame, canonical
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.mean_field import mean_field
from qednas.qed.dataset import samples
from qednas.qed.term_space import NAMES, features

GLOBAL = [*NAMES, "interaction", "missing"]  # of the whole chain
LOCAL = ["mean-field entropy", "its curvature", "mean-field variance"]  # of one cut; only where couplings vary in space
SPREADS = [k for k, name in enumerate(NAMES) if name.endswith("spread")]
RANGE_1 = [NAMES.index(f"{axis}{axis} range 1") for axis in "XY"]
EQUAL = 1e-9  # couplings that differ by less are one number and its rounding
HALF_GATE = 0.02  # share of interactions at which half of a correction is let through


@dataclass(frozen=True)
class Known:
    """row: (GLOBAL,); local: (cuts, LOCAL); base: mean-field proxies (cuts, 5).

    gate: 0 where the mean field is exact, towards 1 with the share of interactions.
    grows: whether a correction may grow with the size; not in uniform chains with conserved sum Z.
    """

    row: np.ndarray
    local: np.ndarray
    base: np.ndarray
    gate: float
    grows: bool


def varies(row: np.ndarray) -> bool:
    """Whether fields or bonds vary in space."""
    return bool((row[SPREADS] > EQUAL).any())


def is_uniform_and_conserving(frame: Frame, row: np.ndarray) -> bool:
    """Equal bonds everywhere and hopping that conserves sum Z.

    There the mean field of the interactions would dimerise the chain (Peierls), whatever their sign, and the entropy of the
    gapless chain would stop growing; the free chain has the right growth, c = 1, and is taken as the base.
    """
    return frame.magnetisation is not None and not varies(row) and bool(abs(row[RANGE_1[0]] - row[RANGE_1[1]]) <= EQUAL)


def know(hamiltonian: Hamiltonian) -> Known:
    """Features and mean field of a Hamiltonian."""
    frame = canonical(hamiltonian)
    row = features(hamiltonian, frame)
    conserving = is_uniform_and_conserving(frame, row)
    state = mean_field(hamiltonian, 0.0 if conserving else 1.0, frame)
    base = state.profile()
    local = np.zeros((len(base), len(LOCAL)))
    if varies(row):
        around = np.pad(base[:, 0], 1, mode="edge")
        local = np.stack([base[:, 0], (around[:-2] + around[2:]) / 2 - base[:, 0], base[:, 2]], 1)
    share = state.interaction + state.missing
    return Known(
        np.append(row, [state.interaction, state.missing]), local, base, share / (share + HALF_GATE), not conserving
    )


def solve_chunk(task: Task) -> dict:
    """What is known of a chunk of systems; the unit of work of one process."""
    found = [know(build(s["family"], s["sites"], **s["parameters"])) for s in task["systems"]]
    return {
        "row": np.array([k.row for k in found]),
        "gate": [k.gate for k in found],
        "grows": [k.grows for k in found],
        "local": np.concatenate([k.local for k in found]),
        "base": np.concatenate([k.base for k in found]),
    }


def tabulate_inputs(inputs, chunk: int = 100, workers: int = 2, checkpoint=None, progress=None) -> dict:
    """:class:`Known` of every system of the data set, in its order, as arrays.

    ``row`` (systems, GLOBAL), ``gate`` and ``grows`` (systems,); of the systems that are corrected, ``base`` (cuts, 5)
    and ``local`` (cuts, LOCAL) of all cuts in order; ``worst_exact``: how far the mean field is from the exact entropy where
    it should be exact; ``summary``.
    """
    systems = samples(inputs["02/dataset"])
    plain = [{"family": s.family, "sites": s.sites, "parameters": s.parameters} for s in systems]
    tasks = [{"systems": plain[i : i + chunk]} for i in range(0, len(plain), chunk)]
    parts = map_tasks(solve_chunk, tasks, workers=workers, checkpoint=checkpoint, progress=progress)
    out = {name: np.concatenate([part[name] for part in parts]) for name in ("row", "gate", "grows", "base", "local")}
    owner = np.repeat(np.arange(len(systems)), [s.sites - 1 for s in systems])
    corrected = out["gate"][owner] > 0
    truth = np.concatenate([s.proxies for s in systems])
    unique = ~np.array([s.degenerate for s in systems])[owner]
    worst = float(np.abs(out["base"] - truth)[~corrected & unique, 0].max(initial=0.0))
    for name in ("base", "local"):
        out[name] = out[name][corrected].astype(np.float32)
    out["row"], out["gate"] = out["row"].astype(np.float32), out["gate"].astype(np.float32)
    out["summary"] = {"systems": len(systems), "corrected": int((out["gate"] > 0).sum()), "worst_exact": worst}
    return out
