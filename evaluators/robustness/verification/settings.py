"""How hard a candidate is looked at once a search is over."""

from dataclasses import dataclass

from evaluators.base import check_range
from evaluators.robustness.effort import Effort
from space import RECIPES, UnknownName

TWINS = ("standard", "warm", "fastat")
"""Recipes of the full-precision networks whose adversaries are tried: trained from scratch, further, and to resist."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How hard a candidate is looked at.

    Attributes:
        images: test images, >= 1 (fewer if there are fewer).
        steps: gradient steps of one start, >= 1, ours and pyautoattack's.
        restarts: starts of our own stages, >= 1.
        queries: of pyautoattack's Square, per image, >= 1.
        targets: classes that targeted APGD aims at, >= 1.
        binarized: images of the binarization test, >= 0, and no more than `images`; none leaves it out.
        twins: recipes of the full-precision networks whose adversaries are tried; each is trained where it lacks.
    """

    images: int = 1000
    steps: int = 100
    restarts: int = 5
    queries: int = 5000
    targets: int = 9
    binarized: int = 128
    twins: tuple[str, ...] = TWINS

    def __post_init__(self) -> None:
        check_range("verified images", self.images, 1, 10**9)
        check_range("attack steps", self.steps, 1, 100_000)
        check_range("attack restarts", self.restarts, 1, 1_000)
        check_range("queries", self.queries, 1, 10**7)
        check_range("targets", self.targets, 1, 1_000)
        check_range("binarized images", self.binarized, 0, 10**9)
        for recipe in self.twins:
            if recipe not in RECIPES:
                raise UnknownName("recipe of a twin", recipe, RECIPES)

    @property
    def effort(self) -> Effort:
        """Of our own stages; never below the search's where it looks at corners."""
        usual = Effort()
        queries, sample = max(usual.queries, self.queries // 10), max(usual.sample, self.images // 4)
        return Effort(steps=self.steps, restarts=self.restarts, queries=queries, sample=sample)
