"""Proposals from the pool, with a closed-form evaluator that has a clock of its own, and with real members."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from closed_form import LARGE, Arithmetic, Foresighted, accuracy, bops, config, parts, story

from evaluators.objectives import BOUND
from evaluators.prices import LEAST
from space.candidate import Candidate
from space.errors import UserError
from space.space import SearchSpace
from studies import Limit, Stop, Study, hypervolume_trace
from studies.fronts.bounds import measure_bounds
from studies.fronts.growth import RECENT, Growth
from studies.proposals import proposer as module
from studies.proposals.proposer import IN_A_ROW, NEEDED, Proposer
from studies.proposals.prospects import Prospects
from studies.proposals.work import Work


def run(folder, evaluator=None, trials=20, proposals="pool", **changes):
    study = Study.open(folder, config(proposals=proposals, **changes))
    evaluator = evaluator or Foresighted()
    study.run(evaluator, Stop(trials=trials))
    return study, evaluator


def by_origin(study, origin):
    return [record for record in study.records() if record.origin == origin]


def test_proposals_train_nothing_and_are_new(tmp_path):
    study, evaluator = run(tmp_path, trials=30)
    proposed = by_origin(study, "pool")
    assert len(proposed) >= 5
    assert all(evaluator.log[record.candidate][0] == 0 for record in proposed)
    assert any(evaluator.log[record.candidate][0] for record in by_origin(study, "sampler"))
    assert all(record.state == "complete" for record in proposed)
    assert len({record.key for record in study.records() if record.state == "complete"}) == 30
    assert [record.origin for record in study.records()][: len(study.design)] == ["design"] * len(study.design)


def test_the_sampler_has_its_turns(tmp_path):
    study, _ = run(tmp_path, trials=30)
    row = [record.origin for record in study.records()]
    longest = max(len(part) for part in "".join("p" if one == "pool" else " " for one in row).split())
    assert longest <= IN_A_ROW["pool"]
    assert Counter(row)["sampler"] >= 5


def test_off_means_the_sampler_alone(tmp_path):
    study, _ = run(tmp_path / "off", proposals="off")
    blind, _ = run(tmp_path / "blind", Arithmetic())
    assert not by_origin(study, "pool") and not by_origin(blind, "pool")
    assert story(study.records()) == story(blind.records())


def test_another_setting_is_another_study(tmp_path):
    run(tmp_path, trials=6, proposals="off")
    with pytest.raises(UserError, match=r"holds a study with another proposals: got 'pool'; expected off"):
        run(tmp_path, trials=8)


def test_a_run_in_parts_proposes_what_one_run_does(tmp_path):
    """The first run's size decides how long the design is, so both start with 9 trials."""
    stories = []
    for name, stops in (("whole", (9, 26)), ("parts", (9, 13, 14, 20, 26))):
        evaluator = Foresighted()  # stands for the cache, which outlives runs
        for trials in stops:
            study, _ = run(tmp_path / name, evaluator, trials=trials)
        stories.append((story(study.records()), [one.origin for one in study.records()]))
        assert by_origin(study, "pool")
    assert stories[0] == stories[1]


def test_a_journal_cut_anywhere_goes_on_as_it_would_have(tmp_path):
    whole, _ = run(tmp_path / "whole", trials=22)
    assert by_origin(whole, "pool")
    journal, rng = (tmp_path / "whole" / "journal.log").read_bytes(), random.Random(1)
    queued = [at + 1 + journal[at:].index(b"\n") for at in found(journal, b'"origin":"pool"')]
    assert queued
    cuts = [queued[0], queued[0] - 5, queued[-1], *(rng.randrange(len(journal) // 10, len(journal)) for _ in range(3))]
    for cut in cuts:
        folder = tmp_path / f"{cut}"
        folder.mkdir()
        (folder / "journal.log").write_bytes(journal[:cut])
        evaluator = Foresighted()
        for record in Study.load(folder).records():
            evaluator.members |= parts(Candidate.parse(record.candidate))
        study, _ = run(folder, evaluator, trials=22)
        assert story(study.records()) == story(whole.records()), f"cut at byte {cut}"
        assert [one.origin for one in study.records()] == [one.origin for one in whole.records()]


def found(text, part):
    """Where a part stands in a text."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def test_limits_hold_for_proposals_before_they_are_tried(tmp_path):
    limits = (Limit.parse("bops<=6e7"), Limit.parse("acc>=0.7"))
    study, _ = run(tmp_path, trials=30, limits=limits)
    proposed = by_origin(study, "pool")
    assert proposed
    assert all(record.state == "complete" for record in proposed)
    assert any(record.state == "vetoed" for record in study.records())


@pytest.mark.parametrize(
    "objectives", [("acc", "bops"), ("pgd", "bops"), ("pgd",), ("acc", "fgsm", "pgd", "bops", "memory")]
)
def test_any_objectives_may_be_proposed_for(tmp_path, objectives):
    study, evaluator = run(tmp_path, trials=24, objectives=objectives)
    assert by_origin(study, "pool")
    assert all(evaluator.log[record.candidate][0] == 0 for record in by_origin(study, "pool"))


@pytest.mark.parametrize("sampler", ["nsga2", "random"])
def test_every_sampler_lives_with_proposals(tmp_path, sampler):
    study, _ = run(tmp_path, trials=30, sampler=sampler)
    assert by_origin(study, "pool") and by_origin(study, "sampler")


def reached(study, evaluator):
    """Hypervolume against the evaluator's clock."""
    records = [record for record in study.records() if record.state == "complete"]
    trace = hypervolume_trace(records, study.config.objectives, study.bounds)
    return [(evaluator.log[one.candidate][1], volume) for one, (_, volume) in zip(records, trace, strict=True)]


def test_the_same_hypervolume_is_reached_in_fewer_seconds(tmp_path):
    """Geometric mean over the seeds; the volume is the lower of the two final ones."""
    ratios = []
    for seed in range(4):
        curves = [
            reached(*run(tmp_path / f"{proposals}{seed}", trials=30, seed=seed, proposals=proposals))
            for proposals in ("off", "pool")
        ]
        volume = min(curve[-1][1] for curve in curves)
        without, with_pool = (next(at for at, found in curve if found >= volume) for curve in curves)
        ratios.append(without / with_pool)
    assert np.exp(np.mean(np.log(ratios))) > 1.3
    assert sum(ratio > 1 for ratio in ratios) >= 3


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    study, _ = run(tmp_path_factory.mktemp("records"), trials=40, sampler="random", proposals="off")
    return study.records()


@pytest.fixture(scope="module")
def bounds():
    return measure_bounds(LARGE, Arithmetic().cost)


def knowing(records):
    evaluator = Foresighted()
    for record in records:
        evaluator.members |= parts(Candidate.parse(record.candidate))
    return evaluator


def test_growth_is_what_the_trace_says(records, bounds):
    growth, objectives = Growth(config(), bounds), config().objectives
    for place, record in enumerate(records):
        growth.add(record, place + 1.0)
    trace = [0.0, *(volume for _, volume in hypervolume_trace(records, objectives, bounds))]
    work = np.arange(1.0, len(records) + 1)
    assert growth.usual == pytest.approx(np.diff(trace)[-RECENT:].sum() / work[-RECENT:].sum(), abs=1e-15)
    assert growth.complete == len(records)


def test_what_is_free_is_exact_and_robustness_is_at_most_clean_accuracy(records, bounds):
    prospects = Prospects(config(), bounds, knowing(records))
    candidates = [Candidate.parse(text) for text in {record.candidate for record in records}]
    found = prospects.of(candidates, trained=True)
    assert len(found) == len(candidates)
    mean, deviation = prospects.losses(found, records)
    axes = list(config().objectives)
    exact = [1 - accuracy(one.candidate) for one in found]
    assert mean[:, axes.index("acc")] == pytest.approx(exact)
    low, high = np.log2(bounds.costs["bops"])
    costs = [(np.log2(bops(one.candidate)) - low) / (high - low) for one in found]
    assert mean[:, axes.index("bops")] == pytest.approx(costs)
    assert (deviation[:, [axes.index("acc"), axes.index("bops")]] == 0).all()
    assert (deviation[:, axes.index("pgd")] > 0).all()
    assert (mean[:, axes.index("pgd")] >= mean[:, axes.index("acc")]).all()


def test_the_like_of_masked_records_is_expected_to_be_worthless(records, bounds):
    def masked(record):
        flag = ("masked:gap",) if Candidate.parse(record.candidate).input_bits == 1 else ()
        pgd = replace(record.measurements["pgd"], flags=flag)
        return replace(record, measurements={**record.measurements, "pgd": pgd})

    doubted = [masked(record) for record in records]
    assert {"masked", "ok"} <= {record.verdict for record in doubted}
    coarse = [Candidate.parse(one.candidate) for one in records if one.candidate.startswith("in1")]

    def mean(seen, **changes):
        prospects = Prospects(config(**changes), bounds, knowing(records))
        return prospects.losses(prospects.of(coarse, trained=True), seen)[0][:, 1].mean()

    assert mean(doubted) > mean(records) + 0.2
    assert mean(doubted, allow_masked=True) == mean(records)


def test_what_does_not_fit_or_breaks_a_limit_is_no_prospect(records, bounds):
    def refuse(candidate, name):
        if candidate.input_bits == 4:
            raise UserError("input bits of this network", got=4, expected="others")

    evaluator = replace(knowing(records), trouble=refuse)
    prospects = Prospects(config(limits=(Limit.parse("acc>=0.75"),)), bounds, evaluator)
    texts = {record.candidate for record in records} | {"in2:mbn2x2+mbn2x2+mbn2x2"}
    candidates = [Candidate.parse(text) for text in texts]
    found = {str(one.candidate) for one in prospects.of(candidates, trained=True) if one and one.clean is not None}
    assert found
    for text in texts:
        one = Candidate.parse(text)
        free = one.input_bits != 4 and parts(one) <= evaluator.members and accuracy(one) >= 0.75
        assert (text in found) == free


def test_nothing_is_proposed_that_promises_less_than_the_sampler_brings(records, bounds, monkeypatch):
    proposer = Proposer(config(), bounds, knowing(records))
    assert proposer.propose(records) is not None
    monkeypatch.setattr(module.Growth, "usual", 1.0)
    assert Proposer(config(), bounds, knowing(records)).propose(records) is None


def test_before_the_sampler_has_had_a_trial_any_gain_is_worth_one(records, bounds):
    designed = [replace(record, origin="design") for record in records[:NEEDED]]
    assert Growth(config(), bounds).usual == 0.0
    assert Proposer(config(), bounds, knowing(designed)).propose(designed) is not None
    assert Proposer(config(), bounds, knowing(designed)).propose(designed[:-1]) is None


def test_the_proposal_is_the_best_of_the_pool(records, bounds):
    """In the end, with the true robustness: among the better half of all untried candidates of known members."""
    proposer = Proposer(config(proposals="pool"), bounds, knowing(records))
    chosen, origin = proposer.propose(records)
    assert origin == "pool"
    assert chosen.key() not in {record.key for record in records}
    assert parts(chosen) <= knowing(records).members
    assert LARGE.contains(chosen)


def test_a_pool_without_anything_untried_leaves_it_to_the_sampler(tmp_path):
    space = SearchSpace(precisions=("fp", "pact2", "pact4", "xnor", "mbn1x1", "mbn2x2"), input_bits=(2, 8))
    study, _ = run(tmp_path, trials=12, space=space)
    assert not by_origin(study, "pool")
    assert len(study.records()) >= 12


def test_the_model_proposes_candidates_that_take_a_training_as_well(tmp_path):
    study, evaluator = run(tmp_path, trials=40, proposals="model")
    proposed = {origin: by_origin(study, origin) for origin in ("pool", "model")}
    trained = {origin: [evaluator.log[one.candidate][0] for one in found] for origin, found in proposed.items()}
    assert trained["model"] and min(trained["model"]) >= 1
    assert set(trained["pool"]) <= {0}
    row = "".join("p" if one.origin in trained else " " for one in study.records())
    assert max(map(len, row.split())) <= IN_A_ROW["model"]


def test_what_is_not_known_of_the_clean_accuracy_is_predicted_with_its_doubt(records, bounds):
    prospects = Prospects(config(), bounds, knowing(records))
    candidates = [Candidate.parse(record.candidate) for record in records]
    known, unknown = (prospects.of(candidates, trained=trained) for trained in (True, False))
    assert all(one.clean is None for one in unknown)
    (exact, none), (expected, doubt) = (prospects.losses(part, records) for part in (known, unknown))
    assert (none[:, 0] == 0).all() and (doubt[:, 0] > 0).all()
    assert np.abs(expected[:, 0] - exact[:, 0]).mean() < exact[:, 0].std()
    assert (expected[:, 1] >= expected[:, 0]).all()


def test_the_cheaper_of_two_that_promise_the_same_is_proposed(records, bounds, monkeypatch):
    """Whatever gains are expected: divided by its work, the chosen one's is the highest."""
    gained = {}

    def equal(front, mean, deviation):
        gained["count"] = len(mean)
        return np.ones(len(mean))

    monkeypatch.setattr(module, "expected_gains", equal)
    evaluator = knowing(records)
    proposer = Proposer(config(), bounds, evaluator)
    chosen, origin = proposer.propose(records)
    work = Work(config(), evaluator.prices)
    for record in records:
        work.add(record)
    assert gained["count"] > 100 and origin == "pool"
    assert work.of(chosen) == pytest.approx(LEAST + evaluator.prices.attack * min(LARGE.widths))


def test_what_was_stopped_teaches_what_stood(tmp_path, bounds):
    """A prediction learns from a trial that ended under attack as if that were its robust accuracy."""
    records = run(tmp_path, trials=20, proposals="off")[0].records()
    stands = replace(records[0].measurements["pgd"], value=0.0)
    measured = {name: one for name, one in records[0].measurements.items() if name != "pgd"}
    stopped = replace(records[0], state="stopped", measurements=measured | {BOUND: stands})
    prospects = Prospects(config(), bounds, knowing(records))
    twin = prospects.of([Candidate.parse(records[0].candidate)], trained=True)
    before, after = (prospects.losses(twin, [one, *records[1:]])[0][0, 1] for one in (records[0], stopped))
    assert after > before
