"""Records as a study's trials hold them."""

import warnings
from collections.abc import Iterator
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial

from space.candidate import Candidate
from space.errors import UserError
from studies.config import StudyConfig
from studies.records import Record
from studies.samplers.told import constraints, told
from studies.storage.shown import shown
from studies.trial import one_line

RECORD = "record"
"""User attribute of an Optuna trial that holds its record: the source of truth."""


def finished(trials: optuna.Study) -> Iterator[FrozenTrial]:
    """Finished trials, by number, one at a time; UserError where the database can't tell."""
    try:
        known = trials.get_trials(deepcopy=False)
    except ValueError as error:  # what a database holds is no JSON
        raise UserError("damaged record", got=one_line(error), hint="take the database from a backup") from error
    return (one for one in known if one.state.is_finished())


def stored(trial: FrozenTrial) -> Record | None:
    """The record of a trial, if it has one; UserError for a damaged one."""
    known = trial.user_attrs.get(RECORD) if trial.state.is_finished() else None
    return None if known is None else record_of(trial.number, known)


def record_of(number: int, stored: Any) -> Record:
    """Read the record of a trial; UserError for a damaged one."""
    try:
        record = Record.from_json(stored)
        Candidate.parse(record.candidate)
    except (AttributeError, KeyError, TypeError, ValueError, UserError) as error:
        hint = "take the study from a backup"
        raise UserError(f"damaged record of trial #{number}", got=one_line(error), hint=hint) from error
    return record


def store(trials: optuna.Study, trial: Trial, record: Record, config: StudyConfig) -> Record:
    """Store the record of a trial, unless another worker did meanwhile, and tell the sampler of what is stored.

    Gives what is stored, or the record where the trial is finished. Raises optuna's UpdateFinishedTrialError where
    another worker finishes it at the same moment.
    """
    latest = trials._storage.get_trial(trial._trial_id)
    if latest.state.is_finished():
        return record
    if RECORD in latest.user_attrs:
        record = record_of(latest.number, latest.user_attrs[RECORD])
    else:
        _write(trial, record, config)
    state, values = told(record, config)
    trials.tell(trial, values, state, skip_if_finished=True)
    return record


def _write(trial: Trial, record: Record, config: StudyConfig) -> None:
    with warnings.catch_warnings():
        # What another worker wrote meanwhile, who had the same trial, is the same.
        warnings.filterwarnings("ignore", message="The constraint value is ignored")
        for name, value in constraints(record, config).items():
            if name not in trial.constraints:
                trial.set_constraint(name, value)
    for name, said in shown(record, config.objectives).items():
        trial.set_user_attr(name, said)
    trial.set_user_attr(RECORD, record.to_json())
