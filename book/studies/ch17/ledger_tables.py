"""The ledger of claims as the chapter shows it: by paper, by chapter, and row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qednas.companion.ledger.claims_file import FAILS, HOLDS, PAPERS, SORTS, UNDECIDED, VERDICTS
from qednas.companion.ledger.ledger import COLUMNS, Rows, mark_trivial, scored_rows

__all__ = ["COLUMNS", "KINDS", "TITLES", "chapter_rows", "mark_trivial", "paper_rows", "select_rows"]

TITLES = {"qed-nas": "QED-NAS", "diffqas": "DiffQAS-QT", "qnas": "Q-NAS"}
KINDS = {"paper": "the paper's claims", "own": "our own questions"}


def paper_rows(rows: Rows) -> list[dict[str, Any]]:
    """For each paper, its claims before our own questions: how many have each verdict, how many rows that is in all, and how many
    more are ``trivial`` and not counted."""
    out = []
    for paper in PAPERS:
        for kind in SORTS:
            claims = select_rows(rows, paper, kind)
            counted = scored_rows(claims)
            verdicts = {verdict: sum(row["verdict"] == verdict for row in counted) for verdict in VERDICTS}
            names = {"paper": TITLES[paper], "kind": KINDS[kind]}
            out.append(names | verdicts | {"all": len(counted), "trivial": len(claims) - len(counted)})
    return out


def select_rows(rows: Rows, paper: str, kind: str) -> list[Mapping[str, Any]]:
    """The rows of one paper and kind, in the order of the file."""
    return [row for row in rows if (row["paper"], row["kind"]) == (paper, kind)]


def chapter_rows(rows: Rows) -> list[dict[str, Any]]:
    """For each chapter in order: how many claims it judges, and how many of them have a measured verdict."""
    numbers = sorted({row["chapter"] for row in rows})
    by_chapter = {number: [row for row in rows if row["chapter"] == number] for number in numbers}
    return [
        {
            "chapter": number,
            "claims": len(by_chapter[number]),
            "judged": sum(row["verdict"] in (HOLDS, FAILS, UNDECIDED) for row in by_chapter[number]),
        }
        for number in numbers
    ]
