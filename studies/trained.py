"""Which members a study has trained."""

from space.candidate import Candidate, Member
from studies.pool import is_trained
from studies.records import Record

Part = tuple[int, str, float, Member]
"""What a member is trained as: behind so many input bits, by a recipe, at a width."""


class Trained:
    """Members of the study's own records, whatever else a cache may hold: another cache makes no other study."""

    def __init__(self) -> None:
        self._parts: set[Part] = set()

    def add(self, record: Record) -> None:
        """Take in the members that a record trained."""
        if is_trained(record):
            self._parts |= _parts(Candidate.parse(record.candidate))

    def missing(self, candidate: Candidate) -> int:
        """How many members of a candidate are still to be trained."""
        return len(_parts(candidate) - self._parts)


def _parts(candidate: Candidate) -> set[Part]:
    one = candidate.canonical()
    return {(one.input_bits, one.recipe, one.width, member) for member in one.members}
