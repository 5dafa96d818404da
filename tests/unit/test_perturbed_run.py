"""What verify catches: numbers, rows and seeds of the committed paper results changed at random, as a wrong rerun would."""

import random

import pytest

from perturbation import COMPARED, change_at, contents, headline_values, moved, perturbed, stored, whole
from qednas.companion.comparison.comparing import ROUNDING, Ground, deviations, judge_deviations, numbers

PERTURBATIONS = 200


def caught(name, data):
    """On one kind of processor, where a rerun gives the same digits."""
    found = list(deviations(data, contents(name), stored(name).tolerance, Ground()))
    return not all(one.ok for one in judge_deviations(found, COMPARED))


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
    missed = [change[:3] for *change, data in perturbed(PERTURBATIONS, 7, headlines) if not caught(change[1], data)]
    assert len(missed) <= 0.05 * PERTURBATIONS, missed
