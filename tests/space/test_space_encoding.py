from collections.abc import Sequence
from random import Random
from typing import Any

import optuna
import pytest
from designs import refused
from hypothesis import given
from hypothesis import strategies as st

from space import PRESETS, Candidate, SearchSpace

SMALL = SearchSpace.from_toml("""
input_bits = [2, 8]
precisions = ["fp", "xnor", "mbn3x1", "pact4"]
members = [1, 2, 3]
full_precision = [0, 1, 2]
votes = ["mean", "majority"]
mu = [0, 255]
mapped_layers = [1, 2]
widths = [0.5, 1]
""")
SPACES = {name: SearchSpace.preset(name) for name in PRESETS} | {
    "small": SMALL,
    "smallest": SearchSpace.from_toml("precisions = ['xnor']"),
    "only fp": SearchSpace.from_toml("precisions = ['fp']\nmembers = [1, 3]\nfull_precision = [3]"),
}


class RandomTrial:
    """The least that can be sampled from: draws every parameter and remembers what it was asked."""

    def __init__(self, random: Random) -> None:
        self.random, self.params, self.choices = random, {}, {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        assert name not in self.params, f"{name} is asked twice"
        self.choices[name] = tuple(choices)
        self.params[name] = self.random.choice(choices)
        return self.params[name]


def draw(space: SearchSpace, seed: int) -> tuple[RandomTrial, Candidate]:
    trial = RandomTrial(Random(seed))
    return trial, space.sample(trial)


def fixed(space: SearchSpace, candidate: Candidate) -> tuple[dict[str, Any], Candidate]:
    """What Optuna was asked for and gave, where every parameter is fixed to that of the candidate."""
    trial = optuna.trial.FixedTrial(space.params(candidate))
    sampled = space.sample(trial)
    return trial.params, sampled


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@given(seed=st.integers(0, 2**32))
def test_samples_are_canonical_and_inside(space, seed):
    _, candidate = draw(space, seed)
    assert candidate == candidate.canonical()
    assert space.contains(candidate)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@given(seed=st.integers(0, 2**32))
def test_parameters_lead_back_to_random_candidates(space, seed):
    _, candidate = draw(space, seed)
    asked, sampled = fixed(space, candidate)
    assert sampled == candidate
    assert asked == space.params(candidate)


def test_parameters_lead_back_to_every_candidate_of_a_small_space():
    listed = list(SMALL.enumerate())
    assert len(listed) == SMALL.size == (4 + 2 * (6 + 3 + 1) + 2 * (10 + 6 + 3)) * 3 * 2 * 2
    for candidate in listed:
        assert fixed(SMALL, candidate) == (SMALL.params(candidate), candidate)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_choices_are_plain_distinct_and_never_change(space):
    seen: dict[str, tuple[Any, ...]] = {}
    for seed in range(300):
        for name, choices in draw(space, seed)[0].choices.items():
            assert seen.setdefault(name, choices) == choices
    for choices in seen.values():
        assert len(set(choices)) == len(choices) >= 1
        assert {type(choice) for choice in choices} <= {int, float, str}


def test_only_what_matters_is_asked():
    assert SMALL.params(Candidate.parse("xnor")) == {
        "input_bits": 8,
        "members": 1,
        "mu": 0,
        "recipe": "standard",
        "width": 1.0,
        "precision": "xnor",
    }
    assert SMALL.params(Candidate.parse("in2:xnor+fp+mbn3x1:majority:mu255@2:x0.5")) == {
        "input_bits": 2,
        "members": 3,
        "fp_of_3": 1,
        "member_1": "mbn3x1",
        "member_2": "xnor",
        "vote": "majority",
        "mu": 255,
        "mapped_layers": 2,
        "recipe": "standard",
        "width": 0.5,
    }


def test_parameters_of_a_stranger_are_refused():
    refused(lambda: SMALL.params(Candidate.parse("bnn")), "candidate outside the search space: got 'bnn'")


def test_a_study_samples_and_takes_what_is_enqueued():
    """Real trials, conditional parameters and all: Optuna would raise if the choices of one ever changed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=10))
    wanted = Candidate.parse("in2:fp+xnor+xnor:majority:mu255@1")
    study.enqueue_trial(SMALL.params(wanted))
    texts = []
    for _ in range(40):
        trial = study.ask()
        candidate = SMALL.sample(trial)
        assert SMALL.contains(candidate)
        texts.append(str(candidate))
        study.tell(trial, len(texts[-1]))
    assert texts[0] == str(wanted)
    assert len(set(texts)) > 10
