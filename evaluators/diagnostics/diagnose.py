"""A candidate's diagnostics under an evaluator's protocol and budget."""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from evaluators.data.batches import to_float
from evaluators.diagnostics.catalogue import ALPHAS, DIAGNOSTICS, find_diagnostics
from evaluators.diagnostics.subject import Settings, Subject
from evaluators.diagnostics.table import Table
from evaluators.evaluator import Evaluator
from space import Candidate


def diagnose(
    evaluator: Evaluator,
    candidate: Candidate,
    names: Sequence[str] = tuple(DIAGNOSTICS),
    *,
    alphas: Sequence[float] = ALPHAS,
) -> Iterator[Table]:
    """Yield the named diagnostics, in this order, of the candidate on the validation images of the budget.

    Equal calls yield equal tables. Members are trained, or fetched, before the first one.

    Raises: UnknownName, UserError when the candidate does not fit or a step size is out of range, FloatingPointError
        when training diverges.
    """
    chosen = find_diagnostics(names)
    settings = Settings(
        epsilon=evaluator.protocol.epsilon,
        threat=evaluator.protocol.threat,
        steps=evaluator.budget.steps,
        restarts=evaluator.budget.restarts,
        alphas=tuple(alphas),
        seed=evaluator.protocol.seed,
    )
    split = evaluator.data.validation.head(evaluator.budget.images)
    evaluator.cost(candidate)  # says in milliseconds what does not fit
    model = evaluator.ensemble(candidate)
    subject = Subject(model=model, images=to_float(split.images), labels=split.labels, settings=settings)
    return (_function(one.function)(subject) for one in chosen)


def _function(place: str) -> Callable[[Subject], Table]:
    module, name = place.split(":")
    function: Callable[[Subject], Table] = getattr(import_module(module), name)
    return function
