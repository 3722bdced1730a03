"""Runs of a study by a random sampler and a closed form, and what is seen of them."""

from collections import Counter

import optuna
from closed_form import Arithmetic, config

from studies import Stop, Study

QUICK = {"sampler": "random"}


def run(folder, evaluator=None, trials=12, seconds=None, on_event=lambda event: None, **changes):
    study = Study.open(folder, config(**(QUICK | changes)))
    stopped = study.run(evaluator or Arithmetic(), Stop(trials=trials, seconds=seconds), on_event)
    return study, stopped


def states(study):
    return Counter(record.state for record in study.records())


def told(study):
    """What Optuna was told of each trial."""
    return [
        trial.state for trial in optuna.load_study(study_name="bitfront", storage=study._trials._storage).get_trials()
    ]
