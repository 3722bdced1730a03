"""When a robust accuracy is doubted: named rules with thresholds; docs/robustness_flags.md has a heading for each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evaluators.verdict import flag


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for a rule.

    Attributes:
        share: of all images, 0 to 1; extrapolated where a sample was looked at.
        images: that were really seen.
    """

    share: float
    images: int


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Two thresholds: beyond each, the share and the number of images must both be at least that much.

    Attributes:
        meaning: of the evidence, in a few words.
        suspect, masked: (share, images).
    """

    meaning: str
    suspect: tuple[float, int]
    masked: tuple[float, int] = (math.inf, 0)

    def judge(self, name: str, evidence: Evidence) -> tuple[str, ...]:
        """The flag that the evidence deserves, if any."""
        if reaches(evidence, self.masked):
            return (flag("masked", name),)
        return (flag("suspect", name),) if reaches(evidence, self.suspect) else ()


RULES: dict[str, Rule] = {
    "black-box": Rule(
        meaning="images that fell to noise, transfer or Square after every gradient had failed",
        suspect=(0.01, 4),
        masked=(0.025, 8),
    ),
    "zero-gradient": Rule(
        meaning="images that plain PGD left standing and whose gradient is exactly zero",
        suspect=(0.01, 2),
    ),
    "no-gradient": Rule(
        meaning="images whose gradient is exactly zero under rescaled logits and a straight-through rule as well",
        suspect=(0.01, 2),
        masked=(0.05, 4),
    ),
    "one-step": Rule(
        meaning="images that one step broke after plain PGD's many had failed",
        suspect=(0.015, 6),
    ),
    "unconverged": Rule(
        meaning="images that fall to twice the steps",
        suspect=(0.02, 3),
        masked=(0.05, 5),
    ),
    "restarts": Rule(
        meaning="images that fall to further starts",
        suspect=(0.02, 3),
        masked=(0.05, 5),
    ),
    "large-radius": Rule(
        meaning="images that stand although every pixel may become grey",
        suspect=(0.02, 2),
    ),
    "gap": Rule(
        meaning="images that plain PGD leaves standing and the worst case does not",
        suspect=(0.08, 6),
    ),
    "discretizer": Rule(
        meaning="images that stand behind the discretizer, where the protocol has its attacker, and fall before it",
        suspect=(0.02, 3),
    ),
    "behind": Rule(
        meaning="images that fall to plain PGD behind the discretizer, where the protocol has its attacker, and stand "
        "in the worst case before it",
        suspect=(0.02, 3),
        masked=(0.05, 5),
    ),
    "unattacked": Rule(
        meaning="images that no attack was run on, since it had no steps, and that nothing certifies",
        suspect=(0.01, 2),
        masked=(0.02, 3),
    ),
}
"""The thresholds are calibrated on planted masks and honest controls, in test_planted_masks.py."""


def reaches(evidence: Evidence, threshold: tuple[float, int]) -> bool:
    """Whether evidence is at least as much as a threshold of (share, images)."""
    share, images = threshold
    return evidence.share >= share and evidence.images >= images


def flags_of(evidence: Mapping[str, Evidence]) -> tuple[str, ...]:
    """The flags of all rules, in their order; what there is no evidence for does not trigger."""
    return tuple(one for name, rule in RULES.items() if name in evidence for one in rule.judge(name, evidence[name]))
