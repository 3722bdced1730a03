"""docs/proxies.md says what was measured on 25 candidates, and on 24 that were drawn."""

import json
from pathlib import Path
from statistics import fmean

import pytest
from proxy_order import correlations, drawn
from scipy.stats import rankdata

from space import SearchSpace

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proxies.md").read_text(encoding="utf-8")
FOUND = {
    name: json.loads((ROOT / "benchmarks" / "results" / f"proxy_order_{name}.json").read_text())
    for name in ("cifar10_25", "mnist", "cifar10_drawn", "mnist_drawn", "cifar10_10k")
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
DRAWN = {
    "from scratch, 4 epochs (`standard`), drawn": "from scratch",
    "from scratch, 12 epochs, drawn": "from scratch, 3 times",
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


@pytest.mark.parametrize("row", DRAWN)
def test_a_row_of_drawn_candidates_says_what_was_measured(row):
    assert f"| {row} | {pair('cifar10_drawn', DRAWN[row])} | {pair('mnist_drawn', DRAWN[row])} |" in PAGE


@pytest.mark.parametrize(
    ("name", "said"),
    [("cifar10_25", "better than pgd itself does"), ("cifar10_10k", "better as well"), ("cifar10_drawn", "worse")],
)
def test_what_the_share_that_stands_is_worth(name, said):
    found = FOUND[name]
    shares = {text: (acc, pgd / acc) for text, (acc, pgd) in found["short"]["from scratch"].items()}
    share, pgd = correlations(shares, found["long"])[1], found["spearman"]["from scratch"][1]
    assert f"{said} ({share:.3f} instead of {pgd:.3f})" in " ".join(PAGE.split())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cifar10_drawn", "The 13 without a mapping give {:.3f} and {:.3f} there"),
        ("mnist_drawn", "On MNIST they give {:.3f} and {:.3f}:"),
    ],
)
def test_what_is_left_without_the_mapped_ones(name, said):
    found = FOUND[name]
    plain = {text: values for text, values in found["long"].items() if "mu" not in text}
    short = {text: found["short"]["from scratch"][text] for text in plain}
    assert len(plain) == 13
    assert said.format(*correlations(short, plain)) in " ".join(PAGE.split())


def test_what_longer_training_brings_with_a_mapping_and_without():
    found = FOUND["cifar10_drawn"]
    short, long = found["short"]["from scratch"], found["long"]
    gained = {text: 100 * (long[text][0] - short[text][0]) for text in long}
    mapped = fmean(gain for text, gain in gained.items() if "mu" in text)
    plain = fmean(gain for text, gain in gained.items() if "mu" not in text)
    said = " ".join(PAGE.split())
    assert f"bring mapped candidates {mapped:.1f} points of accuracy on average, the others {plain:.1f}" in said


def test_more_images_to_train_on():
    found = FOUND["cifar10_10k"]
    acc, pgd = correlations(found["short"]["from scratch"], found["long"])
    assert f"give {acc:.3f} and {pgd:.3f} ([numbers](../benchmarks/results/proxy_order_cifar10_10k.json))" in PAGE
    assert found["settings"]["train_images"] == "10000"


@pytest.mark.parametrize(
    ("text", "said", "off"),
    [
        ("pact4", "`pact4` stands 11 ranks too high", 11),
        ("fp", "`fp` 10)", 10),
        ("in4:mbn1x3", "`in4:mbn1x3` 14 ranks too low", -14),
        ("in2:xnor", "`in2:xnor` 7,", -7),
        ("bnn", "`bnn` 6.5)", -6.5),
    ],
)
def test_how_far_off_a_short_training_ranks_some(text, said, off):
    found = FOUND["cifar10_10k"]
    texts = list(found["long"])
    ranks = [rankdata([values[one][1] for one in texts]) for values in (found["short"]["from scratch"], found["long"])]
    place = texts.index(f"{text}:x0.25")
    assert ranks[0][place] - ranks[1][place] == off
    assert said in PAGE


@pytest.mark.parametrize(
    ("name", "count"), [("cifar10_25", 25), ("mnist", 25), ("cifar10_drawn", 24), ("mnist_drawn", 24)]
)
def test_there_are_as_many_candidates_as_the_page_says(name, count):
    assert len(FOUND[name]["long"]) == count
    assert FOUND[name]["settings"]["images"] == "2000"
    assert f"**{count} candidates" in PAGE


@pytest.mark.parametrize("name", ["cifar10_drawn", "mnist_drawn"])
def test_the_drawn_ones_are_those_that_are_drawn(name):
    assert list(FOUND[name]["long"]) == drawn(SearchSpace.preset("tiny"), 24)
