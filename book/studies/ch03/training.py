"""Training the predictor's corrections (torch) on exact systems of 10 to 16 sites, and measuring them on others."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from types import ModuleType
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.qed.predictor.correction import (
    LAYERS,
    LOGARITHMIC,
    OFFSETS,
    OUTPUTS,
    PER_PROXY,
    RATES,
    SHARED,
    UNITS,
    corrected,
    lengths,
    network,
)
from qednas.qed.predictor.inputs import GLOBAL, LOCAL
from qednas.qed.predictor.predictor import Calibration, Predictor, fade_correction, refine_shapes
from studies.ch02.dataset import Sample

if TYPE_CHECKING:
    import torch

BOOTSTRAPS = 200
LONGER = 4.0
ENDS, END_WEIGHT = 3, 0.3  # cuts closer than ENDS to an end count less
HUBER = 0.02  # relative error from which on the loss is linear


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a training run; the last ones are for ablations."""

    width: int = 96  # hidden units per layer
    members: int = 5  # ensemble size; each member sees its own bootstrap of the points
    epochs: int = 110
    batch: int = 1024  # cuts per step
    learning_rate: float = 6e-3  # Adam, one cycle
    weight_decay: float = 1e-3
    half_chain_weight: float = 8.0  # the central cut is what is asked for most
    drift: float = 0.2  # weight of what a correction changes in a chain LONGER times as long with the same mean field
    mean_field: bool = True  # False: the base is zero and the network has to find everything
    local: bool = True  # False: disordered chains are seen by averages only
    growth: bool = True  # False: corrections do not grow with the size


@dataclass(frozen=True)
class Table:
    """Cuts as rows: x (rows, GLOBAL + LOCAL), base and target (rows, 5), gate, grows, sites, cut, weight, half (rows,), and
    ``system`` (rows,), the place of the system in the list it was made from."""

    x: np.ndarray
    base: np.ndarray
    target: np.ndarray
    gate: np.ndarray
    grows: np.ndarray
    sites: np.ndarray
    cut: np.ndarray
    weight: np.ndarray
    half: np.ndarray
    system: np.ndarray

    def take(self, rows: np.ndarray) -> Table:
        return Table(*(getattr(self, f.name)[rows] for f in fields(self)))

    def of(self, systems: np.ndarray) -> Table:
        """The rows of the systems in the mask (systems,)."""
        return self.take(systems[self.system])

    @property
    def half_chain(self) -> Table:
        return self.take(self.half)


def tabulate(systems: Sequence[Sample], known, settings: TrainingSettings | None = None) -> Table:
    """All cuts of the systems that are corrected.  known: arrays of :func:`studies.ch03.inputs.tabulate_inputs`, same
    order."""
    settings = settings or TrainingSettings()
    gate, grows, row = (np.asarray(known[name]) for name in ("gate", "grows", "row"))
    sites = np.array([s.sites for s in systems])
    owner = np.repeat(np.arange(len(systems)), sites - 1)
    cut = np.concatenate([np.arange(1, n) for n in sites])
    target = np.concatenate([s.proxies for s in systems])
    keep = gate[owner] > 0
    owner, cut, target = owner[keep], cut[keep], target[keep].astype(float)
    half = cut == sites[owner] // 2
    local = np.asarray(known["local"], float)
    table = Table(
        x=np.concatenate([row[owner], local if settings.local else 0 * local], 1),
        base=np.asarray(known["base"], float),
        target=target,
        gate=gate[owner].astype(float),
        grows=grows[owner].astype(float),
        sites=sites[owner].astype(float),
        cut=cut.astype(float),
        weight=np.where(
            half, settings.half_chain_weight, np.where(np.minimum(cut, sites[owner] - cut) < ENDS, END_WEIGHT, 1.0)
        ),
        half=half,
        system=owner,
    )
    if not settings.mean_field:
        table = replace(
            table, base=0 * table.base, gate=1 + 0 * table.gate, grows=1 + 0 * table.grows, x=table.x * ~is_mean_field()
        )
    return table if settings.growth else replace(table, grows=0 * table.grows)


def is_mean_field() -> np.ndarray:
    """Mask of the columns of x that come from the mean field."""
    return np.arange(len(GLOBAL) + len(LOCAL)) >= len(GLOBAL) - 2


def drift(theta, gate, grows, sites, cut, factor: float, xp: ModuleType):
    """How much the corrections change when the chain is ``factor`` times as long and its base is the same
    (members, batch, 5), alternation left out.  Shares of small entropies count in full: those are gapped chains, whose
    corrections have the least reason to drift."""
    xi, _, reach, chord, _ = lengths(theta, sites, cut, xp)
    columns = []
    for k, logarithmic in enumerate(LOGARITHMIC):
        first = SHARED + PER_PROXY * k
        c1, c3 = theta[..., first + 1], theta[..., first + 3]
        change = 0.0
        for step, sign in ((factor, 1.0), (1.0, -1.0)):
            length = -0.5 * xp.log((step * chord) ** -2 + xi**-2)
            growth = length if logarithmic else 1 / (1 + xp.clip(length, -0.5, None))
            bounded = (1 - grows) * RATES[k] / UNITS[k] * (xp.log(step * chord) - length)
            change = change + sign * (grows * c1 * growth + c3 * xp.exp(-step * chord / reach) - bounded)
        columns.append(gate * UNITS[k] * change)
    return xp.stack(columns, -1)


def starting_weights(inputs: int, settings: TrainingSettings, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Tensors ``w0``, ``b0``, ... (members, from, to) and (members, 1, to) of an ensemble; the last layer starts small."""
    import torch

    sizes = [inputs] + [settings.width] * (LAYERS - 1) + [OUTPUTS]
    weights = {}
    for k in range(LAYERS):
        shape = (settings.members, sizes[k], sizes[k + 1])
        gain = 0.1 if k + 1 == LAYERS else 1.0
        weights[f"w{k}"] = torch.randn(shape, generator=generator) * sizes[k] ** -0.5 * gain
        weights[f"b{k}"] = torch.zeros(settings.members, 1, sizes[k + 1])
    for value in weights.values():
        value.requires_grad_(True)
    return weights


def batch_loss(
    weights: dict[str, torch.Tensor], cuts: Mapping[str, torch.Tensor], rows: torch.Tensor, strength: float
) -> torch.Tensor:
    """Huber loss of relative errors over these rows, each member with its own weights of the points; with ``strength`` what a
    correction changes in a longer chain with the same mean field.

    cuts: tensors ``x``, ``base``, ``gate``, ``grows``, ``sites``, ``cut``, ``target``, ``scale``, and ``weight`` (members, rows).
    """
    import torch

    theta = network(weights, cuts["x"][rows], torch)
    base, gate, grows, sites, cut = (cuts[name][rows] for name in ("base", "gate", "grows", "sites", "cut"))
    scale, weight = cuts["scale"][rows], cuts["weight"][:, rows]
    error = (corrected(theta, base, gate, grows, sites, cut, torch) - cuts["target"][rows]) / scale
    huber = torch.where(error.abs() < HUBER, error**2 / (2 * HUBER), error.abs() - HUBER / 2).sum(-1)  # (members, rows)
    if strength:
        change = drift(theta, gate, grows, sites, cut, LONGER, torch) / scale
        huber = huber + strength * change.abs().sum(-1)
    return (huber * weight).sum() / weight.sum().clamp_min(1.0)


def train(
    table: Table,
    groups: np.ndarray,
    known_rows: np.ndarray,
    settings: TrainingSettings | None = None,
    seed: int = 0,
    progress=None,
) -> Predictor:
    """Fit an ensemble on every row of ``table``.

    groups (rows,): which point each row belongs to; the bootstrap draws whole points.  known_rows (n, GLOBAL): couplings
    of everything the training set covers, for the domain check.
    """
    import torch

    torch.set_num_threads(1)
    settings = settings or TrainingSettings()
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    centre, spread = table.x.mean(0), np.maximum(table.x.std(0), 1e-2)
    low, high = (table.x.min(0) - centre) / spread, (table.x.max(0) - centre) / spread
    names, where = np.unique(groups, return_inverse=True)
    draws = np.array(
        [rng.multinomial(len(names), np.full(len(names), 1 / len(names))) for _ in range(settings.members)]
    )
    arrays = {name: getattr(table, name) for name in ("base", "gate", "grows", "sites", "cut", "target")}
    arrays |= {
        "x": (table.x - centre) / spread,
        "scale": np.abs(table.target) + OFFSETS,
        "weight": draws[:, where] * table.weight,
    }
    cuts = {name: torch.tensor(array, dtype=torch.float32) for name, array in arrays.items()}
    count = len(table.x)
    weights = starting_weights(table.x.shape[1], settings, generator)
    optimiser = torch.optim.AdamW(weights.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-count // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
    start, losses = time.perf_counter(), []
    for epoch in range(settings.epochs):
        total = 0.0
        for rows in torch.randperm(count, generator=generator).split(settings.batch):
            loss = batch_loss(weights, cuts, rows, settings.drift)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(weights.values()), 5.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        losses.append(total / count)
        if progress:
            progress(epoch + 1, settings.epochs, f"training, loss {losses[-1]:.4f}")
    record = {"settings": asdict(settings), "seed": seed, "seconds": time.perf_counter() - start, "losses": losses}
    fitted = {name: value.detach().numpy() for name, value in weights.items()}
    fitted |= {"centre": centre, "spread": spread, "low": low, "high": high}
    fitted |= Calibration().arrays() | {name: np.ones(shape) for name, shape in refine_shapes().items()}
    # half precision is plenty for a distance; equal couplings at several sizes are one point
    points = (known_rows - centre[: len(GLOBAL)]) / spread[: len(GLOBAL)]
    fitted["known"] = np.unique(points.astype(np.float16), axis=0)
    return Predictor({name: a if a.dtype == np.float16 else a.astype(np.float32) for name, a in fitted.items()}, record)


def answers(predictor: Predictor, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Predicted proxies and their standard deviations (rows, 5) of every row, as :meth:`Predictor.profile` gives them."""
    mean, std = predictor.proxies(table.x, table.base, table.gate, table.grows, table.sites, table.cut)
    trust = predictor.trust(table.x[:, : len(GLOBAL)])[:, None]
    return fade_correction(mean, std, table.base, trust)


class ErrorSummary(TypedDict):
    """Figures of one proxy over systems, each with its standard error (bootstrap over systems)."""

    relative_median: float  # of |error| / |truth|
    relative_median_sem: float
    relative_p95: float
    relative_p95_sem: float
    median: float  # of |error| / (|truth| + offset)
    median_sem: float
    p95: float
    p95_sem: float
    covered: NotRequired[float]  # share inside the 90 % interval, where there is one
    covered_sem: NotRequired[float]


def error_summary(
    mean: np.ndarray, truth: np.ndarray, offset: float, std: np.ndarray | None = None, seed: int = 0
) -> ErrorSummary:
    """Errors of one proxy; arrays (n,).  std: half width of the 90 % interval."""
    error = np.abs(mean - truth)
    columns = np.stack([error / np.maximum(np.abs(truth), 1e-9), error / (np.abs(truth) + offset)])
    columns = np.concatenate([columns, [error <= (np.zeros_like(error) if std is None else std)]])  # (3, n)
    draws = np.random.default_rng(seed).integers(len(error), size=(BOOTSTRAPS, len(error)))

    def figures(c: np.ndarray) -> np.ndarray:  # (3, ..., n) -> (5, ...)
        inside = [c[2].mean(-1)]
        return np.stack([f for k in (0, 1) for f in (np.median(c[k], -1), np.quantile(c[k], 0.95, axis=-1))] + inside)

    values, sem = figures(columns), figures(columns[:, draws]).std(-1)
    out: dict[str, float] = {}
    names = ("relative_median", "relative_p95", "median", "p95", "covered")
    for name, value, error_bar in zip(names, values, sem, strict=True):
        if name != "covered" or std is not None:
            out |= {name: float(value), f"{name}_sem": float(error_bar)}
    return cast(ErrorSummary, out)


def summaries(
    mean: np.ndarray, truth: np.ndarray, std: np.ndarray | None = None, seed: int = 0
) -> dict[str, ErrorSummary]:
    """:func:`error_summary` of every proxy; arrays (n, 5)."""
    return {
        name: error_summary(mean[:, k], truth[:, k], OFFSETS[k], None if std is None else std[:, k], seed)
        for k, name in enumerate(PROXIES)
    }
