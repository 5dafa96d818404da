"""Counts of the ledger, and the committed claims file."""

from qednas.companion.claims import FAILS, HOLDS, PENDING, load_claims
from qednas.companion.ledger import chapters_of, counts
from qednas.companion.paths import project_root

ROWS = [
    {"chapter": "04", "verdict": HOLDS},
    {"chapter": "02", "verdict": PENDING},
    {"chapter": "04", "verdict": FAILS},
    {"chapter": "04", "verdict": PENDING},
]


def test_counts_list_every_verdict_and_the_sum():
    assert {row["verdict"]: row["claims"] for row in counts(ROWS)} == {
        "holds": 1, "does not hold": 1, "not testable here": 0, "pending": 2, "all": 4,
    }  # fmt: skip


def test_chapters_in_order_with_judged_claims():
    assert chapters_of(ROWS) == [
        {"chapter": "02", "claims": 1, "judged": 0},
        {"chapter": "04", "claims": 3, "judged": 2},
    ]


def test_committed_ledger_is_well_formed_and_numbered_in_order():
    rows = load_claims(project_root() / "book" / "claims.yml")
    for paper, letters in (("qed-nas", "qed"), ("diffqas", "dqt")):
        ids = [row["id"] for row in rows if row["paper"] == paper]
        assert ids == [f"{letters}-{number:02d}" for number in range(1, len(ids) + 1)]
    assert all(len(str(row["chapter"])) == 2 for row in rows)
