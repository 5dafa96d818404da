"""What the project ships is a copy of the accepted results: the predictor's weights and the numbers of the README."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.companion import paths, profiles, readme, weights
from qednas.companion.results.store import load
from qednas.qed.predictor.predictor import Predictor

ROOT = paths.project_root()


def test_shipped_weights_are_those_of_the_committed_result():
    for file, name in weights.SHIPPED.items():
        result = load(paths.paper_results(ROOT), name)
        shipped, stored = Predictor.load(ROOT / file), weights.result_arrays(result)
        assert shipped.record["digest"] == result.digest
        assert set(shipped.arrays) == set(stored)
        for key, array in stored.items():
            np.testing.assert_array_equal(shipped.arrays[key], array)


def test_readme_shows_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.fill_blocks(ROOT, text) == text


def test_readme_blocks_that_do_not_exist_or_do_not_end_are_named():
    with pytest.raises(InputError, match="unknown block results:nosuch"):
        readme.fill_blocks(ROOT, "<!-- results:nosuch -->\n<!-- /results:nosuch -->")
    with pytest.raises(InputError, match="results:profiles has no end"):
        readme.fill_blocks(ROOT, "<!-- results:profiles -->\n")


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("02/dataset | sites", "is not {result | key | format}"),
        ("02/dataset | nosuch | d", "02/dataset has no value 'nosuch'"),
        ("02/nosuch | sites | d", "nosuch"),
        ("04/targets | compared | twice | d", "could not convert string to float: 'twice'"),
        ("04/targets | compared | .1q", "Unknown format code 'q'|Invalid format specifier"),
    ],
)
def test_a_place_for_a_value_that_cannot_be_filled_is_named(place, problem):
    with pytest.raises(InputError, match=problem.replace("|", r"\|") if "{" in problem else problem):
        readme.with_values(paths.paper_results(ROOT), f"before {{{place}}} after")


def test_values_are_changed_as_their_place_says():
    committed = paths.paper_results(ROOT)
    value = load(committed, "04/targets")["compared"]
    assert readme.with_values(committed, "{04/targets | compared | -100 | +.0f} of it") == f"{-100 * value:+.0f} of it"
    rows = load(committed, "02/dataset")["sites"]
    assert readme.with_values(committed, "{02/dataset | sites | count | ,}") == f"{len(rows):,}"


def test_reported_searches_have_the_settings_that_were_best_on_the_development_table():
    """The rule that chapter 13 tells: the lowest regret over the course of the search, of each method."""
    settings = profiles.chapter_info(ROOT, "13").for_profile("paper")
    tried, kept = settings["development"]["searches"], settings["searches"]["searches"]
    curves = load(paths.paper_results(ROOT), "13/development")["curves"]["cifar10"]
    methods = {name.split(",")[0] for name in tried} - {
        "exact argmax",
        "uniform shots",
    }  # these share their fits with others
    assert len(methods) == 10
    for method in methods:
        own = [name for name in tried if name.split(",")[0] == method]
        best = min(own, key=lambda name: curves[name]["incumbent"].mean(dtype=float))
        assert kept[method] == tried[best]
