"""Counts of the ledger, and the committed claims file."""

import re

from qednas.companion.ledger.claims_file import FAILS, HOLDS, PENDING, UNDECIDED, load_claims, parts
from qednas.companion.ledger.ledger import score
from qednas.companion.paths import project_root
from studies.ch17.ledger_tables import chapter_rows, mark_trivial, paper_rows

ROWS = [
    {"chapter": "04", "verdict": HOLDS, "paper": "qed-nas", "kind": "paper", "trivial": False},
    {"chapter": "02", "verdict": PENDING, "paper": "qed-nas", "kind": "paper", "trivial": False},
    {"chapter": "04", "verdict": FAILS, "paper": "qnas", "kind": "own", "trivial": False},
    {"chapter": "04", "verdict": PENDING, "paper": "qnas", "kind": "own", "trivial": False},
    {"chapter": "04", "verdict": UNDECIDED, "paper": "qnas", "kind": "own", "trivial": False},
    {"chapter": "02", "verdict": HOLDS, "paper": "qnas", "kind": "own", "trivial": True},
]


def test_papers_claims_come_before_our_questions_and_trivial_rows_stand_apart():
    found = paper_rows(ROWS)
    assert [(row["paper"], row["kind"]) for row in found[:2]] == [
        ("QED-NAS", "the paper's claims"), ("QED-NAS", "our own questions"),
    ]  # fmt: skip
    own = found[-1]
    assert (own["all"], own["trivial"], own["holds"], own["undecided"]) == (3, 1, 0, 1)
    assert mark_trivial(ROWS)[-1]["verdict"] == "holds (trivial)"
    assert score(ROWS) == (
        "2 claims of the papers (holds: 1, pending: 1) and 3 questions of our own (does not hold: 1, undecided: 1, pending: 1)"
    )


def test_chapters_in_order_with_judged_claims():
    assert chapter_rows(ROWS) == [
        {"chapter": "02", "claims": 2, "judged": 1},
        {"chapter": "04", "claims": 4, "judged": 3},
    ]


def test_committed_ledger_is_well_formed_and_numbered_in_order():
    ledger = load_claims(project_root() / "book" / "claims.yml")
    for paper, letters in (("qed-nas", "qed"), ("diffqas", "dqt")):
        ids = [row["id"] for row in ledger.rows if row["paper"] == paper]
        assert ids == [f"{letters}-{number:02d}" for number in range(1, len(ids) + 1)]
    assert all(len(str(row["chapter"])) == 2 for row in ledger.rows)
    assert all(row["kind"] in ("paper", "own") and row["family"] in ledger.families for row in ledger.rows)
    assert {row["family"] for row in ledger.rows} == set(ledger.families)
    assert all(row.get("reason") for row in ledger.rows if row.get("trivial"))


def test_no_family_looks_ahead():
    """The verdict on a chapter's page is the one of the last chapter: its family has no tests of later chapters."""
    ledger = load_claims(project_root() / "book" / "claims.yml")
    for row in ledger.rows:
        if not any("key" in part for part in parts(row["test"])):
            continue
        used = [test["result"] for test in ledger.tests(row["family"]).values()]
        used += [part.get("result", row.get("result")) for part in parts(row["test"])]
        assert all(name[:2] <= str(row["chapter"]) for name in used), row["id"]


def test_no_reason_holds_a_number_of_a_result():
    """Numbers with decimals come from results; a reason tells why, not how much."""
    ledger = load_claims(project_root() / "book" / "claims.yml")
    typed = [row["id"] for row in ledger.rows if re.search(r"\d\.\d{2,}", row.get("reason", ""))]
    assert not typed
