"""Which studies compare: those that ask one question, and are answered by other samplers or seeds."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from space.errors import UserError
from studies.config import StudyConfig, flatten, renamed, told
from studies.study import Study

FREE = ("sampler", "proposals", "full", "margin", "rungs", "seed", "protocol.seed")
"""What compared studies may differ in: who proposes and where trials end early, which tells groups apart,
and seeds, which tell runs apart."""


def check_comparable(studies: Sequence[Study]) -> None:
    """Raise UserError naming what differs beyond FREE, two studies that are the same run, or that there are none."""
    if not studies:
        raise UserError("no study to compare", hint="name the folders of runs")
    for one in studies[1:]:
        _check_same_question(studies[0], one)
    for one, other in combinations(studies, 2):
        _check_apart(one, other)


def group_of(study: Study) -> str:
    """Who proposes: the sampler, the one that `auto` chose, and what proposes beside it; and where trials end early."""
    config = _settled(study)
    who = config.sampler if config.proposals == "off" else f"{config.sampler} + {config.proposals}"
    rungs = f", rungs {','.join(map(str, config.rungs))}" if config.rungs else ""
    margin = f", margin {config.margin:g}" if config.margin else ""
    return f"{who}{', full' if config.full else ''}{margin}{rungs}"


def _check_same_question(first: Study, other: Study) -> None:
    before, after = flatten(first.config.to_json()), flatten(renamed(other.config, first.config).to_json())
    for name in dict.fromkeys([*before, *after]):
        if name not in FREE and before.get(name) != after.get(name):
            raise UserError(
                f"{other.folder} does not compare with {first.folder}: it has another {name}",
                got=told(after.get(name)),
                expected=told(before.get(name)),
                hint="compared studies differ in sampler, proposals, --full, --margin, --rungs and seed only",
            )


def _check_apart(one: Study, other: Study) -> None:
    """Counted twice, a run would make its group look surer than it is."""
    if _settled(one) == renamed(_settled(other), one.config):
        what = f"{other.folder} is {group_of(other)} with seed {other.config.seed}, and so is {one.folder}"
        raise UserError(what, hint="each run counts once; repeat a study with another --seed")


def _settled(study: Study) -> StudyConfig:
    """The config with the sampler that the study has, where it asked for `auto`."""
    return replace(study.config, sampler=study.choice.chosen) if study.choice else study.config
