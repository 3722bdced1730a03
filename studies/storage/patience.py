"""Patience with a database that is away for a while: it is restarted, or the network is down."""

import logging
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage

from space.errors import UserError

Result = TypeVar("Result")

FIRST, MOST, LONGEST = 0.1, 5.0, 900.0
"""Seconds of the first pause, of any later one, and of all together."""

_LOG = logging.getLogger("bitfront")


class Lost(Exception):  # noqa: N818 (it says what happened)
    """A worker's turn ended before it knew."""


def patient(storage: RDBStorage) -> RDBStorage:
    """Let every operation of a storage wait for its database."""
    hidden = ("_get_trials", "_get_stale_trial_ids", "record_heartbeat")
    public = (name for name in vars(BaseStorage) if not name.startswith("_"))
    for name in (*public, *hidden):
        setattr(storage, name, _wrapped(getattr(type(storage), name), storage))
    return storage


def patiently(action: Callable[[], Result], sleep: Callable[[float], None] = time.sleep) -> Result:
    """Do something with a database, again and again while it is away.

    A trial that turns out to be finished when it is finished again was so by the attempt before, whose answer was
    lost. Raises UserError after LONGEST.
    """
    pause, waited = FIRST, 0.0
    while True:
        try:
            return action()
        except Exception as error:
            if waited and isinstance(error, UpdateFinishedTrialError):
                return True  # type: ignore[return-value]
            if not is_outage(error):
                raise
            if waited >= LONGEST:
                raise UserError("the database does not answer", got=f"nothing for {waited:.0f} s") from error
        if not waited:
            _LOG.warning("the database does not answer; waiting for it")
        sleep(pause)
        pause, waited = min(2 * pause, MOST), waited + pause


def is_outage(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is that the database can't be reached or went away."""
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    while error is not None:
        gone = isinstance(error, DBAPIError) and error.connection_invalidated
        if gone or isinstance(error, OperationalError | InterfaceError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _wrapped(action: Callable[..., Any], storage: RDBStorage) -> Callable[..., Any]:
    known = weakref.ref(storage)  # else it would hold itself, and its connections, until the garbage is collected

    def act(*args: Any, **named: Any) -> Any:
        return patiently(lambda: action(known(), *args, **named))

    return act
