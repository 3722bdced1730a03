"""The diagnostics by name; no torch here, so that help texts and complaints are quick."""

from collections.abc import Iterable
from dataclasses import dataclass

from space.errors import UnknownName

ALPHAS = (0.05, 0.25, 0.5)
"""Step sizes as shares of ε: 0.1, 0.5 and 1 grey level at ε = 2/255 (Frickenstein et al. 2023)."""

SMALLEST_ALPHA, LARGEST_ALPHA = 1e-6, 2.0
"""A step of 2ε reaches from one end of the ball to the other."""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One diagnostic as a person chooses it.

    Attributes:
        name: what it is called on the command line; its files are NAME.csv and NAME.png.
        label: what it shows, in a few words.
        columns: of the table that its function makes of a Subject.
    """

    name: str
    label: str
    columns: tuple[str, ...]

    @property
    def function(self) -> str:
        """Where it is written: every diagnostic has a module of its own."""
        return f"evaluators.diagnostics.{self.name}:{self.name}"


DIAGNOSTICS: dict[str, Diagnostic] = {
    one.name: one
    for one in (
        Diagnostic(
            name="lipschitz",
            label="how much each layer's quantization error can amplify",
            columns=("member", "layer", "kind", "two_norm", "infinity_norm"),
        ),
        Diagnostic(
            name="activations",
            label="L1 norm of the first hidden activation, clean and attacked",
            columns=("member", "epsilon", "l1", "l1_se", "moved", "moved_se"),
        ),
        Diagnostic(
            name="confusion",
            label="which classes are taken for which, clean and attacked",
            columns=("attack", "true", "predicted", "images"),
        ),
        Diagnostic(
            name="epsilon",
            label="accuracy against the attacker's radius",
            columns=("attack", "epsilon", "standing", "images", "accuracy", "low", "high"),
        ),
        Diagnostic(
            name="steps",
            label="accuracy against PGD's steps, for several step sizes",
            columns=("alpha", "step_size", "steps", "standing", "images", "accuracy", "low", "high", "worst"),
        ),
        Diagnostic(
            name="gradients",
            label="gradients that vanish on their way to the image",
            columns=("member", "place", "gradient", "zero_values", "zero_images"),
        ),
    )
}
"""In the order they run."""


def find_diagnostics(names: Iterable[str]) -> tuple[Diagnostic, ...]:
    """The diagnostics with these names; raises UnknownName, which suggests the nearest one."""
    wanted = list(names)
    for name in wanted:
        if name not in DIAGNOSTICS:
            raise UnknownName("diagnostic", name, DIAGNOSTICS)
    return tuple(DIAGNOSTICS[name] for name in wanted)
