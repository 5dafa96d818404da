"""Chapter 3: the predictor trained, calibrated and measured on held-out points, sizes and families."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from qednas.companion.parallel import Task, map_tasks
from qednas.companion.store import load
from qednas.companion.weights import PREFIX, result_arrays
from qednas.physics.entanglement import PROXIES
from qednas.qed.dataset import Sample, samples
from qednas.qed.predictor import Predictor
from qednas.qed.scaling_form import OFFSETS
from qednas.qed.training import (
    Table,
    TrainingSettings,
    calibrate,
    error_summary,
    errors,
    half_chain_table,
    tabulate,
    train,
)

TEST_SHARE = 0.2


def usable(dataset) -> list[Sample]:
    """The systems with a unique ground state; labels of degenerate ones depend on rounding and teach nothing."""
    return [s for s in samples(dataset) if not s.degenerate]


def point_names(systems: list[Sample]) -> np.ndarray:
    """One name per parameter point: all its sizes are held out together."""
    return np.array([f"{s.family}/{s.point}" for s in systems])


def hold_out_points(systems: list[Sample], share: float, seed: int) -> np.ndarray:
    """Mask (n,) of test systems: a share of the points of every family."""
    rng = np.random.default_rng([seed, 1])
    names = point_names(systems)
    test: set[str] = set()
    for family in dict.fromkeys(s.family for s in systems):
        own = np.unique(names[[s.family == family for s in systems]])
        test |= set(rng.permutation(own)[: int(round(share * len(own)))])
    return np.array([name in test for name in names])


def nearest_neighbour(table: Table, train_rows: np.ndarray, test_rows: np.ndarray) -> np.ndarray:
    """Baseline (n, 5): the half-chain label of the nearest training system in term space, at the largest size trained on.

    Where the same couplings were seen at smaller sizes this is "take the value of the largest exact system".
    """
    spread = np.maximum(table.features[train_rows].std(0), 1e-3)
    x, y = table.features[train_rows] / spread, table.features[test_rows] / spread
    square = (y**2).sum(1)[:, None] + (x**2).sum(1) - 2 * y @ x.T
    largest = table.sites[train_rows, 0] == table.sites[train_rows, 0].max()
    nearest = train_rows[np.where(largest, square, np.inf).argmin(1)]
    return table.target[nearest, (table.sites[nearest, 0] // 2 - 1).astype(int)]


def measure(
    systems: list[Sample],
    test: np.ndarray,
    settings: TrainingSettings,
    seed: int,
    progress,
    calibration: np.ndarray | None = None,
) -> tuple[dict, Predictor, Table]:
    """Train without the systems of the mask ``test`` and report the errors on them, beside the nearest neighbour."""
    table, groups = tabulate(systems, settings.half_chain_weight), point_names(systems)
    inside, outside = np.flatnonzero(~test), np.flatnonzero(test)
    predictor = train(table.take(inside), groups[inside], settings, seed, progress)
    if calibration is not None:
        predictor.arrays["floor"] = calibration.astype(np.float32)
    held = table.take(outside)
    truth = half_chain_table(predictor, held)[2]
    nearest = nearest_neighbour(table, inside, outside)
    baseline = {
        name: error_summary(nearest[:, k], 0 * nearest[:, k], truth[:, k], OFFSETS[k]) for k, name in enumerate(PROXIES)
    }
    record = {"train": len(inside), "test": len(outside), "errors": errors(predictor, held), "nearest": baseline}
    return record, predictor, held


def split_random(inputs, settings: dict, seed: int = 0, progress=None) -> dict:
    """Random points held out, three ways: a fifth to calibrate the error bars on, another fifth to report.

    Returns the record, the calibration (5,), and predicted, std, truth (n, 5) of the test systems for the picture.
    """
    systems = usable(inputs["02/dataset"])
    chosen = TrainingSettings(**settings)
    test = hold_out_points(systems, TEST_SHARE, seed)
    rest = [s for s, t in zip(systems, test, strict=True) if not t]
    check = hold_out_points(rest, TEST_SHARE, seed + 1)
    _, first, held = measure(rest, check, chosen, seed, progress)
    floor = calibrate(first, held)
    record, predictor, held = measure(systems, test, chosen, seed, progress, floor)
    mean, std, truth = half_chain_table(predictor, held)
    families = [s.family for s, t in zip(systems, test, strict=True) if t]
    return record | {"calibration": floor, "predicted": mean, "std": std, "truth": truth, "family": families}


def split_sizes(inputs, settings: dict, seed: int = 0, progress=None) -> dict:
    """The largest size held out: trained below it, asked at it."""
    systems = usable(inputs["02/dataset"])
    test = np.array([s.sites for s in systems]) == max(s.sites for s in systems)
    record, predictor, held = measure(systems, test, TrainingSettings(**settings), seed, progress)
    return record | {"calibration": calibrate(predictor, held), "largest": int(held.sites[0, 0])}


def split_families(inputs, settings: dict, seed: int = 0, checkpoint=None, progress=None, workers: int = 2) -> dict:
    """Each family held out in turn: what the shared term space is worth on a Hamiltonian never seen."""
    dataset = inputs["02/dataset"]
    families = list(dict.fromkeys(dataset["family"].tolist()))
    tasks = [{"dataset": str(dataset.path), "family": f, "settings": settings, "seed": seed} for f in families]
    found = map_tasks(one_family, tasks, workers=workers, checkpoint=checkpoint, progress=progress)
    return {"families": dict(zip(families, found, strict=True))}


def one_family(task: Task) -> dict:
    """The record of one held-out family; the worker reads the data set from its file."""
    path = Path(task["dataset"])
    systems = usable(load(path.parents[1], "02/dataset"))
    test = np.array([s.family == task["family"] for s in systems])
    return measure(systems, test, TrainingSettings(**task["settings"]), task["seed"], None)[0]


def train_final(inputs, settings: dict, seed: int = 0, progress: Callable | None = None) -> dict:
    """The predictor that is shipped: trained on every usable system, with the calibration of the random split.

    Returns its arrays under ``weights/<name>`` and its record.
    """
    systems = usable(inputs["02/dataset"])
    chosen = TrainingSettings(**settings)
    table = tabulate(systems, chosen.half_chain_weight)
    predictor = train(table, point_names(systems), chosen, seed, progress)
    predictor.arrays["floor"] = np.asarray(inputs["03/random"]["calibration"], np.float32)
    record = predictor.record | {"systems": len(systems)}
    losses = np.array(record.pop("losses"))
    return {f"{PREFIX}{k}": a for k, a in predictor.arrays.items()} | {"losses": losses, "record": record}


def stored_predictor(result) -> Predictor:
    """The predictor in a stored result of :func:`train_final`."""
    return Predictor(result_arrays(result), result["record"])
