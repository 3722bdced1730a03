"""Real studies side by side, with an evaluator that answers by arithmetic."""

from dataclasses import replace

import numpy as np
import pytest
from closed_form import PROTOCOL, SIXTY, Arithmetic, Foresighted, config, no_flags

from evaluators.base import Budget
from space.errors import UserError
from studies import Limit, Stop, Study, additive_epsilon, compare_studies, hypervolume, igd_plus, non_dominated
from studies.comparison.studies import run_of
from studies.fronts.history import hypervolume_trace
from studies.records import values_of

OBJECTIVES = ("acc", "pgd", "bops")


def refuse_all(candidate, name):
    if name != "cost":
        raise RuntimeError("out of luck")


@pytest.fixture
def study(tmp_path):
    """A finished study: `study("random", seed=1, trials=9)`."""

    def run(sampler="random", trials=8, evaluator=Arithmetic, trouble=None, **changes):
        asked = config(**{"space": SIXTY, "sampler": sampler, "proposals": "off", **changes})
        folder = tmp_path / f"study-{len(list(tmp_path.iterdir()))}"
        answers = evaluator(protocol=asked.protocol, budget=asked.budget, flags=no_flags)
        if trouble:
            answers.trouble = trouble
        opened = Study.open(folder, asked)
        opened.run(answers, Stop(trials=trials))
        return Study.load(folder)

    return run


@pytest.fixture
def four(study):
    return [study(sampler, seed=seed, trials=8 + seed) for sampler in ("random", "tpe") for seed in (0, 1)]


def test_studies_are_grouped_by_who_proposes(four, study):
    pool = study("tpe", evaluator=Foresighted, proposals="pool")
    near = study(full=False, margin=0.002)
    groups = compare_studies([*four, pool, near]).groups
    assert {name: [one.seed for one in some] for name, some in groups.items()} == {
        "random, full": [0, 1],
        "tpe, full": [0, 1],
        "tpe + pool, full": [0],
        "random, margin 0.002": [0],
    }


def test_what_auto_chose_is_who_proposed(study):
    chosen, other = study("auto", seed=0), study("auto", seed=1, trials=60)
    assert (chosen.choice.chosen, other.choice.chosen) == ("tpe", "exhaustive")
    assert [*compare_studies([chosen, other]).groups] == ["tpe, full", "exhaustive, full"]
    with pytest.raises(UserError, match=r"is tpe, full with seed 0, and so is .*; hint: each run counts once"):
        compare_studies([study("tpe", seed=0), chosen])


def test_a_run_has_an_event_per_evaluated_candidate_and_ends_with_the_volume_of_its_front(four):
    comparison = compare_studies(four)
    for one, contender in zip(four, comparison.contenders, strict=True):
        evaluated = [record for record in one.records() if record.evaluated]
        assert [event[0] for event in contender.run] == list(range(1, len(evaluated) + 1))
        assert [event[1] for event in contender.run] == [record.at for record in evaluated]
        volumes = [event[2] for event in contender.run]
        assert volumes == sorted(volumes)
        losses = comparison.bounds.normalise(values_of(one.front(), OBJECTIVES), OBJECTIVES)
        assert volumes[-1] == pytest.approx(hypervolume(losses, np.ones(3)))
    assert comparison.best == max(one.run[-1][2] for one in comparison.contenders)


def test_a_run_of_several_workers_goes_by_when_trials_ended_and_not_by_their_numbers(study):
    one = study()
    alone = one.records()
    crossed = [replace(record, at=alone[place ^ 1].at) for place, record in enumerate(alone)]
    run = run_of(crossed, one.config, one.bounds)
    seconds, volumes = [event[1] for event in run], [event[2] for event in run]
    assert [event[0] for event in run] == list(range(1, len(alone) + 1))
    assert seconds == sorted(seconds)
    assert volumes == sorted(volumes)
    assert list(zip(seconds, volumes, strict=True)) == hypervolume_trace(
        crossed, one.config.objectives, one.bounds, one.config.terms
    )


def test_what_fails_or_breaks_a_limit_is_paid_for_and_adds_nothing(study):
    limited = study(limits=(Limit.parse("acc>=0.9"),), trials=10)
    comparison = compare_studies([limited])
    records = {record.number: record for record in limited.records() if record.evaluated}
    assert len(comparison.contenders[0].run) == len(records) == 10
    before = 0.0
    for record, (_, _, volume) in zip(records.values(), comparison.contenders[0].run, strict=True):
        assert volume == before or record.state == "complete"
        before = volume
    assert any(record.state == "vetoed" for record in records.values())


def test_distances_are_from_the_front_of_all(four):
    comparison = compare_studies(four)
    fronts = [comparison.bounds.normalise(values_of(one.front(), OBJECTIVES), OBJECTIVES) for one in four]
    everything = np.vstack(fronts)
    best = everything[non_dominated(everything, [False] * 3)]
    for front, one in zip(fronts, comparison.contenders, strict=True):
        assert one.distance == pytest.approx(igd_plus(front, best))
        assert one.epsilon == pytest.approx(additive_epsilon(front, best))
        assert 0 <= one.distance <= one.epsilon * 3**0.5
    assert compare_studies(four[:1]).contenders[0].distance == 0.0


def test_hypervolumes_are_in_the_widest_bounds(four):
    one, other = four[0], four[1]
    low, high = other.bounds.costs["bops"]
    header = other._header
    other._header = replace(header, bounds=replace(header.bounds, costs={"bops": (low / 4, high), "memory": (1, 2)}))
    comparison = compare_studies([one, other])
    assert comparison.bounds.costs["bops"] == (low / 4, high)
    wide = run_of(one.records(), one.config, comparison.bounds)
    assert comparison.contenders[0].run == wide
    assert wide[-1][2] < run_of(one.records(), one.config, one.bounds)[-1][2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objectives": ("acc", "bops")}, "another objectives: got 'acc, bops'; expected acc, pgd, bops"),
        ({"budget": Budget(epochs=9)}, "another budget.epochs: got '9'"),
        ({"limits": (Limit.parse("bops<=1e9"),)}, "another limits: got 'bops<=1e.09'; expected none"),
        ({"allow_masked": True}, "another allow_masked: got 'True'"),
        ({"space": replace(SIXTY, input_bits=(2, 8))}, "another space.input_bits: got '2, 8'"),
        ({"protocol": replace(PROTOCOL, epsilon=0.1)}, "another protocol.epsilon: got '0.1'"),
    ],
)
def test_what_does_not_compare_is_refused_by_name(study, changes, said):
    with pytest.raises(UserError, match=rf"study-1 does not compare with .*study-0: it has {said}"):
        compare_studies([study(), study("tpe", **changes)])


def test_seeds_may_differ_everywhere(study):
    other = study(seed=1, protocol=replace(PROTOCOL, seed=1))
    assert len(compare_studies([study(), other]).contenders) == 2


def test_images_may_have_another_name_where_they_are_the_same(study):
    named = replace(PROTOCOL, dataset="elsewhere.npz")
    assert len(compare_studies([study(), study(seed=1, protocol=named)]).contenders) == 2
    with pytest.raises(UserError, match="each run counts once"):
        compare_studies([study(), study(protocol=named)])
    with pytest.raises(UserError, match=r"another protocol.dataset: got 'elsewhere.npz'"):
        compare_studies([study(), study(seed=1, protocol=replace(named, checksum="other"))])


def test_a_run_counts_once(study):
    one = study()
    for twin in (one, study()):
        with pytest.raises(UserError, match=r"is random, full with seed 0, and so is .*hint: each run counts once"):
            compare_studies([one, twin])


def test_a_study_of_failures_has_no_front_and_is_infinitely_far(study):
    failed = study(seed=1, trials=3, trouble=refuse_all)
    found = compare_studies([study(), failed]).contenders[1]
    assert [volume for _, _, volume in found.run] == [0.0] * 3
    assert found.distance == np.inf
    alone = compare_studies([failed])
    assert alone.best == 0.0


def test_a_study_without_an_evaluated_candidate_is_refused(study):
    def interrupt(candidate, name):
        if name != "cost":
            raise KeyboardInterrupt

    started = study(trouble=interrupt)
    with pytest.raises(UserError, match=r"study without an evaluated candidate: got '.*study-0'"):
        compare_studies([started])
