"""Chapter 3: the predictor trained, calibrated and measured on parts of the data that it did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.companion.results.store import load
from qednas.companion.weights import PREFIX, result_arrays
from qednas.qed.predictor.inputs import predictor_inputs
from qednas.qed.predictor.predictor import Calibration, Predictor
from qednas.qed.predictor.refine import KINDS, Widths, basis, posterior, residuals
from qednas.qed.predictor.small_parts import Part, solve_parts
from studies.ch02.dataset import Sample, samples
from studies.ch03.baselines import gradient_boosting, nearest_neighbour, scaling_fit
from studies.ch03.calibration import calibrate, error_growth, fit_widths
from studies.ch03.mixtures import draw_mixture
from studies.ch03.training import ErrorSummary, Table, TrainingSettings, answers, summaries, tabulate, train

TEST_SHARE = 0.3  # of the points: half of them for calibration, half to report on
CRITICAL_SHARE = 0.2  # of the corrected systems, those with the smallest gap times size
VARIANTS: dict[str, dict] = {
    "as shipped": {},
    "one network, no ensemble": {"members": 1},
    "no local features": {"local": False},
    "corrections do not grow": {"growth": False},
    "corrections free to drift": {"drift": 0.0},
    "no mean field": {"mean_field": False},
}


class Data(NamedTuple):
    """The data set as needed here: systems, what is known of them, and one row a system."""

    systems: list[Sample]
    known: dict[str, np.ndarray]
    names: np.ndarray  # of the point: all its sizes are held out together
    family: np.ndarray
    sites: np.ndarray
    corrected: np.ndarray  # mask: the mean field is not exact
    usable: np.ndarray  # mask: the ground state is unique; labels of degenerate ones depend on rounding
    truth: np.ndarray  # half-chain proxies (systems, 5)
    table: Table


def gather(dataset, known, settings: TrainingSettings | None = None) -> Data:
    systems = samples(dataset)
    known = {name: np.asarray(known[name]) for name in ("row", "gate", "grows", "base", "local")}
    return Data(
        systems,
        known,
        np.array([f"{s.family}/{s.point}" for s in systems]),
        np.array([s.family for s in systems]),
        np.array([s.sites for s in systems]),
        known["gate"] > 0,
        ~np.array([s.degenerate for s in systems]),
        np.array([s.proxies[s.sites // 2 - 1] for s in systems], float),
        tabulate(systems, known, settings),
    )


def gather_inputs(inputs, settings: TrainingSettings | None = None) -> Data:
    return gather(inputs["02/dataset"], inputs["03/inputs"], settings)


def lower_half(data: Data) -> int:
    """The largest of the smaller half of the sizes: the split by size trains up to it (12 of 10, 12, 14, 16)."""
    sizes = np.unique(data.sites)
    return int(sizes[: len(sizes) // 2].max())


def hold_out_points(data: Data, share: float, seed: int) -> np.ndarray:
    """Mask (systems,): a share of the points of every family."""
    rng = np.random.default_rng([seed, 1])
    test: set[str] = set()
    for family in dict.fromkeys(data.family.tolist()):
        points = np.unique(data.names[data.family == family])
        test |= set(rng.permutation(points)[: int(round(share * len(points)))])
    return np.array([name in test for name in data.names])


def fit(data: Data, chosen: np.ndarray, settings: TrainingSettings, seed: int, progress=None) -> Predictor:
    """Train on the usable systems of the mask."""
    mask = chosen & data.usable
    table = data.table.of(mask)
    predictor = train(table, data.names[table.system], data.known["row"][mask], settings, seed, progress)
    predictor.record["largest"] = int(data.sites[mask].max())
    return predictor


def half_chain(data: Data, mask: np.ndarray) -> Table:
    """Central cuts of the corrected, usable systems of the mask."""
    return data.table.of(mask & data.usable & data.corrected).half_chain


class SplitReport(TypedDict):
    """Errors at the half-chain cut on what was held out: of the predictor and of its rivals, by proxy."""

    train: int  # systems
    test: int
    errors: dict[str, ErrorSummary]  # of the predictor
    mean_field: dict[str, ErrorSummary]
    nearest: dict[str, ErrorSummary]
    boosting: dict[str, ErrorSummary]


def report(data: Data, predictor: Predictor, test: np.ndarray, trained: np.ndarray, seed: int) -> SplitReport:
    """Errors at the half-chain cut on the corrected systems of ``test``, of the predictor and of its rivals; where the mean
    field is exact nothing is held out, since nothing is learned."""
    held = half_chain(data, test)
    mean, std = answers(predictor, held)
    training = np.flatnonzero(trained & data.usable)
    queries = data.known["row"][held.system]
    rivals = (data.known["row"][training], data.sites[training].astype(float), data.truth[training], queries)
    return {
        "train": len(training),
        "test": len(held.x),
        "errors": summaries(mean, held.target, std * predictor.wide, seed),
        "mean_field": summaries(held.base, held.target, seed=seed),
        "nearest": summaries(nearest_neighbour(*rivals), held.target, seed=seed),
        "boosting": summaries(gradient_boosting(*rivals, held.sites, seed), held.target, seed=seed),
    }


class RefinementReport(TypedDict):
    """Errors of larger systems by proxy, with smaller exact parts of each at hand."""

    systems: int
    before: dict[str, ErrorSummary]
    after: dict[str, ErrorSummary]  # the refinement
    scaling_fit: dict[str, ErrorSummary]  # to the same parts


class RandomSplit(SplitReport):
    """The report on random points, error bars, and the systems (n,) that are reported."""

    calibration: dict[str, np.ndarray]  # of the error bars, by the names of Calibration
    widths: dict[str, np.ndarray]  # of the refinement's error bars
    refined: dict[str, RefinementReport]  # by kind of parts
    predicted: np.ndarray  # (n, 5), as std and truth
    std: np.ndarray
    truth: np.ndarray
    family: list[str]
    point: list[str]


@declare(version=1)
def split_random(inputs, settings: dict, seed: int = 0, progress=None) -> RandomSplit:
    """Random points held out, half of them to calibrate the error bars on, half to report on."""
    chosen = TrainingSettings(**settings)
    data = gather_inputs(inputs, chosen)
    test = hold_out_points(data, TEST_SHARE, seed)
    bars = test & np.isin(data.names, np.unique(data.names[test])[::2])
    predictor = fit(data, ~test, chosen, seed, progress)
    calibration = calibrate(predictor, half_chain(data, bars))
    predictor = predictor.calibrated(calibration)
    shown = test & ~bars
    held = half_chain(data, shown)
    mean, std = answers(predictor, held)
    record = report(data, predictor, shown, ~test, seed)
    widths: dict[str, np.ndarray] = {}
    refined: dict[str, RefinementReport] = {}
    for kind in KINDS:
        cases = {part: refinement_cases(data, predictor, mask, kind) for part, mask in (("fit", bars), ("show", shown))}
        fitted = fit_widths([case[:3] for case in cases["fit"]])
        widths |= fitted.arrays(kind)
        refined[kind] = judge_refinement(fitted, cases["show"])
    return cast(
        RandomSplit,
        record
        | {
            "calibration": calibration.arrays(),
            "widths": widths,
            "refined": refined,
            "predicted": mean,
            "std": std,
            "truth": held.target,
            "family": data.family[held.system].tolist(),
            "point": data.names[held.system].tolist(),
        },
    )


def refinement_cases(data: Data, predictor: Predictor, mask: np.ndarray, kind: str) -> list:
    """For :func:`studies.ch03.calibration.fit_widths`: the larger systems of the mask, each with its smaller exact parts."""
    disordered = np.array(["disorder_seed" in s.parameters for s in data.systems])
    chosen = mask & data.usable & data.corrected & (data.sites > lower_half(data)) & (disordered == (kind == "windows"))
    cases = []
    for i in np.flatnonzero(chosen):
        smaller = tuple(np.unique(data.sites[data.sites < data.sites[i]]).tolist())
        large = data.systems[i].hamiltonian()
        parts = (
            solve_parts(large, smaller)
            if kind == "windows"
            else [
                Part(data.systems[j].hamiltonian(), data.systems[j].proxies, False)
                for j in np.flatnonzero((data.names == data.names[i]) & data.usable & np.isin(data.sites, smaller))
            ]
        )
        if parts:
            residual = residuals(predictor, parts)
            mean = predictor.profile(predictor_inputs(large))[0][large.sites // 2 - 1]
            phi = basis(np.array([float(large.sites)]), np.array([float(large.sites // 2)]), kind == "windows")[0]
            cases.append((residual, phi, (data.truth[i] - mean) / residual.unit, data.truth[i], parts, large.sites))
    return cases


def judge_refinement(widths: Widths, cases: list) -> RefinementReport:
    """Errors before and after the refinement, and of a scaling fit to the same exact parts."""
    before, after, rival, wide, truths = [], [], [], [], []
    for residual, phi, r, truth, parts, sites in cases:
        shift, std = posterior(residual, phi[None])
        before.append(truth - r * residual.unit)
        after.append(before[-1] + shift[0] * residual.unit)
        wide.append(std[0] * residual.unit * widths.factor * widths.wide)
        rival.append(scaling_fit(parts, sites))
        truths.append(truth)
    truth = np.array(truths)
    return {
        "systems": len(cases),
        "before": summaries(np.array(before), truth),
        "after": summaries(np.array(after), truth, np.array(wide)),
        "scaling_fit": summaries(np.array(rival), truth),
    }


class OwnChains(TypedDict):
    """Errors of what is read off the smaller chains of each system, by proxy."""

    scaling_fit: dict[str, ErrorSummary]
    largest: dict[str, ErrorSummary]  # the value of the largest of them


class SizesSplit(TypedDict):
    """Larger sizes held out."""

    sizes: dict[str, SplitReport]  # by number of sites
    own: dict[str, OwnChains]
    trained: int  # up to so many sites
    growth: np.ndarray  # (5,) of the error bars with the size


@declare(version=1)
def split_sizes(inputs, settings: dict, seed: int = 0, progress=None) -> SizesSplit:
    """Trained on the smaller half of the sizes, asked at the larger ones; gives the growth of the error bars with size."""
    chosen = TrainingSettings(**settings)
    data = gather_inputs(inputs, chosen)
    small = data.sites <= lower_half(data)
    predictor = fit(data, small, chosen, seed, progress)
    fitted = Calibration(*(np.asarray(inputs["03/random"]["calibration"][k], float) for k in Calibration().arrays()))
    growth = error_growth(predictor, half_chain(data, ~small), fitted.shares)
    predictor = predictor.calibrated(replace(fitted, growth=growth))
    sizes = sorted(set(data.sites[~small].tolist()))
    by_size = {str(n): report(data, predictor, data.sites == n, small, seed) for n in sizes}
    exact: dict[str, OwnChains] = {}
    for n in sizes:  # each system's own smaller chains
        mask = (data.sites == n) & data.usable & data.corrected
        rows = [(i, smaller_chains(data, i, lower_half(data))) for i in np.flatnonzero(mask)]
        rows = [(i, parts) for i, parts in rows if parts]
        truth = data.truth[[i for i, _ in rows]]
        fits = np.array([scaling_fit(parts, n) for _, parts in rows])
        last = np.array([parts[-1].proxies[parts[-1].sites // 2 - 1] for _, parts in rows])
        exact[str(n)] = {"scaling_fit": summaries(fits, truth), "largest": summaries(last, truth)}
    return {"sizes": by_size, "own": exact, "trained": lower_half(data), "growth": growth}


def smaller_chains(data: Data, index: int, largest: int) -> list[Part]:
    """The smaller chains of the same point in the data set."""
    mask = (data.names == data.names[index]) & data.usable & (data.sites <= largest)
    return [Part(data.systems[j].hamiltonian(), data.systems[j].proxies, False) for j in np.flatnonzero(mask)]


class CriticalSplit(SplitReport):
    """The points nearest to criticality held out."""

    bound: float  # gap times sites over the energy a site, below which a point was
    families: dict[str, int]  # how many of each


@declare(version=1)
def split_critical(inputs, settings: dict, seed: int = 0, progress=None) -> CriticalSplit:
    """The points nearest to criticality held out: at the largest size, the smallest gaps times sites over the energy a site."""
    chosen = TrainingSettings(**settings)
    data = gather_inputs(inputs, chosen)
    gap = np.array([s.gap * s.sites**2 / abs(s.energy) for s in data.systems])
    largest = (data.sites == data.sites.max()) & data.corrected & data.usable
    bound = float(np.quantile(gap[largest], CRITICAL_SHARE))
    near = np.isin(data.names, data.names[largest & (gap <= bound)])
    predictor = fit(data, ~near, chosen, seed, progress)
    predictor = predictor.calibrated(calibration_of(inputs))
    families = {f: int((near & largest & (data.family == f)).sum()) for f in np.unique(data.family[near & largest])}
    return cast(CriticalSplit, report(data, predictor, near, ~near, seed) | {"bound": bound, "families": families})


def calibration_of(inputs) -> Calibration:
    """The error bars of the random split, growing as the split by size asks for."""
    stored = inputs["03/random"]["calibration"]
    shares, wide, _ = (np.asarray(stored[name], float) for name in Calibration().arrays())
    growth = inputs["03/sizes"]["growth"] if "03/sizes" in inputs else np.zeros(len(wide))
    return Calibration(shares, wide, np.asarray(growth, float))


@declare(version=1)
def one_family(task: Task) -> SplitReport:
    settings = TrainingSettings(**task["settings"])
    data = read_task(task, settings)
    test = data.family == task["family"]
    predictor = fit(data, ~test, settings, task["seed"])
    return report(data, predictor, test, ~test, task["seed"])


class FamiliesSplit(TypedDict):
    """Families held out in turn."""

    families: dict[str, SplitReport]
    exact: list[str]  # families whose mean field is exact: nothing is held out


@declare(version=1, pieces=(one_family,))
def split_families(inputs, settings: dict, seed: int = 0, work: Work = Work()) -> FamiliesSplit:
    """Each family that is corrected held out in turn: what the shared terms are worth on a Hamiltonian never seen."""
    data = gather_inputs(inputs)
    families = list(dict.fromkeys(data.family[data.corrected].tolist()))
    tasks = [{"settings": settings, "seed": seed, "family": f} for f in families]
    reports = map_tasks(one_family, tasks, work=work, located=input_paths(inputs))
    exact = sorted(set(data.family.tolist()) - set(families))
    return {"families": dict(zip(families, reports, strict=True)), "exact": exact}


def input_paths(inputs) -> dict[str, str]:
    """Where a worker finds the data."""
    return {name: str(inputs[name].path) for name in ("02/dataset", "03/inputs")}


def read_task(task: Task, settings: TrainingSettings) -> Data:
    dataset, known = (load(Path(path).parents[1], name) for name, path in task["paths"].items())
    return gather(dataset, known, settings)


@declare(version=1)
def one_variant(task: Task) -> dict[str, ErrorSummary]:
    settings = TrainingSettings(**(task["settings"] | VARIANTS[task["variant"]]))
    data = read_task(task, settings)
    predictor = fit(data, data.sites <= lower_half(data), settings, task["seed"])
    held = half_chain(data, data.sites == data.sites.max())
    return summaries(answers(predictor, held)[0], held.target, seed=task["seed"])


class DesignAblation(TypedDict):
    """Errors at the largest size of networks that were trained on the smaller half of the sizes."""

    variants: dict[str, dict[str, ErrorSummary]]  # {variant: {proxy: errors}}
    trained: int  # up to so many sites
    asked: int  # sites


@declare(version=1, pieces=(one_variant,))
def ablation(inputs, settings: dict, seed: int = 0, work: Work = Work()) -> DesignAblation:
    """What each part of the design is worth: every variant trained to 12 sites and asked at 16, with the same settings."""
    tasks = [{"settings": settings, "seed": seed, "variant": name} for name in VARIANTS]
    records = map_tasks(one_variant, tasks, work=work, located=input_paths(inputs))
    data = gather_inputs(inputs)
    largest = half_chain(data, data.sites == data.sites.max())
    rows = dict(zip(VARIANTS, records, strict=True))
    rows["mean field alone"] = summaries(largest.base, largest.target, seed=seed)
    rows["Gaussian process for the network"] = gaussian_process(data, largest, seed)
    return {"variants": rows, "trained": lower_half(data), "asked": int(data.sites.max())}


def gaussian_process(data: Data, test: Table, seed: int) -> dict[str, ErrorSummary]:
    """A Gaussian process on the half-chain corrections of the small sizes, with 1/N and the parity of the cut as inputs."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel

    training = half_chain(data, data.sites <= lower_half(data))
    centre, spread = training.x.mean(0), np.maximum(training.x.std(0), 1e-2)

    def rows(table: Table) -> np.ndarray:
        extra = np.stack([20 / table.sites, np.cos(np.pi * table.cut)], 1)
        return np.concatenate([(table.x - centre) / spread, extra], 1)

    kernel = RBF(5.0) + WhiteKernel(1e-3)
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
    model.fit(rows(training), training.target - training.base)
    return summaries(test.base + model.predict(rows(test)), test.target, seed=seed)


class MixturesReport(TypedDict):
    """Errors at the half-chain cut on mixtures of families, by proxy."""

    test: int  # mixtures
    inside: int  # of them, of the domain of the predictor
    errors: dict[str, dict[str, ErrorSummary]]  # of all, those inside and those outside, where there are two
    mean_field: dict[str, ErrorSummary]
    nearest: dict[str, ErrorSummary]
    boosting: dict[str, ErrorSummary]


@declare(version=1)
def split_mixtures(inputs, seed: int = 0) -> MixturesReport:
    """The shipped predictor on interpolations of two families, which no training system is."""
    predictor = stored_predictor(inputs["03/predictor"])
    mixtures = inputs["03/mixtures"]["mixtures"]
    rows = [draw_mixture(seed, m["number"], m["sites"])[0] for m in mixtures]
    known = [predictor_inputs(h) for h in rows]
    half = [h.sites // 2 - 1 for h in rows]
    profiles = [predictor.profile(k) for k in known]
    mean = np.array([m[i] for (m, _), i in zip(profiles, half, strict=True)])
    std = np.array([s[i] for (_, s), i in zip(profiles, half, strict=True)])
    base = np.array([k.base[i] for k, i in zip(known, half, strict=True)])
    truth = np.array([m["proxies"] for m in mixtures])
    inside = np.array([not predictor.outside(k, h.sites) for k, h in zip(known, rows, strict=True)])
    data = gather_inputs(inputs)
    training = np.flatnonzero(data.usable)
    queries = np.array([k.row for k in known])
    sites = np.array([float(h.sites) for h in rows])
    rivals = (data.known["row"][training], data.sites[training].astype(float), data.truth[training], queries)
    groups = {"all": np.full(len(rows), True), "inside": inside, "outside": ~inside}
    return {
        "test": len(rows),
        "inside": int(inside.sum()),
        "errors": {
            label: summaries(mean[mask], truth[mask], std[mask] * predictor.wide, seed)
            for label, mask in groups.items()
            if mask.sum() > 1
        },
        "mean_field": summaries(base, truth, seed=seed),
        "nearest": summaries(nearest_neighbour(*rivals), truth, seed=seed),
        "boosting": summaries(gradient_boosting(*rivals, sites, seed), truth, seed=seed),
    }


@declare(version=1)
def train_final(inputs, settings: dict, seed: int = 0, progress: Callable | None = None) -> dict:
    """The predictor that is shipped: trained on every usable system, with the error bars of the splits.

    Returns its arrays under ``weights/<name>`` and its record.
    """
    chosen = TrainingSettings(**settings)
    data = gather_inputs(inputs, chosen)
    predictor = fit(data, np.full(len(data.systems), True), chosen, seed, progress).calibrated(calibration_of(inputs))
    widths = {name: np.asarray(a, np.float32) for name, a in inputs["03/random"]["widths"].items()}
    record = predictor.record | {
        "systems": int(data.usable.sum()),
        "corrected": int((data.usable & data.corrected).sum()),
    }
    losses = np.array(record.pop("losses"))
    return {f"{PREFIX}{k}": a for k, a in (predictor.arrays | widths).items()} | {"losses": losses, "record": record}


def stored_predictor(result) -> Predictor:
    """The predictor in a stored result of :func:`train_final`."""
    return Predictor(result_arrays(result), result["record"])
