"""Finished trials made small, and written as bytes."""

import json
from datetime import datetime
from sys import intern
from typing import Any, cast

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from studies.storage.packed import Packed, pack


class Slimmer:
    """Makes finished trials small, and bytes of them; what they have in common is here, once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[str, BaseDistribution], ...], int] = {}
        self._shared: list[dict[str, BaseDistribution]] = []

    def slim(self, trial: FrozenTrial) -> None:
        """Compress the user's attributes, and let trials have names and distributions in common."""
        trial.distributions = self._shared[self._number(trial.distributions)]
        trial.params = {intern(name): value for name, value in trial.params.items()}
        if not isinstance(trial.user_attrs, Packed):
            trial.user_attrs = Packed(pack(trial.user_attrs))  # type: ignore[assignment]

    def write(self, trial: FrozenTrial) -> bytes:
        """A slim trial as bytes: a line of JSON, and its attributes as they are packed."""
        times = [time and time.isoformat() for time in (trial.datetime_start, trial.datetime_complete)]
        line: dict[str, Any] = {
            "number": trial.number,
            "trial_id": trial._trial_id,
            "state": trial.state.value,
            "values": trial.values,
            "params": trial.params,
            "distributions": self._number(trial.distributions),
            "system_attrs": trial.system_attrs,
            "intermediate_values": [*trial.intermediate_values.items()],
            "times": times,
        }
        return json.dumps(line).encode() + b"\n" + cast(Packed, trial.user_attrs).content

    def read(self, content: bytes) -> FrozenTrial:
        """Read what `write` made."""
        line, _, attributes = content.partition(b"\n")
        known = json.loads(line)
        start, complete = (time and datetime.fromisoformat(time) for time in known["times"])
        return FrozenTrial(
            number=known["number"],
            trial_id=known["trial_id"],
            state=TrialState(known["state"]),
            value=None,
            values=known["values"],
            params={intern(name): value for name, value in known["params"].items()},
            distributions=self._shared[known["distributions"]],
            user_attrs=Packed(attributes),  # type: ignore[arg-type]
            system_attrs=known["system_attrs"],
            intermediate_values=dict(known["intermediate_values"]),
            datetime_start=start,
            datetime_complete=complete,
        )

    def _number(self, distributions: dict[str, BaseDistribution]) -> int:
        number = self._numbers.setdefault(tuple(distributions.items()), len(self._shared))
        if number == len(self._shared):
            self._shared.append(distributions)
        return number
