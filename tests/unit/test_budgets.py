"""Searches within budgets: nothing outside is looked at, and what is said of them, on a table drawn here."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.base.files import normalised
from qednas.base.parallel import Work
from qednas.qnas.space.table import Table, draw_scores
from studies.ch14 import budgets, deployment, edge_verdict, fewer_parameters
from studies.ch14 import edge_figures as edge_pictures
from studies.ch14.budgets import NONE, budgeted_search, quantile, search_within_budgets
from studies.ch14.edge_verdict import judge_edge
from studies.ch14.pareto import front
from studies.spaces import trained_tables
from studies.spaces.data_sets import Problem
from studies.spaces.trained_spaces import SPACES

SEARCHES = {
    "QAOA": {"method": "qaoa", "options": {"depth": 1, "steps": 0}},
    "evolution": {"method": "evolution", "options": {"population": 5, "sample": 5}},
    "random": {"method": "random"},
}
DIVERGED = 7  # an architecture without a training that did not


def drawn(noise: float = 0.3):
    """Of the satellite space: scores (256, 3) that rise with the layers, and costs."""
    space = SPACES["satellite"].space
    digits = space.digits()
    rng = np.random.default_rng(5)
    size = 10.0 + digits @ [8.0, 5.0, 3.0, 0.0, 7.0]
    means = 80 + 2 * np.log(size) + rng.normal(0, 0.5, 256)
    scores = means[:, None] + rng.normal(0, noise, (256, 3))
    scores[DIVERGED] = np.nan
    scores[11, 2] = np.nan
    return Table(space, digits, scores), {"parameters": size, "bytes": 100 + 2 * size + rng.uniform(0, 5, 256)}


@pytest.fixture
def known(monkeypatch):
    table, prices = drawn()
    test = {"test accuracy": table.scores - 1}
    hand = [
        {
            "network": name,
            "parameters": parameters,
            "diverged": str(int(not held)),
            "held accuracy": held,
            "test accuracy": "70",
        }
        for name, parameters, held in (("small", "20", "80"), ("large", "100", "85"), ("large", "100", ""))
    ]
    monkeypatch.setattr(budgets, "trained_table", lambda name: table)
    monkeypatch.setattr(edge_verdict, "trained_table", lambda name: table)
    monkeypatch.setattr(edge_verdict, "trained_values", lambda name: test)
    monkeypatch.setattr(trained_tables, "read_rows", lambda path: hand)
    for module in (budgets, edge_verdict, deployment):
        monkeypatch.setattr(module, "costs", lambda name: prices)
    return table, prices


@pytest.fixture
def found(known):
    return normalised(search_within_budgets(["satellite"], SEARCHES, 12, 3, ("parameters", "bytes"), work=Work(1)))


@pytest.mark.parametrize("name", list(SEARCHES))
def test_nothing_outside_the_budget_is_evaluated(known, name):
    table = budgets.known_table("satellite")
    values = budgets.known_costs("satellite", table)["parameters"]
    most = quantile(values, 0.25)
    run = budgeted_search(table, SEARCHES[name], 30, 4, ("parameters", most, values))
    assert len(set(run["rows"])) == 30
    assert values[run["rows"]].max() <= most
    assert (run["incumbent"] >= 0).all()
    seen = draw_scores(table, 4)
    best = run["rows"][np.argmax(seen[run["rows"]])]
    assert run["incumbent"][-1] == pytest.approx(table.means[values <= most].max() - table.means[best])
    assert DIVERGED not in table.space.index(table.digits)


def test_quantiles_are_costs_of_architectures():
    values = np.array([5.0, 1.0, 3.0, 3.0])
    assert [quantile(values, share) for share in (0.25, 0.5, 0.75, 1)] == [1, 3, 3, 5]


def test_a_budget_that_nothing_meets_is_one_line(known):
    table = budgets.known_table("satellite")
    values = budgets.known_costs("satellite", table)["bytes"]
    with pytest.raises(InputError, match=rf"bytes <= 50: nothing meets it, the lowest is {values.min():g}"):
        budgeted_search(table, SEARCHES["random"], 5, 0, ("bytes", 50.0, values))
    with pytest.raises(InputError, match=r"bytes <= 122: \d architectures, fewer than 50 evaluations"):
        budgeted_search(table, SEARCHES["random"], 50, 0, ("bytes", 122.0, values))
    with pytest.raises(InputError, match="need a finite number"):
        budgeted_search(table, SEARCHES["random"], 5, 0, ("bytes", np.nan, values))
    with pytest.raises(InputError, match="cost 'latency' of satellite: one of parameters, bytes"):
        budgets.describe_budgets("satellite", ["latency"], [0.25])


def test_all_searches_of_a_study(known, found):
    table, prices = known
    one = found["budgets"]["satellite"]["parameters"]["0.25"]
    assert one["architectures"] == (prices["parameters"][np.arange(256) != DIVERGED] <= one["most"]).sum() >= 64
    runs = found["runs"]["satellite"]
    assert set(runs) == {NONE, "parameters", "bytes"}
    for cost in ("parameters", "bytes"):
        for label in ("0.25", "0.5"):
            for own in runs[cost][label].values():
                assert own["rows"].shape == own["incumbent"].shape == (3, 12)
                most = found["budgets"]["satellite"][cost][label]["most"]
                assert prices[cost][own["rows"]].max() <= most
    assert runs[NONE][NONE]["QAOA"]["rows"].shape == (3, 36)


def test_verdict_on_the_searches(known, found):
    table, prices = known
    verdict = normalised(judge_edge({"14/budgets": found}, "14/budgets", "QAOA"))
    assert verdict["least_kept"] == 1
    assert 0 <= verdict["kept_without"] < 1
    assert set(verdict["against"]) == set(verdict["p"]) == {"evolution", "random"}
    own = found["runs"]["satellite"]["bytes"]["0.5"]["QAOA"]["incumbent"][:, -1]
    assert verdict["regret"]["satellite"]["bytes"]["0.5"]["QAOA"]["mean"] == pytest.approx(own.mean())
    differences = [
        np.mean([r["random"]["incumbent"][:, -1] - r["QAOA"]["incumbent"][:, -1] for r in by_cost.values()], axis=0)
        for cost, by_cost in found["runs"]["satellite"].items()
        if cost != NONE
    ]
    assert verdict["against"]["random"]["gain"] == pytest.approx(np.mean(differences))
    own = edge_verdict.SpaceScores("satellite")
    places = verdict["places"]["satellite"]["parameters"]
    np.testing.assert_array_equal(places["all"], front(own.means[own.usable], prices["parameters"][own.usable]))
    assert all(0 < own["share"] <= 1 for own in verdict["fronts"]["satellite"]["bytes"].values())
    for draw in (edge_pictures.fronts, edge_pictures.regrets):
        assert draw(verdict).axes
    rows = edge_pictures.budget_rows(found)
    assert [len(row) for row in rows] == [2 + 2 * 2] * 2  # a row a cost, two budgets in it
    assert len(edge_pictures.front_rows(verdict)) == 2


def test_whole_fronts_are_found_by_looking_at_everything(known, monkeypatch):
    """Without noise, searches of all that a space has find its front."""
    table, prices = known
    means = edge_verdict.SpaceScores("satellite").means
    every = np.flatnonzero(np.isfinite(means))
    runs = {"parameters": {"1": {"all": {"rows": every[None]}}}, NONE: {NONE: {"all": {"rows": every[None]}}}}
    exact = Table(table.space, table.digits, means[:, None])
    monkeypatch.setattr(budgets, "trained_table", lambda name: exact)
    monkeypatch.setattr(edge_verdict, "trained_table", lambda name: exact)
    own = edge_verdict.SpaceScores("satellite")
    places = edge_verdict.observed_front(own, runs, "parameters", "all", 0)
    np.testing.assert_array_equal(places, front(own.means[own.usable], prices["parameters"][own.usable]))


def test_fewer_parameters_by_hand(known, monkeypatch):
    """Scores without noise that rise with the parameters: a sweep that looks at all takes the smallest that is as good."""
    table, prices = known
    size = prices["parameters"]
    scores = np.where(np.arange(256) == DIVERGED, np.nan, np.floor(size / 10))[:, None]
    exact = Table(table.space, table.digits, scores)
    monkeypatch.setattr(budgets, "trained_table", lambda name: exact)
    monkeypatch.setattr(edge_verdict, "trained_table", lambda name: exact)
    monkeypatch.setattr(edge_verdict, "trained_values", lambda name: {"test accuracy": scores + size[:, None] / 1000})
    every, few = np.flatnonzero(np.isfinite(scores[:, 0])), np.flatnonzero(size == size.min())
    rival = int(np.argmax(np.where((size % 10 > 5) & np.isfinite(scores[:, 0]), size, 0)))
    as_good = size[every][scores[every, 0] >= scores[rival, 0]].min()
    searches = {
        "QAOA": {"rows": np.stack([every, every])},
        "evolution": {"rows": np.array([[rival], [rival]])},
        "random": {"rows": np.stack([few, few])},
    }
    runs = {"satellite": {"parameters": {"1": searches}, NONE: {NONE: searches}}}
    monkeypatch.setattr(fewer_parameters, "best_by_hand", lambda space: {"held": 99, "test": 0, "parameters": 5})
    claim = fewer_parameters.fewer_parameters({"14/budgets": {"runs": runs}}, "14/budgets", "QAOA")
    swept = claim["spaces"]["satellite"]["evolution"]
    assert swept["QAOA"]["saved"] == pytest.approx(1 - as_good / size[rival])
    assert swept["QAOA"]["gained"] == pytest.approx((as_good - size[rival]) / 1000)
    assert swept["QAOA"]["met"] == 1
    assert swept["evolution"]["saved"] == 0  # its own network, which is as good as itself
    units = {f"{key}_units": 2 for key in ("saved", "gained", "met")}
    assert swept["random"] == dict.fromkeys(swept["random"], 0) | units
    assert claim["more"]["evolution"]["random"]["gain"] == pytest.approx(swept["QAOA"]["saved"])
    assert claim["summary"]["evolution"] == swept
    assert claim["spaces"]["satellite"]["hand-designed"]["QAOA"]["met"] == 0


def test_the_best_hand_designed_is_chosen_by_what_was_held_out(known, found):
    best = fewer_parameters.best_by_hand("satellite")
    assert best == {"name": "large", "parameters": 100, "held": 85, "test": 70}
    claim = normalised(fewer_parameters.fewer_parameters({"14/budgets": found}, "14/budgets", "QAOA"))
    assert edge_pictures.savings(claim).axes
    assert len(edge_pictures.savings_rows(claim, "QAOA")) == 2 * (1 + 3)  # rivals; the champion, and all on the mean
    only = {"runs": {"satellite": {NONE: {}}}}
    with pytest.raises(InputError, match="no searches within budgets of parameters"):
        fewer_parameters.fewer_parameters({"14/budgets": only}, "14/budgets", "QAOA")


def test_what_was_found_is_deployed(known, found, monkeypatch):
    draws = np.random.default_rng(0)
    y = np.arange(512) % 6
    x = (draws.normal(size=(6, 36))[y] + 0.3 * draws.normal(size=(512, 36))).astype(np.float32)
    part = (torch.from_numpy(x), torch.from_numpy(y))
    monkeypatch.setattr(
        deployment, "problem", lambda name: Problem(name, dict.fromkeys(("train", "held", "test"), part), (36,), 6)
    )
    wanted = {"within a quarter": ["bytes", "0.25"], "without a budget": [NONE, NONE]}
    told = deployment.deploy_found({"14/budgets": found}, "14/budgets", ["satellite"], "QAOA", wanted, 2, work=Work(1))
    told = normalised(told)
    networks = told["networks"]["satellite"]
    assert set(networks) == {*wanted, "perceptron"}
    assert networks["perceptron"]["parameters"] == 36 * 64 + 64 + 64 * 64 + 64 + 64 * 6 + 6
    for own in networks.values():
        assert own["accuracy"] > 90
        assert own["lost"] == pytest.approx(own["accuracy"] - own["int8 accuracy"])
    assert networks["perceptron"]["int8 bytes"] < 0.5 * networks["perceptron"]["bytes"]
    assert told["summary"]["tiny_share"] == told["tiny"]["satellite"]["share"] == 1
    seed = edge_verdict.SpaceScores("satellite")
    rows = found["runs"]["satellite"]["bytes"]["0.25"]["QAOA"]["rows"][0]
    best = rows[np.argmax(seed.observed_values(0)[rows])]
    assert told["choices"]["satellite"]["within a quarter"] == seed.trained.space.named(
        seed.trained.space.digits([best])[0]
    )
    assert len(edge_pictures.deployed_rows(told)) == 3
    assert edge_pictures.tiny_rows(told)[0]["its file (kB)"] == "277.0"


def test_what_was_not_searched_cannot_be_deployed(known, found):
    with pytest.raises(InputError, match="14/budgets has no search 'Grover' of satellite within bytes 0.25, seed 0"):
        deployment.incumbent_choices({"14/budgets": found}, "14/budgets", "satellite", "Grover", "bytes", "0.25")
    with pytest.raises(InputError, match="language has no form in 8 bits"):
        deployment.deploy_once({"space": "language", "network": "LSTM", "seed": 0})
