"""The file of claims: families of tests and rows, checked when it is loaded, before any result is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.base.statistics import ALPHA, RANKS, WELCH, WITHIN, smallest_p
from qednas.companion.profiles import read_yaml

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
UNTESTABLE, PENDING = "not testable here", "pending"
VERDICTS = (HOLDS, FAILS, UNDECIDED, UNTESTABLE, PENDING)
PAPERS = ("qed-nas", "diffqas", "qnas")
SORTS = ("paper", "own")  # the paper states it; our own question
FIELDS = ("id", "paper", "kind", "family", "source", "statement", "chapter", "test")
OPTIONAL = ("result", "reason", "trivial")
FAMILY = ({"question"}, {"alpha", "also"})
ALSO = {"result", "by", "units", "keys"}
BY = (RANKS, WITHIN, WELCH)
UNITS = re.compile(r"([1-9]\d*) (\S.*)")

# What each kind of test needs, and may have; `result` names another one than that of the row.
KINDS: dict[str, tuple[set[str], set[str]]] = {
    "pending": (set(), {"why"}),
    "not_testable": ({"why"}, set()),
    "read": ({"verdict", "evidence"}, set()),
    # Numbers without a sampling error, judged as they are; `exact` says why there is none.
    "at_most": ({"key", "value", "exact"}, {"tolerance", "result"}),
    "at_least": ({"key", "value", "exact"}, {"tolerance", "result"}),
    "equals": ({"key", "value", "exact"}, {"tolerance", "result"}),
    "within": ({"key", "value", "exact", "tolerance"}, {"result"}),
    "greater": ({"key", "than", "exact"}, {"result"}),
    # Numbers with one: judged by their p value, corrected within the family.
    "better": ({"key", "p", "by", "units"}, {"result"}),
    "mean": ({"key", "units"}, {"at_most", "at_least", "chosen_from", "result"}),
    "share": ({"key", "units"}, {"at_most", "at_least", "result"}),
    "bootstrap": ({"key", "units"}, {"at_most", "at_least", "result"}),
    "all": ({"of"}, set()),
}
STATISTICAL = ("better", "mean", "share", "bootstrap")
NUMBERS = ("value", "tolerance", "at_most", "at_least", "alpha")


@dataclass(frozen=True)
class Family:
    """Tests whose p values are corrected together: the question they answer, the chance of any false verdict among them, and
    further tests of the same question that the chapters show and no row is judged by."""

    name: str
    question: str
    alpha: float
    also: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Ledger:
    """The checked file."""

    families: Mapping[str, Family]
    rows: list[dict[str, Any]]

    def tests(self, family: str) -> dict[str, Mapping[str, Any]]:
        """{identity: test} of the statistical tests of a family, with `result` in each; the same test of two rows counts once."""
        pairs = [(row, part) for row in self.rows if row["family"] == family for part in parts(row["test"])]
        every = [dict(part, result=part.get("result", row.get("result"))) for row, part in pairs]
        every += [dict(test) for test in self.families[family].also]
        return {identity(test): test for test in every if test["kind"] in STATISTICAL}


def parts(test: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The single tests of a test."""
    if test["kind"] == "all":
        for part in test["of"]:
            yield from parts(part)
    else:
        yield test


def identity(test: Mapping[str, Any]) -> str:
    """What makes a test the same as another: where its number stands, and the bound."""
    return json.dumps({name: test[name] for name in sorted(test)}, sort_keys=True)


def parse_units(test: Mapping[str, Any]) -> tuple[int, str]:
    """Number and noun of `units`."""
    match = UNITS.fullmatch(test["units"])
    assert match is not None  # checked on loading
    return int(match[1]), match[2]


def load_claims(path: Path) -> Ledger:
    """The ledger in a file, checked.  Raises InputError naming the row or family, the value, and what is allowed."""
    content = read_yaml(path)
    if not isinstance(content, dict) or set(content) != {"families", "claims"}:
        raise InputError(f"{path}: a mapping with families and claims")
    if not isinstance(content["families"], dict) or not isinstance(content["claims"], list):
        raise InputError(f"{path}: families is a mapping, claims a list")
    families = {name: _family(name, family, f"{path}, family {name}") for name, family in content["families"].items()}
    ids: set[str] = set()
    code = _notebook_code(path.parent)
    for index, row in enumerate(content["claims"]):
        _check_row(row, f"{path}, row {index + 1}", ids, families, code)
    ledger = Ledger(families, content["claims"])
    for name in families:
        _check_reachable(ledger, name, f"{path}, family {name}")
    return ledger


def _names(names: Any) -> str:
    return ", ".join(sorted(names))


def _check_fields(given: Any, needed: set[str], optional: set[str], where: str, what: str) -> None:
    if not isinstance(given, dict):
        raise InputError(f"{where}: {what} has {_names(needed)}, not {str(given)[:60]!r}")
    if needed - set(given) or set(given) - needed - optional:
        allowed = [*sorted(needed), *(f"{name} (optional)" for name in sorted(optional))]
        raise InputError(f"{where}: {what} has {', '.join(allowed) or 'nothing else'}; it is given {_names(given)}")
    for name in NUMBERS:
        if name in given and (isinstance(given[name], bool) or not isinstance(given[name], (int, float))):
            raise InputError(f"{where}: {name} must be a number, not {str(given[name])[:60]!r}")


def _family(name: Any, given: Any, where: str) -> Family:
    _check_fields(given, *FAMILY, where, "a family")
    alpha = float(given.get("alpha", ALPHA))
    if not 0 < alpha < 1:
        raise InputError(f"{where}: alpha lies between 0 and 1, not {alpha:g}")
    also = []
    for entry in given.get("also", []):
        _check_fields(entry, ALSO, set(), where, "an entry of also")
        if not isinstance(entry["keys"], list) or not entry["keys"]:
            raise InputError(f"{where}: keys is a list of at least one key")
        for key in entry["keys"]:
            test = {"kind": "better", **{k: entry[k] for k in ("result", "by", "units")}, **_key_and_p(key, where)}
            _check_test(test, where)
            also.append(test)
    return Family(str(name), str(given["question"]), alpha, tuple(also))


def _key_and_p(entry: Any, where: str) -> dict[str, str]:
    """ "key: where its p stands" as the two keys of a test."""
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InputError(
            f"{where}: each of keys is written as `key of the gain: key of its p`, not {str(entry)[:60]!r}"
        )
    return {"key": str(next(iter(entry))), "p": str(next(iter(entry.values())))}


def _check_row(row: Any, where: str, ids: set[str], families: Mapping[str, Family], code: Mapping[str, str]) -> None:
    if not isinstance(row, dict):
        raise InputError(f"{where}: a mapping with {', '.join(FIELDS)}")
    where = f"{where} ({row.get('id', 'no id')})"
    if missing := [field for field in FIELDS if row.get(field) in (None, "")]:
        raise InputError(f"{where}: {', '.join(missing)} missing")
    if unknown := sorted(set(row) - {*FIELDS, *OPTIONAL}):
        raise InputError(f"{where}: unknown {', '.join(unknown)}; a row has {', '.join([*FIELDS, *OPTIONAL])}")
    if not isinstance(row["id"], str) or row["id"] in ids:
        raise InputError(f"{where}: an id is text and used once")
    ids.add(row["id"])
    for field, allowed in (("paper", PAPERS), ("kind", SORTS), ("family", tuple(families))):
        if row[field] not in allowed:
            raise InputError(f"{where}: {field} is one of {', '.join(allowed)}, not {str(row[field])[:60]!r}")
    if not isinstance(row.get("trivial", False), bool):
        raise InputError(f"{where}: trivial is true or false, not {str(row['trivial'])[:60]!r}")
    _check_test(row["test"], where)
    for part in parts(row["test"]):
        if "key" not in part:
            continue
        name = part.get("result", row.get("result"))
        if not isinstance(name, str):
            raise InputError(f"{where}: result, the one it is judged by, is missing")
        chapter, _, short = name.partition("/")
        if chapter in code and f'"{short}"' not in code[chapter]:
            raise InputError(f"{where}: chapter {chapter} makes no result {name!r}")


def _check_test(test: Any, where: str) -> None:
    if not isinstance(test, dict) or test.get("kind") not in KINDS:
        raise InputError(f"{where}: test needs a kind out of {', '.join(KINDS)}")
    kind = test["kind"]
    needed, optional = KINDS[kind]
    _check_fields(test, {*needed, "kind"}, optional, where, f"a test of kind {kind}")
    if kind == "all":
        if not isinstance(test["of"], list) or len(test["of"]) < 2:
            raise InputError(f"{where}: of is a list of two tests or more")
        for part in test["of"]:
            _check_test(part, where)
            if part["kind"] in ("pending", "not_testable", "read"):
                raise InputError(f"{where}: a test of kind {part['kind']} stands alone")
    if kind == "read" and test["verdict"] not in (HOLDS, FAILS, UNDECIDED):
        raise InputError(f"{where}: verdict is one of {HOLDS}, {FAILS}, {UNDECIDED}, not {test['verdict']!r}")
    if kind not in STATISTICAL:
        return
    if not isinstance(test["units"], str) or not UNITS.fullmatch(test["units"]):
        raise InputError(f"{where}: units is a number and a noun, as in '8 targets', not {str(test['units'])[:60]!r}")
    if kind == "better" and test["by"] not in BY:
        raise InputError(f"{where}: by is one of {', '.join(BY)}, not {test['by']!r}")
    if kind != "better" and ("at_most" in test) == ("at_least" in test):
        raise InputError(f"{where}: a test of kind {kind} has either at_most or at_least")
    if kind == "share" and not 0 < (bound := float(test["at_least" if "at_least" in test else "at_most"])) < 1:
        raise InputError(f"{where}: a share that is claimed lies between 0 and 1, not {bound:g}")
    chosen = test.get("chosen_from", 1)
    if isinstance(chosen, bool) or not isinstance(chosen, int) or chosen < 1:
        raise InputError(f"{where}: chosen_from is a whole number from 1 on, not {str(chosen)[:60]!r}")


def _check_reachable(ledger: Ledger, name: str, where: str) -> None:
    """Raises InputError for a test that no data could make significant after the correction of its family."""
    family, tests = ledger.families[name], ledger.tests(name)
    for test in tests.values():
        least = least_p(test)
        if least * len(tests) > family.alpha:
            raise InputError(
                f"{where}: {test['key']} of {test['result']} can never be decided: {test['units']} give p = {least:.3g} at "
                f"best, {least * len(tests):.3g} after Holm over {len(tests)} tests, more than {family.alpha:g}"
            )


def least_p(test: Mapping[str, Any]) -> float:
    """The smallest p with which a test can hold."""
    units, _ = parse_units(test)
    if test["kind"] == "share":
        return smallest_p("share", units, test["at_least"] if "at_least" in test else 1 - test["at_most"])
    return smallest_p(test.get("by", WITHIN), units) * test.get("chosen_from", 1)


def _notebook_code(folder: Path) -> dict[str, str]:
    """{chapter: code of its notebook} of the notebooks beside the file."""
    code = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code[path.name[:2]] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return code
