"""`export STUDY|LOCK`: the chosen network as files that other programs run, measured again from those files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.console import note, say, say_json, table
from search.export.folders import CARD, FILES, check_free, whole
from search.export.subject import Subject
from search.export.verification import ATTACKED, CLAIMED, FLOAT32, TEST, Outcome, verify
from search.export.writing import write_findings, write_network
from search.formats import number, size
from search.opening import evaluator_of_lock, one_evaluation
from search.tables.narrow import print_table
from space import UserError
from studies import Lock, read_lock

if TYPE_CHECKING:
    from evaluators import Evaluator


def execute(args: Namespace) -> int:
    """Write, read back, judge; UserError where the files are not what they should be, which they stay to show."""
    lock, out = read_lock(args.lock), args.out
    check_free(out)
    evaluator = evaluator_of_lock(lock, args, args.dataset)
    with whole(out) as folder, one_evaluation():
        outcome = _exported(folder, lock, evaluator)
    if args.json:
        say_json({"folder": str(out), **outcome.to_json()})
    else:
        _print(out, lock, outcome)
    if outcome.failures:
        got = "; ".join(outcome.failures)
        raise UserError("not deployable", got=got, hint=f"{out / CARD} and verify.json say more")
    return 0


def _exported(folder: Path, lock: Lock, evaluator: Evaluator) -> Outcome:
    subject = Subject(lock=lock, evaluator=evaluator, ensemble=evaluator.ensemble(lock.candidate))
    _check_same(lock, evaluator)
    note("writing the network")
    write_network(folder, subject)
    outcome = verify(folder, subject, note)
    write_findings(folder, subject, outcome)
    return outcome


def _check_same(lock: Lock, evaluator: Evaluator) -> None:
    """Raise UserError unless the trained members are those of the lock, as far as it knows their weights."""
    here = evaluator.identities(lock.candidate)
    other = [
        place
        for place, (then, now) in enumerate(zip(lock.members, here, strict=False), start=1)
        if then.weights is not None and then.weights != now.weights
    ]
    if other or (lock.members and len(lock.members) != len(here)):
        got = f"other weights of member {', '.join(map(str, other))}" if other else f"{len(here)} members"
        raise UserError("not the network of the lock", got=got, hint="evaluate --from-lock says what differs")


def _print(out: Path, lock: Lock, outcome: Outcome) -> None:
    """A row per file, the latency, and the verdict."""
    accuracies = (f"{lock.part} accuracy", "attacked")
    grid = table(f"{lock.candidate} in {out}", ("file", "size", "of float32", "flips", *accuracies))
    float32 = outcome.sizes[FLOAT32]
    for name in FILES:
        if name in outcome.sizes:
            share = f"{100 * outcome.sizes[name] / float32:.1f} %"
            grid.add_row(name, size(outcome.sizes[name]), share, *_judged(name, outcome))
    print_table(grid)
    for one in outcome.latency:
        say(f"batch {one.batch}: {1000 * one.exported:.3g} ms an image, {one.ratio:.2f} times the float32 network")
    if outcome.deployable:
        say(f"deployable: all {len(outcome.checks)} checks passed on what was read back from {out}")


def _judged(name: str, outcome: Outcome) -> Sequence[str]:
    """What a file made of images; blanks for one that holds no network."""
    if name not in outcome.exams[TEST]:
        return ("", "", "")
    test, clean, attacked = (outcome.exams[exam][name] for exam in (TEST, CLAIMED, ATTACKED))
    shares = [number(one.hits / one.images, "fraction") for one in (clean, attacked)]
    return (f"{test.flips} of {test.images}", *shares)
