"""Records as a study's trials hold them."""

from collections.abc import Iterator
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from space.candidate import Candidate
from space.errors import UserError
from studies.records import Record
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
