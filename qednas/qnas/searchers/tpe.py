"""Tree-structured Parzen estimator of Optuna (Bergstra et al. 2011; Watanabe 2023, arXiv:2304.11127) over categorical choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.searchers.random_search import fill_randomly
from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.registry import searcher
from qednas.qnas.space.space import Space


@searcher("tpe", place=4)
@dataclass(frozen=True)
class TPE:
    """startup: random configurations before there is a model.  tries: proposals per configuration asked for.

    What is proposed but not allowed, or evaluated already, stays a running trial for the rest of the call, which the sampler
    keeps away from (its constant liar); when there are no more tries random configurations take the places, counted in
    memory["random"].  All else is Optuna's default.

    cache: the study of the last call, so that only new trials are added; without it a call gives the same, later.
    """

    startup: int = 10
    tries: int = 20
    cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self):
        if self.startup < 1 or self.tries < 1:
            raise InputError(f"{self.startup} configurations to start with, {self.tries} tries of TPE: both at least 1")

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations."""
        from optuna.trial import TrialState

        space = candidates.space
        study = self.study(space, history.valid())
        study.sampler = sampler(space, self.startup, int(rng.integers(2**32)))
        trials: list[Any] = []
        chosen = np.zeros((0, len(space.sizes)), np.int64)
        while len(chosen) < count and len(trials) < count * self.tries:
            trials.append(study.ask(distributions(space)))
            proposed = np.array([[trials[-1].params[f"{column:03d}"] for column in range(len(space.sizes))]])
            if candidates.allowed(proposed)[0] and not (chosen == proposed).all(1).any():
                chosen = np.concatenate([chosen, proposed])
        for trial in trials:  # what they come to arrives with the history
            study.tell(trial, state=TrialState.FAIL)
        return fill_randomly(chosen, candidates, count, rng, memory)

    def study(self, space: Space, history: History) -> Any:
        """The evaluations as a study."""
        import optuna

        known = self.cache.get("history", History(np.zeros((0, 0)), np.zeros(0)))
        length = len(known)
        same = self.cache.get("space") == space and np.array_equal(known.scores, history.scores[:length])
        if not (same and np.array_equal(known.digits, history.digits[:length])):
            length, verbosity = 0, optuna.logging.get_verbosity()
            optuna.logging.set_verbosity(optuna.logging.WARNING)  # no line for every study
            self.cache.update(space=space, study=optuna.create_study(direction="maximize"))
            optuna.logging.set_verbosity(verbosity)
        for digits, score in zip(history.digits[length:].tolist(), history.scores[length:].tolist(), strict=True):
            choices = distributions(space)
            trial = optuna.trial.create_trial(
                params=dict(zip(choices, digits, strict=True)), distributions=choices, value=score
            )
            self.cache["study"].add_trial(trial)
        self.cache["history"] = History(history.digits.copy(), history.scores.copy())
        return self.cache["study"]


def distributions(space: Space) -> dict[str, Any]:
    """Of the digits of every column, by its number: names of columns would decide the order in which Optuna draws."""
    from optuna.distributions import CategoricalDistribution

    return {f"{column:03d}": CategoricalDistribution(range(size)) for column, size in enumerate(space.sizes)}


def sampler(space: Space, startup: int, seed: int) -> Any:
    """Optuna's, told the columns: it would find them by going through all trials, at every call."""
    from optuna.samplers import TPESampler

    class Sampler(TPESampler):
        def infer_relative_search_space(self, study, trial):
            return distributions(space)

    return Sampler(n_startup_trials=startup, seed=seed)
