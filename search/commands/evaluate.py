"""`evaluate SPEC`: one candidate, trained and attacked under a protocol."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from evaluators.verdict import JUDGED, gap_of, rules_in, verdict_of
from search.console import note, say, say_json, table
from search.flags.shared import PLACE_FLAGS, given_flags
from search.formats import clock, interval, measured, points
from search.locked import Rebuilt, measure_lock, print_rebuilt
from search.opening import evaluator_of, evaluator_of_lock, one_evaluation
from search.tables.narrow import print_table
from search.tables.verdicts import explained, styled
from space import Candidate, UserError
from studies import Evaluates, read_lock, versions_with


def execute(args: Namespace) -> int:
    """Print every objective with its error and interval, and what was flagged; or JSON."""
    if args.from_lock is not None:
        return execute_lock(args)
    if args.candidate is None:
        raise UserError("nothing to evaluate", expected="a candidate, or --from-lock with a lock file")
    candidate = Candidate.parse(args.candidate)
    evaluator = evaluator_of(args)
    found = _told(_measure(evaluator, candidate, args.objectives))
    if args.json:
        say_json(_document(candidate, evaluator, found))
    else:
        _print(candidate, evaluator, found, args.objectives)
    return 0


def execute_lock(args: Namespace) -> int:
    """Build the network of a lock file again, and print whether it is the same; UserError where it is not."""
    given = given_flags(args, allowed=PLACE_FLAGS)
    if args.candidate is not None or given:
        got = args.candidate or given[0]
        raise UserError("a lock file has its own candidate and protocol", got=got, expected="--from-lock alone")
    lock = read_lock(args.from_lock)
    evaluator = evaluator_of_lock(lock, args, args.dataset if "--dataset" in given_flags(args) else "")
    found = _told(measure_lock(evaluator, lock))
    rebuilt = Rebuilt(
        lock=lock,
        members=evaluator.identities(lock.candidate),
        measurements=found,
        versions=versions_with(evaluator),
    )
    if args.json:
        say_json(rebuilt.to_json())
    else:
        print_rebuilt(rebuilt)
    if rebuilt.differences:
        raise UserError("not the network of the lock", got="; ".join(rebuilt.differences), hint=rebuilt.cause)
    return 0


def _told(measured_ones: Iterator[tuple[str, Measurement]]) -> dict[str, Measurement]:
    """All of them by name, each told on stderr when it is known."""
    found: dict[str, Measurement] = {}
    with one_evaluation():
        for name, measurement in measured_ones:
            note(f"{name} {measured(measurement)}, {clock(measurement.seconds)}")
            found[name] = measurement
    return found


def _measure(evaluator: Evaluates, candidate: Candidate, names: tuple[str, ...]) -> Iterator[tuple[str, Measurement]]:
    """The named objectives, costs first, and what comes with them: a worst case has its bounds beside it."""
    yield from ((name, one) for name, one in evaluator.cost(candidate).items() if name in names)
    if dear := [name for name in OBJECTIVES if name in names and OBJECTIVES[name].stage != "cost"]:
        yield from (pair for pair in evaluator.measure(candidate, dear) if pair[0] in OBJECTIVES)


def _document(candidate: Candidate, evaluator: Evaluates, found: Mapping[str, Measurement]) -> dict[str, object]:
    """Everything needed to compare and to repeat it."""
    return {
        "candidate": str(candidate),
        "key": candidate.key(),
        "protocol": asdict(evaluator.protocol),
        "budget": asdict(evaluator.budget),
        "measurements": {name: one.to_json() for name, one in found.items()},
        "gap": gap_of(found),
        "verdict": verdict_of(found),
        "rules": list(_rules(found)),
    }


def _rules(found: Mapping[str, Measurement]) -> tuple[str, ...]:
    """Names of the rules that triggered."""
    return rules_in(found[JUDGED].flags) if JUDGED in found else ()


def _print(
    candidate: Candidate, evaluator: Evaluates, found: Mapping[str, Measurement], names: tuple[str, ...]
) -> None:
    """A row per objective, those that were asked for first; the verdict, and where its rules are explained."""
    protocol = evaluator.protocol
    title = f"{candidate} on {protocol.dataset}, {protocol.network}, epsilon {protocol.epsilon:.4g}"
    grid = table(title, ("objective", "meaning", "value", "95 % interval", "images", "time"), left=2)
    for name in dict.fromkeys((*names, *found)):
        one = found[name]
        images = str(one.n) if one.n else ""
        grid.add_row(name, OBJECTIVES[name].label, measured(one), interval(one), images, clock(one.seconds))
    if (gap := gap_of(found)) is not None:
        grid.add_row("gap", "pgd_naive less pgd", f"{points(gap)} points")
        grid.add_row("verdict", "whether pgd can be believed", styled(verdict_of(found)))
    print_table(grid)
    for line in explained(_rules(found)):
        say(line)
