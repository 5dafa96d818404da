"""What the predictor knows of every system of the data set, as arrays."""

from __future__ import annotations

from typing import TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.qed.predictor.inputs import predictor_inputs
from studies.ch02.dataset import samples


class KnownChunk(TypedDict):
    """What is known of a chunk of systems; base and local of all their cuts in order."""

    row: np.ndarray  # (systems, GLOBAL)
    gate: list[float]
    grows: list[float]
    local: np.ndarray  # (cuts, LOCAL)
    base: np.ndarray  # (cuts, 5)


@declare(version=1)
def tabulate_chunk(task: Task) -> KnownChunk:
    """What is known of a chunk of systems; the unit of work of one process."""
    known = [predictor_inputs(build(s["family"], s["sites"], **s["parameters"])) for s in task["systems"]]
    return {
        "row": np.array([k.row for k in known]),
        "gate": [k.gate for k in known],
        "grows": [k.grows for k in known],
        "local": np.concatenate([k.local for k in known]),
        "base": np.concatenate([k.base for k in known]),
    }


class InputsSummary(TypedDict):
    """Counts of systems, and a check of the mean field."""

    systems: int
    corrected: int
    worst_exact: float  # how far the mean field is from the exact entropy where it should be exact, nats


class KnownInputs(TypedDict):
    """What is known of every system; base and local of all cuts, in order, of those that are corrected."""

    row: np.ndarray  # (systems, GLOBAL)
    gate: np.ndarray  # (systems,), as grows
    grows: np.ndarray
    local: np.ndarray  # (cuts, LOCAL)
    base: np.ndarray  # (cuts, 5)
    summary: InputsSummary


@declare(version=1, pieces=(tabulate_chunk,))
def tabulate_inputs(inputs, chunk: int = 100, work: Work = Work()) -> KnownInputs:
    """:class:`~qednas.qed.predictor.inputs.PredictorInputs` of every system of the data set, in its order, as arrays."""
    systems = samples(inputs["02/dataset"])
    plain = [{"family": s.family, "sites": s.sites, "parameters": s.parameters} for s in systems]
    tasks = [{"systems": plain[i : i + chunk]} for i in range(0, len(plain), chunk)]
    parts = map_tasks(tabulate_chunk, tasks, work=work)
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
    return cast(KnownInputs, out)
