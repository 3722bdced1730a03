"""`evaluate SPEC`: one candidate, trained and attacked under a protocol."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from evaluators.verdict import JUDGED, gap_of, rules_in, verdict_of
from search.console import console, note, say, say_json, table
from search.formats import clock, interval, measured, points
from search.opening import evaluator_of, one_evaluation
from search.verdicts import explained, styled
from space import Candidate
from studies import Evaluates


def execute(args: Namespace) -> int:
    """Print every objective with its error and interval, and what was flagged; or JSON."""
    candidate = Candidate.parse(args.candidate)
    evaluator = evaluator_of(args)
    found: dict[str, Measurement] = {}
    with one_evaluation():
        for name, measurement in _measure(evaluator, candidate, args.objectives):
            note(f"{name} {measured(measurement)}, {clock(measurement.seconds)}")
            found[name] = measurement
    if args.json:
        say_json(_document(candidate, evaluator, found))
    else:
        _print(candidate, evaluator, found, args.objectives)
    return 0


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
    console().print(grid)
    for line in explained(_rules(found)):
        say(line)
