"""From a selection to its lock file."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, runtime_checkable
from typing import Protocol as Interface

from evaluators.identity import Identity
from space.candidate import Candidate
from studies.confirmation.confirmed import Confirmation
from studies.header import versions
from studies.listed import Listed
from studies.lock import Lock
from studies.records import Record
from studies.selection.select import Selection
from studies.study import Study


@runtime_checkable
class Identifies(Interface):
    """What a lock needs of an evaluator."""

    @property
    def code(self) -> str:
        """Digest of what trains members."""

    def identities(self, candidate: Candidate) -> Sequence[Identity]:
        """Which trained networks a candidate consists of; trains nothing."""


def lock_of(study: Study, selection: Selection, evaluator: object = None) -> Lock:
    """Pin down what was selected.

    Args:
        study: that it was selected in.
        selection: of a record of the study, or of its confirmed front.
        evaluator: of the study's protocol and budget, to name the members' weights by; what can't do that is as good
            as none. What was confirmed knows its weights.
    """
    if selection.confirmation is not None:
        return _confirmed(selection, selection.confirmation)
    config, sure, chosen = study.config, study.front_probability(), selection.chosen
    known = evaluator if isinstance(evaluator, Identifies) else None

    def listed(record: Record) -> Listed:
        return Listed.of(record, sure.get(record.number))

    return Lock(
        study=study.folder.resolve().name,
        protocol=config.protocol,
        split_seed=config.protocol.seed,
        budget=config.budget,
        # A mean over repetitions is of no network; what is locked is the one that the study's own seed trains.
        measurements=_own(study, chosen).measurements,
        **_told(selection, listed),
        members=tuple(known.identities(Candidate.parse(chosen.candidate))) if known else (),
        versions=versions_with(evaluator) | study.versions,
    )


def remembering(lock: Lock, before: Lock) -> Lock:
    """A lock with the weights that an earlier one knew of the same networks, where it knows none itself."""
    if not lock.members and _network(lock) == _network(before):
        return replace(lock, members=before.members, versions=before.versions)
    known = {one.key: one.weights for one in before.members}
    members = [replace(one, weights=one.weights or known.get(one.key)) for one in lock.members]
    return replace(lock, members=tuple(members))


def _network(lock: Lock) -> tuple[Any, ...]:
    """All that decides which network a lock is of."""
    versions = {name: version for name, version in lock.versions.items() if name != "code"}  # an evaluator knows that
    return lock.candidate, lock.protocol, lock.split_seed, lock.budget, versions


def _confirmed(selection: Selection, confirmation: Confirmation) -> Lock:
    """Pin down the network of a confirmed row's first fresh seed, with that very network's measurements.

    The first and not the best: the seed that came out best on the test images would be the lucky one of k, and its
    number an over-estimate of what it is worth on others.
    """
    rows = {row.number: row for row in confirmation.rows}
    row = rows[selection.chosen.number]
    first, protocol = row.seeds[0], confirmation.protocol

    def listed(record: Record) -> Listed:
        return Listed.of(record, rows[record.number].front_probability)

    return Lock(
        study=confirmation.study,
        protocol=replace(protocol, seed=first.seed),
        split_seed=protocol.seed,
        budget=confirmation.budget,
        part="test",
        verification=confirmation.verification,
        confirmed=True,
        measurements=first.measurements,
        **_told(selection, listed),
        members=first.members,
        versions=confirmation.versions,
    )


def _told(selection: Selection, listed: Callable[[Record], Listed]) -> dict[str, Any]:
    """What a lock says of its selection, field by field."""
    return {
        "chosen": listed(selection.chosen),
        "rule": selection.rule,
        "reason": selection.reason,
        "warning": selection.warning,
        "limits": selection.terms.limits,
        "allow_masked": selection.terms.allow_masked,
        "runners_up": tuple(map(listed, selection.runners_up)),
        "knee": listed(selection.knee) if selection.knee else None,
    }


def versions_with(evaluator: object) -> dict[str, str]:
    """Versions of what a result depends on, here and now; with the digest of what trains members where it is known."""
    return versions() | ({"code": evaluator.code} if isinstance(evaluator, Identifies) else {})


def _own(study: Study, chosen: Record) -> Record:
    """The record of the candidate's own trial, whatever repetitions there were."""
    return next((one for one in study.records() if one.number == chosen.number), chosen)
