"""docs/proxies.md says what was measured on 25 candidates, and on 24 that were drawn."""

import json
from itertools import combinations
from pathlib import Path
from statistics import fmean

import moocore
import numpy as np
import pytest
from proxy_front import MEASURED, Truth, bops_of, chosen_by, losses_of
from proxy_order import AGAIN, correlations, drawn
from scipy.stats import rankdata

from space import SearchSpace

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proxies.md").read_text(encoding="utf-8")
PLAIN = PAGE.replace("**", "")
FOUND = {
    name: json.loads((ROOT / "benchmarks" / "results" / f"proxy_order_{name}.json").read_text())
    for name in ("cifar10_25", "mnist", "cifar10_drawn", "mnist_drawn", "cifar10_10k")
}
ROWS = {
    "from scratch, 4 epochs (`standard`)": "from scratch",
    "from scratch, 8 epochs": "from scratch, 2 times",
    "from scratch, 12 epochs": "from scratch, 3 times",
    "from scratch, 2,000 images 8 times each": "half the images, twice as often",
    "from scratch, 1,000 images 16 times each": "a quarter of the images, four times as often",
    "from scratch, 500 images 32 times each": "an eighth of the images, eight times as often",
    "from scratch, 4 epochs, twice the learning rate": "twice the rate",
    "from scratch, 4 epochs, four times the learning rate": "four times the rate",
    "the same, half the batch": "four times the rate, half the batch",
    "from a twin, 4 epochs, full precision trains twice as long (`warm`)": "warm start, fp twice",
    "from scratch, 40 epochs, another seed": "as long, another seed",
    "from scratch, 40 epochs, a third seed": "as long, a third seed",
}
DRAWN = {
    "from scratch, 4 epochs (`standard`), drawn": "from scratch",
    "from scratch, 12 epochs, drawn": "from scratch, 3 times",
    "from scratch, 2,000 images 8 times each, drawn": "half the images, twice as often",
    "from scratch, 1,000 images 16 times each, drawn": "a quarter of the images, four times as often",
    "from scratch, 500 images 32 times each, drawn": "an eighth of the images, eight times as often",
    "from scratch, 40 epochs, another seed, drawn": "as long, another seed",
    "from scratch, 40 epochs, a third seed, drawn": "as long, a third seed",
}
JUDGED = {
    "from scratch, 4 epochs (`standard`), by the mean": "from scratch",
    "from scratch, 8 epochs, by the mean": "from scratch, 2 times",
    "from scratch, 12 epochs, by the mean": "from scratch, 3 times",
    "from scratch, 500 images 32 times each, by the mean": "an eighth of the images, eight times as often",
    "from scratch, 40 epochs, another seed, by the mean of the others": "as long, another seed",
    "from scratch, 40 epochs, a third seed, by the mean of the others": "as long, a third seed",
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
    assert f"| {row} | {pair('cifar10_25', ROWS[row])} | {pair('mnist', ROWS[row])} |" in PLAIN


@pytest.mark.parametrize("row", DRAWN)
def test_a_row_of_drawn_candidates_says_what_was_measured(row):
    assert f"| {row} | {pair('cifar10_drawn', DRAWN[row])} | {pair('mnist_drawn', DRAWN[row])} |" in PAGE


def with_mean(name, way):
    """Correlations with the mean of all other long trainings, by averaging ranks here; dashes where not measured."""
    found = FOUND[name]
    if way not in found["short"]:
        return "- | -"
    others = [found["long"], *(values for again, values in found["short"].items() if again in AGAIN and again != way)]
    mine, mean = np.array([*found["short"][way].values()]), np.mean([[*one.values()] for one in others], axis=0)
    assert all(one.keys() == found["short"][way].keys() for one in others)
    ranks = [[rankdata(values[:, axis]) for values in (mine, mean)] for axis in (0, 1)]
    acc, pgd = (np.corrcoef(*pair)[0, 1] for pair in ranks)
    assert [acc, pgd] == pytest.approx(found["with_mean"][way])
    return f"{acc:.3f} | {pgd:.3f}"


@pytest.mark.parametrize("row", JUDGED)
def test_a_row_says_how_several_long_trainings_judge(row):
    assert f"| {row} | {with_mean('cifar10_25', JUDGED[row])} | {with_mean('cifar10_drawn', JUDGED[row])} |" in PLAIN


def test_what_twelve_epochs_reach():
    judged = [FOUND[name]["with_mean"]["from scratch, 3 times"] for name in ("cifar10_25", "cifar10_drawn")]
    acc, pgd = FOUND["mnist_drawn"]["spearman"]["from scratch, 3 times"]
    missed, _ = FOUND["mnist"]["spearman"]["from scratch, 3 times"]
    assert min(*judged[0], *judged[1], acc, pgd) >= 0.9 > missed
    said = " ".join(PAGE.split())
    assert f"on MNIST the drawn ones too ({acc:.3f} and {pgd:.3f}, by one judge)" in said
    assert f"clean accuracy of the listed on MNIST, {missed:.3f}, where all lie within 1.4 points" in said
    listed, drawn_ones = (f"{under:.2f} and {clean:.2f}" for clean, under in judged)
    quality = (ROOT / "docs" / "search_quality.md").read_text(encoding="utf-8")
    assert f"give {listed} of the listed on CIFAR-10, {drawn_ones} of the drawn" in " ".join(quality.split())


def test_what_twelve_epochs_are_worth_as_a_tenth():
    found = json.loads((ROOT / "benchmarks" / "results" / "proxy_order_cifar10_120.json").read_text())
    known, said = FOUND["cifar10_25"], " ".join(PAGE.split())
    assert (found["settings"]["epochs"], found["settings"]["long"]) == ("12", "120")
    assert found["short"]["from scratch"] == known["short"]["from scratch, 3 times"]
    acc, pgd = correlations(found["short"]["from scratch"], found["long"])
    assert f"twelve epochs order them as those do by {acc:.3f} and {pgd:.3f}," in said
    forty = [known["long"], *(known["short"][way] for way in AGAIN)]
    each = [correlations(one, found["long"]) for one in forty]
    clean, attacked = (", ".join(f"{one[axis]:.3f}" for one in each) for axis in (0, 1))
    assert f"three trainings of 40 by {clean} and by {attacked}" in said
    assert "four by {:.3f} and {:.3f}".format(*correlations(known["short"]["from scratch"], found["long"])) in said
    before, after = np.array([*known["long"].values()]), np.array([*found["long"].values()])
    assert (after[:, 0] > before[:, 0]).all()
    assert f"and {(after[:, 1] < before[:, 1]).sum()} of them lose accuracy under attack" in said


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


def test_how_far_drawn_candidates_are_repeated_by_the_long_training_itself():
    found = FOUND["cifar10_drawn"]["spearman"]
    again, third, longer = (found[way][1] for way in (*list(AGAIN)[:2], "from scratch, 3 times"))
    assert f"by {again:.3f} and {third:.3f} here, and twelve epochs reach {longer:.3f};" in " ".join(PAGE.split())
    assert min(FOUND["mnist_drawn"]["spearman"]["from scratch, 3 times"]) > 0.9


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


FRONTS = {
    "CIFAR-10, 25 listed": "cifar10_25",
    "CIFAR-10, 25 listed, 10,000 training images": "cifar10_10k",
    "CIFAR-10, 24 drawn": "cifar10_drawn",
    "MNIST, 25 listed": "mnist",
    "MNIST, 24 drawn": "mnist_drawn",
}
WORTH = json.loads((ROOT / "benchmarks" / "results" / "proxy_front.json").read_text())["rows"]


@pytest.mark.parametrize("row", FRONTS)
def test_a_row_says_what_a_front_is_worth(row):
    one = WORTH[FRONTS[row]]["from scratch"]
    front = f"{one['front']} | {one['front worth']:.3f} ({one['front by chance']:.3f})"
    confirmed = f"{one['confirmed']} | {one['confirmed worth']:.3f} ({one['confirmed by chance']:.3f})"
    assert f"| {row} | {front} | {confirmed} |" in PAGE


def test_what_is_lost_at_most_and_by_other_ways():
    said = " ".join(PAGE.split())
    most = max(1 - ways["from scratch"]["confirmed worth"] for ways in WORTH.values())
    assert f"at most {100 * most:.1f} % of the front is lost" in said
    rows = (WORTH["cifar10_25"][way] for way in ("warm start, fp twice", "four times the rate"))
    lost = [100 * (1 - row[worth]) for row in rows for worth in ("confirmed worth", "confirmed by chance")]
    assert "`warm` {:.1f} % (chance {:.1f} %), four times the learning rate {:.1f} % ({:.1f} %)".format(*lost) in said


def test_what_is_lost_where_the_dearest_counts_too():
    lost = []
    for name, found in FOUND.items():
        costs = {text: bops_of(text, MEASURED[name]) for text in found["long"]}
        short = {text: found["short"]["from scratch"][text] for text in costs}
        _, near = chosen_by(short, costs, int(found["settings"]["images"]))
        lost.append(1 - Truth(losses_of(found["long"], costs, room=4.0)).worth(near))
    assert f"to four times that cost, at most {100 * max(lost):.1f} % is lost" in " ".join(PAGE.split())


def test_a_long_training_with_another_seed_chooses_no_better():
    listed, drawn_ones, mnist = (
        WORTH[name]["as long, another seed"]["confirmed worth"] for name in ("cifar10_25", "cifar10_drawn", "mnist")
    )
    said = f"{listed:.3f} of the 25 and {drawn_ones:.3f} of the drawn ones on CIFAR-10, {mnist:.3f} on MNIST"
    assert said in " ".join(PAGE.split())
    for name, worth in (("cifar10_25", listed), ("cifar10_drawn", drawn_ones), ("mnist", mnist)):
        assert WORTH[name]["from scratch"]["confirmed worth"] >= worth - 5e-4


@pytest.mark.parametrize("name", MEASURED)
def test_worth_follows_from_what_was_measured(name):
    """The volume by another library, and the front by comparing all pairs."""
    found, plan = FOUND[name], MEASURED[name]
    bops = {text: bops_of(text, plan) for text in found["long"]}
    costs = np.log2(list(bops.values()))
    dear = (costs - costs.min()) / (costs.max() - costs.min())
    long, short = (
        np.column_stack([1 - np.array([values[text] for text in bops]), dear])
        for values in (found["long"], found["short"]["from scratch"])
    )
    beaten = [any((one <= mine).all() and (one < mine).any() for one in short) for mine in short]
    share = moocore.hypervolume(long[~np.array(beaten)], ref=[1, 1, 1]) / moocore.hypervolume(long, ref=[1, 1, 1])
    assert WORTH[name]["from scratch"]["front"] == beaten.count(False)
    assert WORTH[name]["from scratch"]["front worth"] == pytest.approx(share)


def test_what_is_confirmed_holds_the_front_and_more_where_it_is_unsure():
    values, costs = {"a": (0.900, 0.5), "b": (0.899, 0.5), "c": (0.5, 0.1)}, {"a": 1e6, "b": 1e6, "c": 1e6}
    front, near = chosen_by(values, costs, images=100)
    assert front.tolist() == [True, False, False]
    assert near.tolist() == [True, True, False]


def test_worth_by_chance_is_the_mean_over_all_subsets():
    truth = Truth(np.array([[0.1, 0.9, 0.5], [0.5, 0.5, 0.5], [0.9, 0.1, 0.2], [0.6, 0.6, 0.6], [0.3, 0.8, 0.1]]))
    subsets = [np.isin(np.arange(5), some) for some in combinations(range(5), 2)]
    assert truth.by_chance(2) == pytest.approx(np.mean([truth.worth(one) for one in subsets]), abs=0.02)
    assert truth.by_chance(5) == pytest.approx(1)
    assert truth.worth(truth.front) == pytest.approx(1)
