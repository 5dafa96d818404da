"""The claims ledger: verdicts are computed, malformed rows are named."""

import pytest

from qednas.companion.claims import evaluate, load_claims
from qednas.companion.store import Store
from qednas.errors import InputError

ROW = '- {id: C1, paper: qed-nas, source: s, statement: t, chapter: "4", result: 04/r, test: %s}\n'


def numbers(mean, other, p_value):
    return {"mean": mean, "other": {"mean": other}, "p": p_value, "name": "x"}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "paper", profile="paper")
    store.get_or_run("04/r", numbers, mean=1.5, other=1.0, p_value=0.03)
    return store


def judge(store, tmp_path, test):
    path = tmp_path / "claims.yml"
    path.write_text(ROW % test)
    (row,) = evaluate(store, path, chapter="04")
    assert {"id", "source", "statement", "result", "verdict", "why"} <= set(row)
    return row


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("{kind: pending}", "pending"),
        ("{kind: not_testable, why: needs hardware}", "not testable here"),
        ("{kind: at_most, key: mean, value: 1.5}", "holds"),
        ("{kind: at_most, key: mean, value: 1.4}", "does not hold"),
        ("{kind: at_most, key: mean, value: 1.4, tolerance: 0.2}", "holds"),
        ("{kind: at_least, key: other.mean, value: 1.1}", "does not hold"),
        ("{kind: equals, key: mean, value: 1.5}", "holds"),
        ("{kind: within, key: mean, value: 1.0, tolerance: 0.4}", "does not hold"),
        ("{kind: greater, key: mean, than: other.mean}", "holds"),
        ("{kind: greater, key: mean, than: 2}", "does not hold"),
        ("{kind: greater, key: mean, than: other.mean, p_key: p, alpha: 0.05}", "holds"),
        ("{kind: greater, key: mean, than: other.mean, p_key: p, alpha: 0.01}", "does not hold"),
    ],
)
def test_verdicts(store, tmp_path, test, verdict):
    row = judge(store, tmp_path, test)
    assert row["verdict"] == verdict
    assert row["why"]


def test_smoke_numbers_and_missing_results_judge_nothing(store, tmp_path):
    smoke = Store(tmp_path / "smoke")
    assert judge(smoke, tmp_path, "{kind: at_most, key: mean, value: 2}")["verdict"] == "pending"
    smoke.get_or_run("04/r", numbers, mean=1.5, other=1.0, p_value=0.03)
    assert judge(smoke, tmp_path, "{kind: at_most, key: mean, value: 2}")["verdict"] == "not testable here"


@pytest.mark.parametrize("key", ["none", "mean.x", "name", "other"])
def test_a_key_that_is_no_number_of_its_result_names_the_claim(store, tmp_path, key):
    with pytest.raises(InputError, match="claim C1: "):
        judge(store, tmp_path, f"{{kind: at_most, key: {key}, value: 1}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1"),
        ("just text", "a list of claims"),
        ("- 3", "row 1: a mapping"),
        ("- {id: A}", r"row 1 \(A\): paper, source, statement, chapter, test missing"),
        (ROW % "{kind: roughly}", r"\(C1\): test needs a kind"),
        (ROW % "{kind: at_most, key: a}", r"\(C1\): a at_most test has key, value, tolerance \(optional\)"),
        (ROW % "{kind: at_most, key: a, value: two}", "value must be a number"),
        (ROW % "{kind: greater, key: a, than: b, alpha: 0.1}", "p_key and alpha go together"),
        ((ROW % "{kind: pending}") * 2, "used once"),
        (ROW.replace("qed-nas", "other") % "{kind: pending}", "paper is one of"),
        (ROW.replace("result: 04/r, ", "") % "{kind: at_most, key: a, value: 1}", "result, the one it is judged by"),
        (ROW.replace("result:", "resutl:") % "{kind: pending}", "unknown resutl"),
    ],
)
def test_malformed_rows_are_named(tmp_path, text, message):
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_claims(path)
