"""What the verdict on noise and hardware hands on: the records of :mod:`~studies.ch14.hardware_verdict`."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from qednas.base.statistics import Gain


class Compilation(TypedDict):
    """One circuit on a map: the compilation with the fewest gates of two qubits at one layer."""

    two: float  # gates of two qubits
    depth: float  # in such gates
    median: float  # of these gates over all compilations
    layer: float  # gates of two qubits of every further layer
    layer_depth: float
    one: float  # gates of one qubit


class LayerLimits(TypedDict):
    """What a device has room for."""

    one: float  # chance that no gate of one layer errs
    half: float  # layers until this is below 1/2; the first one is the start too, a fraction below 1 where one layer is too many
    e: float  # the same of 1/e
    needed: float  # error of a gate of two qubits at which four layers have 1/e
    waits: float  # time of one layer over the median T2
    read: float  # chance that all qubits are read rightly


class Survival(TypedDict):
    """What depolarising noise leaves of a circuit: of every strength and depth, means over costs."""

    chance: list[float]  # that no gate and no reading errs
    energy: list[float]  # share that is left above that of any bit string
    energy_sem: list[float]
    near: list[float]  # the same of the chance of the best 5 %
    near_sem: list[float]
    power: dict[str, float]  # {"energy", "near": slope of its logarithm by that of the chance, through 0}


class RoutingCosts(TypedDict):
    """One circuit on the device."""

    counts: dict[str, Compilation]  # {map: ...}
    qubits: int
    overhead: float  # gates on the device over those with all qubits coupled
    routed: float  # the same of Sabre alone, mean over its seeds
    routed_sem: float
    routed_units: int
    limits: LayerLimits
    device: Compilation  # the shorter of Sabre's and the swap network's


class DepthEstimate(TypedDict):
    """Chances of :class:`~studies.ch14.routing.Layers`, means over costs (depths,), and with the errors of a device."""

    ratio: list[float]
    ratio_sem: list[float]
    optimum: list[float]
    optimum_sem: list[float]
    near: list[float]
    near_sem: list[float]
    exact: list[float]
    exact_sem: list[float]
    feasible: list[float]
    feasible_sem: list[float]
    estimated: dict[str, list[float]]  # {errors and ``_sem``: near, see :func:`chance_with_errors`}


class AnglesReadMeans(TypedDict):
    """Quality of the samples at some angles, means over costs and ``_sem``."""

    noisy: dict[str, float]
    true: dict[str, float]


class TunedMeans(TypedDict):
    """Angles tuned with noise against those tuned without, means over costs, in standard deviations of the cost."""

    moved: float  # relative change of the angles
    moved_sem: float
    transferred: AnglesReadMeans
    own: AnglesReadMeans
    gain: float  # in the energy with noise
    gain_sem: float
    loss: float  # in the one without
    loss_sem: float


class NoiseMeans(TypedDict):
    """:class:`~studies.ch14.noise.NoisyRun`, means over costs."""

    samples: dict[str, list[float]]  # {quantity and ``_sem``: (depths,)}
    tuned: NotRequired[TunedMeans]
    uniform: dict[str, float]


class RecoveredMeans(TypedDict):
    """:class:`~studies.ch14.mitigation.RecoveredEnergy`, means over costs."""

    recovered: list[list[float]]  # (methods, shots)
    recovered_sem: list[list[float]]
    error: list[list[float]]  # (methods, shots)
    error_sem: list[list[float]]
    loss: float
    loss_sem: float


class TuningMeans(TypedDict):
    """:class:`~studies.ch14.mitigation.TunedByEstimates`, means over costs."""

    near: list[list[float]]  # (tuners, shots)
    near_sem: list[list[float]]
    optimum: list[list[float]]  # (tuners, shots)
    optimum_sem: list[list[float]]
    true: list[list[float]]  # (tuners, shots)
    true_sem: list[list[float]]
    best: dict[str, float]  # {quantity and ``_sem``}
    shipped: dict[str, float]
    uniform: dict[str, float]


class MitigationMeans(TypedDict):
    """Of every circuit and noise."""

    recovery: dict[str, dict[str, RecoveredMeans]]  # {circuit and depth: {noise: ...}}
    tuning: dict[str, dict[str, TuningMeans]]  # {circuit: {noise: ...}}


class Recovery(TypedDict):
    """What LIBRARY_DEFAULT recovers over all circuits and costs with the noise of the device, means over seeds."""

    recovered: float  # with the most shots
    recovered_sem: float
    recovered_units: int
    error_few: float  # with the fewest shots
    error_few_sem: float
    error_few_units: int
    error_many: float  # with the most
    error_many_sem: float
    error_many_units: int
    few: int  # shots
    many: int
    best_few: str  # of all methods that with the smallest error
    best_many: str


class HardwareSummary(TypedDict):
    """What is shown of noise and hardware."""

    routing: dict[str, dict[str, RoutingCosts]]  # {choices: {circuit: ...}}
    survival: dict[str, Survival]  # {circuit: ...}
    depth: dict[str, DepthEstimate]  # {"mixer, encoding, choices": ...}
    noise: dict[str, dict[str, NoiseMeans]]  # {circuit: {noise: ...}}
    mitigation: MitigationMeans
    recovery: Recovery
    tests: dict[str, Gain]  # of :func:`paired_tests`


class HardwareVerdict(TypedDict):
    """What the measurements on noise and hardware say."""

    summary: HardwareSummary
    p: dict[str, float]  # {test: raw, Wilcoxon}
