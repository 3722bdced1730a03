"""The second look at one candidate, on images that no search has seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.judging import BATCH
from evaluators.base import Measurement
from evaluators.data.batches import evaluation_batches
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.evaluator import Evaluator
from evaluators.networks.build import Network
from evaluators.robustness.effort import Effort
from evaluators.robustness.siege import Siege
from evaluators.robustness.stages import Stage, Target, gradient_stages, surrogate_stages
from evaluators.robustness.verification.autoattack import METHODS, External, available
from evaluators.robustness.verification.binarization import Binarization, Found, Stages
from evaluators.robustness.verification.settings import TWINS, Verification
from evaluators.robustness.verification.verified import Verified, flags_of
from evaluators.robustness.worst_case import Findings, WorstCase
from space import Candidate

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Verifies candidates under one protocol; members that lack are trained as in the search.

    Attributes:
        evaluator: of the search.
        settings: how hard to look.
        tell: hears, stage by stage, what came out.
    """

    evaluator: Evaluator
    settings: Verification
    tell: Tell

    def verify(self, candidate: Candidate, searched: Measurement | None) -> Verified:
        """Attack the candidate on test images with all there is.

        Args:
            candidate: fits the network.
            searched: its worst-case accuracy in the search.
        Raises: UserError when it does not fit, FloatingPointError when a training diverges.
        """
        began = time.perf_counter()
        found, external = self.attack(candidate)
        model, split = self.evaluator.ensemble(candidate), self.split
        stands = int(found.standing.sum()) - sum((external or {}).values())
        binarization = self._binarization(model) if stands > int(found.certified.sum()) else ()
        flags = (*found.flags, *flags_of(external, len(split), binarization))
        return Verified(
            candidate=str(candidate),
            searched=searched,
            clean=_fraction(found.clean),
            naive=_fraction(found.naive),
            certified=_fraction(found.certified),
            worst=replace(Measurement.fraction(stands, len(split)), flags=flags),
            breaks={**found.breaks, **(external or {})},
            external=external,
            binarization=binarization,
            seconds=time.perf_counter() - began,
        )

    def attack(self, candidate: Candidate) -> tuple[Findings, dict[str, int] | None]:
        """What our own attacks found, and how many of the rest each attack of pyautoattack broke.

        Among the images found is what pyautoattack made of them; None where it is not installed. Raises as `verify`.
        """
        self.evaluator.cost(candidate)  # says in milliseconds what does not fit
        model = self.evaluator.ensemble(candidate)
        found = self._worst_case(candidate, model, self.split)
        return found, self._outside(model, self.split, found)

    @property
    def split(self) -> Split:
        """The test images that are attacked."""
        return self.evaluator.data.test.head(self.settings.images)

    def _worst_case(self, candidate: Candidate, model: Ensemble, split: Split) -> Findings:
        """The attacks of the search, with more effort and more twins."""
        protocol = self.evaluator.protocol
        attack = WorstCase(
            epsilon=protocol.epsilon,
            threat=protocol.threat,
            effort=self.settings.effort,
            seed=protocol.seed,
            twins=tuple(map(self.evaluator.ensemble, twins_of(candidate, self.settings.twins))),
        )
        found = attack(model, split)
        stands = int(found.standing.sum())
        self.tell(f"our own attacks: {int(found.clean.sum())} of {len(split)} images right, {stands} stand")
        return found

    def _outside(self, model: Ensemble, split: Split, found: Findings) -> dict[str, int] | None:
        """How many of the standing images each attack of pyautoattack breaks; None where it is not installed.

        What they became is put among the images found.
        """
        if not available():
            return None
        protocol, standing = self.evaluator.protocol, found.standing
        left = Split(split.images[standing], split.labels[standing])
        sieges = [
            Siege.lay(model, images, labels, protocol.epsilon, protocol.seed, f"test {batch}")
            for batch, (images, labels) in enumerate(evaluation_batches(left, BATCH))
        ]
        breaks = {}
        for stage in self._stages(model):
            for siege in sieges:
                siege.run([stage])
            breaks[stage.name] = sum(siege.breaks[stage.name] for siege in sieges)
            self.tell(f"{stage.name}: {breaks[stage.name]} more fall")
        if sieges:
            found.images[standing] = Siege.joined(sieges).outcome.images
        return breaks

    def _stages(self, model: Ensemble) -> Iterator[Stage]:
        chosen = self.settings
        for method in METHODS:
            attack = External(method=method, steps=chosen.steps, targets=chosen.targets, queries=chosen.queries)
            yield Stage(name=method, attack=attack, model=model)

    def _binarization(self, model: Ensemble) -> tuple[Found, ...]:
        """Whether our own attack, by gradient, finds what is there by construction, in each member."""
        protocol = self.evaluator.protocol
        split = self.evaluator.data.test.head(min(self.settings.binarized, self.settings.images))
        if not self.settings.binarized or not protocol.epsilon:
            return ()
        test = Binarization(
            stages=by_gradient(self.settings.effort),
            threat=ThreatModel(epsilon=protocol.epsilon),
            seed=protocol.seed,
        )
        found = tuple(test(member, split) for member in model.members if isinstance(member, Network))
        for one in found:
            self.tell(f"binarization: {one.by_attack} of {one.images} found, {one.by_chance} by chance")
        return found


def twins_of(candidate: Candidate, recipes: Sequence[str] = TWINS) -> list[Candidate]:
    """What adversaries are borrowed from: full-precision networks of its width, and itself without a mapping.

    >>> [str(twin) for twin in twins_of(Candidate.parse("xnor:mu255@1"))]
    ['fp', 'fp:warm', 'fp:fastat', 'xnor']
    """
    full = replace(Candidate.parse("fp"), width=candidate.width)
    twins = [replace(full, recipe=recipe) for recipe in recipes]
    twins += [replace(candidate, mapping=None)] if candidate.mapping else []
    return [twin for twin in twins if twin.key() != candidate.key()]


def by_gradient(effort: Effort) -> Stages:
    """The part of the worst case that takes gradients, plain PGD first."""

    def stages(model: Ensemble, example: Tensor) -> Iterator[Stage]:
        plain = Ascent(steps=effort.steps, start="uniform", restarts=effort.restarts)
        yield Stage(name="pgd", attack=plain, model=model)
        target = Target(model=model, carriers=(), example=example, flat=False)
        yield from gradient_stages(target, effort)
        yield from surrogate_stages(target, effort, {}, 0)

    return stages


def _fraction(stands: Tensor) -> Measurement:
    return Measurement.fraction(int(stands.sum()), len(stands))
