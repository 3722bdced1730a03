"""Records as a study's trials hold them."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial

from space.candidate import Candidate
from space.errors import UserError
from studies.records import Record
from studies.trial import one_line

RECORD = "record"
"""User attribute of an Optuna trial that holds its record: the source of truth."""


def read_records(trials: optuna.Study) -> list[Record]:
    """Records of all finished trials, by number; UserError for a damaged one."""
    return [record_of(one.number, one.user_attrs[RECORD]) for one in recorded(trials)]


def recorded(trials: optuna.Study) -> list[FrozenTrial]:
    """Finished trials that hold a record, by number; UserError where the database can't tell."""
    try:
        finished = [one for one in trials.get_trials(deepcopy=False) if one.state.is_finished()]
    except ValueError as error:  # what a database holds is no JSON
        raise UserError("damaged record", got=one_line(error), hint="take the database from a backup") from error
    return [one for one in finished if RECORD in one.user_attrs]


def record_of(number: int, stored: Any) -> Record:
    """Read the record of a trial; UserError for a damaged one."""
    try:
        record = Record.from_json(stored)
        Candidate.parse(record.candidate)
    except (AttributeError, KeyError, TypeError, ValueError, UserError) as error:
        hint = "take the study from a backup"
        raise UserError(f"damaged record of trial #{number}", got=one_line(error), hint=hint) from error
    return record
