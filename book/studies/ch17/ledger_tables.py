"""The ledger of claims as the chapter shows it: by paper, by chapter, and row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from qednas.companion.ledger.claims_file import FAILS, HOLDS, PAPERS, SORTS, UNDECIDED, VERDICTS
from qednas.companion.ledger.ledger import COLUMNS, Rows, mark_trivial, scored_rows

__all__ = ["COLUMNS", "KINDS", "TITLES", "chapter_rows", "mark_trivial", "paper_rows", "select_rows"]

TITLES = {"qed-nas": "QED-NAS", "diffqas": "DiffQAS-QT", "qnas": "Q-NAS"}
KINDS = {"paper": "the paper's claims", "own": "our own questions"}


# Claims of one paper, or our own questions about it: how many have each verdict.
PaperRow = TypedDict(
    "PaperRow",
    {
        "paper": str,
        "kind": str,
        "holds": int,
        "does not hold": int,
        "undecided": int,
        "not testable here": int,
        "pending": int,
        "all": int,  # of these
        "trivial": int,  # more, that are not counted
    },
)


def paper_rows(rows: Rows) -> list[PaperRow]:
    """For each paper, its claims before our own questions."""
    out: list[PaperRow] = []
    for paper in PAPERS:
        for kind in SORTS:
            claims = select_rows(rows, paper, kind)
            counted = scored_rows(claims)
            verdicts = {verdict: sum(row["verdict"] == verdict for row in counted) for verdict in VERDICTS}
            names = {"paper": TITLES[paper], "kind": KINDS[kind]}
            out.append(cast(PaperRow, names | verdicts | {"all": len(counted), "trivial": len(claims) - len(counted)}))
    return out


def select_rows(rows: Rows, paper: str, kind: str) -> list[Mapping[str, Any]]:
    """The rows of one paper and kind, in the order of the file."""
    return [row for row in rows if (row["paper"], row["kind"]) == (paper, kind)]


class ChapterRow(TypedDict):
    """What one chapter judges."""

    chapter: str  # "07"
    claims: int
    judged: int  # how many of them have a measured verdict


def chapter_rows(rows: Rows) -> list[ChapterRow]:
    """For each chapter in order."""
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
