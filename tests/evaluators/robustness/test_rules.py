"""Rules trigger at their thresholds, on both the share and the number of images; their page says what the code does."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.robustness import soundness
from evaluators.robustness.effort import Effort
from evaluators.robustness.probes import FURTHER_STARTS, GREY
from evaluators.robustness.rules import RULES, Evidence, Rule, flags_of
from evaluators.robustness.verification.verified import RULES as AUDITED
from evaluators.verdict import VERDICTS, rules_in, worst

INVALID = ("training-mode", "nondeterministic", "batch-dependent", "not-a-number", "probabilities", "counts")
PAGE = (Path(__file__).parents[3] / "docs" / "robustness_flags.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0]: " ".join(part.split("\n", 1)[1].split()) for part in PAGE.split("\n## ")[1:]}
ALL = {**RULES, **AUDITED}


def percent(share: float) -> str:
    return f"{round(100 * share, 6):g} %"


@given(share=st.floats(0, 1), images=st.integers(0, 400))
def test_a_rule_needs_both_share_and_number(share, images):
    rule = Rule(meaning="", suspect=(0.01, 4), masked=(0.05, 10))
    found = rule.judge("odd", Evidence(share=share, images=images))
    if share >= 0.05 and images >= 10:
        assert found == ("masked:odd",)
    elif share >= 0.01 and images >= 4:
        assert found == ("suspect:odd",)
    else:
        assert found == ()


@pytest.mark.parametrize("name", RULES)
def test_each_rule_triggers_at_its_thresholds_and_not_below(name):
    rule = RULES[name]
    for verdict, (share, images) in (("suspect", rule.suspect), ("masked", rule.masked)):
        if share == float("inf"):
            assert rule.judge(name, Evidence(share=1.0, images=10**6)) == (f"suspect:{name}",)
            continue
        assert flags_of({name: Evidence(share=share, images=images)}) == (f"{verdict}:{name}",)
        assert f"{verdict}:{name}" not in rule.judge(name, Evidence(share=share - 1e-9, images=images))
        assert f"{verdict}:{name}" not in rule.judge(name, Evidence(share=share, images=images - 1))


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.masked[0] < 1])
def test_what_is_masked_is_beyond_suspect(name):
    assert all(masked > suspect for masked, suspect in zip(RULES[name].masked, RULES[name].suspect, strict=True))


def test_flags_come_in_the_order_of_the_rules_and_of_nothing_else():
    much = Evidence(share=1.0, images=400)
    every = flags_of(dict.fromkeys(reversed(RULES), much))
    assert [text.partition(":")[2] for text in every] == list(RULES)
    assert flags_of({}) == flags_of(dict.fromkeys(RULES, Evidence(share=0.0, images=0))) == ()
    assert flags_of({"unheard-of": much}) == ()
    assert worst(every) == "masked"
    assert rules_in(every)[0] == "black-box"
    alike = ("suspect:zero-gradient", "suspect:gap", "masked:restarts", "masked:black-box")
    assert rules_in(alike) == ("restarts", "black-box", "zero-gradient", "gap"), "worst first, else as they came"


def test_the_page_has_a_heading_for_every_rule():
    assert list(SECTIONS) == [*RULES, *INVALID, *AUDITED]


def test_invalid_rules_are_those_of_the_code():
    source = Path(soundness.__file__).read_text(encoding="utf-8")
    assert set(INVALID) == set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"(?:\)|:)', source))


@pytest.mark.parametrize("name", ALL)
def test_thresholds_of_the_page_are_those_of_the_code(name):
    rule = ALL[name]
    stated = f"Suspect from {percent(rule.suspect[0])} and {rule.suspect[1]} images"
    if rule.masked[0] < 1:
        stated += f"; masked from {percent(rule.masked[0])} and {rule.masked[1]} images"
    assert SECTIONS[name].startswith(f"{stated}.")


def test_other_numbers_of_the_page_are_those_of_the_code():
    effort = Effort()
    assert effort.sample == effort.probed
    assert f"{effort.sample} images each for Square and the probes" in " ".join(PAGE.split())
    assert all(
        f"up to {effort.probed} images" in SECTIONS[name] for name in ("unconverged", "restarts", "large-radius")
    )
    assert FURTHER_STARTS == 2
    assert "two further starts" in SECTIONS["restarts"]
    assert f"radius of {GREY:g}" in SECTIONS["large-radius"]
    assert f"any of {soundness.LOOKED_AT} images differ by more than 1e-4" in SECTIONS["nondeterministic"]
    assert f"half of {soundness.LOOKED_AT} images differ by more than 1e-2" in SECTIONS["batch-dependent"]
    assert (soundness.REPEATED, soundness.REGROUPED) == (1e-4, 1e-2)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_rule_says_what_it_means_and_what_to_do(name):
    assert "**Means**" in SECTIONS[name]
    assert "**Do**" in SECTIONS[name]


def test_every_verdict_is_in_the_table():
    assert {line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("|")} >= set(VERDICTS)
