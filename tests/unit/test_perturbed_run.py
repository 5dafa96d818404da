"""What verify catches: numbers, rows and seeds of the committed paper results changed at random, as a wrong rerun would."""

import copy
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from qednas.companion import readme
from qednas.companion.comparison.comparing import ROUNDING, Ground, deviations, judge_deviations, numbers
from qednas.companion.ledger.claims_file import load_claims, parts
from qednas.companion.results.result import load, names
from qednas.companion.results.tolerance import tolerance_class

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "results" / "paper"
PERTURBATIONS = 200


@cache
def stored(name):
    return load(PAPER, name)


@cache
def contents(name):
    return {key: stored(name)[key] for key in stored(name)}


def whole(name):
    return copy.deepcopy(contents(name))


def caught(name, data):
    """On one kind of processor, where a rerun gives the same digits."""
    found = list(deviations(data, contents(name), stored(name).tolerance, Ground()))
    return not all(one.ok for one in judge_deviations(found, 10_000))


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


@pytest.fixture(scope="module")
def headlines():
    return headline_values()


def test_no_headline_number_changes_unseen(headlines):
    assert len(headlines) > 80
    rng = random.Random(1)
    missed = []
    for name, key in headlines:
        value = stored(name).at(key)
        if numbers(value) is None and not isinstance(value, (list, bool)):
            continue
        if isinstance(value, float) and abs(value) < ROUNDING:
            continue  # rounding itself, of which a claim only says that it is small: any other such value is as good
        data = whole(name)
        change_at(data, key, moved(rng))
        if not caught(name, data):
            missed.append((name, key))
    assert not missed


def test_random_perturbations_are_caught(headlines):
    """Headline numbers moved, rows swapped, a seed lost: at least 95 % of 200."""
    rng = random.Random(7)
    with_rows = [name for name in names(PAPER) if any(lists_of_rows(contents(name)))]
    missed = []
    for _ in range(PERTURBATIONS):
        kind = rng.choice(("headline", "swapped", "lost"))
        name, key = rng.choice(headlines) if kind == "headline" else (rng.choice(with_rows), "")
        data = whole(name)
        if kind == "headline":
            change_at(data, key, moved(rng))
        else:
            place = rng.choice(list(lists_of_rows(data)))
            rows = data
            for part in place.split("."):
                rows = rows[int(part)] if isinstance(rows, list) else rows[part]
            if kind == "swapped":
                i, j = rng.sample(range(len(rows)), 2)
                rows[i], rows[j] = rows[j], rows[i]
            else:
                rows.pop(rng.randrange(len(rows)))
            key = place
        if not caught(name, data):
            missed.append((kind, name, key))
    assert len(missed) <= 0.05 * PERTURBATIONS, missed
