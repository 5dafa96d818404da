"""Measured costs of steps: lookups, shares of products, and trainings that do not look at the clock."""

import itertools
import time

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.families import build
from qednas.qed.search.architecture import Architecture
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.step_costs import (
    JOINED,
    Cost,
    CostClass,
    StepCosts,
    measured_costs,
    read_row,
    search_name,
)
from qednas.qed.search.trained_alone import train_alone
from studies.ch08.cost_measuring import fit_block_shares, networks, rows_of, table_text

CHAIN = build("tfim", 8, h=1.0)
GIVEN = given_of(CHAIN)
WHERE = CostClass.of(CHAIN, GIVEN)


def test_the_class_of_a_system_is_what_its_steps_cost_by():
    assert CostClass(8, 8, signs=False, conserved=False, even=True, ring=False) == WHERE
    other = build("tfim", 8, h=0.3)
    assert CostClass.of(other, given_of(other)).flips == 8
    xxz = build("xxz", 8, delta=0.5)
    assert CostClass.of(xxz, given_of(xxz)).conserved
    assert str(WHERE) == "8 sites, 8 flips, even"


def test_steps_are_what_the_seconds_pay_for():
    assert Cost(0.1, 0.5, 0.0).steps(3.5) == 30
    assert Cost(0.1, 0.5, 0.0).steps(0.2) == 1  # never none


def test_a_product_costs_its_common_part_and_its_shares():
    rows = {JOINED: 0.02, f"{JOINED} rbm/4x4": 0.03, f"{JOINED} mps/2": 0.05, "mps/2": 0.01}
    costs = StepCosts({(WHERE, name): Cost(value, 0.1, 0.2) for name, value in rows.items()})
    assert costs.of(WHERE, Architecture(("mps/2",))).seconds == 0.01
    assert costs.of(WHERE, Architecture(("rbm/4x4", "mps/2"))).seconds == pytest.approx(0.1)
    for ask in (
        lambda: costs.of(WHERE, Architecture(("dense/16",))),
        lambda: costs.of_search(WHERE, SearchSettings(), 40),
    ):
        with pytest.raises(
            InputError, match=r"no measured cost of .* for 8 sites, 8 flips, even: measure it with make costs"
        ):
            ask()
    assert search_name(SearchSettings(entanglement=0.0), 40) == "supernet 40, 384 samples, bilevel, energy only"
    assert search_name(SearchSettings(level="one", samples=48), 12) == "supernet 12, 48 samples, one level"


def test_shares_are_found_again_from_products():
    true = {"jastrow/distance": 0.02, "rbm/4x4": 0.03, "rbm/8x8": 0.05, "mps/2": 0.08, "dense/16": 0.06}
    products = {
        " + ".join(own): 0.04 + sum(true[p] for p in own) for r in (2, 3) for own in itertools.combinations(true, r)
    }
    found = fit_block_shares(products, [0.01] * len(products))
    assert found[JOINED].seconds == pytest.approx(0.04)
    for name, share in true.items():
        assert found[f"{JOINED} {name}"].seconds == pytest.approx(share)
    assert found[JOINED].spread == pytest.approx(0.01)


def test_medians_and_spreads_of_the_rounds_become_the_table():
    rounds = [{"seconds": s, "start": 0.5} for s in (0.1, 0.2, 0.12)]
    rows = rows_of({WHERE: {"mps/2": rounds, "rbm/4x4 + mps/2": rounds}})
    assert rows[WHERE, "mps/2"] == Cost(0.12, 0.5, pytest.approx(0.1 / 0.12))
    assert rows[WHERE, JOINED].start == 0.5
    lines = table_text(rows).splitlines()
    names, first = (line.split(",") for line in lines[:2])
    assert read_row(dict(zip(names, first, strict=True)))[0] == (WHERE, JOINED)
    assert len(lines) == 1 + len(rows)


def test_every_block_and_pairs_of_blocks_are_measured():
    chosen = networks(GIVEN, 160, True, "seed")
    assert {own[0] for own in chosen if len(own) == 1} >= {"jastrow/distance", "rbm/4x4", "mps/2", "dense/16"}
    assert any(len(own) == 3 for own in chosen)
    assert len(chosen) == len(set(chosen))
    assert all(len(own) == 1 for own in networks(GIVEN, 160, False, "seed"))


def test_a_table_that_cannot_be_read_is_one_line(tmp_path):
    for content in (
        "",
        "sites,flips\n8,8\n",
        "sites,flips,signs,conserved,even,ring,network,seconds,start,spread\n8,8,0,0,1,0,x,0,0,0\n",
    ):
        path = tmp_path / "costs.csv"
        path.write_text(content)
        if content:
            with pytest.raises(InputError, match="costs.csv: no table of costs can be read"):
                measured_costs.__wrapped__(path)
    with pytest.raises(InputError, match="make costs writes it"):
        measured_costs.__wrapped__(tmp_path / "none.csv")


def test_the_committed_table_is_whole_and_tells_its_spread():
    rows = measured_costs().rows
    assert len(rows) > 300
    assert all(0 < cost.seconds < 30 or name.startswith(JOINED) for (_, name), cost in rows.items())
    assert float(np.median([cost.spread for cost in rows.values()])) < 0.5


def test_a_training_does_not_look_at_the_clock(monkeypatch):
    """The same steps and numbers where every look at the clock finds ten seconds gone."""
    first = train_alone(CHAIN, GIVEN, Architecture(("rbm/4x4",)), 0.3, 1)
    ticks = itertools.count(0.0, 10.0)
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    again = train_alone(CHAIN, GIVEN, Architecture(("rbm/4x4",)), 0.3, 1)
    del first["train_seconds"], again["train_seconds"]
    assert first == again
    assert first["train_steps"] > 2
