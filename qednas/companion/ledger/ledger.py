"""Summaries of the evaluated claims ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qednas.companion.ledger.claims_file import FAILS, HOLDS, PAPERS, SORTS, UNDECIDED, VERDICTS

TITLES = {"qed-nas": "QED-NAS", "diffqas": "DiffQAS-QT", "qnas": "Q-NAS"}
KINDS = {"paper": "the paper's claims", "own": "our own questions"}
COLUMNS = {"id": "claim", "statement": "statement", "source": "where", "chapter": "chapter", "verdict": "verdict",
           "why": "why", "reason": "judged so because"}  # fmt: skip

Rows = Sequence[Mapping[str, Any]]


def counts(rows: Rows) -> list[dict[str, Any]]:
    """Number of claims with each verdict, every verdict listed, and their sum."""
    found = [{"verdict": verdict, "claims": sum(row["verdict"] == verdict for row in rows)} for verdict in VERDICTS]
    return [*found, {"verdict": "all", "claims": len(rows)}]


def by_paper(rows: Rows) -> list[dict[str, Any]]:
    """For each paper, its claims before our own questions: how many have each verdict, how many rows that is in all, and how many
    more are ``trivial`` and not counted."""
    out = []
    for paper in PAPERS:
        for kind in SORTS:
            own = of(rows, paper, kind)
            counted = scored(own)
            verdicts = {verdict: sum(row["verdict"] == verdict for row in counted) for verdict in VERDICTS}
            names = {"paper": TITLES[paper], "kind": KINDS[kind]}
            out.append(names | verdicts | {"all": len(counted), "trivial": len(own) - len(counted)})
    return out


def of(rows: Rows, paper: str, kind: str) -> list[Mapping[str, Any]]:
    """The rows of one paper and kind, in the order of the file."""
    return [row for row in rows if (row["paper"], row["kind"]) == (paper, kind)]


def scored(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows that are neither true nor false by construction."""
    return [row for row in rows if not row["trivial"]]


def marked(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a table shows them: those that are true or false by construction say so beside the verdict."""
    return [{**row, "verdict": f"{row['verdict']} (trivial)" if row["trivial"] else row["verdict"]} for row in rows]


def score(rows: Rows) -> str:
    """The counts of verdicts, the papers' claims and our own questions apart, in one sentence each; trivial rows left out."""
    parts = []
    for kind in SORTS:
        own = scored(row for row in rows if row["kind"] == kind)
        told = [f"{verdict}: {n}" for verdict in VERDICTS if (n := sum(row["verdict"] == verdict for row in own))]
        parts.append(
            f"{len(own)} {'claims of the papers' if kind == 'paper' else 'questions of our own'} ({', '.join(told)})"
        )
    return " and ".join(parts)


def chapters_of(rows: Rows) -> list[dict[str, Any]]:
    """For each chapter in order: how many claims it judges, and how many of them have a measured verdict."""
    numbers = sorted({row["chapter"] for row in rows})
    own = {number: [row for row in rows if row["chapter"] == number] for number in numbers}
    return [
        {
            "chapter": number,
            "claims": len(own[number]),
            "judged": sum(row["verdict"] in (HOLDS, FAILS, UNDECIDED) for row in own[number]),
        }
        for number in numbers
    ]
