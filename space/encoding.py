"""A candidate as the parameters of a trial, and back: what every encoding can, and the conditional one.

The conditional encoding asks only what matters (no vote for one member, no layers without mu). The choices of a
parameter depend on its name alone, because Optuna forbids categorical choices that change.

| parameter | asked | choices |
|---|---|---|
| input_bits, members, mu, recipe, width | always | the axis |
| precision | one member | precisions |
| fp_of_N | N >= 2 members | how many of the N may be fp |
| member_1, member_2, … | N >= 2, one each of those not fp | precisions without fp |
| vote | N >= 2 | votes |
| mapped_layers | mu > 0 | mapped_layers |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from space.candidate import Candidate, Member, MuLaw, Vote
from space.groups import FP
from space.stages import read_precision

if TYPE_CHECKING:
    from space.space import SearchSpace


class Trial(Protocol):
    """What sampling needs of a trial; `optuna.Trial` and `optuna.trial.FixedTrial` have it."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices, which are plain int, float or str and the same whenever `name` is."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return a whole number from low to high, which are the same whenever `name` is."""


class Encoding(Protocol):
    """How the candidates of one space are written as parameters; equal designs have equal parameters."""

    def sample(self, trial: Trial) -> Candidate:
        """The canonical candidate of a trial's suggestions."""

    def params(self, candidate: Candidate) -> dict[str, Any]:
        """The parameters that make `sample` return the canonical form of this candidate, and no others.

        Raises UserError for a candidate that is not in the space.
        """


class Conditional:
    """Categorical parameters, each asked only where it matters; for samplers that know such spaces."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space

    def sample(self, trial: Trial) -> Candidate:
        """See `Encoding`."""
        space, members = self._space, self._sample_members(trial)
        vote: Vote | None = trial.suggest_categorical("vote", space.votes) if len(members) > 1 else None
        return Candidate(
            input_bits=trial.suggest_categorical("input_bits", space.input_bits),
            members=members,
            vote=vote,
            mapping=self._sample_mapping(trial),
            recipe=trial.suggest_categorical("recipe", space.recipes),
            width=trial.suggest_categorical("width", space.widths),
        ).canonical()

    def params(self, candidate: Candidate) -> dict[str, Any]:
        """See `Encoding`."""
        one = self._space.check_contains(candidate)
        values = {
            "input_bits": one.input_bits,
            "members": len(one.members),
            "recipe": one.recipe,
            "width": one.width,
        }
        values |= {"mu": one.mapping.mu, "mapped_layers": one.mapping.layers} if one.mapping else {"mu": 0}
        if len(one.members) == 1:
            return values | {"precision": str(one.members[0].precision)}
        others = [str(member.precision) for member in one.members if not member.precision.float]
        values |= {"vote": one.vote, f"fp_of_{len(one.members)}": len(one.members) - len(others)}
        return values | {f"member_{slot}": token for slot, token in enumerate(others, 1)}

    def _sample_members(self, trial: Trial) -> tuple[Member, ...]:
        space = self._space
        count = trial.suggest_categorical("members", space.members)
        if count == 1:
            token = trial.suggest_categorical("precision", [str(p) for p in space.precisions])
            return (Member(read_precision(token)),)
        full = trial.suggest_categorical(f"fp_of_{count}", space.groups.full_counts(count))
        choices = [str(precision) for precision in space.groups.others]
        slots = range(1, count - full + 1)
        tokens = [trial.suggest_categorical(f"member_{slot}", choices) for slot in slots]
        return tuple(Member(precision) for precision in (*[FP] * full, *map(read_precision, tokens)))

    def _sample_mapping(self, trial: Trial) -> MuLaw | None:
        mu = trial.suggest_categorical("mu", self._space.mu)
        return MuLaw(mu, trial.suggest_categorical("mapped_layers", self._space.mapped_layers)) if mu else None
