"""docs/performance.md says what the files of results hold, and every figure of its table is one of theirs."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results"
FILES = re.compile(r"`(\w+\.json)`")
Result = dict[str, Any]


def times(ratio: float) -> str:
    return f"{ratio:.1f}×"


def steps(result: Result, network: str) -> Iterator[str]:
    """A training step of MBN 3×3 and 5×5, as a double loop and as one convolution."""
    seconds = result["seconds"][network]
    for token in ("mbn3x3", "mbn5x5"):
        yield times(seconds[f"{token} as a double loop"] / seconds[token])


def bases(result: Result) -> Iterator[str]:
    """What 25 pairs of bases take, of what one takes."""
    for network in ("mnistconv", "resnet20"):
        seconds = result["seconds"][network]
        yield f"{seconds['mbn5x5'] / seconds['mbn1x1']:.2f}×"


def studies(result: Result, what: str, clock: str = "wall") -> Iterator[str]:
    """Of the run that optimises what the yardstick does; each seed where there are several."""
    for run in result["results"]:
        (row,) = (one for one in run["rows"] if (one["run"], one["clock"]) == ("ours", clock))
        yield times(row[what])


def epochs(result: Result, network: str) -> Iterator[str]:
    for token in ("fp", "pact2", "xnor"):
        yield f"{result['ratios'][f'{network} {token}']:.2f}×"


def attacks(result: Result, kind: str) -> Iterator[str]:
    yield times(result["rows"][kind]["ratio"])


def grey(result: Result) -> Iterator[str]:
    for seconds in result["seconds"].values():
        yield times(seconds["torch"] / seconds["ours"])


def worst_case(result: Result) -> Iterator[str]:
    yield times(result["summary"]["ratio"])


def reuse(result: Result) -> Iterator[str]:
    for row in result["rows"].values():
        assert row["reused"]["steps"] == 0
        yield f"{row['ratio']:.0f}×"


def starts(result: Result) -> Iterator[str]:
    for name in ("--help", "first trial"):
        yield f"{result['starts'][name]:.2f} s"


def overhead(result: Result, sampler: str) -> Iterator[str]:
    found = result["studies"][sampler]
    yield from (f"{1e3 * found[name]:.0f} ms" for name in ("first", "last"))
    yield f"{100 * found['share']:.1f} %"


FIGURES: dict[str, Callable[[Result], Iterator[str]]] = {
    "a study of 40 trials, MNISTconv": lambda result: studies(result, "ratio"),
    "a study of 40 trials, ResNet-20": lambda result: studies(result, "ratio"),
    "the same, MNISTconv, the product's own budget": lambda result: studies(result, "ratio", "processor"),
    "candidates in an hour, MNISTconv, the product's own budget": lambda result: studies(
        result, "ratio of candidates", "processor"
    ),
    "candidates in an hour, MNISTconv": lambda result: studies(result, "ratio of candidates"),
    "candidates in an hour, ResNet-20": lambda result: studies(result, "ratio of candidates"),
    "training step, MBN 3×3 and 5×5, MNISTconv": lambda result: steps(result, "mnistconv"),
    "training step, MBN 3×3 and 5×5, ResNet-20": lambda result: steps(result, "resnet20"),
    "training step, MBN 5×5, MNISTconv and ResNet-20": bases,
    "training epoch, ResNet-20: full precision, PACT-2, XNOR": lambda result: epochs(result, "resnet20"),
    "training epoch, MNISTconv: full precision, PACT-2, XNOR": lambda result: epochs(result, "mnistconv"),
    "PGD, 20 steps and 5 restarts, MNISTconv undefended": lambda result: attacks(result, "undefended"),
    "PGD, 20 steps and 5 restarts, MNISTconv trained by PGD": lambda result: attacks(result, "robust"),
    "a known member under a new μ, in a new ensemble, under a new vote": reuse,
    "gradient towards grey images: 8×8 by 2, 5×5, 3×3": grey,
    "worst case, six candidates": worst_case,
    "`--help`; the first trial starts": starts,
    "the search itself, 1,000 trials": lambda result: overhead(result, "default"),
    "the search itself, tpe, 1,000 trials": lambda result: overhead(result, "tpe"),
    "the search itself, random, 1,000 trials": lambda result: overhead(result, "random"),
    "the search itself, nsga2, 1,000 trials": lambda result: overhead(result, "nsga2"),
}
"""What the files say for each row, in the order of the row."""


def rows() -> dict[str, list[str]]:
    """The cells of the page's rows that name a file, by the first cell."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells if FILES.search(rest[-1])}


def test_every_row_is_checked():
    assert rows().keys() == FIGURES.keys()


@pytest.mark.parametrize("name", FIGURES)
def test_a_row_says_what_its_file_holds(name):
    against, _, measured = rows()[name]
    (file,) = FILES.findall(measured)
    result = json.loads((RESULTS / file).read_text(encoding="utf-8"))
    said, place = measured.partition("(`")[0], 0
    for figure in FIGURES[name](result):
        assert figure in said[place:], f"{name}: {figure} is measured, the page says {measured}"
        place = said.index(figure, place) + len(figure)
    assert against


def test_every_file_that_is_named_is_there():
    for file in set(FILES.findall(PAGE)):
        assert (RESULTS / file).is_file(), file
