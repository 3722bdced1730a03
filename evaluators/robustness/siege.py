"""A set of images under one stage after the other, and what each stage broke."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.robustness.stages import Stage
from evaluators.seeds import stream


@dataclass(kw_only=True)
class Siege:
    """Images, and what is left of them.

    Attributes:
        outcome: so far.
        labels: N integers.
        threat: radius; the attacker stands before the discretizer.
        seed: of the draws.
        clean: what stood before any attack, N booleans.
        place: names the draws, with the stage's own name.
        breaks: images that each stage broke and none before it had, by stage name, in order.
        turns: stages of each name so far.
    """

    outcome: Attacked
    labels: Tensor
    threat: ThreatModel
    seed: int
    clean: Tensor
    place: str
    breaks: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)

    @classmethod
    def lay(cls, model: Ensemble, images: Tensor, labels: Tensor, epsilon: float, seed: int, place: str) -> "Siege":
        """Before any attack: what the model gets wrong has fallen already."""
        outcome = Attacked.untouched(model, images, labels)
        threat, clean = ThreatModel(epsilon=epsilon), ~outcome.broken
        return cls(outcome=outcome, labels=labels, threat=threat, seed=seed, clean=clean, place=place)

    @classmethod
    def joined(cls, parts: Sequence["Siege"]) -> "Siege":
        """Those of several batches as one."""
        breaks: dict[str, int] = {}
        for name, count in (item for part in parts for item in part.breaks.items()):
            breaks[name] = breaks.get(name, 0) + count
        first = parts[0]
        return cls(
            outcome=Attacked.joined([part.outcome for part in parts]),
            labels=torch.cat([part.labels for part in parts]),
            threat=first.threat,
            seed=first.seed,
            clean=torch.cat([part.clean for part in parts]),
            place="all",
            breaks=breaks,
        )

    def run(self, stages: Iterable[Stage]) -> None:
        """Attack what still stands, in place, stage by stage."""
        for stage in stages:
            draws = self.draws(stage.name)
            self.attack(stage.name, stage.attack, stage.model, draws)

    def draws(self, name: str) -> torch.Generator:
        """What a stage draws from: stages of one name start elsewhere each time."""
        turn = self.turns[name] = self.turns.get(name, 0) + 1
        return stream(self.seed, "worst case", name, str(turn), self.place, device=self.labels.device)

    def attack(self, name: str, attack: Attack, model: Ensemble, draws: torch.Generator) -> None:
        """Attack what still stands, in place, and count under a name what falls."""
        before = len(self.outcome.standing)
        attack.go_on(self.outcome, model, self.labels, self.threat, draws)
        self.breaks[name] = self.breaks.get(name, 0) + before - len(self.outcome.standing)

    def probe(self, stage: Stage, index: Tensor) -> int:
        """Run a stage on some of the images; what it breaks has fallen. Returns how many that were."""
        part = replace(
            self,
            outcome=self.outcome.part(index),
            labels=self.labels[index],
            clean=self.clean[index],
            breaks={},
        )
        part.run([stage])
        self.outcome.take_back(index, part.outcome)
        self.breaks[stage.name] = self.breaks.get(stage.name, 0) + part.breaks[stage.name]
        return part.breaks[stage.name]
