"""Forecasting: runs side by side do not see each other, and what is forecast gets better."""

import json
import math

import numpy as np
import onnxruntime
import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.cli.commands import main
from qednas.data.series import SERIES, windows
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent
from qednas.diffqas.tasks.forecast import Alone, predictions, train_forecasters
from studies.ch10.side_by_side import SideBySide


def test_a_run_beside_others_is_the_run_alone():
    data = windows(SERIES["narma5"]()[:60])
    runs = [(PAPER, 0), (PAPER[1:2], 1), (PAPER[6:7], 0)]
    module = Recurrent(2).double()
    together = train_forecasters(SideBySide(module, 2, runs, dtype=torch.float64), data, [s for _, s in runs], 2)
    for run, (pool, seed) in enumerate(runs):
        net = Alone(Generator(module, 2, pool=pool, seed=seed, dtype=torch.float64))
        alone = train_forecasters(net, data, [seed], 2)
        for name in ("loss", "test", "predictions"):
            assert together[name][run] == pytest.approx(alone[name][0], abs=1e-9)


def test_a_directly_trained_network_learns_a_smooth_series():
    """A forecast of the mean has the variance as its error."""
    data = windows(SERIES["damped-pendulum"]())
    torch.manual_seed(0)
    found = train_forecasters(Alone(Recurrent()), data, [0], 10)
    assert found["test"][0][-1] < 0.1 * float(data.test[1].var())
    assert found["loss"][0][-1] < found["loss"][0][0]
    error = (torch.tensor(found["predictions"][0]) - data.test[1][:, 0]).square().mean()
    assert found["test"][0][-1] == pytest.approx(float(error), rel=1e-4)


def test_a_generated_network_learns_it_too():
    data = windows(SERIES["damped-pendulum"]())
    found = train_forecasters(SideBySide(Recurrent(), 4, [(PAPER, 0), (PAPER, 1)]), data, [0, 1], 10)
    assert max(run[-1] for run in found["test"]) < 0.5 * float(data.test[1].var())


def test_predictions_are_one_row_a_run():
    data = windows(SERIES["bessel"]())
    net = SideBySide(Recurrent(2), 2, [(PAPER, 0), (PAPER, 1)])
    assert predictions(net, data.test[0].float(), 2).shape == (2, len(data.test[0]))


def test_a_loss_that_is_not_finite_is_told():
    data = windows(SERIES["narma5"]())
    net = Recurrent(2)
    with torch.no_grad():
        net.out.bias.fill_(float("nan"))
    with pytest.raises(NumericalError, match="a loss is not finite in epoch 1"):
        train_forecasters(Alone(net), data, [0], 1)
    with pytest.raises(InputError, match="epochs = 0"):
        train_forecasters(Alone(net), data, [0], 0)


def test_the_command_tells_the_error_and_writes_the_network(tmp_path, capsys):
    out = tmp_path / "net"
    command = f"diffqas --dataset damped-pendulum --depth 2 --epochs 2 --seed 1 --out {out}".split()
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert math.isfinite(found["test_mse"])
    assert found["trained_parameters"] == 2 * 11 + 12 + 13
    assert found["target_parameters"] == 1781
    data = windows(SERIES["damped-pendulum"]())
    session = onnxruntime.InferenceSession(out / "network.onnx", providers=["CPUExecutionProvider"])
    (name,) = (own.name for own in session.get_inputs())
    forecasts = session.run(None, {name: data.test[0].float().numpy()})[0]
    assert np.mean((forecasts - data.test[1].numpy()) ** 2) == pytest.approx(found["test_mse"], rel=1e-3)
    assert main(command) == 0
    assert "test error" in capsys.readouterr().out


def test_the_command_forecasts_a_series_of_ones_own(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text("hour,load\n" + "".join(f"{k},{np.sin(k / 3)}\n" for k in range(60)))
    assert main(f"diffqas --dataset {path} --depth 1 --epochs 1 --json".split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trained_parameters"] == 11 + 12 + 13
    path.write_text("1\n2\n3\n")
    assert main(f"diffqas --dataset {path} --depth 1 --epochs 1".split()) == 2
    assert "too short for windows of 4: at least 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--dataset nosuch", "data set 'nosuch': one of mnist, .*narma10"),
        ("--dataset narma5 --classes 1,5", "--classes 1,5: narma5 is a series"),
        ("--dataset narma5 --hidden 4", "--hidden 4: narma5 is a series"),
        ("--dataset narma5 --epochs 0", "epochs = 0"),
        (
            "--dataset narma5 --device default.qubit --shots 1000000000000",
            "--shots 1000000000000: samples take up to 1.6e",
        ),
        ("--dataset narma5 --device nosuch", "device = 'nosuch' is not installed"),
    ],
)
def test_what_a_series_does_not_take_is_one_line(words, told, capsys):
    import re

    assert main(f"diffqas --depth 2 {words}".split()) == 2
    error = capsys.readouterr().err
    assert re.search(told, error)
    assert error.count("\n") == 1
