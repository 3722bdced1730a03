"""The worst case of an adaptive set of attacks, image by image, and what speaks against believing it."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.judging import BATCH
from evaluators.attacks.transfer import Transfer
from evaluators.base import Threat
from evaluators.data.batches import evaluation_batches
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.robustness.certificate import Certificate
from evaluators.robustness.effort import Effort
from evaluators.robustness.probes import Prober, is_flat
from evaluators.robustness.rules import Evidence, flags_of
from evaluators.robustness.siege import Siege
from evaluators.robustness.soundness import LOOKED_AT, stop_training, unsound
from evaluators.robustness.stages import (
    ONE_STEP,
    Target,
    black_box_stages,
    gradient_stages,
    refining_stages,
    surrogate_stages,
)
from evaluators.seeds import stream


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the worst case of one candidate found; tensors are N booleans, True where the image stands.

    Attributes:
        images: what each image became, N×C×H×W within the ball: what it fell to, or the nearest there was to that.
        clean: without any attack.
        naive: under plain PGD, where the protocol's attacker stands.
        certified: whatever the attack; at most `standing`.
        standing: under every attack there was.
        breaks: images that each stage broke and none before it had, by stage name, in order.
        forwards, backwards: passes spent, in units of the whole set.
        evidence: what the rules looked at, by name.
        flags: of the rules that triggered, see `evaluators.verdict`.
    """

    images: Tensor
    clean: Tensor
    naive: Tensor
    certified: Tensor
    standing: Tensor
    breaks: Mapping[str, int]
    forwards: float
    backwards: float
    evidence: Mapping[str, Evidence]
    flags: tuple[str, ...]

    @property
    def forward_equivalents(self) -> float:
        """Passes in units of one forward pass of the whole set; a backward pass costs two."""
        return self.forwards + 2 * self.backwards


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """Attacks by every stage, each on what the ones before it left standing; success is the model's own decision.

    The attacker stands before the discretizer and knows it. What plain PGD alone leaves standing is told of where the
    protocol has its attacker.

    Attributes:
        epsilon: largest change of a pixel.
        threat: where plain PGD stands.
        effort: what it may spend.
        seed: of the draws.
        twins: trained networks whose adversaries are tried as well.
        carriers: their attacks, which remember what they crafted from one model to the next.
    """

    epsilon: float
    effort: Effort
    seed: int
    threat: Threat = "raw"
    twins: tuple[Ensemble, ...] = ()
    carriers: tuple[Transfer, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        crafting = Ascent(steps=self.effort.steps, start="uniform")
        carriers = tuple(Transfer(attack=crafting, source=twin) for twin in self.twins)
        object.__setattr__(self, "carriers", carriers)

    def __call__(self, model: Ensemble, split: Split) -> Findings:
        """Attack every image of a split that is not empty; leaves the model in eval mode."""
        steps = self.narrowed(model, split)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return cast(Findings, done.value)

    def narrowed(self, model: Ensemble, split: Split) -> Generator[Tensor, None, Findings]:
        """The same, by way of what stands so far: whoever asks may stop where that is too little.

        Yields: N booleans, each time no more of them True (raw images; behind a discretizer the first may hold less):
            under plain PGD, then after the stages by gradients, then after those without.
        """
        images, labels = next(evaluation_batches(split.head(LOOKED_AT), LOOKED_AT))
        invalid = (*stop_training(model), *unsound(model, images))
        flat = is_flat(model, images, labels)
        target = Target(model=model, carriers=self.carriers, example=images[:1], flat=flat)
        sieges = self._lay(model, split)
        naive = torch.cat([self._naive(siege, model, batch) for batch, siege in enumerate(sieges)])
        yield naive
        for siege in sieges:
            siege.run(gradient_stages(target, self.effort))
        yield _standing(sieges)
        for siege in sieges:
            siege.run(surrogate_stages(target, self.effort, siege.breaks, len(siege.outcome.standing)))
            siege.run(black_box_stages(target, self.effort))
        yield _standing(sieges)
        siege = Siege.joined(sieges)
        certified = self._certify(siege, model)
        evidence = self._evidence(siege, target, naive) | self._unattacked(siege, certified)
        return Findings(
            images=siege.outcome.images,
            clean=siege.clean,
            naive=naive,
            certified=certified,
            standing=~siege.outcome.broken,
            breaks=siege.breaks,
            forwards=siege.outcome.forwards / len(siege.labels),
            backwards=siege.outcome.backwards / len(siege.labels),
            evidence=evidence,
            flags=(*invalid, *flags_of(evidence)),
        )

    def _lay(self, model: Ensemble, split: Split) -> list[Siege]:
        """Every batch before any attack."""
        return [
            Siege.lay(model, images, labels, self.epsilon, self.seed, str(batch))
            for batch, (images, labels) in enumerate(evaluation_batches(split, BATCH))
        ]

    def _naive(self, siege: Siege, model: Ensemble, batch: int) -> Tensor:
        """What plain PGD leaves standing where the protocol has its attacker.

        Before the discretizer it is the first stage in any case: the rules of the next ones say what it failed on.
        """
        attack = Ascent(steps=self.effort.steps, start="uniform", restarts=self.effort.restarts)
        siege.attack("pgd", attack, model, self._draws(siege, batch))
        if not self._is_behind(model, siege.outcome.origin):
            return ~siege.outcome.broken
        threat = ThreatModel(epsilon=self.epsilon, where=self.threat)
        outcome = attack(model, siege.outcome.origin, siege.labels, threat, self._draws(siege, batch))
        siege.outcome.spend(outcome)
        return ~outcome.broken

    def _draws(self, siege: Siege, batch: int) -> torch.Generator:
        """Those of the objective `pgd_naive`, wherever its attacker stands."""
        return stream(self.seed, "attack", "pgd", str(batch), device=siege.labels.device)

    def _is_behind(self, model: Ensemble, images: Tensor) -> bool:
        """Whether the protocol has its attacker behind a discretizer that changes anything."""
        return not torch.equal(ThreatModel(epsilon=self.epsilon, where=self.threat).origin(model, images), images)

    def _certify(self, siege: Siege, model: Ensemble) -> Tensor:
        """What no attack can break; what falls on the way is counted too."""
        before = len(siege.outcome.standing)
        certificate = Certificate() if self.effort.steps else Certificate(points=1)
        certified = certificate.certify(siege.outcome, model, siege.labels, self.epsilon)
        siege.breaks["lattice"] = before - len(siege.outcome.standing)
        return certified

    def _evidence(self, siege: Siege, target: Target, naive: Tensor) -> dict[str, Evidence]:
        """Sample and probe what is left."""
        prober = Prober(siege=siege, model=target.model, effort=self.effort)
        found = prober.gradients(naive) | prober.black_box(target)
        siege.run(refining_stages(target, self.effort, siege.breaks))
        found |= prober.settled() | prober.large_radius()
        gap, over = int((naive & siege.outcome.broken).sum()), int((~naive & ~siege.outcome.broken).sum())
        images = {"one-step": siege.breaks[ONE_STEP], "gap": gap}
        images |= {"discretizer": gap, "behind": over} if self._is_behind(target.model, siege.outcome.origin) else {}
        return found | {name: Evidence(share=count / len(naive), images=count) for name, count in images.items()}

    def _unattacked(self, siege: Siege, certified: Tensor) -> dict[str, Evidence]:
        """What stands because nothing was tried."""
        left = 0 if self.effort.steps else int((~siege.outcome.broken & ~certified).sum())
        return {"unattacked": Evidence(share=left / len(certified), images=left)}


def _standing(sieges: Sequence[Siege]) -> Tensor:
    return torch.cat([~siege.outcome.broken for siege in sieges])
