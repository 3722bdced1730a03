"""What a trial will cost: trainings of members nobody trained, and an attack for each member."""

import pytest
from closed_form import config, measurement

from evaluators.base import Budget
from evaluators.prices import LEAST, STARTING, STEP, Prices
from space.candidate import Candidate
from studies.proposals.work import Work
from studies.records import Record

PRICES = Prices(training=1e5, attack=2e4)


def record(text, *names):
    candidate = Candidate.parse(text)
    measured = {name: measurement(name, 0.5) for name in names}
    return Record(number=0, candidate=text, key=candidate.key(), state="complete", measurements=measured)


def work(*records, objectives=("acc", "pgd", "bops")):
    made = Work(config(objectives=objectives), PRICES)
    for one in records:
        made.add(one)
    return made


@pytest.mark.parametrize(
    ("text", "trainings", "attacked"),
    [
        ("fp", 1, 1),
        ("xnor+xnor", 2, 2),
        ("in2:fp+xnor+pact4:majority:mu255@1", 3, 3),
        ("fp:x0.5", 0.5, 0.5),
    ],
)
def test_a_new_candidate_costs_its_trainings_and_its_attack(text, trainings, attacked):
    expected = LEAST + trainings * PRICES.training + attacked * PRICES.attack
    assert work().of(Candidate.parse(text)) == pytest.approx(expected)


def test_known_members_cost_no_training_under_another_vote_mapping_or_company():
    made = work(record("in2:fp+xnor", "acc"))
    for text, missing in (("in2:fp", 0), ("in2:fp+xnor:majority:mu255@1", 0), ("in2:xnor+xnor", 1), ("fp+xnor", 2)):
        one = Candidate.parse(text)
        assert made.of(one) == pytest.approx(LEAST + missing * PRICES.training + len(one.members) * PRICES.attack)


def test_what_ended_before_its_training_did_trains_nothing():
    made = work(record("fp", "bops"), record("xnor", "bops"))
    assert made.of(Candidate.parse("fp")) > PRICES.training


def test_a_study_without_attacks_pays_for_none():
    made = work(record("fp", "acc"), objectives=("acc", "bops"))
    assert made.of(Candidate.parse("fp")) == LEAST


def test_prices_follow_from_the_budget():
    """Three passes an image and epoch; those of an attack by hand."""
    found = Prices.of(Budget(epochs=4, images=100, steps=5, restarts=2), train_images=3200)
    assert found == Prices(training=3 * 4 * 3200, attack=100 * (STARTING + STEP * 5 * 2))
