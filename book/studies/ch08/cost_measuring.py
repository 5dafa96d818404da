"""``make costs``: measure what a step of every network of chapters 6 to 8 takes, and write the table of costs.

Every cost is measured in three rounds, some minutes apart, and their median kept with their spread.  What was measured
is kept in ``_build/costs`` until the table is whole.  Meant for a machine that does nothing else: a quarter of an hour.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sys
import time
from collections import defaultdict
from dataclasses import asdict, astuple, fields
from typing import Any, TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.parallel import Task, TaskError, Work, map_tasks
from qednas.base.progress import every
from qednas.companion import paths, profiles
from qednas.companion.results import provenance
from qednas.physics.families import build
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.registry import make_ready
from qednas.qed.predictor.predictor import shipped_predictor
from qednas.qed.search.architecture import Architecture, every_part, part_parameters
from qednas.qed.search.differentiable_search import search_architecture
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.search import CHOSEN
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import FIGURES, JOINED, TABLE, Cost, CostClass, search_name
from qednas.qed.search.supernet import Supernet
from qednas.qed.search.trained_alone import training_settings
from qednas.qed.vmc.vmc import train
from studies.ch06.ablations import VARIANTS
from studies.ch06.every_architecture import KINDS, System
from studies.ch07.evaluation import SLOW
from studies.ch08.block_table import draw_targets

ROUNDS = 3
STEPS, SEARCH_STEPS = 9, 16  # of one measurement: with one renewal of chains
PRODUCTS = 8  # products of two or three blocks that are measured beside pairs with the smallest block


Network = tuple[str, ...]
Search = tuple[int, dict[str, Any]]  # parameters a site, settings


def prepare_system(system: System) -> tuple[Hamiltonian, Given]:
    """Hamiltonian of a system and what is given of it."""
    hamiltonian = build(system["family"], system["sites"], **system["parameters"])
    return hamiltonian, given_of(hamiltonian, system["parameters"].get("width"))


def measure_network(hamiltonian: Hamiltonian, given: Given, parts: Network, seed: int) -> dict[str, float]:
    """CPU seconds before the first step of training, and of a later one."""
    block = Architecture(parts).build(given, seed)
    settings = training_settings(hamiltonian, seed, 0.0, 1.0, steps=STEPS)
    began = time.process_time()
    run = train(hamiltonian, block, settings, clock=time.process_time)
    spent = time.process_time() - began
    if run["stopped"]:
        raise InputError(run["stopped"])
    a_step = float((run["seconds"][-1] - run["seconds"][0]) / (STEPS - 1))
    return {"seconds": a_step, "start": max(0.0, spent - STEPS * a_step)}


def measure_search(hamiltonian: Hamiltonian, given: Given, search: Search, wanted: dict, seed: int) -> dict[str, float]:
    """CPU seconds of a step of a supernet, its start included."""
    budget, options = search[0] * hamiltonian.sites, search[1]
    net = Supernet(every_part(given, KINDS, budget), given, seed=seed)
    settings = SearchSettings(**{**options, "steps": SEARCH_STEPS, "seed": seed})
    began = time.process_time()
    search_architecture(hamiltonian, net, settings, wanted=wanted, budget=budget, clock=time.process_time)
    return {"seconds": (time.process_time() - began) / SEARCH_STEPS, "start": 0.0}


class Measurement(TypedDict):
    """What a step of every network and search of one system takes."""

    costs: dict[str, dict[str, float]]  # {row: {"seconds", "start"}}, of CPU


def measure(task: Task) -> Measurement:
    """Costs of all networks and searches of one system."""
    hamiltonian, given = prepare_system(task["system"])
    make_ready()
    wanted = shipped_predictor().predict(hamiltonian)["proxies"] if task["searches"] else {}
    costs = {name_of(tuple(parts)): measure_network(hamiltonian, given, tuple(parts), task["round"])
             for parts in task["networks"]}  # fmt: skip
    for budget, settings in task["searches"]:
        search = (budget, settings)
        costs[name_of_search(search)] = measure_search(hamiltonian, given, search, wanted, task["round"])
    return {"costs": costs}


def name_of(parts: Network) -> str:
    """Row of a network."""
    return str(Architecture(parts))


def name_of_search(search: Search) -> str:
    """Row of a supernet."""
    return search_name(SearchSettings(**search[1]), search[0])


def networks(given: Given, budget: int, joined: bool, seed: str) -> list[Network]:
    """Every part alone; with ``joined`` also products, from which the shares of blocks in products are fitted."""
    parts = every_part(given, KINDS, budget)
    chosen: list[Network] = [(part,) for choices in parts.values() for part in choices]
    if not joined:
        return chosen
    chosen += [(part,) for part in SLOW.values() if part_parameters(part, given) <= budget]
    smallest = parts["jastrow"][0]
    others = [choices for kind, choices in parts.items() if kind != "jastrow"]
    chosen += [(smallest, part) for choices in others for part in choices]
    chosen += [(part, choices[0]) for part in parts["jastrow"][1:] for choices in others]
    pairs = [pair for first, second in itertools.combinations(others, 2) for pair in itertools.product(first, second)]
    larger: list[Network] = [*pairs, *((smallest, *pair) for pair in pairs)]
    return chosen + random.Random(seed).sample(larger, min(PRODUCTS, len(larger)))


def wanted_rows() -> list[tuple[System, int, bool, list[Search]]]:
    """Systems of chapters 6 to 8 in both profiles: budget a site, whether products are trained, searches."""
    root = paths.project_root()
    rows: list[tuple[System, int, bool, list[Search]]] = []
    for profile in profiles.PROFILES:
        large, evaluation, table = (
            profiles.chapter_info(root, number).for_profile(profile) for number in ("06", "07", "08")
        )
        large, table = large["large"], table["table"]
        changed = [{**large["settings"], **VARIANTS[name].changed} for name in large["variants"]]
        rows += [
            (s, large["budget"], True, [(large["budget"], settings) for settings in changed]) for s in large["systems"]
        ]
        guided: list[Search] = [
            (evaluation["budget"], settings) for settings in (CHOSEN, {**CHOSEN, "entanglement": 0.0})
        ]
        rows += [(target, evaluation["budget"], True, guided) for target in evaluation["targets"]]
        targets = draw_targets(table["families"], table["each"], table["sites"])
        rows += [(target, max(table["budgets"]), False, []) for target in targets]
    return rows


class CostTask(TypedDict):
    """What of one system is measured."""

    system: System
    networks: list[list[str]]  # parts
    searches: list[list[Any]]  # [parameters a site, settings]


def chapter_tasks() -> dict[CostClass, list[CostTask]]:
    """Tasks by what decides the cost: of systems whose steps cost the same every row is measured once."""
    tasks: dict[CostClass, list[CostTask]] = defaultdict(list)
    known: dict[CostClass, set[str]] = defaultdict(set)
    for system, budget, joined, searches in wanted_rows():
        hamiltonian, given = prepare_system(system)
        where = CostClass.of(hamiltonian, given)
        new_networks = [
            n
            for n in networks(given, budget * hamiltonian.sites, joined, str(system))
            if name_of(n) not in known[where]
        ]
        by_name = {name_of_search(search): search for search in searches}
        new_searches = [search for name, search in by_name.items() if name not in known[where]]
        known[where] |= {*map(name_of, new_networks), *by_name}
        if new_networks or new_searches:
            tasks[where].append(
                {"system": system, "networks": list(map(list, new_networks)), "searches": list(map(list, new_searches))}
            )
    return tasks


def fit_block_shares(products: dict[str, float], spreads: list[float]) -> dict[str, Cost]:
    """Common part and share of every block, from the seconds of products {"a + b": seconds}, by non-negative least squares of
    relative residuals; their spread is the 90th percentile of these, or of the rounds if that is larger."""
    from scipy.optimize import nnls

    names = sorted({part for product in products for part in product.split(" + ")})
    seconds = np.array(list(products.values()))
    design = np.array([[1.0, *(float(name in p.split(" + ")) for name in names)] for p in products])
    shares, _ = nnls(design / seconds[:, None], np.ones(len(seconds)))
    residuals = np.abs(design @ shares / seconds - 1)
    spread = max(float(np.quantile(residuals, 0.9)), float(np.median(spreads)))
    return {
        f"{JOINED} {name}".strip(): Cost(share, 0.0, spread) for name, share in zip(["", *names], shares, strict=True)
    }


def rows_of(measured: dict[CostClass, dict[str, list[dict[str, float]]]]) -> dict[tuple[CostClass, str], Cost]:
    """Medians over the rounds {class: {row: costs}}; products become shares."""
    rows: dict[tuple[CostClass, str], Cost] = {}
    for where, by_row in measured.items():
        costs = {name: median_cost(rounds) for name, rounds in by_row.items()}
        products = {name: cost for name, cost in costs.items() if " + " in name}
        rows |= {(where, name): cost for name, cost in costs.items() if name not in products}
        if products:
            shares = fit_block_shares(
                {n: c.seconds for n, c in products.items()}, [c.spread for c in products.values()]
            )
            start = float(np.median([cost.start for cost in products.values()]))
            shares[JOINED] = Cost(shares[JOINED].seconds, start, shares[JOINED].spread)
            rows |= {(where, name): cost for name, cost in shares.items()}
    return rows


def median_cost(rounds: list[dict[str, float]]) -> Cost:
    seconds, start = (np.array([cost[name] for cost in rounds]) for name in ("seconds", "start"))
    middle = float(np.median(seconds))
    return Cost(middle, float(np.median(start)), float(np.ptp(seconds)) / middle)


def table_text(rows: dict[tuple[CostClass, str], Cost]) -> str:
    """The table as it is committed: four digits, in a fixed order."""
    names = [*(field.name for field in fields(CostClass)), "network", *FIGURES]
    lines = [",".join(names)]
    for (where, network), cost in sorted(rows.items(), key=lambda item: (astuple(item[0][0]), item[0][1])):
        quoted = f'"{network}"' if "," in network else network
        figures = (f"{value:.4g}" for value in (cost.seconds, cost.start, cost.spread))
        lines.append(",".join([*(str(int(v)) for v in asdict(where).values()), quoted, *figures]))
    return "\n".join(lines) + "\n"


def main() -> int:
    folder = paths.project_root() / "_build" / "costs"
    try:
        tasks = [(where, task) for where, group in chapter_tasks().items() for task in group]
        measured: dict[CostClass, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
        for number in range(ROUNDS):
            measurements = map_tasks(
                measure,
                [{**task, "round": number} for _, task in tasks],
                work=Work(
                    checkpoint=folder / str(number), progress=every(10.0, f"costs, round {number + 1} of {ROUNDS}")
                ),
            )
            for (where, _), measurement in zip(tasks, measurements, strict=True):
                for name, cost in measurement["costs"].items():
                    measured[where][name].append(cost)
        rows = rows_of(measured)
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
