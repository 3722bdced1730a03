"""`select` as it is typed: where rows come from, rules, and how far limits could move."""

import json
import re
from pathlib import Path

import pytest

from search.cli import main
from studies import Limit, Study, front, select

Capture = pytest.CaptureFixture[str]
RULES = (
    "best:acc",
    "lexicographic:pgd~0.05,acc~0.05,bops",
    "weights:pgd=2,acc=1,bops=0.5",
    "closest:pgd=0.8,acc=0.9,bops=3e6",
)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_typed(study: Path, capsys: Capture, rule: str) -> None:
    loaded = Study.load(study)
    expected = select(loaded.records(), loaded.config.objectives, loaded.config.terms, rule)
    capsys.readouterr()
    assert main(["select", "study", "--rule", rule]) == 0
    out = capsys.readouterr().out
    lock = json.loads((study / "selected.json").read_text())
    assert (lock["number"], lock["rule"], lock["reason"]) == (
        expected.chosen.number,
        expected.rule,
        expected.reason,
    )
    assert f"rule:   {expected.rule}" in out
    assert f"reason: {expected.reason}" in out
    assert "from:   the search's own measurements, not confirmed ones; `confirm study` makes those" in out
    for other in expected.runners_up:
        assert other.candidate in out


def test_each_limit_has_a_line_that_says_how_far_it_could_move(study: Path, capsys: Capture) -> None:
    loaded = Study.load(study)
    costs = sorted({one.measurements["bops"].value for one in front(loaded.records(), loaded.config.objectives)})
    capsys.readouterr()
    assert main(["select", "study", "--limit", f"bops<={1.01 * costs[0]!r}", "--limit", "acc>=0.1"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("limit: ")]
    assert len(lines) == 2
    assert "however loose, it stays" in lines[1]
    found = re.search(r"holds to bops<=(\S+), below that nothing is; from bops<=(\S+) on #(\d+) ", lines[0])
    assert found
    assert float(found[1]) == costs[0]
    at = (Limit("bops", "<=", float(found[2])), Limit("acc", ">=", 0.1))
    terms = loaded.config.terms.tightened(at)
    assert select(loaded.records(), loaded.config.objectives, terms).chosen.number == int(found[3])


def test_without_limits_nothing_is_said_of_them(study: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["select", "study"]) == 0
    assert "limit:" not in capsys.readouterr().out
