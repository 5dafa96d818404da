"""The committed paper results changed at random, as a wrong rerun would: headline numbers moved, rows swapped, a seed lost."""

import copy
import random
from functools import cache
from pathlib import Path

import numpy as np

from qednas.companion import readme
from qednas.companion.ledger.claims_file import load_claims, parts
from qednas.companion.results.result import load, names
from qednas.companion.results.tolerance import tolerance_class

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "results" / "paper"
COMPARED = 10_000  # values, among which the threshold of standard errors is shared


@cache
def stored(name):
    return load(PAPER, name)


@cache
def contents(name):
    return {key: stored(name)[key] for key in stored(name)}


def whole(name):
    return copy.deepcopy(contents(name))


def change_at(data, dotted, change):
    """Change the value at a dotted path in place."""
    *parents, last = dotted.split(".")
    place = data
    for part in parents:
        place = place[int(part)] if isinstance(place, (list, np.ndarray)) else place[part]
    key = int(last) if isinstance(place, (list, np.ndarray)) else last
    place[key] = change(place[key], place.get(f"{key}_sem") if isinstance(place, dict) else None)


def moved(rng):
    """5 per cent, or 5 standard errors where there are any."""

    def change(value, sem):
        if isinstance(value, bool):
            return not value
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            return value[:-1]  # what is shown of rows is how many there are
        if isinstance(value, (list, np.ndarray)):
            changed = np.array(value, dtype=float)
            place = np.unravel_index(rng.randrange(changed.size), changed.shape)
            changed[place] = change(float(changed[place]), None)
            return changed if isinstance(value, np.ndarray) else changed.tolist()
        shift = 5 * sem if isinstance(sem, float) and sem > 0 and rng.random() < 0.5 else 0.05 * abs(value) or 0.05
        return value + rng.choice((-1, 1)) * shift

    return change


def headline_values():
    """(result, path) of every number that the claims are judged by or the README prints, measured times left out."""
    found = readme.shown_values(ROOT)
    for row in load_claims(ROOT / "book" / "claims.yml").rows:
        for test in parts(row["test"]):
            inner = {"share": ("hits",), "bootstrap": ("value", "p")}.get(test["kind"])
            keys = [test[name] for name in ("key", "than", "p") if isinstance(test.get(name), str)]
            keys = keys if inner is None else [f"{test['key']}.{name}" for name in inner]
            found += [(test.get("result", row.get("result")), key) for key in keys]
    there = set(names(PAPER))
    found = [(name, key) for name, key in dict.fromkeys(found) if name in there]
    return [pair for pair in found if tolerance_class(stored(pair[0]).tolerance, pair[1]) != "timing"]


def lists_of_rows(value, path=""):
    """Dotted paths of lists of two or more mappings."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, list) and len(value) > 1 and all(isinstance(item, dict) for item in value):
        yield path
    for key, item in items:
        yield from lists_of_rows(item, f"{path}.{key}" if path else str(key))


def perturbed(count, seed, headlines):
    """(kind, result, path, changed data) of random perturbations."""
    rng = random.Random(seed)
    with_rows = [name for name in names(PAPER) if any(lists_of_rows(contents(name)))]
    for _ in range(count):
        kind = rng.choice(("headline", "swapped", "lost"))
        name, path = rng.choice(headlines) if kind == "headline" else (rng.choice(with_rows), "")
        data = whole(name)
        if kind == "headline":
            change_at(data, path, moved(rng))
        else:
            path = rng.choice(list(lists_of_rows(data)))
            rows = data
            for part in path.split("."):
                rows = rows[int(part)] if isinstance(rows, list) else rows[part]
            if kind == "swapped":
                i, j = rng.sample(range(len(rows)), 2)
                rows[i], rows[j] = rows[j], rows[i]
            else:
                rows.pop(rng.randrange(len(rows)))
        yield kind, name, path, data
