"""Candidates that were really trained, in a second, and diagnosed on real digits."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from evaluators import Budget, Evaluator, diagnose, open_evaluator
from evaluators.data.batches import to_float
from evaluators.diagnostics.subject import Settings, Subject
from evaluators.diagnostics.table import Table
from space import Candidate

WIDTH = ":x0.125"


@cache
def evaluator() -> Evaluator:
    return open_evaluator(
        dataset="mnist5k",
        network="fcn2",
        epsilon=0.1,
        budget=Budget(epochs=2, train_images=1500, images=300, steps=6),
        device="cpu",
        cache=Path(mkdtemp(prefix="members")),
    )


@cache
def table(spec: str, name: str) -> Table:
    [found] = diagnose(evaluator(), Candidate.parse(spec + WIDTH), [name], alphas=(0.1, 0.25, 0.7))
    return found


def subject(spec: str, **settings: object) -> Subject:
    split = evaluator().data.validation.head(300)
    chosen = Settings(**{"epsilon": 0.1, "steps": 6, **settings})
    model = evaluator().ensemble(Candidate.parse(spec + WIDTH))
    return Subject(model=model, images=to_float(split.images), labels=split.labels, settings=chosen)


def accuracies(spec: str, *names: str) -> dict[str, float]:
    """What an evaluation says of the same candidate."""
    return {name: one.value for name, one in evaluator().measure(Candidate.parse(spec + WIDTH), names)}
