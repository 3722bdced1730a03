"""What there is to select from: confirmed rows where a study has them, else the records of its search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from space.candidate import Candidate
from studies.confirmation.confirmed import Confirmation, ConfirmedRow, read_confirmation
from studies.records import Record
from studies.selection.select import Selection, select
from studies.study import Study
from studies.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What there is to select from.

    Attributes:
        records: to choose among.
        sure: probability of being on the front, by number, where it is known.
        confirmation: where they come from; None for the search's own records.
        unconfirmed: numbers of the search's front that are not among them: the search went on after the confirmation.
        fallen: how many candidates were confirmed of which none stands, so that the search's own records are offered.
    """

    records: Sequence[Record]
    sure: dict[int, float]
    confirmation: Confirmation | None = None
    unconfirmed: tuple[int, ...] = ()
    fallen: int = 0

    @classmethod
    def of(cls, study: Study, *, confirmed: bool = True) -> Self:
        """The confirmed rows of a study, if it has any that stand and they are wanted; else its records.

        Raises: UserError for a damaged confirmation.
        """
        found = read_confirmation(study.folder) if confirmed else None
        if found is None or not found.front or found.objectives != study.config.objectives:
            fallen = sum(bool(row.seeds) for row in found.rows) if found else 0
            return cls(records=study.records(), sure=study.front_probability(), fallen=fallen)
        sure = {row.number: row.front_probability for row in found.rows if row.front_probability is not None}
        rows = [_as_record(row) for row in found.rows]
        known = {row.number for row in found.rows}
        newer = tuple(one.number for one in study.front() if one.number not in known)
        return cls(records=rows, sure=sure, confirmation=found, unconfirmed=newer)

    def select(self, objectives: Sequence[str], terms: Terms, rule: str | None = None) -> Selection:
        """As `studies.selection.select`, and says where the records come from."""
        return self.described(select(self.records, objectives, terms, rule))

    def described(self, selection: Selection) -> Selection:
        """A selection among these records that says where they come from, and how sure it is."""
        sure, key = self.sure.get(selection.chosen.number), selection.chosen.key
        return replace(
            selection,
            confirmation=self.confirmation,
            unconfirmed=self.unconfirmed,
            fallen=self.fallen,
            sure=sure,
            failed=sum(one.repeats and one.state == "failed" and one.key == key for one in self.records),
        )


def _as_record(row: ConfirmedRow) -> Record:
    """A row as a record: with the means over seeds; failed where a seed failed, so that nothing chooses it."""
    failed = not row.measurements or any(one.failure for one in row.seeds)
    return Record(
        number=row.number,
        candidate=row.candidate,
        key=Candidate.parse(row.candidate).key(),
        state="failed" if failed else "complete",
        reason=row.reason if failed else "",
        measurements=row.measurements,
        runs=max(1, len(row.seeds)),
    )
