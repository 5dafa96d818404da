"""What the project ships is a copy of the accepted results: the predictor's weights and the numbers of the README."""

import numpy as np
import pytest

from qednas.companion import paths, readme, weights
from qednas.companion.store import load
from qednas.errors import InputError
from qednas.qed.predictor import Predictor

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
    assert readme.filled(ROOT, text) == text


def test_readme_blocks_that_do_not_exist_or_do_not_end_are_named():
    with pytest.raises(InputError, match="unknown block results:nosuch"):
        readme.filled(ROOT, "<!-- results:nosuch -->\n<!-- /results:nosuch -->")
    with pytest.raises(InputError, match="results:profiles has no end"):
        readme.filled(ROOT, "<!-- results:profiles -->\n")
