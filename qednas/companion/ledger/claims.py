"""The ledger: each claim of the papers with a verdict computed from a stored result, p values corrected in one place, here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.statistics import holm
from qednas.companion.ledger.claim_tests import Measurement, Outdated, judge_exact, measure, verdict_of
from qednas.companion.ledger.claims_file import (
    FAILS,
    HOLDS,
    PENDING,
    STATISTICAL,
    UNDECIDED,
    UNTESTABLE,
    VERDICTS,
    Ledger,
    identity,
    load_claims,
    parts,
)
from qednas.companion.results.result import Result, load
from qednas.companion.results.store import Store

__all__ = ["FAILS", "HOLDS", "PENDING", "UNDECIDED", "UNTESTABLE", "VERDICTS", "evaluate", "load_claims"]

Missing = tuple[str, str]  # verdict and why of a test that nothing could be measured for


def evaluate(store: Store, path: Path, *, chapter: str | None = None) -> list[dict[str, Any]]:
    """Every claim (of one chapter) as {id, paper, kind, family, trivial, source, statement, chapter, result, verdict, why}, and
    ``reason`` where the row has one.

    A result that is not there yet makes a claim pending; a smoke result judges nothing.  p values are corrected by Holm over all
    tests of a family, whatever chapter they belong to; one that is not there counts as 1.  Raises InputError for a malformed row,
    a key that its result does not have, another number of units than the row declares, or a corrupt result.
    """
    ledger = load_claims(path)
    results = _Results(store)
    verdicts: dict[str, dict[str, tuple[str, str]]] = {}
    claims = []
    for row in ledger.rows:
        number = str(row["chapter"]).zfill(2)
        if chapter is not None and number != chapter:
            continue
        family = row["family"]
        if family not in verdicts:
            verdicts[family] = _judge_family(ledger, family, results)
        verdict, why = _judge(row, row["test"], verdicts[family], results)
        claim = {field: row[field] for field in ("id", "paper", "kind", "family")}
        claim |= {"trivial": row.get("trivial", False), "source": row["source"], "statement": row["statement"]}
        reason = {"reason": row["reason"]} if "reason" in row else {}
        claims.append({**claim, "chapter": number, "result": _inputs(row), "verdict": verdict, "why": why, **reason})
    return claims


def _inputs(row: Mapping[str, Any]) -> str | None:
    """The results that a row is judged by."""
    names = [part.get("result", row.get("result")) for part in parts(row["test"]) if "key" in part]
    return ", ".join(dict.fromkeys(names)) or None


class _Results:
    """Results of a store and its fallback, each read once."""

    def __init__(self, store: Store):
        self.places = [place for place in (store.root, store.fallback) if place is not None]
        self.read: dict[str, Result | None] = {}

    def __call__(self, name: str) -> Result | Missing:
        """The result of the paper profile with this name, or why there is none."""
        if name not in self.read:
            self.read[name] = self._load(name)
        result = self.read[name]
        if result is None:
            return PENDING, f"no result {name} yet"
        profile = result.provenance["profile"]
        if profile != "paper":
            return UNTESTABLE, f"{profile} profile: its numbers are not results"
        return result

    def _load(self, name: str) -> Result | None:
        for place in self.places:
            try:
                return load(place, name)
            except FileNotFoundError:
                continue
            except files.CorruptFile as error:
                raise InputError(str(error)) from None
        return None


def _judge_family(ledger: Ledger, name: str, results: _Results) -> dict[str, tuple[str, str]]:
    """{identity: verdict and why} of the statistical tests of a family, corrected together."""
    family, tests = ledger.families[name], ledger.tests(name)
    measurements: dict[str, Measurement | Missing] = {}
    for key, test in tests.items():
        result = results(test["result"])
        try:
            measurements[key] = result if isinstance(result, tuple) else measure(result, test)
        except Outdated as error:
            measurements[key] = PENDING, str(error)
        except InputError as error:
            raise InputError(f"{_owner(ledger, name, key)}: {error}") from None
    corrected = holm([value.p if isinstance(value, Measurement) else 1.0 for value in measurements.values()])
    return {
        key: verdict_of(value, float(p), len(tests), family.alpha) if isinstance(value, Measurement) else value
        for (key, value), p in zip(measurements.items(), corrected, strict=True)
    }


def _owner(ledger: Ledger, family: str, key: str) -> str:
    """The claim, or else the family, that a test belongs to."""
    for row in ledger.rows:
        if row["family"] == family and key in [identity(_with_result(row, part)) for part in parts(row["test"])]:
            return f"claim {row['id']}"
    return f"family {family}"


def _with_result(row: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    """A test with the result that it is judged by."""
    return dict(test, result=test.get("result", row.get("result")))


def _judge(
    row: Mapping[str, Any], test: Mapping[str, Any], verdicts: Mapping[str, tuple[str, str]], results: _Results
) -> tuple[str, str]:
    kind = test["kind"]
    if kind == "pending":
        return PENDING, test.get("why", "its chapter is not written yet")
    if kind == "not_testable":
        return UNTESTABLE, test["why"]
    if kind == "read":
        return test["verdict"], f"read: {test['evidence']}"
    if kind == "all":
        return _combine([_judge(row, part, verdicts, results) for part in test["of"]])
    if kind in STATISTICAL:
        return verdicts[identity(_with_result(row, test))]
    result = results(_with_result(row, test)["result"])
    if isinstance(result, tuple):
        return result
    try:
        return judge_exact(result, test)
    except InputError as error:
        raise InputError(f"claim {row['id']}: {error}") from None


def _combine(verdicts: list[tuple[str, str]]) -> tuple[str, str]:
    """Of a claim with several parts: it falls with one of them, and holds with all."""
    order = (FAILS, PENDING, UNTESTABLE, UNDECIDED, HOLDS)
    verdict = min((part for part, _ in verdicts), key=order.index)
    return verdict, "; ".join(f"({number}) {part}: {why}" for number, (part, why) in enumerate(verdicts, 1))
