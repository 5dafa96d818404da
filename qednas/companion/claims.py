"""The ledger: each claim of the papers with a verdict computed from a stored result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qednas.companion import files
from qednas.companion.profiles import read_yaml
from qednas.companion.result import Result, load
from qednas.companion.store import Store
from qednas.errors import InputError

HOLDS, FAILS, UNTESTABLE, PENDING = "holds", "does not hold", "not testable here", "pending"
PAPERS = ("qed-nas", "diffqas", "qnas")
FIELDS = ("id", "paper", "source", "statement", "chapter", "test")

# What each kind of test needs; `tolerance` widens a bound and is absolute, in the unit of the value.
KINDS: dict[str, tuple[set[str], set[str]]] = {
    "pending": (set(), {"why"}),
    "not_testable": ({"why"}, set()),
    "at_most": ({"key", "value"}, {"tolerance"}),
    "at_least": ({"key", "value"}, {"tolerance"}),
    "equals": ({"key", "value"}, {"tolerance"}),
    "within": ({"key", "value", "tolerance"}, set()),
    "greater": ({"key", "than"}, {"p_key", "alpha"}),
}


def load_claims(path: Path) -> list[dict[str, Any]]:
    """Rows of a claims file, checked. Raises InputError naming the row and what is wrong with it."""
    rows = read_yaml(path)
    if isinstance(rows, dict):
        rows = rows.get("claims")
    if not isinstance(rows, list):
        raise InputError(f"{path}: a list of claims")
    seen: set[str] = set()
    for index, row in enumerate(rows):
        _check(row, f"{path}, row {index + 1}", seen)
    return rows


def _check(row: Any, where: str, seen: set[str]) -> None:
    if not isinstance(row, dict):
        raise InputError(f"{where}: a mapping with {', '.join(FIELDS)}")
    where = f"{where} ({row.get('id', 'no id')})"
    if missing := [field for field in FIELDS if row.get(field) in (None, "")]:
        raise InputError(f"{where}: {', '.join(missing)} missing")
    if unknown := sorted(set(row) - {*FIELDS, "result"}):
        raise InputError(f"{where}: unknown {', '.join(unknown)}")
    if not isinstance(row["id"], str) or row["id"] in seen:
        raise InputError(f"{where}: an id is text and used once")
    seen.add(row["id"])
    if row["paper"] not in PAPERS:
        raise InputError(f"{where}: paper is one of {', '.join(PAPERS)}")
    test = row["test"]
    if not isinstance(test, dict) or test.get("kind") not in KINDS:
        raise InputError(f"{where}: test needs a kind out of {', '.join(KINDS)}")
    needed, optional = KINDS[test["kind"]]
    if needed & {"key"} and not isinstance(row.get("result"), str):
        raise InputError(f"{where}: result, the one it is judged by, is missing")
    given = set(test) - {"kind"}
    if needed - given or given - needed - optional:
        allowed = ", ".join([*sorted(needed), *(f"{name} (optional)" for name in sorted(optional))])
        raise InputError(f"{where}: a {test['kind']} test has {allowed or 'nothing else'}")
    if ("p_key" in test) != ("alpha" in test):
        raise InputError(f"{where}: p_key and alpha go together")
    for name in ("value", "tolerance", "alpha"):
        if name in test and (isinstance(test[name], bool) or not isinstance(test[name], (int, float))):
            raise InputError(f"{where}: {name} must be a number, not {test[name]!r}")


def evaluate(store: Store, path: Path, *, chapter: str | None = None) -> list[dict[str, Any]]:
    """Every claim (of one chapter) as {id, paper, source, statement, chapter, result, verdict, why}.

    A result that is not there yet makes a claim pending; a smoke result judges nothing. Raises InputError for a
    malformed row, a key that its result does not have, or a corrupt result.
    """
    found = []
    for row in load_claims(path):
        number = str(row["chapter"]).zfill(2)
        if chapter is not None and number != chapter:
            continue
        verdict, why = _judge(store, row)
        kept = {field: row[field] for field in ("id", "paper", "source", "statement")}
        found.append({**kept, "chapter": number, "result": row.get("result"), "verdict": verdict, "why": why})
    return found


def _judge(store: Store, row: Mapping[str, Any]) -> tuple[str, str]:
    test = row["test"]
    if test["kind"] == "pending":
        return PENDING, test.get("why", "its chapter is not written yet")
    if test["kind"] == "not_testable":
        return UNTESTABLE, test["why"]
    result = _result(store, row["result"])
    if result is None:
        return PENDING, f"no result {row['result']} yet"
    try:
        holds, why = _test(result, test)
    except InputError as error:
        raise InputError(f"claim {row['id']}: {error}") from None
    if result.provenance["profile"] != "paper":
        return UNTESTABLE, f"{result.provenance['profile']} profile: its numbers are not results"
    return (HOLDS if holds else FAILS), why


def _result(store: Store, name: str) -> Result | None:
    for place in (store.root, store.fallback):
        if place is None:
            continue
        try:
            return load(place, name)
        except FileNotFoundError:
            continue
        except files.CorruptFile as error:
            raise InputError(str(error)) from None
    return None


def _number(result: Result, key: str) -> float:
    value = result.at(key)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{result.name}, {key}: a number is needed, not {type(value).__name__}")
    return float(value)


def _test(result: Result, test: Mapping[str, Any]) -> tuple[bool, str]:
    measured = _number(result, test["key"])
    told = f"{test['key']} = {measured:.6g}"
    if test["kind"] == "greater":
        than = test["than"]
        other = _number(result, than) if isinstance(than, str) else float(than)
        name = f"{than} = {other:.6g}" if isinstance(than, str) else f"{other:.6g}"
        why, holds = f"{told} against {name}", measured > other
        if "p_key" in test:
            p_value = _number(result, test["p_key"])
            why += f", p = {p_value:.3g} (needed: at most {test['alpha']:g})"
            holds = holds and p_value <= test["alpha"]
        return holds, why
    value, slack = float(test["value"]), float(test.get("tolerance", 0.0))
    margin = f" (tolerance {slack:g})" if slack else ""
    if test["kind"] == "at_most":
        return measured <= value + slack, f"{told}, claimed at most {value:g}{margin}"
    if test["kind"] == "at_least":
        return measured >= value - slack, f"{told}, claimed at least {value:g}{margin}"
    return abs(measured - value) <= slack, f"{told}, claimed {value:g}{margin}"
