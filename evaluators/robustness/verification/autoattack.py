"""Attacks of another library, pyautoattack, the packaged code of Croce and Hein (2020): an outside opinion."""

from collections.abc import Callable
from dataclasses import dataclass
from logging import CRITICAL, Logger
from typing import Any, Literal

import torch
from torch import Tensor

from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.robustness.verification.score import Score
from space.errors import UserError

Method = Literal["apgd-ce", "apgd-dlr", "apgd-t", "fab-t", "square"]
Perturb = Callable[[Tensor, Tensor], Tensor]

ROUNDING = 1e-6
"""How far beyond the ball float32 arithmetic may put a pixel; it is put back before anything is judged."""

METHODS: tuple[Method, ...] = ("apgd-ce", "apgd-dlr", "apgd-t", "square")
"""From cheap to dear."""

STANDARD: tuple[Method, ...] = ("apgd-ce", "apgd-t", "fab-t", "square")
"""The standard set of AutoAttack, in its order."""

FEWEST_CLASSES = {"apgd-ce": 2, "apgd-dlr": 3, "apgd-t": 4, "fab-t": 2, "square": 2}
"""Classes that a method's loss needs: DLR divides by the gap to the third largest logit."""


def available() -> bool:
    """Whether pyautoattack is installed."""
    try:
        import pyautoattack  # noqa: F401
    except ImportError:
        return False
    return True


def require() -> None:
    """Raise UserError where pyautoattack is not installed."""
    if not available():
        raise UserError("pyautoattack is not installed", hint="pip install 'bitfront[audit]'")


@dataclass(frozen=True, kw_only=True)
class External(Attack):
    """One attack of pyautoattack, on what still stands; what falls is the model's own word, never the library's.

    Attributes:
        method: APGD on the cross-entropy, on the DLR loss, on the targeted DLR loss, targeted FAB, or Square.
        steps: of one run of APGD or FAB, >= 1.
        targets: other classes that "apgd-t" and "fab-t" aim at, the likeliest first; >= 1, all of them where there are
            fewer.
        queries: of Square, per image, >= 1.
    """

    method: Method
    steps: int = 100
    targets: int = 9
    queries: int = 5000

    def go_on(
        self, outcome: Attacked, model: Ensemble, labels: Tensor, threat: ThreatModel, generator: torch.Generator
    ) -> None:
        """Attack what still stands in an outcome, in place; nothing happens where there are too few classes.

        The library seeds PyTorch's global generators; they are put back as they were.

        Raises: UserError without pyautoattack, RuntimeError for an image outside the ball.
        """
        require()
        standing = outcome.standing
        if not len(standing):
            return
        # the library flattens gradients without a copy, and they come in the order of the images
        score, origin = Score(model), outcome.origin[standing].contiguous()
        classes = score(origin[:1]).shape[1]
        if classes < FEWEST_CLASSES[self.method]:
            return
        seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
        usual = {"norm": "Linf", "eps": threat.epsilon, "seed": seed, "device": str(origin.device)}
        with torch.random.fork_rng(devices=_seeded_devices()):
            found = self._perturb(score, classes, usual)(origin, labels[standing])
        _judge(outcome, model, labels, _within(Ball.around(origin, threat.epsilon), found.detach()))
        outcome.forwards += score.forwards
        outcome.backwards += score.backwards

    def _perturb(self, score: Score, classes: int, usual: dict[str, Any]) -> Perturb:
        """The library's attack, from images and labels to images; `usual` is what all of its attacks take."""
        from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
        from pyautoattack.fab_pt import FABAttack_PT
        from pyautoattack.square import SquareAttack

        targets = min(self.targets, classes - 1)
        ascent = usual | {"n_iter": self.steps, "logger": Logger("pyautoattack", CRITICAL)}  # it would warn
        perturb: Perturb
        match self.method:
            case "apgd-ce" | "apgd-dlr":
                perturb = APGDAttack(score, loss=self.method.removeprefix("apgd-"), **ascent).perturb
            case "apgd-t":
                perturb = APGDAttack_targeted(score, n_target_classes=targets, **ascent).perturb
            case "fab-t":
                own = usual | {"n_iter": self.steps, "targeted": True, "n_target_classes": targets}
                perturb = FABAttack_PT(score, **own).perturb
            case "square":
                perturb = SquareAttack(score, n_queries=self.queries, resc_schedule=False, **usual).perturb
        return perturb


def _seeded_devices() -> list[int]:
    """Where the library seeds a generator, beside the processor's."""
    return [torch.cuda.current_device()] if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]


def _within(ball: Ball, found: Tensor) -> Tensor:
    """The images, put back where rounding left the ball; RuntimeError for more than that."""
    inside = ball.project(found)
    excess = float((found - inside).abs().max())
    if not excess <= ROUNDING:
        raise RuntimeError(f"pyautoattack left the ball by {excess:g}")
    return inside


@torch.no_grad()
def _judge(outcome: Attacked, model: Ensemble, labels: Tensor, images: Tensor) -> None:
    standing = outcome.standing
    logits = model.member_logits(images)
    fallen = model.predict(logits) != labels[standing]
    outcome.record(images, standing, fallen, model.loss(logits, labels[standing]))
