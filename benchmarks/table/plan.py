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
    "cifar5k": Plan(
        dataset="cifar5k.npz",
        network="resnet20",
        epsilon=2 / 255,
        budget=Budget(epochs=2, images=32, steps=5, restarts=1),
        space=SearchSpace(
            input_bits=(2, 4, 8),
            precisions=("fp", "pact2", "xnor", "mbn3x1"),
            members=(1, 2),
            full_precision=(0, 1),
            mu=(0, 255),
            mapped_layers=(3,),
            widths=(0.25,),
        ),
    ),
}
"""By name. cifar5k is the first 4,000 images for training and 1,000 for testing of CIFAR-10, in the working folder."""
