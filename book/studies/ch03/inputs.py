"""What the predictor knows of every system of the data set, as arrays."""

from __future__ import annotations

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.physics.families import build
from qednas.qed.predictor.inputs import predictor_inputs
from studies.ch02.dataset import samples


@declare(version=1)
def tabulate_chunk(task: Task) -> dict:
    """What is known of a chunk of systems; the unit of work of one process."""
    known = [predictor_inputs(build(s["family"], s["sites"], **s["parameters"])) for s in task["systems"]]
    return {
        "row": np.array([k.row for k in known]),
        "gate": [k.gate for k in known],
        "grows": [k.grows for k in known],
        "local": np.concatenate([k.local for k in known]),
        "base": np.concatenate([k.base for k in known]),
    }


@declare(version=1, pieces=(tabulate_chunk,))
def tabulate_inputs(inputs, chunk: int = 100, work: Work = Work()) -> dict:
    """:class:`~qednas.qed.predictor.inputs.PredictorInputs` of every system of the data set, in its order, as arrays.

    ``row`` (systems, GLOBAL), ``gate`` and ``grows`` (systems,); of the systems that are corrected, ``base`` (cuts, 5)
    and ``local`` (cuts, LOCAL) of all cuts in order; ``worst_exact``: how far the mean field is from the exact entropy where
    it should be exact; ``summary``.
    """
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
    return out
