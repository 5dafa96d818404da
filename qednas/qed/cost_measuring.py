"""``make costs``: measure what a step of every network of chapters 6 to 8 takes, and write the table of costs.

Every cost is measured in two rounds, ten minutes apart, and their mean kept with their spread.  What was measured
is kept in ``_build/costs`` until the table is whole.  Meant for a machine that does nothing else: half an hour.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np

from qednas.companion import paths, profiles, provenance
from qednas.companion.files import write_atomic
from qednas.companion.parallel import Task, TaskError, map_tasks
from qednas.companion.progress import every
from qednas.errors import InputError
from qednas.physics.families import build
from qednas.qed.ablations import VARIANTS
from qednas.qed.architecture import Architecture, Given, every_part, part_parameters
from qednas.qed.block_table import drawn_targets
from qednas.qed.blocks.compiled import make_ready
from qednas.qed.differentiable_search import search_architecture
from qednas.qed.evaluation import SLOW
from qednas.qed.every_architecture import KINDS
from qednas.qed.predictor import shipped
from qednas.qed.search import CHOSEN
from qednas.qed.search_settings import SearchSettings
from qednas.qed.step_costs import JOINED, TABLE, Cost, CostClass, search_name, table_text
from qednas.qed.supernet import Supernet
from qednas.qed.trained_alone import training_settings
from qednas.qed.vmc import train

ROUNDS = 2
STEPS, SEARCH_STEPS = 9, 16  # of one measurement: with one renewal of chains
PRODUCTS = 8  # products of two or three blocks that are measured beside pairs with the smallest block


def prepared(task: Task):
    """Hamiltonian and what is given, of a task with ``system``."""
    system = task["system"]
    hamiltonian = build(system["family"], system["sites"], **system["parameters"])
    return hamiltonian, Given.of(hamiltonian, system["parameters"].get("width"))


def measure_network(task: Task) -> dict[str, Any]:
    """CPU seconds before the first step and of a later one, for ``task["parts"]``."""
    hamiltonian, given = prepared(task)
    make_ready()
    block = Architecture(tuple(task["parts"])).build(given, task["round"])
    settings = training_settings(hamiltonian, task["round"], 0.0, 1.0, steps=STEPS)
    began = time.process_time()
    run = train(hamiltonian, block, settings, clock=time.process_time)
    spent = time.process_time() - began
    if run["stopped"]:
        raise InputError(run["stopped"])
    a_step = float((run["seconds"][-1] - run["seconds"][0]) / (STEPS - 1))
    return {"seconds": a_step, "start": max(0.0, spent - STEPS * a_step)}


def measure_search(task: Task) -> dict[str, Any]:
    """CPU seconds of a step of a supernet, its start included."""
    hamiltonian, given = prepared(task)
    make_ready()
    net = Supernet(every_part(given, KINDS, task["budget"] * hamiltonian.sites), given, seed=task["round"])
    settings = SearchSettings(**{**task["settings"], "steps": SEARCH_STEPS, "seed": task["round"]})
    wanted = shipped().predict(hamiltonian)["proxies"]
    began = time.process_time()
    search_architecture(
        hamiltonian, net, settings, wanted=wanted, budget=task["budget"] * hamiltonian.sites, clock=time.process_time
    )
    return {"seconds": (time.process_time() - began) / SEARCH_STEPS, "start": 0.0}


def measure(task: Task) -> dict[str, Any]:
    return measure_network(task) if "parts" in task else measure_search(task)


def network_tasks(system: dict[str, Any], budget: int, joined: bool) -> list[dict[str, Any]]:
    """Every part alone; with ``joined`` also products, from which the shares of blocks in products are fitted."""
    hamiltonian, given = prepared({"system": system})
    parts = every_part(given, KINDS, budget * hamiltonian.sites)
    chosen: list[tuple[str, ...]] = [(part,) for own in parts.values() for part in own]
    if joined:
        chosen += [(p,) for p in SLOW.values() if part_parameters(p, given) <= budget * hamiltonian.sites]
        smallest = parts["jastrow"][0]
        chosen += [(smallest, part) for kind, own in parts.items() if kind != "jastrow" for part in own]
        others = [own for kind, own in parts.items() if kind != "jastrow"]
        chosen += [(part, own[0]) for part in parts["jastrow"][1:] for own in others]
        larger: list[tuple[str, ...]] = [
            pair for first, second in itertools.combinations(others, 2) for pair in itertools.product(first, second)
        ]
        larger += [(smallest, *pair) for pair in larger]
        chosen += random.Random(str(system)).sample(larger, min(PRODUCTS, len(larger)))
    return [{"system": system, "parts": list(own)} for own in chosen]


def search_tasks(system: dict[str, Any], budget: int, settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"system": system, "budget": budget, "settings": own} for own in settings]


def chapter_tasks() -> list[dict[str, Any]]:
    """What chapters 6 to 8 train, in both profiles."""
    root = paths.project_root()
    tasks: list[dict[str, Any]] = []
    for profile in profiles.PROFILES:
        large, evaluation, table = (
            profiles.chapter_info(root, number).for_profile(profile) for number in ("06", "07", "08")
        )
        large, table = large["large"], table["table"]
        for system in large["systems"]:
            tasks += network_tasks(system, large["budget"], True)
            own = [{**large["settings"], **VARIANTS[name].changed} for name in large["variants"]]
            tasks += search_tasks(system, large["budget"], own)
        for system in evaluation["targets"]:
            tasks += network_tasks(system, evaluation["budget"], True)
            tasks += search_tasks(system, evaluation["budget"], [CHOSEN, {**CHOSEN, "entanglement": 0.0}])
        for system in drawn_targets(table["families"], table["each"], table["sites"]):
            tasks += network_tasks(system, max(table["budgets"]), False)
    return tasks


def named(tasks: list[dict[str, Any]]) -> dict[tuple[CostClass, str], dict[str, Any]]:
    """Tasks by row of the table: of systems whose steps cost the same only the first is measured."""
    classes: dict[str, CostClass] = {}
    found: dict[tuple[CostClass, str], dict[str, Any]] = {}
    for task in tasks:
        key = json.dumps(task["system"], sort_keys=True)
        if key not in classes:
            classes[key] = CostClass.of(*prepared(task))
        if "parts" in task:
            name = str(Architecture(tuple(task["parts"])))
        else:
            name = search_name(SearchSettings(**task["settings"]), task["budget"])
        found.setdefault((classes[key], name), task)
    return found


def fitted_shares(products: dict[str, float], spreads: list[float]) -> dict[str, Cost]:
    """Common part and share of every block, from the seconds of products {"a + b": seconds}, by non-negative least squares of
    relative residuals; their spread is the 90th percentile of these, or of the rounds if that is larger."""
    from scipy.optimize import nnls

    names = sorted({part for product in products for part in product.split(" + ")})
    seconds = np.array(list(products.values()))
    design = np.array([[1.0, *(float(name in p.split(" + ")) for name in names)] for p in products])
    shares, _ = nnls(design / seconds[:, None], np.ones(len(seconds)))
    missed = np.abs(design @ shares / seconds - 1)
    spread = max(float(np.quantile(missed, 0.9)), float(np.median(spreads)))
    return {
        f"{JOINED} {name}".strip(): Cost(share, 0.0, spread) for name, share in zip(["", *names], shares, strict=True)
    }


def rows_of(
    tasks: dict[tuple[CostClass, str], dict[str, Any]], rounds: list[list[dict[str, Any]]]
) -> dict[tuple[CostClass, str], Cost]:
    """Means over the rounds; products become shares."""
    rows: dict[tuple[CostClass, str], Cost] = {}
    products: dict[CostClass, dict[str, Cost]] = defaultdict(dict)
    for key, own in zip(tasks, zip(*rounds, strict=True), strict=True):
        seconds = np.array([one["seconds"] for one in own])
        middle = float(np.mean(seconds))
        start = float(np.mean([one["start"] for one in own]))
        cost = Cost(middle, start, float(np.ptp(seconds)) / middle)
        if " + " in key[1]:
            products[key[0]][key[1]] = cost
        else:
            rows[key] = cost
    for where, own in products.items():
        shares = fitted_shares({n: c.seconds for n, c in own.items()}, [c.spread for c in own.values()])
        start = float(np.median([c.start for c in own.values()]))
        shares[JOINED] = Cost(shares[JOINED].seconds, start, shares[JOINED].spread)
        rows |= {(where, name): cost for name, cost in shares.items()}
    return rows


def main() -> int:
    folder = paths.project_root() / "_build" / "costs"
    try:
        tasks = named(chapter_tasks())
        rounds = [
            map_tasks(
                measure,
                [{**task, "round": number} for task in tasks.values()],
                checkpoint=folder / str(number),
                progress=every(10.0, f"costs, round {number + 1} of {ROUNDS}"),
            )
            for number in range(ROUNDS)
        ]
        rows = rows_of(tasks, rounds)
    except (InputError, TaskError) as error:
        print(f"costs: {error}", file=sys.stderr)
        return 2
    spreads = [cost.spread for cost in rows.values()]
    about = {
        "unit": "seconds of one core for a step of 512 samples (networks) or as many as named (supernets)",
        "processor": provenance.processor(),
        "versions": provenance.versions(),
        "created": provenance.today(),
        "rounds": ROUNDS,
        "spread": {"median": round(float(np.median(spreads)), 3), "largest": round(max(spreads), 3)},
    }
    write_atomic(TABLE, table_text(rows).encode())
    write_atomic(TABLE.with_suffix(".json"), (json.dumps(about, indent=1) + "\n").encode())
    shutil.rmtree(folder, ignore_errors=True)
    print(f"costs: {len(rows)} rows, spread {about['spread']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
