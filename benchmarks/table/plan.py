"""What each table holds: which space, measured how."""

from dataclasses import dataclass

from evaluators.base import Budget
from space.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every candidate of a table is measured with."""

    dataset: str
    network: str
    epsilon: float
    budget: Budget
    space: SearchSpace


PLANS = {
    "mnist5k": Plan(
        dataset="mnist5k",
        network="mnistconv",
        epsilon=0.2,
        budget=Budget(epochs=4, images=96, steps=5, restarts=1),
        space=SearchSpace(
            input_bits=(1, 2, 3, 8),
            precisions=("fp", "pact2", "xnor", "mbn3x1"),
            members=(1, 2, 3),
            full_precision=(0, 1),
            mu=(0, 255),
            widths=(0.125, 0.25, 0.5),
        ),
    ),
}
"""By name."""
