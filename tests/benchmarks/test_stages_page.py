"""docs/stages.md says of rungs what the file of results holds."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "stages.md").read_text()
RESULT = json.loads((ROOT / "benchmarks" / "results" / "rungs.json").read_text())


def test_correlations_are_those_of_the_file():
    found = re.findall(r"\| (single members|pairs|triples) \| (\d+) \| (0\.\d\d) \| (0\.\d\d) \|", PAGE)
    assert len(found) == 3
    for name, n, first, second in found:
        one = RESULT["spearman"][name]
        assert (int(n), first, second) == (one["n"], f"{one['acc@1']:.2f}", f"{one['acc@2']:.2f}")


def test_shares_are_those_of_the_file():
    rows = re.findall(r"\| (\d) \| (0\.\d\d) \| ([01]\.\d{4}) \| ([01]\.\d{4}) \|", PAGE)
    kinds = ("members shared", "members apart", "attacked")
    told = [pair for kind in kinds for pair in RESULT[f"played, {kind}"].items()]
    expected = [
        (name[-1], f"{one['epochs']:.2f}", f"{one['hypervolume']:.4f}", f"{one['least hypervolume']:.4f}")
        for name, one in told
    ]
    assert rows == expected


def test_the_range_of_accuracies_is_that_of_the_file():
    final = [values[-1] for values in RESULT["candidates"].values()]
    assert f"all end between {min(final):.0%} and {max(final):.0%}".replace("%", " %") in PAGE
