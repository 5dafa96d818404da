"""Training of small networks on real images of digits: seeds, divergence, metrics, and what is written of it."""

import csv
import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.qnas.space.space import Space
from qednas.qnas.space.table import read_table
from studies.spaces import data_sets, trained_tables
from studies.spaces.costs import cost_space
from studies.spaces.data_sets import Problem, problem, split
from studies.spaces.schedule import Schedule
from studies.spaces.sequence_cells import LanguageNetwork
from studies.spaces.trained_spaces import SPACES, TrainedSpace, cell_space, images_network
from studies.spaces.trained_tables import parse_number, trained_table, trained_values, training_seed
from studies.spaces.training import (
    batches,
    classification_scores,
    measure,
    rate_at,
    train,
    train_and_measure,
)
from studies.spaces.untrained_network import untrained_network
from studies.tables import baselines, differentiable, table_making

QUICK = Schedule(2, 64, 0.02)
CHOICES = {"1<-0": "conv", "2<-0": "skip", "2<-1": "avgpool", "width": "8", "cells": "1"}


@pytest.fixture
def small(monkeypatch):
    """The image space, with 32 architectures, on few digits."""
    whole = problem("digits")
    few = {part: (x[:130], y[:130]) for part, (x, y) in whole.parts.items()}
    monkeypatch.setitem(data_sets.PROBLEMS, "few", lambda name: dataclasses.replace(whole, parts=few))
    problem.cache_clear()
    space = Space.of({"1<-0": ("skip", "conv"), "2<-0": ("skip", "avgpool")} | {
        "2<-1": ("skip", "sepconv"), "width": ("4", "8"), "cells": ("1", "2")})  # fmt: skip
    monkeypatch.setitem(SPACES, "images", TrainedSpace("images", space, images_network, "few", Schedule(1, 64, 0.02)))
    trained_values.cache_clear()
    yield space
    trained_values.cache_clear()


def test_parts_of_the_digits_are_apart_and_standardised():
    data = problem("digits")
    rows = {part: {row.numpy().tobytes() for row in x} for part, (x, _) in data.parts.items()}
    assert not rows["train"] & rows["held"]
    assert len(rows["train"] & rows["test"]) <= 1  # the set itself may have a digit twice
    x = data.parts["train"][0]
    assert x.mean().item() == pytest.approx(0, abs=1e-5)
    assert x.std().item() == pytest.approx(1, abs=1e-5)
    assert data.shape == (1, 8, 8)


def test_a_split_uses_every_row_at_most_once():
    x = np.arange(20, dtype=np.float32)
    parts = split(x, x.astype(np.int64), 5, 12)
    used = torch.cat([own for own, _ in parts.values()])
    assert sorted(map(len, (own for own, _ in parts.values()))) == [5, 12]
    assert len(set(used.tolist())) == 17


def test_a_problem_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match=r"problem 'imagenet': one of fashion-mnist, cifar10"):
        problem("imagenet")


def test_rates_rise_and_fall():
    shares = np.linspace(0, 1, 201)
    rates = [rate_at(share) for share in shares]
    assert max(rates) == pytest.approx(1)
    assert rates[0] == 0
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(rates)[:19] > 0)
    assert np.all(np.diff(rates)[21:] < 0)


def test_batches_of_an_epoch_hold_every_row_once():
    found = list(batches(130, Schedule(2, 64, 0.1), 5))
    assert [len(rows) for rows in found] == [64] * 4
    assert len(set(torch.cat(found[:2]).tolist())) == 128
    assert not torch.equal(found[0], found[2])


def test_training_learns_digits_and_repeats_itself_bit_by_bit():
    data = problem("digits")
    one, same, other = (
        train_and_measure(untrained_network("images", CHOICES, data, s), data, QUICK, s) for s in (1, 1, 2)
    )
    assert one["held"] == same["held"]
    assert one["loss"] == same["loss"]
    assert one["loss"] != other["loss"]
    net = untrained_network("images", CHOICES, data, 0)
    assert not train(net, data, Schedule(8, 64, 0.02), 0)["diverged"]
    found = measure(net, data, "held")["accuracy"]
    x, y = (data.parts["train"][0].flatten(1).numpy(), data.parts["train"][1].numpy())
    linear = LogisticRegression(max_iter=500).fit(x, y)
    held = data.parts["held"]
    assert found > 90
    assert found > 100 * linear.score(held[0].flatten(1).numpy(), held[1].numpy()) - 4


def test_a_training_that_diverges_is_recorded():
    data = problem("digits")
    net = untrained_network("images", CHOICES, data, 0)
    with torch.no_grad():
        net.head.bias[0] = math.nan
    record = train_and_measure(net, data, QUICK, 0)
    assert record["diverged"]
    assert record["loss"] is None
    assert record["held"] == record["test"] == {"accuracy": None, "f1": None}


def test_scores_of_labels_counted_by_hand():
    found = classification_scores(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]))
    assert found["accuracy"] == 50
    assert found["f1"] == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)  # of classes 0, 1 and 2


def test_the_perplexity_of_all_words_alike_is_their_number():
    x = torch.randint(3000, (40, 8), generator=torch.Generator().manual_seed(1))
    data = Problem("words", dict.fromkeys(("train", "held"), (x, x)), (8,), 3000)
    net = LanguageNetwork({**dict.fromkeys(("1<-0", "2<-0", "2<-1"), "skip"), "width": "24", "cells": "1"}, 8, 3000)
    for layer in (net.softmax.head, *(piece for tail in net.softmax.tail for piece in tail)):
        nn.init.zeros_(layer.weight)
    counts = [500, 2000, 500]  # words of the head, of the first tail (a class of the head), of the second one
    chances = np.repeat([1 / 502, 1 / 502 / 2000, 1 / 502 / 500], counts)
    expected = math.exp(-np.log(chances)[x.numpy()].mean())
    assert measure(net, data, "held")["perplexity"] == pytest.approx(expected, rel=1e-4)
    before = measure(net, data, "held")
    train(net, data, Schedule(3, 8, 0.02), 0)
    assert measure(net, data, "held")["perplexity"] < before["perplexity"]


def test_tables_are_written_read_and_searched(small, tmp_path):
    rows = trained_tables.train_space("images", work=Work(1, tmp_path / "partial"))
    assert len(rows) == 3 * small.size
    rows[4].update({"held accuracy": None, "test accuracy": None, "loss": None, "diverged": 1})
    trained_tables.write_trainings("images", rows, tmp_path)
    table = trained_table("images", tmp_path)
    assert table.scores.shape == (32, 3)
    assert np.isnan(table.scores[1, 1])
    assert np.isfinite(table.scores).sum() == 95
    plain = read_table(tmp_path / "images.csv")
    order = [int(small.index(small.read(plain.space.named(d)))) for d in plain.digits]
    assert plain.scores == pytest.approx(table.means[order], rel=1e-4)
    assert trained_values("images", tmp_path)["diverged"].sum() == 1


def test_every_training_has_a_seed_of_its_own_and_can_be_made_again(small, tmp_path):
    seeds = [training_seed(row, repeat) for row in range(256) for repeat in range(3)]
    assert len(set(seeds)) == len(seeds)
    all_rows = trained_tables.train_space("images", work=Work(1))
    again = trained_tables.train_space("images", [7, 30], work=Work(1))
    known = [all_rows[3 * row + repeat] for row in (7, 30) for repeat in range(3)]
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in again] == [
        {k: v for k, v in row.items() if k != "seconds"} for row in known
    ]


def test_a_table_that_was_not_made_is_one_line(tmp_path):
    trained_values.cache_clear()
    with pytest.raises(InputError, match=r"images-trainings.csv is missing: make it with `make tables`$"):
        trained_values("images", tmp_path)


def test_numbers_of_fields():
    assert parse_number("0") == 0
    assert parse_number("2.5") == 2.5
    assert math.isnan(parse_number(""))
    assert math.isnan(parse_number(None))


def test_making_a_table_goes_on_where_it_was_stopped(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(baselines, "REPEATS", 1)
    monkeypatch.setitem(baselines.SEARCH_EPOCHS, "images", 1)
    monkeypatch.setattr(baselines, "HAND_DESIGNED", {"images": {"LSTM": None}})
    trained = []
    once = trained_tables.train_row

    def counted(task):
        if len(trained) == 10 and "again" not in trained:
            trained.append("again")
            raise KeyboardInterrupt
        trained.append(task["row"])
        return once(task)

    monkeypatch.setattr(trained_tables, "train_row", counted)
    monkeypatch.setattr(table_making, "map_tasks", lambda fn, tasks, **_: [fn(task) for task in tasks])
    monkeypatch.setattr(table_making, "cost_space", lambda name, *_: cost_space(name, [0, 31]))
    given = ["images", "--workers", "1", "--folder", str(tmp_path / "out"), "--partial", str(tmp_path / "partial")]
    assert table_making.main(given) == 130
    assert "goes on from there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert table_making.main(given) == 0
    rows = [row for row in trained if row != "again"]
    assert sorted(rows) == list(range(32))  # none was trained twice
    made = json.loads((tmp_path / "out" / "images.json").read_text())
    assert made["trainings"] == 96
    assert made["data"] == "few"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    endings = (".csv", "-trainings.csv", "-hand-designed.csv", "-differentiable.csv", "-costs.csv", ".json")
    assert names == {f"images{ending}" for ending in endings}
    header = next(csv.reader((tmp_path / "out" / "images-hand-designed.csv").open()))
    assert header[:2] == ["network", "repeat"]
    assert not list((tmp_path / "partial").iterdir())


def test_an_unknown_table_is_one_line(capsys):
    assert table_making.main(["speech"]) == 2
    assert (
        capsys.readouterr().err
        == "qednas: error: trained space 'speech': one of images, sensors, language, satellite\n"
    )


def fixed(structure, choices):
    """All shares 0 or 1."""
    for name, own, logits in zip(structure.space.names, structure.space.choices, structure.logits, strict=True):
        with torch.no_grad():
            logits.fill_(-1e9)[own.index(choices[name])] = 0.0


@pytest.mark.parametrize("seed", range(4))
def test_with_shares_of_0_and_1_the_supernet_is_the_network_chosen(seed):
    data = problem("digits")
    space = cell_space(("skip", "avgpool", "sepconv", "conv"), ("8", "16"))
    choices = space.named(space.draw(1, np.random.default_rng(seed))[0])
    structure = differentiable.Structure(space)
    fixed(structure, choices)
    assert structure.best() == choices
    net = differentiable.supernet("images", structure, data)
    alone = untrained_network("images", choices, data, 0)
    width, cells = int(choices["width"]), int(choices["cells"])

    def take(ours, theirs):  # the first channels of every array
        for own, other in zip(
            [*ours.parameters(), *ours.buffers()], [*theirs.parameters(), *theirs.buffers()], strict=True
        ):
            own.data.copy_(other[tuple(slice(0, n) for n in own.shape)] if own.ndim else other)

    take(alone.stem, net.stem.layer)
    take(alone.body[cells], net.body[1].layer)
    take(alone.head, net.head)
    for stage, first in ((net.body[0], 0), (net.body[2], cells + 1)):
        for k in range(cells):
            for edge, own in zip(("1<-0", "2<-0", "2<-1"), ("first", "across", "second"), strict=True):
                place = space.choices[space.names.index(edge)].index(choices[edge])
                take(getattr(alone.body[first + k], own), getattr(stage.cells[k], own).layer.operations[place])
    x = data.parts["held"][0][:20]
    assert net.body[2](net.body[1](net.body[0](net.stem(x)))).shape[1] == 32
    with torch.no_grad():
        assert torch.allclose(alone(x), net(x), atol=1e-4)
    assert width in (8, 16)


def test_gradients_of_structural_weights_are_those_of_differences():
    data = problem("digits")
    structure = differentiable.Structure(cell_space(("skip", "conv"), ("4", "8"))).double()
    torch.manual_seed(0)
    net = differentiable.supernet("images", structure, data).double().eval()
    x, y = data.parts["held"][0][:40].double(), data.parts["held"][1][:40]
    nn.functional.cross_entropy(net(x), y).backward()
    for logits in structure.logits:
        for k in range(len(logits)):
            change = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    logits[k] += step
                    change.append(nn.functional.cross_entropy(net(x), y).item())
                    logits[k] -= step
            assert logits.grad[k].item() == pytest.approx((change[0] - change[1]) / 2e-5, rel=1e-4, abs=1e-8)


def test_a_differentiable_search_learns_and_repeats_itself(small, monkeypatch):
    task = {"space": "images", "seed": 3, "epochs": 30}
    one, same = differentiable.search(task), differentiable.search(task)
    assert one["shares"] == same["shares"]
    assert set(one["choices"]) == set(small.names)
    assert all(sum(own) == pytest.approx(1, abs=1e-5) for own in one["shares"].values())
    assert one["shares"]["width"][1] > 0.5  # more channels are better on digits
    assert one["loss"] < math.log(10)


def test_there_is_no_differentiable_search_of_dense_layers():
    with pytest.raises(InputError, match=r"differentiable search of 'satellite': one of images, sensors, language$"):
        differentiable.search({"space": "satellite", "seed": 0, "epochs": 1})


def test_settings_are_the_same_for_all_networks_of_a_space():
    assert all(isinstance(own.schedule, Schedule) and own.schedule.epochs >= 1 for own in SPACES.values())
