"""Training the entanglement predictor (torch) and measuring it on held-out systems."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np

from qednas.physics.entanglement import PROXIES
from qednas.qed.dataset import Sample
from qednas.qed.predictor import Predictor
from qednas.qed.scaling_form import LAYERS, OFFSETS, OUTPUTS, network, scaling_form
from qednas.qed.term_space import features

COVERAGE = 0.683  # of one standard deviation
BOOTSTRAPS = 200


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a training run."""

    width: int = 96  # hidden units per layer
    members: int = 5  # ensemble size; each member sees its own bootstrap of the points
    epochs: int = 400
    batch: int = 256  # systems per step
    learning_rate: float = 3e-3  # Adam, cosine to zero
    weight_decay: float = 1e-4
    half_chain_weight: float = 4.0  # the central cut is what is asked for most


@dataclass(frozen=True)
class Table:
    """Systems as padded arrays: features (n, f), sites (n, 1), cut (n, c), target (n, c, 5), weight (n, c)."""

    features: np.ndarray
    sites: np.ndarray
    cut: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    def take(self, rows: np.ndarray) -> Table:
        return Table(*(getattr(self, name)[rows] for name in ("features", "sites", "cut", "target", "weight")))


def tabulate(systems: list[Sample], half_chain_weight: float = 1.0) -> Table:
    """Arrays of all systems; the outermost cuts get no weight (their size is a lattice matter), padding none either."""
    widest = max(s.sites for s in systems) - 1
    cut = np.ones((len(systems), widest))
    target = np.zeros((len(systems), widest, len(PROXIES)))
    weight = np.zeros((len(systems), widest))
    for i, s in enumerate(systems):
        cut[i, : s.sites - 1] = np.arange(1, s.sites)
        target[i, : s.sites - 1] = s.proxies
        weight[i, 1 : s.sites - 2] = 1.0
        weight[i, s.sites // 2 - 1] = half_chain_weight
    rows = np.array([features(s.hamiltonian()) for s in systems])
    return Table(rows, np.array([[s.sites] for s in systems], float), cut, target, weight)


def train(table: Table, groups: np.ndarray, settings: TrainingSettings, seed: int = 0, progress=None) -> Predictor:
    """Fit an ensemble on every row of ``table``.

    groups: (n,) which point each system belongs to; the bootstrap draws whole points.
    """
    import torch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    centre = table.features.mean(0)
    spread = np.maximum(table.features.std(0), 1e-3)
    x = torch.tensor((table.features - centre) / spread, dtype=torch.float32)
    sites, cut = torch.tensor(table.sites, dtype=torch.float32), torch.tensor(table.cut, dtype=torch.float32)
    target = torch.tensor(table.target, dtype=torch.float32)
    scale = torch.tensor(np.abs(table.target) + OFFSETS, dtype=torch.float32)
    names, where = np.unique(groups, return_inverse=True)
    draws = np.array(
        [rng.multinomial(len(names), np.full(len(names), 1 / len(names))) for _ in range(settings.members)]
    )
    weight = torch.tensor(draws[:, where, None] * table.weight, dtype=torch.float32)  # (members, n, cuts)

    sizes = [x.shape[1]] + [settings.width] * (LAYERS - 1) + [OUTPUTS]
    weights = {}
    for k in range(LAYERS):
        shape = (settings.members, sizes[k], sizes[k + 1])
        weights[f"w{k}"] = (
            torch.randn(shape, generator=generator) * sizes[k] ** -0.5 * (0.3 if k + 1 == LAYERS else 1.0)
        )
        weights[f"b{k}"] = torch.zeros(settings.members, 1, sizes[k + 1])
    for tensor in weights.values():
        tensor.requires_grad_(True)
    optimiser = torch.optim.AdamW(weights.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(x) // settings.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    start, losses = time.perf_counter(), []
    for epoch in range(settings.epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(settings.batch):
            value = scaling_form(network(weights, x[rows], torch), sites[rows], cut[rows], torch)
            error = (value - target[rows]) / scale[rows]
            huber = torch.where(error.abs() < 0.1, 5 * error**2, error.abs() - 0.05).sum(-1)  # (members, batch, cuts)
            loss = (huber * weight[:, rows]).sum() / weight[:, rows].sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(weights.values()), 5.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        losses.append(total / len(x))
        if progress:
            progress(epoch + 1, settings.epochs, f"training, loss {losses[-1]:.4f}")
    arrays = {name: tensor.detach().numpy() for name, tensor in weights.items()}
    arrays |= {
        "centre": centre.astype(np.float32),
        "spread": spread.astype(np.float32),
        "floor": np.zeros(len(PROXIES), np.float32),
    }
    # half precision is plenty for a distance; equal couplings at several sizes are one point
    arrays["known"] = np.unique(((table.features - centre) / spread).astype(np.float16), axis=0)
    record = {"settings": asdict(settings), "seed": seed, "seconds": time.perf_counter() - start, "losses": losses}
    return Predictor(arrays, record)


def half_chain_table(predictor: Predictor, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted, standard deviation and true proxies (n, 5) at the half-chain cut of every row."""
    rows = np.arange(len(table.sites))
    half = (table.sites[:, 0] // 2).astype(int)
    mean, std = predictor.proxies(table.features, table.sites, half[:, None].astype(float))
    return mean[:, 0], std[:, 0], table.target[rows, half - 1]


def calibrate(predictor: Predictor, held_out: Table) -> np.ndarray:
    """The relative error floor (5,) to be added in quadrature to the ensemble spread, so that one standard deviation
    covers 68.3 % of the held-out half-chain values."""
    mean, spread, truth = half_chain_table(predictor, held_out)
    floor = np.zeros(len(PROXIES))
    for k in range(len(PROXIES)):
        error, size = np.abs(mean[:, k] - truth[:, k]), np.abs(mean[:, k]) + OFFSETS[k]
        # the floor that just covers one system; its quantile over systems covers the wanted share of them
        needed = np.sqrt(np.maximum(error**2 - spread[:, k] ** 2, 0)) / size
        floor[k] = np.quantile(needed, COVERAGE)
    return floor


def errors(predictor: Predictor, table: Table, seed: int = 0) -> dict:
    """Half-chain errors on ``table``, per proxy: median and 95th percentile of |error| / (|value| + offset), mean absolute
    error, share inside one predicted standard deviation; each with its standard error (bootstrap over systems)."""
    mean, std, truth = half_chain_table(predictor, table)
    return {name: error_summary(mean[:, k], std[:, k], truth[:, k], OFFSETS[k], seed) for k, name in enumerate(PROXIES)}


def error_summary(
    mean: np.ndarray, std: np.ndarray, truth: np.ndarray, offset: float, seed: int = 0
) -> dict[str, float]:
    """The figures of :func:`errors` for one proxy; mean, std and truth have shape (n,)."""
    error = np.abs(mean - truth)
    columns = np.stack([error / (np.abs(truth) + offset), error, error <= std])  # (3, n)
    draws = np.random.default_rng(seed).integers(len(error), size=(BOOTSTRAPS, len(error)))

    def figures(c: np.ndarray) -> np.ndarray:  # (3, ..., n) -> (4, ...)
        return np.stack([np.median(c[0], -1), np.quantile(c[0], 0.95, axis=-1), c[1].mean(-1), c[2].mean(-1)])

    values, sem = figures(columns), figures(columns[:, draws]).std(-1)
    out: dict[str, float] = {}
    for name, value, error_bar in zip(("median", "p95", "mean_absolute", "covered"), values, sem, strict=True):
        out |= {name: float(value), f"{name}_sem": float(error_bar)}
    return out
