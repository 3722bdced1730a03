"""docs/proxies.md says what was measured on 25 candidates."""

import json
from pathlib import Path

import pytest
from proxy_order import correlations

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proxies.md").read_text(encoding="utf-8")
FOUND = {
    name: json.loads((ROOT / "benchmarks" / "results" / f"proxy_order_{name}.json").read_text())
    for name in ("cifar10_25", "mnist")
}
ROWS = {
    "from scratch, 4 epochs (`standard`)": "from scratch",
    "from scratch, 8 epochs": "from scratch, 2 times",
    "from scratch, 12 epochs": "from scratch, 3 times",
    "from scratch, 4 epochs, twice the learning rate": "twice the rate",
    "from scratch, 4 epochs, four times the learning rate": "four times the rate",
    "the same, half the batch": "four times the rate, half the batch",
    "from a twin, 4 epochs, full precision trains twice as long (`warm`)": "warm start, fp twice",
    "from scratch, 40 epochs, another seed": "as long, another seed",
}


def pair(name, way):
    """Both correlations as the page has them; dashes where a way was not measured."""
    found = FOUND[name]
    if way not in found["short"]:
        return "- | -"
    acc, pgd = correlations(found["short"][way], found["long"])
    assert [acc, pgd] == pytest.approx(found["spearman"][way])
    return f"{acc:.3f} | {pgd:.3f}"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_was_measured(row):
    assert f"| {row} | {pair('cifar10_25', ROWS[row])} | {pair('mnist', ROWS[row])} |" in PAGE.replace("**", "")


def test_the_hint_of_the_page_is_what_was_measured():
    found = FOUND["cifar10_25"]
    shares = {text: (acc, pgd / acc) for text, (acc, pgd) in found["short"]["from scratch"].items()}
    share, pgd = correlations(shares, found["long"])[1], found["spearman"]["from scratch"][1]
    assert f"better than pgd itself does ({share:.3f} instead of {pgd:.3f})" in PAGE


@pytest.mark.parametrize("name", FOUND)
def test_there_are_as_many_candidates_as_the_page_says(name):
    assert len(FOUND[name]["long"]) == 25
    assert FOUND[name]["settings"]["images"] == "2000"
    assert "**25 candidates.**" in PAGE
