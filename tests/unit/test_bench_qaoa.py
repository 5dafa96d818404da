"""The benchmark of QAOA: its sides answer the same, and what counts as the same."""

from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def answer(name: str, n: int = 4, depth: int = 2) -> tuple[float, list[float]]:
    from qaoa_peers import SIDES

    one = SIDES[name]()
    one.start(n, depth)
    assert one.timed() > 0
    return one.answer()


def test_ours_and_penny_lane_answer_the_same():
    from qaoa import AGREEMENT, difference

    theirs = answer("pennylane")
    assert len(theirs[1]) == 4
    for own in ("ours", "ours-value"):
        assert difference(answer(own), theirs, 1.0) <= AGREEMENT


def test_what_is_timed_alone_has_its_gradient(monkeypatch):
    import qaoa_peers

    monkeypatch.setattr(qaoa_peers, "CHOICES", 3)
    monkeypatch.setattr(qaoa_peers, "COLUMNS", 2)
    monkeypatch.setattr(qaoa_peers, "VQE_QUBITS", 4)
    lengths = {"ours-columns": 4, "ours-ring": 4, "ours-multi-angle": 10, "ours-vqe": 12, "ours-vqe-single": 12}
    for name, length in lengths.items():
        assert len(answer(name)[1]) == length


def test_differences_are_the_largest_in_units_of_the_energies():
    from qaoa import AGREEMENT, difference

    assert difference((1.0, [2.0, 3.0]), (1.5, [2.0, 5.0]), 2.0) == 1
    assert difference((1.0, []), (1.5, [2.0, 5.0]), 2.0) == 0.25
    assert not difference((np.nan, []), (1.0, []), 1.0) <= AGREEMENT
