"""Training classifiers with generated weights on the embedded digits, and the command that does it."""

import json

import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.cli.commands import main
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.generator import Generator
from qednas.diffqas.networks import multilayer
from qednas.diffqas.tasks.classify import accuracy, classify, frozen, load, train_classifier


def test_the_network_of_the_paper():
    assert sum(p.numel() for p in multilayer(784, 2).parameters()) == 108_866
    first, same, other = (multilayer(8, 2, seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_accuracy_counts_what_is_right():
    images = torch.eye(3)
    assert accuracy(lambda x: x, images, torch.tensor([0, 1, 0])) == pytest.approx(2 / 3)


def test_generated_once_is_generated():
    data = load("digits", "0,1")
    net = Generator(multilayer(64, 2), 2, turned=0.5)
    images = data.test[0]
    assert torch.allclose(frozen(net)(images), net(images))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_few_parameters_learn_to_tell_two_digits_apart(seed):
    """Chance is one half; above 0.9 on 68 images by chance less than once in 10^10."""
    data = load("digits", "0,1")
    net = Generator(multilayer(64, 2), 4, seed=seed)
    history = train_classifier(net, data, 20, batch=20, seed=seed)
    assert history["test_accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["structure"]) == 20


def test_a_run_tells_what_was_trained_and_what_generated():
    found = classify("digits", "0,1", 4, 1, seed=1)
    assert found["target_parameters"] == 64 * 128 + 128 + 128 * 64 + 64 + 64 * 2 + 2
    assert found["trained_parameters"] == 4 * 15 + 12 + 17
    assert list(found["structural_weights"]) == [str(c) for c in PAPER]


def test_runs_of_one_seed_are_equal():
    data = load("digits", "0,1")
    runs = [train_classifier(Generator(multilayer(64, 2), 2, seed=3), data, 1, seed=3)["loss"] for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_loss_that_is_not_finite_is_told():
    data = load("digits", "0,1")
    net = multilayer(64, 2)
    with torch.no_grad():
        net[0].weight.fill_(float("nan"))
    with pytest.raises(NumericalError, match="the loss is nan in step 1"):
        train_classifier(net, data, 1)


def test_the_command_prints_one_object(capsys):
    assert main("diffqas --dataset digits --classes 0,1 --depth 2 --epochs 1 --json".split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {
        "test_accuracy", "trained_parameters", "target_parameters", "structural_weights", "seconds"
    }  # fmt: skip
    assert main("diffqas --dataset digits --classes 0,1 --depth 2 --epochs 1".split()) == 0
    assert "test accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--dataset cats", "data set 'cats'"),
        ("--dataset digits --classes 3", "at least two"),
        ("--dataset digits --classes 3,12", "class '12'"),
        ("--dataset digits --depth 0", "depth = 0"),
        ("--dataset digits --epochs 0", "epochs = 0"),
        ("--dataset digits --epochs many", "--epochs many"),
    ],
)
def test_bad_input_is_one_line(capsys, words, told):
    assert main(["diffqas", *words.split()]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_an_interrupted_training_goes_on_to_the_same_numbers(tmp_path, schedule):
    data = load("digits", "0,1")

    def train(path, stop=None):
        net = Generator(multilayer(64, 2, hidden=(4,)), 3, seed=1)

        def told(step, total, text):
            if stop and step > stop:
                raise KeyboardInterrupt

        try:
            history = train_classifier(
                net,
                data,
                4,
                batch=40,
                schedule=schedule,
                points=2,
                seed=2,
                checkpoint=path,
                task={"a": 1},
                progress=told,
            )
        except KeyboardInterrupt:
            return None
        return history, [p.detach().tolist() for p in net.parameters()]

    whole = train(None)
    path = tmp_path / "state.safetensors"
    assert train(path, stop=20) is None  # 8 steps an epoch
    assert path.exists()
    assert train(path) == whole
    before = path.read_bytes()
    with pytest.raises(InputError, match="is of a training with a = 1, not 2"):
        train_classifier(
            Generator(multilayer(64, 2, hidden=(4,)), 3), data, 4, batch=40, seed=2, checkpoint=path, task={"a": 2}
        )
    assert path.read_bytes() == before
    path.write_bytes(b"torn")
    with pytest.raises(InputError, match="remove it to train from the start"):
        train(path)
