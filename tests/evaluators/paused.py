"""What the tests of paused trainings train."""

from evaluators.members import MemberSpec
from evaluators.networks.plan import Plan
from evaluators.training.recipes import RECIPES


def member(recipe: str = "standard", precision: str = "fp", **changes: object) -> MemberSpec:
    """A small convolutional network, three epochs over 129 images: one is left over and joins the batch before."""
    fields = {
        "precision": precision,
        "index": 0,
        "network": "mnistconv",
        "plan": Plan(shape=(1, 28, 28), classes=10, width=0.125),
        "input_bits": 4,
        "recipe": recipe,
        "epochs": 3,
        "train_images": 129,
        "dataset": "0123456789abcdef",
        "seed": 5,
        "autocast": "float32",
        "epsilon": 0.1 if RECIPES[recipe].crafting else 0.0,
    }
    return MemberSpec(**(fields | changes))
