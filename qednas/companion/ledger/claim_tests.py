"""One test of the ledger against one stored result: what was measured, its raw p, and to which side it points.

A number ``key`` with a sampling error has ``key_sem`` beside it and ``key_units`` (or ``pairs`` or ``units``), how many
independent values it is the mean of; ``key_df`` where the degrees of freedom of its error are others than one less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.base.statistics import (
    LEVEL,
    MOST_UNITS,
    RANKS,
    WITHIN,
    mean_interval,
    needed_for_share,
    needed_units,
    share_interval,
    share_p,
    two_sided,
)
from qednas.companion.ledger.claims_file import FAILS, HOLDS, STATISTICAL, UNDECIDED, parse_units
from qednas.companion.results.result import Result


class Outdated(Exception):
    """A result lacks what a test needs beside its number: it was made before the test asked for it."""


@dataclass(frozen=True)
class Measurement:
    """What a statistical test found.

    side: 1 where the data point to the claim, -1 to its contrary, 0 to neither.  p: two-sided, raw.  text: in words.  away, sem:
    of the number from the bound, in its unit; true: of a share, what was found.  bound: that of a share.  chosen: of how many the
    number is the worst, by which p was multiplied.
    """

    side: int
    p: float
    text: str
    interval: str
    units: int
    noun: str
    away: float = 0.0
    sem: float = 0.0
    true: float | None = None
    bound: float = 0.0
    by: str = WITHIN
    chosen: int = 1

    def units_to_decide(self, alpha: float) -> int | None:
        """With how many units in all the test would decide at ``alpha``, were the truth as measured."""
        if self.true is not None:
            return needed_for_share(self.true, self.bound, self.units, alpha)
        return needed_units(self.away, self.sem, self.units, alpha / self.chosen, self.by)


def number(result: Result, key: str) -> float:
    """The number at a key of a result.  Raises InputError where there is none."""
    value = result.at(key)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{result.name}, {key}: a number is needed, not {type(value).__name__}")
    return float(value)


def number_beside(result: Result, key: str, *names: str) -> float:
    """The number at the first of some keys that are to stand beside ``key``.  Raises Outdated where none does."""
    for name in names:
        if result.has(name):
            return number(result, name)
    raise Outdated(f"{result.name} has no {names[0]} beside {key}, which the test needs: make it again")


def stored_units(result: Result, key: str, test: Mapping[str, Any]) -> int:
    """How many units the result has for a key.  Raises InputError where the row declares another number."""
    folder = key.rpartition(".")[0]
    names = (f"{key}_units", *(f"{folder}.{name}" if folder else name for name in ("pairs", "units")))
    units = int(number_beside(result, key, *names))
    declared, noun = parse_units(test)
    if units != declared:
        raise InputError(f"{result.name}, {key}: the result has {units} {noun}, the row declares {declared}")
    return units


def judge_exact(result: Result, test: Mapping[str, Any]) -> tuple[str, str]:
    """Verdict and why of a number without a sampling error."""
    measured = number(result, test["key"])
    text = f"{test['key']} = {measured:.6g}"
    if test["kind"] == "greater":
        than = test["than"]
        threshold = number(result, than) if isinstance(than, str) else float(than)
        name = f"{than} = {threshold:.6g}" if isinstance(than, str) else f"{threshold:.6g}"
        return (HOLDS if measured > threshold else FAILS), f"{text}, claimed more than {name}"
    value, slack = float(test["value"]), float(test.get("tolerance", 0.0))
    margin = f" (tolerance {slack:g})" if slack else ""
    if test["kind"] == "at_most":
        return (HOLDS if measured <= value + slack else FAILS), f"{text}, claimed at most {value:g}{margin}"
    if test["kind"] == "at_least":
        return (HOLDS if measured >= value - slack else FAILS), f"{text}, claimed at least {value:g}{margin}"
    return (HOLDS if abs(measured - value) <= slack else FAILS), f"{text}, claimed {value:g}{margin}"


def measure(result: Result, test: Mapping[str, Any]) -> Measurement:
    """What a statistical test finds in a result.  Raises InputError for a key that it lacks, Outdated as
    :func:`number_beside`."""
    assert test["kind"] in STATISTICAL
    return {"better": _better, "mean": _mean, "share": _share, "bootstrap": _bootstrap}[test["kind"]](result, test)


def _claim(test: Mapping[str, Any], share: bool = False) -> tuple[float, int, str]:
    """Bound, the side on which the claim lies, and both in words."""
    side = 1 if "at_least" in test else -1
    bound = float(test["at_least" if side > 0 else "at_most"])
    limit = f"{bound:.0%}" if share else f"{bound:g}"
    return bound, side, f"claimed at {'least' if side > 0 else 'most'} {limit}"


def _interval(low: float, high: float, pattern: str = "{:.3g}") -> str:
    return f"{LEVEL:.0%} interval {pattern.format(low)} to {pattern.format(high)}"


def _better(result: Result, test: Mapping[str, Any]) -> Measurement:
    key = test["key"]
    gain = number(result, key)
    units, noun = stored_units(result, key, test), parse_units(test)[1]
    sem, p = number_beside(result, key, f"{key}_sem"), number_beside(result, key, test["p"])
    side = int(np.sign(gain))
    folder = key.rpartition(".")[0]
    if test["by"] == RANKS:
        wins = number_beside(result, key, f"{folder}.wins" if folder else "wins")
        side = side if side == np.sign(wins - 0.5) else 0  # mean and ranks point to different sides: neither
        df = float(max(units - 1, 1))
    else:
        df = number_beside(result, key, f"{key}_df")
    text = f"{key} = {gain:.3g} ± {sem:.2g} ({units} {noun})"
    return Measurement(side, p, text, _interval(*mean_interval(gain, sem, df)), units, noun, gain, sem, by=test["by"])


def _mean(result: Result, test: Mapping[str, Any]) -> Measurement:
    key, (bound, side, claim) = test["key"], _claim(test)
    mean = number(result, key)
    units, noun = stored_units(result, key, test), parse_units(test)[1]
    sem = number_beside(result, key, f"{key}_sem")
    df = number(result, f"{key}_df") if result.has(f"{key}_df") else float(max(units - 1, 1))
    chosen = test.get("chosen_from", 1)
    p = min(1.0, chosen * two_sided(mean - bound, sem, df)) if units > 1 else 1.0
    worst = f"; the worst of {chosen}, p times {chosen}" if chosen > 1 else ""
    text = f"{key} = {mean:.4g} ± {sem:.2g} ({units} {noun}{worst}), {claim}"
    interval = _interval(*mean_interval(mean, sem, df), "{:.4g}")
    towards = side * int(np.sign(mean - bound))
    return Measurement(towards, p, text, interval, units, noun, mean - bound, sem, chosen=chosen)


def _share(result: Result, test: Mapping[str, Any]) -> Measurement:
    key, (bound, side, claim) = test["key"], _claim(test, share=True)
    hits = int(number(result, f"{key}.hits"))
    units, noun = stored_units(result, f"{key}.hits", test), parse_units(test)[1]
    share = hits / units
    text = f"{key}: {hits} of {units} {noun}, {claim}"
    interval = _interval(*share_interval(hits, units), "{:.1%}")
    p = share_p(hits, units, bound)
    return Measurement(side * int(np.sign(share - bound)), p, text, interval, units, noun, true=share, bound=bound)


def _bootstrap(result: Result, test: Mapping[str, Any]) -> Measurement:
    key, (bound, side, claim) = test["key"], _claim(test)
    value, against = number(result, f"{key}.value"), number(result, f"{key}.against")
    if against != bound:
        raise InputError(f"{result.name}, {key}: its p is against {against:g}, the row claims {bound:g}")
    units, noun = stored_units(result, f"{key}.value", test), parse_units(test)[1]
    low, high = number(result, f"{key}.low"), number(result, f"{key}.high")
    text = f"{key} = {value:g} ({units} {noun}), {claim}"
    above = int(np.sign(value - bound)) or side  # at the bound it is as claimed
    sem = (high - low) / 4  # about, for the number of seeds that would decide
    return Measurement(
        side * above, number(result, f"{key}.p"), text, _interval(low, high), units, noun, value - bound, sem
    )


def verdict_of(measurement: Measurement, corrected: float, tests: int, alpha: float) -> tuple[str, str]:
    """Verdict and why of a measurement, by its p corrected for the tests of its family."""
    after_holm = f", {corrected:.2g} after Holm over {tests} tests" if tests > 1 else ""
    why = f"{measurement.text}, p = {measurement.p:.2g}{after_holm}; {measurement.interval}"
    if corrected <= alpha and measurement.side:
        return (HOLDS if measurement.side > 0 else FAILS), why
    units = measurement.units_to_decide(alpha / tests)
    if units is None:
        return UNDECIDED, f"{why}; not decided by {MOST_UNITS:,} {measurement.noun} either, were the truth as measured"
    return UNDECIDED, f"{why}; about {units:,} {measurement.noun} would decide, were the truth as measured"
