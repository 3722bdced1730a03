"""`evaluate SPEC`: one candidate, trained and attacked under a protocol."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from search.console import console, note, table
from search.formats import clock, measured
from search.opening import evaluator_of, one_evaluation
from space import Candidate
from studies import Evaluates


def execute(args: Namespace) -> int:
    """Print every objective with its standard error, or JSON."""
    candidate = Candidate.parse(args.candidate)
    evaluator = evaluator_of(args)
    found: dict[str, Measurement] = {}
    with one_evaluation():
        for name, measurement in _measure(evaluator, candidate, args.objectives):
            note(f"{name} {measured(measurement)}, {clock(measurement.seconds)}")
            found[name] = measurement
    if args.json:
        print(json.dumps(_document(candidate, evaluator, found), indent=2))
    else:
        _print(candidate, evaluator, {name: found[name] for name in args.objectives})
    return 0


def _measure(evaluator: Evaluates, candidate: Candidate, names: tuple[str, ...]) -> Iterator[tuple[str, Measurement]]:
    """The named objectives, costs first."""
    yield from ((name, one) for name, one in evaluator.cost(candidate).items() if name in names)
    if dear := [name for name in OBJECTIVES if name in names and OBJECTIVES[name].stage != "cost"]:
        yield from ((name, one) for name, one in evaluator.measure(candidate, dear) if name in names)


def _document(candidate: Candidate, evaluator: Evaluates, found: Mapping[str, Measurement]) -> dict[str, object]:
    """Everything needed to compare and to repeat it."""
    return {
        "candidate": str(candidate),
        "key": candidate.key(),
        "protocol": asdict(evaluator.protocol),
        "budget": asdict(evaluator.budget),
        "measurements": {name: one.to_json() for name, one in found.items()},
    }


def _print(candidate: Candidate, evaluator: Evaluates, found: Mapping[str, Measurement]) -> None:
    """A row per objective."""
    protocol = evaluator.protocol
    title = f"{candidate} on {protocol.dataset}, {protocol.network}, epsilon {protocol.epsilon:.4g}"
    grid = table(title, ("objective", "meaning", "value", "images", "time"), left=2)
    for name, one in found.items():
        images = str(one.n) if one.n else ""
        grid.add_row(name, OBJECTIVES[name].label, measured(one), images, clock(one.seconds))
    console().print(grid)
