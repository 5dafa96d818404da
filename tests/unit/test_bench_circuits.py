"""The benchmark of circuits: what counts as the same answer, how ratios are formed, and how its processes are asked."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def answers(name: str, precision: str, n: int = 3, depth: int = 2) -> dict[str, np.ndarray]:
    from circuits_peers import SIDES

    one = SIDES[name](precision)
    one.start(n, depth)
    for k in range(12):
        assert one.timed(k) > 0
    return {"probabilities": one.probabilities, "gradient": one.gradients.sum(0)}


def test_ours_and_penny_lane_answer_the_same():
    from circuits import AGREEMENT, differences

    expected = answers("pennylane", "double")
    for precision, allowed in AGREEMENT.items():
        assert max(differences(answers("ours", precision), expected).values()) <= allowed


def test_small_probabilities_are_compared_relative_to_their_size():
    from circuits import differences

    expected = {"probabilities": np.full((12, 1 << 17), 2.0**-17), "gradient": np.ones((15, 17))}
    wrong = {"probabilities": np.zeros((12, 1 << 17)), "gradient": np.ones((15, 17))}
    found = differences(wrong, expected)
    assert found["p"] < 1e-5
    assert found["p relative"] == pytest.approx(1)
    assert found["g"] == found["g relative"] == 0


def test_a_gradient_that_is_not_a_number_is_not_equal(capsys):
    from circuits import SIDES, same_answers

    class Saved:
        def __init__(self, gradient):
            self.gradient = gradient

        def ask(self, do, path):
            np.savez(path, probabilities=np.ones((12, 2)), gradient=self.gradient)

    good = {title: Saved(np.ones((2, 1))) for title in SIDES}
    assert same_answers(good)
    assert "NOT EQUAL" not in capsys.readouterr().out
    assert not same_answers(good | {"ours, double": Saved(np.full((2, 1), np.nan))})
    assert "NOT EQUAL" in capsys.readouterr().out


def test_ratios_compare_sums_of_circuits_with_our_step_of_all():
    from circuits import ratios

    theirs = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])
    own = np.array([[0.1, 0.2, 0.3], [0.4, 0.4, 0.4]])
    assert ratios(theirs, own, [0, 1, 2]) == pytest.approx([30, 30])
    assert ratios(theirs, own, [0, 2]) == pytest.approx([20, 20])


def test_a_side_is_asked_and_its_end_is_told(tmp_path):
    from sides import Side

    script = tmp_path / "side.py"
    script.write_text(
        "import sys\nfrom sides import serve\nclass One:\n    def twice(self, x):\n        print('talk')\n"
        "        return 2 * x\nserve(One)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS)}
    with Side(sys.executable, script, environment=environment) as one:
        assert one.ask("twice", x=21) == 42
        assert one.memory > 1
        one.process.stdin.close()
        one.process.wait()
        one.process.stdin = open(os.devnull, "w")
        with pytest.raises(subprocess.CalledProcessError):
            one.ask("twice", x=1)
        one.process.stdin.close()
