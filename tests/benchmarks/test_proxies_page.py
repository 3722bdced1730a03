"""docs/proxies.md says what was measured on 25 candidates."""

import json
from pathlib import Path

import pytest
from proxy_order import correlations

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proxies.md").read_text(encoding="utf-8")
FOUND = json.loads((ROOT / "benchmarks" / "results" / "proxy_order_mnist.json").read_text())
ROWS = {
    "from scratch, 4 epochs (`standard`)": "from scratch",
    "from scratch, 8 epochs": "from scratch, 2 times",
    "from scratch, 12 epochs": "from scratch, 3 times",
    "from a twin, 4 epochs, full precision trains twice as long (`warm`)": "warm start, fp twice",
    "from scratch, 40 epochs, another seed": "as long, another seed",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_was_measured(row):
    acc, pgd = correlations(FOUND["short"][ROWS[row]], FOUND["long"])
    assert [acc, pgd] == pytest.approx(FOUND["spearman"][ROWS[row]])
    assert f"| {row} | {acc:.3f} | {pgd:.3f} |" in PAGE.replace("**", "")


def test_there_are_as_many_candidates_as_the_page_says():
    assert len(FOUND["long"]) == 25
    assert "**25 candidates.**" in PAGE
