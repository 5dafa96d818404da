"""TPE against Optuna used plainly."""

import numpy as np

from qednas.qnas.searchers.tpe import TPE, distributions
from qednas.qnas.space.interfaces import History
from qednas.qnas.space.space import Space
from qnas_candidates import candidates, space

SPACE = Space.of({"a": range(3), "b": range(2), "c": range(4)})


def test_proposals_are_those_of_optuna(capfd):
    """Its own sampler, on a study with the same trials; and no line is written."""
    import optuna

    of = space(3, 4)
    draws = np.random.default_rng(8)
    digits = of.digits(draws.choice(64, 30, replace=False))
    history = History(digits, draws.normal(size=30))
    for seed in range(10):
        chosen = int(np.random.default_rng(seed).integers(2**32))
        optuna.logging.disable_default_handler()
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=chosen))
        optuna.logging.enable_default_handler()
        for row, score in zip(digits.tolist(), history.scores.tolist(), strict=True):
            own = distributions(of)
            study.add_trial(
                optuna.trial.create_trial(params=dict(zip(own, row, strict=True)), distributions=own, value=score)
            )
        wanted = list(study.ask(distributions(of)).params.values())
        everything = candidates(of, digits[:0])
        assert TPE().ask(history, everything, 1, np.random.default_rng(seed), {}).tolist() == [wanted]
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_tpe_goes_on_from_any_history():
    """A searcher that was used for something else asks for what a new one does."""
    of = space(3, 4)
    used = TPE()
    for seed in range(4):
        draws = np.random.default_rng(seed)
        digits = of.digits(draws.choice(64, 25, replace=False))
        own = candidates(of, digits)
        for length in (15, 20, 25):
            history = History(digits[:length], np.arange(25.0)[:length])
            asked = [one.ask(history, own, 2, np.random.default_rng(seed), {}) for one in (used, TPE())]
            assert np.array_equal(*asked)


def test_tpe_gives_up_where_all_proposals_are_known():
    history = History(SPACE.digits(np.arange(22)), np.arange(22.0))
    memory = {}
    asked = TPE(tries=1).ask(history, candidates(SPACE, history.digits), 2, np.random.default_rng(1), memory)
    assert sorted(SPACE.index(asked)) == [22, 23]
    assert memory["random"] >= 1
