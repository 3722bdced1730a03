"""docs/honest_robustness.md says what its csv holds, and the csv agrees with itself."""

import csv
import math
import re
from pathlib import Path

import pytest
from honest_claims import CLAIMS

from evaluators.base import NORMAL_95
from evaluators.robustness.rules import RULES
from search.cli import parse
from space import Candidate
from studies import find_tables

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "honest_robustness.md").read_text(encoding="utf-8")
with (DOCS / "honest_robustness.csv").open(encoding="utf-8", newline="") as file:
    LINES = list(csv.DictReader(file))
ACCURACIES = (
    *("acc", "attacked", "naive", "worst", "certified"),
    *("fgsm", "transfer", "cw", "cw_on_fp"),
    *("fgsm_behind", "pgd_behind"),
)
LINKED = re.compile(r"\[[^\]]+\]\(([^)]+)\)")


def named(line: dict[str, str]) -> str:
    return f"{line['claim']} {line['candidate']} {line['epsilon']}"


every_line = pytest.mark.parametrize("line", LINES, ids=named)


def percent(text: str) -> str:
    return f"{100 * float(text):.1f}"


def tables() -> list[list[list[str]]]:
    """The cells of the page's tables of candidates, links as their text."""
    found: list[list[list[str]]] = []
    for line in PAGE.splitlines():
        if line.startswith("| candidate "):
            found.append([])
        elif line.startswith("| `") and found:
            text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", line)
            found[-1].append([cell.strip() for cell in text.strip("|").split("|")])
    return found


def expected(line: dict[str, str]) -> list[str]:
    """The cells of a row, from the csv."""
    low_high = {
        name: f"{percent(line[name])} ({percent(line[f'{name}_low'])} to {percent(line[f'{name}_high'])})"
        for name in ("naive", "worst")
    }
    verdict = f"{line['verdict']}: {', '.join(line['rules'].split())}" if line["rules"] else line["verdict"]
    return [
        f"`{line['candidate']}`",
        line["epsilon"],
        percent(line["acc"]),
        percent(line["attacked"]),
        low_high["naive"],
        low_high["worst"],
        percent(line["gap"]),
        percent(line["certified"]),
        verdict,
    ]


def test_tables_of_the_page_are_the_csv():
    assert [row for table in tables() for row in table] == [expected(line) for line in LINES]


def test_lines_are_those_of_the_benchmark():
    wanted = [
        (claim.name, f"{candidate}{claim.width}", epsilon, claim.network, claim.attack)
        for claim in CLAIMS
        for epsilon in claim.epsilons
        for candidate in claim.candidates
    ]
    names = ("claim", "candidate", "epsilon", "network", "attack")
    assert [tuple(line[name] for name in names) for line in LINES] == wanted
    assert [len(table) for table in tables()] == [len(claim.candidates) * len(claim.epsilons) for claim in CLAIMS]


@every_line
def test_the_worst_case_lies_between_certificate_and_plain_pgd(line):
    certified, worst, naive, clean = (float(line[name]) for name in ("certified", "worst", "naive", "acc"))
    assert 0 <= certified <= worst <= naive
    assert float(line["gap"]) == pytest.approx(naive - worst, abs=1e-12)
    assert naive <= clean + 0.05  # of other images: clean accuracy is taken over all
    assert float(line["attacked"]) == float(line["naive" if line["attack"] == "pgd_naive" else line["attack"]])


@every_line
def test_every_attacked_accuracy_is_a_count_of_images(line):
    images = int(line["images"])
    for name in set(ACCURACIES) - {"acc"}:
        if line[name]:
            assert float(line[name]) * images == pytest.approx(round(float(line[name]) * images), abs=1e-6)


@every_line
@pytest.mark.parametrize("name", ["attacked", "naive", "worst"])
def test_intervals_are_wilsons(line, name):
    share, images = float(line[name]), int(line["images"])
    for side in ("low", "high"):
        edge = float(line[f"{name}_{side}"])
        inside = abs(share - edge) <= NORMAL_95 * math.sqrt(edge * (1 - edge) / images) + 1e-9
        assert inside  # Wilson's edges are those shares from which what was seen is 1.96 errors away
        if 0 < edge < 1 and edge != share:
            assert abs(share - edge) == pytest.approx(NORMAL_95 * math.sqrt(edge * (1 - edge) / images))


@every_line
def test_verdicts_and_rules_are_known_and_agree(line):
    assert set(line["rules"].split()) <= set(RULES)
    assert (line["verdict"] == "ok") == (not line["rules"])
    assert line["verdict"] in {"ok", "suspect", "masked"}
    if float(line["gap"]) >= RULES["gap"].suspect[0] and float(line["gap"]) * int(line["images"]) >= 4:
        assert "gap" in line["rules"].split()
    assert str(Candidate.parse(line["candidate"])) == line["candidate"]


def test_every_figure_in_the_text_was_measured_or_published():
    prose = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    measured = {percent(line[name]) for line in LINES for name in (*ACCURACIES, "gap") if line[name]}
    measured |= {
        percent(line[f"{name}_{side}"]) for line in LINES for name in ("naive", "worst") for side in ("low", "high")
    }
    published = {f"{figure:g}" for table in find_tables("all") for row in table.rows for figure in row.figures.values()}
    stated = set(re.findall(r"(?<![\d.])(\d{1,3}\.\d+)(?: %| points)", prose))
    assert stated
    assert {figure for figure in stated if f"{float(figure):g}" not in published} <= measured


def test_what_was_audited_is_in_the_csv():
    header = "| audited | ε |"
    found = PAGE.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    wanted = [
        f"| {line['candidate']} | {line['epsilon']} "
        f"| {percent(line['worst'])} ({percent(line['worst_low'])} to {percent(line['worst_high'])}) "
        f"| {percent(line['verified'])} ({percent(line['verified_low'])} to {percent(line['verified_high'])}) "
        f"| {line['verified_images']} | {line['verified_verdict']} |"
        for line in LINES
        if line["verified"]
    ]
    assert found == wanted != []


def test_what_is_said_of_the_networks_of_few_bits():
    lines = {line["candidate"]: line for line in LINES if line["claim"] == "binary"}
    naive, worst = ({name: float(line[kind]) for name, line in lines.items()} for kind in ("naive", "worst"))
    assert min(naive, key=naive.__getitem__) == "fp"
    assert sorted(worst, key=worst.__getitem__).index("fp") not in (0, len(worst) - 1)
    lows, highs = ([float(line[f"worst_{side}"]) for line in lines.values()] for side in ("low", "high"))
    assert max(lows) < min(highs)  # all intervals overlap
    assert [name for name, line in lines.items() if "gap" in line["rules"]] == ["xnor", "mbn1x1", "mbn3x1"]


def test_links_lead_somewhere():
    links = [link for link in LINKED.findall(PAGE) if "://" not in link]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        path = path or "honest_robustness.md"
        anchor = anchor.capitalize() if path == "honest_robustness.md" else anchor
        assert (DOCS / path).is_file(), link
        if anchor:
            assert f"\n## {anchor}\n" in (DOCS / path).read_text(encoding="utf-8"), link


def test_the_picture_is_there():
    assert "![" in PAGE
    assert (DOCS / "honest_robustness.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", re.findall(r"^python -m search (evaluate .+)$", PAGE, re.MULTILINE))
def test_commands_are_ones_that_the_program_takes(command):
    assert parse(command.split()).command == "evaluate"
