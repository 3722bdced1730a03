"""What rules look at: gradients that vanish, attacks that had not settled, radii that should leave nothing standing."""

from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.attacks.base import ThreatModel, judged
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.losses import Loss, plain, rescaled
from evaluators.attacks.surrogates import through
from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.rules import Evidence
from evaluators.robustness.siege import Siege
from evaluators.robustness.stages import BLACK_BOX, SQUARE, Stage, Target, best_surrogate, square_stage

FURTHER_STARTS = 2
"""Starts beyond those of the stages."""
GREY = 0.5
"""Radius at which every image can become one grey, so that no decision can stand."""


def zero_gradients(model: Ensemble, images: Tensor, labels: Tensor, loss: Loss = plain) -> Tensor:
    """Whether each image's own gradient is exactly zero: N booleans."""
    gradient = judged(model, images, labels, loss).gradient
    if gradient is None:  # every image has fallen already
        return torch.zeros_like(labels, dtype=torch.bool)
    return (gradient == 0).flatten(1).all(1)


def is_flat(model: Ensemble, images: Tensor, labels: Tensor) -> bool:
    """Whether gradients are exactly zero on many of some images, however logits are scaled."""
    return bool(zero_gradients(model, images, labels, rescaled).float().mean() > 0.05)


@dataclass(frozen=True, kw_only=True)
class Prober:
    """Looks at some of what still stands.

    Attributes:
        siege: after its stages.
        model: that was attacked.
        effort: of the stages.
    """

    siege: Siege
    model: Ensemble
    effort: Effort

    def gradients(self, naive: Tensor) -> dict[str, Evidence]:
        """Gradients that are exactly zero, on images that plain PGD left standing (N booleans)."""
        index = naive.nonzero().squeeze(1)[: self.effort.probed]
        images, labels = self.siege.outcome.origin[index], self.siege.labels[index]
        share = float(naive.float().mean())
        free = through(self.model, "window-free")
        return {
            "zero-gradient": self._share(zero_gradients(self.model, images, labels), share),
            "no-gradient": self._share(zero_gradients(free, images, labels, rescaled), share),
        }

    def black_box(self, target: Target) -> dict[str, Evidence]:
        """What noise, transfer and, on a sample of what is left, Square broke after all gradients had failed."""
        left = len(self.siege.outcome.standing)
        self.siege.run([square_stage(target, self.effort)])
        earlier, square = sum(self.siege.breaks.get(name, 0) for name in BLACK_BOX), self.siege.breaks[SQUARE]
        sampled = self._extrapolated(square, min(left, self.effort.sample), left)
        share = earlier / len(self.siege.labels) + sampled.share
        return {"black-box": Evidence(share=share, images=earlier + square)}

    def settled(self) -> dict[str, Evidence]:
        """What twice the steps break, then what further starts do."""
        harder = {
            "unconverged": HalvingAscent(steps=2 * self.effort.steps),
            "restarts": HalvingAscent(steps=self.effort.steps, restarts=FURTHER_STARTS),
        }
        model, found = best_surrogate(self.model, self.siege.breaks), {}
        for name, attack in harder.items():
            left = self.siege.outcome.standing
            index = left[: self.effort.probed]
            broken = self.siege.probe(Stage(name=name, attack=attack, model=model), index)
            found[name] = self._extrapolated(broken, len(index), len(left))
        return found

    def large_radius(self) -> dict[str, Evidence]:
        """What stands at a radius at which nothing can; judged apart, since that is not the threat."""
        left = self.siege.outcome.standing
        index = left[: self.effort.probed]
        if not len(index) or not self.effort.steps:
            return {}
        attack, threat = HalvingAscent(steps=self.effort.steps), ThreatModel(epsilon=GREY)
        draws = self.siege.draws("large-radius")
        free = best_surrogate(self.model, self.siege.breaks)
        outcome = self.siege.outcome.part(index)
        attack.go_on(outcome, free, self.siege.labels[index], threat, draws)
        self.siege.outcome.spend(outcome)
        return {"large-radius": self._extrapolated(len(outcome.standing), len(index), len(left))}

    def _share(self, hit: Tensor, share: float) -> Evidence:
        count = int(hit.sum())
        return Evidence(share=share * count / max(1, len(hit)), images=count)

    def _extrapolated(self, count: int, probed: int, left: int) -> Evidence:
        """From so many of those probed to all that are left, as a share of all images."""
        return Evidence(share=count / max(1, probed) * left / len(self.siege.labels), images=count)
