"""What every sampler promises to a study: the same search for a seed, however often it is interrupted."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))

from closed_form import SIXTY, Arithmetic, Foresighted, config, story

from space import SearchSpace
from studies import AUTO, SAMPLERS, Limit, Stop, Study
from studies.proposals.nominations import PATIENCE
from studies.samplers.named import make_encoding

NAMES = [name for name in SAMPLERS if name != AUTO]
WHOLE = {"gp", "qmc", "exhaustive"}
"""Those that never propose what was tried."""

SPACE = SearchSpace(
    input_bits=(1, 8),
    precisions=("fp", "pact4", "dorefa4-2", "xnor"),
    members=(1, 2, 3),
    full_precision=(0, 1),
    votes=("mean", "majority"),
    mu=(0, 255),
    mapped_layers=(1, 3),
)
"""576 candidates with every kind of condition."""

TRIALS = 14
"""A design of four, six until a Gaussian process starts, and four of its own."""

TWO = ("acc", "bops")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def run(folder, name, trials=TRIALS, evaluator=None, **changes):
    study = Study.open(folder, config(**({"sampler": name, "space": SPACE, "objectives": TWO} | changes)))
    stopped = study.run(evaluator or Arithmetic(), Stop(trials=trials))
    return study, stopped


def told(folder, name, **changes):
    return story(run(folder, name, **changes)[0].records())


def test_a_seed_decides(tmp_path, name):
    one = told(tmp_path / "one", name)
    assert len(one) >= TRIALS
    assert one == told(tmp_path / "same", name)
    assert one != told(tmp_path / "other", name, seed=1)


def test_interruptions_change_nothing_and_repeat_nothing(tmp_path, name):
    """Runs that end in the middle of a trial, one after the other: start-up, model and all."""
    for count in (2, 7, 13):
        asked = []

        def interrupt(candidate, measured, asked=asked, count=count):
            asked.append(measured)
            if asked.count("acc") > count:
                raise KeyboardInterrupt

        folder = tmp_path / "pieces"
        done = len(Study.load(folder).records()) if folder.exists() else 0
        _, stopped = run(folder, name, evaluator=Arithmetic(trouble=interrupt))
        assert (stopped.reason == "interrupted") == (done + count < TRIALS)
    assert told(tmp_path / "pieces", name) == told(tmp_path / "whole", name)


def test_a_kill_between_the_suggestions_of_a_trial_changes_nothing(tmp_path, name):
    """The trial goes on with the numbers it was given, and does not take itself for another worker's."""
    whole = told(tmp_path / "whole", name)
    journal = (tmp_path / "whole" / "journal.log").read_bytes()
    start = journal.index(b'"bitfront":{')
    lines = [at + 1 for at, byte in enumerate(journal) if byte == ord(b"\n") and at > start]
    suggested = [end for end in lines if b'"param_name"' in journal[journal.rindex(b"\n", 0, end - 1) : end]]
    rng = random.Random(0)
    for cut in (suggested[-1], *rng.sample(suggested[-15:-1], 2)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "journal.log").write_bytes(journal[:cut])
        assert told(folder, name) == whole, f"cut at byte {cut} of {len(journal)}"


def test_what_is_stored_is_the_one_form_of_equal_designs(tmp_path, name):
    study, _ = run(tmp_path, name)
    encoding = make_encoding(name, SPACE)
    for record, trial in zip(study.records(), study._trials.get_trials(), strict=True):
        candidate = encoding.sample(type("Fixed", (), answers(trial.params))())
        assert record.candidate == str(candidate)
        if name in WHOLE:
            assert trial.params == encoding.params(candidate)
    if name in WHOLE:
        assert len({record.key for record in study.records()}) == len(study.records()) == TRIALS


def answers(params):
    """Methods of a trial that answers with these parameters."""
    return {
        "suggest_int": lambda self, name, low, high: params[name],
        "suggest_categorical": lambda self, name, choices: params[name],
    }


def test_limits_are_told_as_constraints_and_kept(tmp_path, name):
    """One is known before training and costs nothing; the other is measured."""
    limits = (Limit.parse("bops<=6e7"), Limit.parse("acc>=0.55"))
    study, stopped = run(tmp_path, name, limits=limits)
    assert stopped.reason == "trials"
    assert any(trial.constraints[str(limit)] > 0 for limit in limits[:1] for trial in study._trials.get_trials())
    assert study.front()
    for record in study.front():
        assert all(not limit.broken_by(record.measurements) for limit in limits)


@pytest.mark.parametrize("objectives", [("acc",), ("acc", "pgd", "bops"), ("acc", "pgd", "bops", "memory")], ids=len)
def test_any_number_of_objectives(tmp_path, name, objectives):
    study, stopped = run(tmp_path, name, trials=11, objectives=objectives)
    assert stopped.reason == "trials"
    assert study.front()


def test_it_lives_with_proposals_of_others(tmp_path, name):
    study, _ = run(tmp_path, name, evaluator=Foresighted(), trials=18)
    assert {"pool", "sampler", "design"} <= {record.origin for record in study.records()}


def test_a_small_space_is_searched_to_its_end_and_no_further(tmp_path, name):
    """400 trials of a space of 60: duplicates cost nothing, and nobody spins."""
    evaluator = Arithmetic()
    objectives = ("acc",) if name == "gp" else ("acc", "pgd", "bops")  # the model of one takes a tenth of the time
    study, stopped = run(tmp_path, name, trials=400, space=SIXTY, objectives=objectives, evaluator=evaluator)
    assert (stopped.reason, stopped.evaluated) == ("space exhausted", 60)
    assert (
        [measured for _, measured in evaluator.asked].count("acc") == 60 == len({text for text, _ in evaluator.asked})
    )
    assert len(study.records()) <= (60 if name in WHOLE else 60 * (PATIENCE + 1))
