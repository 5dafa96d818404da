"""The parts of README.md that show results, written from results/paper between their markers, never by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.progress import note
from qednas.companion import paths, profiles
from qednas.companion.ledger import claims
from qednas.companion.ledger.ledger import score
from qednas.companion.results.store import Result, Store, load, names

FIGURES = (  # result folder and name of the figures that the README shows, with the text for those who cannot see them
    ("04", "targets", "Predicted against reference entanglement of the large targets, one marker per class."),
    ("07", "errors", "Energy errors of discovered architectures, single blocks and other searches on every target."),
    ("03", "splits", "Error of the predicted entropy on each held-out part."),
    ("05", "published", "Relative energy errors of trained building blocks beside published ones."),
    (
        "13",
        "regrets",
        "Regret against evaluations for quantum and classical searches on three tables of trained networks.",
    ),
    (
        "14",
        "fronts",
        "Accuracy against what networks take on a device: three spaces, their Pareto fronts, what was found.",
    ),
    ("09", "ten", "Test errors of ten classes against trained parameters, six ways to generate weights."),
    ("02", "lines", "Half-chain entropy along the one-parameter families."),
)
EXPECTED = (  # what a rerun should find: result, key, what it is, format
    ("02/dataset", "sites", "systems in the data set", "count"),
    ("03/random", "errors.entropy.relative_median", "held-out points: median relative error of the entropy", "percent"),
    ("03/sizes", "sizes.16.errors.entropy.relative_median", "16 sites, trained to 12: the same", "percent"),
    ("04/targets", "compared", "large targets with a converged reference", "number"),
    ("04/targets", "summary.all.predicted.entropy.relative_median", "large targets: the same", "percent"),
    (
        "04/targets",
        "summary.corrected.predicted.entropy.relative_median",
        "large targets whose mean field is not exact: the same",
        "percent",
    ),
    ("04/targets", "summary.corrected.predicted.entropy.covered", "of these, inside the 90 % interval", "percent"),
    ("07/verdict", "summary.share_better_than_blocks", "targets on which the search beats every block", "percent"),
    (
        "09/verdict",
        "summary.least",
        "two classes from 286 parameters: the lower test accuracy of two data sets",
        "percent",
    ),
    ("09/verdict", "ten.mnist.circuit.688.accuracy", "ten classes of MNIST from at most 688 parameters", "percent"),
    ("12/verdict", "summary.near", "measurements of QAOA at 8 layers among the best 1 % of a fitted cost", "percent"),
    ("13/verdict", "regret.cifar100.QAOA.mean", "CIFAR-100: regret after 200 evaluations guided by QAOA", "points"),
    (
        "13/counterparts",
        "rows.images.evolution.gain",
        "images: test accuracy of what QAOA ends with, above that of evolution",
        "points",
    ),
    (
        "14/verdict",
        "summary.recovery.recovered",
        "energy lost to a device's noise that mitigation brings back",
        "percent",
    ),
    (
        "14/parameters",
        "summary.evolution.QAOA.saved",
        "fewer parameters than evolution finds, at a score that looks as good",
        "percent",
    ),
)
SHOWN: Mapping[str, Callable[[Any], str]] = {
    "count": lambda rows: f"{len(rows):,}",
    "number": str,
    "percent": "{:.1%}".format,
    "points": "{:.2f} points".format,
}


def found(root: Path) -> str:
    """What was found, a paragraph of numbers from the results for every paper, and the count of verdicts."""
    committed = paths.paper_results(root)
    rows = claims.evaluate(Store(committed, mode="render", profile="paper"), root / "book" / "claims.yml")
    random, large = load(committed, "03/random"), load(committed, "04/targets")
    every, hard = (large["summary"][group] for group in ("all", "corrected"))
    median = {m: hard[m]["entropy"]["relative_median"] for m in ("predicted", "refined", "mean_field", "largest")}
    return (
        "**Found so far.**\n\n- **QED-NAS.** Couplings tell entanglement when physics does the extrapolating. The predictor is a "
        "mean field at the size that is asked for, corrected by a network trained on 10 to 16 sites. Of "
        f"{every['targets']} targets of 50 to 200 sites the mean field is exact on {every['targets'] - hard['targets']}. On the "
        f"other {hard['targets']} the median relative error of the entropy is {median['predicted']:.1%} (95th percentile "
        f"{hard['predicted']['entropy']['relative_p95']:.0%}; mean field alone {median['mean_field']:.1%}; with exact results at "
        f"10 to 14 sites {median['refined']:.1%}), and the 90 % intervals hold {hard['predicted']['entropy']['covered']:.0%}. "
        f"Simply taking the exact value of the same chain at 16 sites is off by {median['largest']:.1%}. At new points of 10 "
        f"to 16 sites the predictor is off by {random.at('errors.entropy.relative_median'):.1%}. {searched(committed)}\n"
        f"- **DiffQAS-QT.** {generated(committed)}\n- **Q-NAS.** {guided(committed)} {deployed(committed)}\n\n"
        "A p value above is that of one comparison; the verdicts correct them for all tests that answer the same question.\n\n"
        f"Verdicts: {score(rows)}; what is true or false by construction is not counted."
    )


def searched(committed: Path) -> str:
    """What the search for architectures is worth, in two sentences."""
    small, large = load(committed, "06/small"), load(committed, "07/verdict")
    summary = large["summary"]
    gains = [
        (large["compared"][method]["gain"], large["compared"][method]["p"]) for method in ("energy only", "random")
    ]
    told = [f"{math.exp(gain):.2f} (p = {p:.2g})" for gain, p in gains]
    return (
        f"On {len(large['rows'])} targets at equal cost, networks that the search discovers are better in energy than every "
        f"single block on {summary['share_better_than_blocks']:.0%}; errors of the same search without entanglement are "
        f"{told[0]} times as large, of random search {told[1]} times. Among all architectures of short chains the choice of the "
        f"supernet ranks at {small.at('summary.median_rank'):.2f} (0 is the best, 0.5 chance)."
    )


def generated(committed: Path) -> str:
    """What generated weights are worth, in two sentences."""
    verdict = load(committed, "09/verdict")
    two, ten = (verdict.at(f"summary.{name}") for name in ("over_random", "circuit_over_random"))
    p = [verdict["p"][name] for name in ("over_random", "circuit_over_random")]
    return (
        f"A searched quantum circuit generates 108,866 weights from 286 parameters at {verdict.at('summary.least'):.1%} test "
        f"accuracy (the lower of MNIST and Fashion-MNIST, classes 1 and 5). Random probabilities in place of the circuit, at as "
        f"many parameters, differ from it by {-100 * two['gain']:+.2f} ± {100 * two['gain_sem']:.2f} points there (p = "
        f"{p[0]:.2g}) and by {-100 * ten['gain']:+.2f} ± {100 * ten['gain_sem']:.2f} on ten classes (p = {p[1]:.2g})."
    )


def guided(committed: Path) -> str:
    """What quantum optimisers are worth in the search, in two sentences."""
    verdict, own = load(committed, "13/verdict"), load(committed, "13/counterparts")

    def told(other: str, name: str) -> str:
        own = verdict["summary"][other]["regret"]
        return f"{own['gain']:+.2f} ± {own['gain_sem']:.2f} points ({name}, p = {verdict['p'][f'{other} regret']:.2g})"

    others = {
        "evolution": "regularised evolution",
        "random": "random search",
        "exact argmax": "a classical argmax of the same fitted costs",
    }
    gains = [told(*pair) for pair in others.items()]
    rows = {"images": "points on images", "sensors": "points on series", "language": "% of the perplexity on words"}
    listed = ", ".join(
        f"{own['rows'][space]['evolution']['gain']:+.2f} ± {own['rows'][space]['evolution']['gain_sem']:.2f} {unit} "
        f"(p = {own['p'][f'{space} evolution']:.2g})"
        for space, unit in rows.items()
    )
    return (
        "On three tables of trained networks a search guided by simulated QAOA beats others at as many evaluations by "
        f"{gains[0]}, {gains[1]} and {gains[2]}: where p is not small, no advantage is shown. On test data of networks trained "
        f"here it is above evolution by {listed}."
    )


def deployed(committed: Path) -> str:
    """What is left of it on devices, in two sentences."""
    verdict, saved = load(committed, "14/verdict"), load(committed, "14/parameters")
    brought, sampled = (verdict.at(f"summary.{key}") for key in ("recovery", "tests.mitigated"))
    own = saved.at("summary.evolution.QAOA")
    return (
        "Of the energy that the noise of a present device takes from small circuits, error mitigation brings back "
        f"{100 * brought['recovered']:.0f} ± {100 * brought['recovered_sem']:.0f}%; samples tuned by it change by "
        f"{100 * sampled['gain']:+.2f} ± {100 * sampled['gain_sem']:.2f} points of the chance of the best 5 % (p = "
        f"{verdict['p']['mitigated']:.2g}). Within hard budgets it finds networks with {100 * own['saved']:.0f} ± "
        f"{100 * own['saved_sem']:.0f}% fewer parameters than evolution does, and their test accuracy differs by "
        f"{own['gained']:+.2f} ± {own['gained_sem']:.2f} points."
    )


def expected(root: Path) -> str:
    """The table of expected values, with tolerance class and the seconds each result took."""
    lines = ["| result file | what | expected | tolerance | seconds |", "|---|---|---|---|---|"]
    for name, key, text, kind in EXPECTED:
        result = load(paths.paper_results(root), name)
        value = result.at(key)
        shown = SHOWN[kind](value)
        lines.append(
            f"| `results/paper/{name}.json` | {text} | {shown} | {_class(result, key)} | {result.provenance['seconds']:.0f} |"
        )
    return "\n".join(lines)


def _class(result: Result, key: str) -> str:
    from qednas.companion.results.tolerance import tolerance_class

    return tolerance_class(result.tolerance, key)


def times(root: Path) -> str:
    """Measured time and memory of each chapter of the paper profile."""
    committed = paths.paper_results(root)
    lines = ["| chapter | seconds measured | peak memory (MB) |", "|---|---|---|"]
    for number in profiles.chapters(root):
        own = [load(committed, name) for name in names(committed) if name.startswith(f"{number}/")]
        if own:
            seconds = sum(r.provenance["seconds"] for r in own)
            memory = max(r.provenance["peak_memory_mb"] for r in own)
            lines.append(f"| {number} {profiles.chapter_info(root, number).title} | {seconds:.0f} | {memory:.0f} |")
    return "\n".join(lines)


def figures(root: Path) -> str:
    """The best figures, from the files beside their results."""
    out = []
    for folder, name, alt in FIGURES:
        made = [
            p for p in sorted((paths.paper_results(root) / folder).glob(f"{name}.*")) if p.suffix in (".svg", ".png")
        ]
        if not made:
            raise InputError(f"README shows figure {folder}/{name}, which results/paper does not have")
        out.append(f"![{alt}]({made[0].relative_to(root).as_posix()})")
    return "\n\n".join(out)


SECTIONS: Mapping[str, Callable[[Path], str]] = {
    "found": found,
    "profiles": times,
    "targets": expected,
    "figures": figures,
}


def filled(root: Path, text: str) -> str:
    """README text with every `<!-- results:NAME -->` ... `<!-- /results:NAME -->` block written anew.

    Raises InputError for a block without its end or with an unknown name.
    """
    for name in re.findall(r"<!-- results:(\w+) -->", text):
        if name not in SECTIONS:
            raise InputError(f"README.md: unknown block results:{name}; there are {', '.join(SECTIONS)}")
        block = re.compile(rf"<!-- results:{name} -->.*?<!-- /results:{name} -->", re.DOTALL)
        if not block.search(text):
            raise InputError(f"README.md: block results:{name} has no end")
        body = f"<!-- results:{name} -->\n{SECTIONS[name](root)}\n<!-- /results:{name} -->"
        text = block.sub(body.replace("\\", r"\\"), text)
    return text


def write(root: Path) -> None:
    """Bring README.md up to the committed results, once every result that it shows has been accepted."""
    known = set(names(paths.paper_results(root)))
    if missing := sorted({name for name, *_ in EXPECTED} - known):
        note(f"README.md stays as it is until {', '.join(missing)} is accepted")
        return
    path = root / "README.md"
    write_atomic(path, filled(root, path.read_text(encoding="utf-8")).encode())
