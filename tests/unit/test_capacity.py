"""What blocks hold: targets, fits, and the results of chapter 5 on small settings."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from studies.ch05.capacity import TARGETS, capacity, fit_one, make
from studies.ch05.equal_budget import equal_budget
from studies.ch05.figures import KINDS, equal_rows, published_rows, swap_rows
from studies.ch05.published import CASES, published_energies
from studies.ch05.swap_check import swap_check

SMALL = {"steps": 3, "samples": 64, "chains": 64}


def test_targets_are_normalised_and_have_the_entropies_that_their_names_say():
    wanted = {row["target"]: row["wanted"] for row in capacity(8, {"mps": [1]}, 1, 1, work=Work(1))["rows"]}
    for make_target in TARGETS.values():
        assert np.linalg.norm(make_target(8)) == pytest.approx(1, rel=1e-12)
    assert wanted["volume law, structured"] == pytest.approx(4 * np.log(2), rel=1e-12)
    assert wanted["area law"] < wanted["critical"] < wanted["volume law, random"] < wanted["volume law, structured"]


def test_an_mps_never_holds_more_than_the_logarithm_of_its_bond():
    """And holds the most entangled state of its size when the bond is large enough."""
    for size in (1, 2, 3):
        task = {"sites": 6, "target": "volume law, structured", "kind": "mps", "size": size, "seed": 0, "steps": 40}
        assert fit_one(task)["entropy"] <= np.log(size) + 1e-9
    whole = fit_one({"sites": 6, "target": "volume law, random", "kind": "mps", "size": 8, "seed": 0, "steps": 200})
    assert whole["infidelity"] < 1e-3
    assert whole["entropy"] == pytest.approx(whole["wanted"], rel=1e-2)


def test_larger_blocks_hold_more():
    found = capacity(6, {"rbm": [1, 4]}, 2, 80, work=Work(1))
    for target in TARGETS:
        small, large = (r for r in found["rows"] if r["target"] == target)
        assert small["parameters"] < large["parameters"]
        assert large["infidelity"] < max(small["infidelity"], 1e-4)
        assert small["infidelity_sem"] is not None


def test_kinds_of_blocks():
    for kind in KINDS:
        assert not make(kind, 4, 2, None).is_real
    with pytest.raises(InputError, match="'tree'"):
        make("tree", 4, 2, None)


@pytest.mark.parametrize("name", CASES)
def test_cases_are_whole(name):
    """Every block fits its system, and no published or wanted error is out of place."""
    import torch

    case = CASES[name]
    block = case.block(case.system(), torch.Generator().manual_seed(0))
    assert block.sites == case.system().sites
    assert all(1e-8 < value < 1 for value in [*case.published.values(), case.bar or 1e-3])


def test_energies_are_measured_against_exact_ones(tmp_path):
    names = ["modified Haldane-Shastry, 12 sites", "tfim chain, 64 sites, h = 0.5"]
    found = published_energies(names, 2, final=256, changed=SMALL, work=Work(1, tmp_path))
    first, second = found["rows"]
    assert first["exact"] == pytest.approx(-26.662603077471, rel=1e-12)
    assert second["exact"] == pytest.approx(-67.196171190601, rel=1e-12)
    assert all(0 < row["relative"] < 1 for row in found["rows"])
    assert all(row["lowest"] > -3 for row in found["rows"])
    assert len(found["curves"]) == 4
    assert found["curves"][0]["steps"] == [1, 2, 3]
    assert len(list((tmp_path / "training").glob("*.safetensors"))) == 4
    again = published_energies(names, 2, final=256, changed=SMALL, work=Work(1, tmp_path))
    assert [r["relative"] for r in again["rows"]] == [r["relative"] for r in found["rows"]]
    shown = published_rows(found)
    assert [row["bar"] for row in shown] == ["", "2e\u20115"]


def test_swaps_are_checked_against_exact_states():
    long = {"sites": 10, "size": 4, "steps": 150}
    found = swap_check(8, {"rbm": 1, "mps": 3}, 20, 8192, long, work=Work(1))
    assert [row["kind"] for row in found["rows"]] == ["rbm", "mps", "mps, long chain"]
    assert found["cuts"] == 14
    assert found["worst"] < 4.5
    last = found["rows"][-1]
    assert last["swap"][0] == pytest.approx(last["wanted"][0], abs=0.02 + 4 * last["error"][0])
    assert len(swap_rows(found)) == 3


def test_blocks_are_compared_at_one_number_of_parameters():
    """Power laws are read off exactly, and the best, the distinct ones and the gap are what was put in."""
    rows = []
    for target, better in (("critical", "mps"), ("volume law, random", "rbm")):
        for kind in ("rbm", "mps"):
            for count in (10, 100, 1000) if kind == "rbm" else (40, 250):
                scale = 1.0 if kind == better else 3.0
                row = {
                    "target": target,
                    "kind": kind,
                    "parameters": count,
                    "wanted": 2.0,
                    "infidelity": scale * count**-1.5,
                }
                rows.append(row | {"entropy": np.log(count) * (0.2 if kind == "rbm" else 0.1), "entropy_sem": 0.03})
    found = equal_budget({"05/capacity": {"rows": rows}})
    assert found["parameters"] == pytest.approx(100)
    assert found["range"] == [40, 250]
    assert [row["best"] for row in found["rows"]] == ["mps", "rbm"]
    assert found["rows"][0]["infidelity"] == pytest.approx({"rbm": 3e-3, "mps": 1e-3})
    assert found["distinct"] == 2
    assert found["gap_errors"] == pytest.approx(0.1 * np.log(100) / np.hypot(0.03, 0.03))
    assert equal_rows(found)[0]["best"] == "MPS"
