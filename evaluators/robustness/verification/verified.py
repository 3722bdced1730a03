"""What a verification found of one candidate, and how far its number fell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.base import Measurement
from evaluators.robustness.rules import Evidence, Rule
from evaluators.robustness.verification.binarization import Found
from evaluators.verdict import Verdict, worst

RULES: dict[str, Rule] = {
    "binarization": Rule(
        meaning="readouts with an adversarial example by construction for which the attack found none",
        suspect=(0.02, 2),
        masked=(0.05, 4),
    ),
    "external": Rule(
        meaning="images that fell to pyautoattack after everything of our own had failed",
        suspect=(0.005, 2),
        masked=(0.02, 4),
    ),
}
"""Rules beyond those of the worst case; docs/audit.md has a heading for each. Zimmermann et al. have no threshold."""


@dataclass(frozen=True, kw_only=True)
class Fall:
    """How far an accuracy fell from one set of images and attacks to another.

    Attributes:
        points: as a fraction; below 0 where it rose.
        interval: its 95 % interval (Newcombe 1998, method 10), the images of both being drawn independently.
    """

    points: float
    interval: tuple[float, float]

    @classmethod
    def between(cls, before: Measurement, after: Measurement) -> "Fall":
        """The difference of two fractions, with an interval from both Wilson intervals.

        >>> fall = Fall.between(Measurement.fraction(56, 70), Measurement.fraction(48, 80))
        >>> [round(edge, 4) for edge in fall.interval]
        [0.0524, 0.3339]
        """
        points = before.value - after.value
        (low, high), (later_low, later_high) = before.interval, after.interval
        down = math.hypot(before.value - low, later_high - after.value)
        up = math.hypot(high - before.value, after.value - later_low)
        return cls(points=points, interval=(points - down, points + up))

    @property
    def beyond_chance(self) -> bool:
        """Whether it fell by more than its interval: 0 lies below."""
        return self.interval[0] > 0


@dataclass(frozen=True, kw_only=True)
class Verified:
    """One candidate, looked at again on test images.

    Attributes:
        candidate: text form.
        searched: worst-case accuracy as the search had it, on validation images; None where it did not measure it.
        clean, naive, certified: accuracies on the test images, as in `Findings`.
        worst: accuracy under everything, own and external; its flags are of all rules that triggered.
        breaks: images that each stage broke and none before it had, by stage name, in order.
        external: those of pyautoattack's stages alone; None where it is not installed.
        binarization: of each member; none where nothing stands that is not certified.
        seconds: wall time, trainings included.
    """

    candidate: str
    searched: Measurement | None
    clean: Measurement
    naive: Measurement
    certified: Measurement
    worst: Measurement
    breaks: Mapping[str, int]
    external: Mapping[str, int] | None
    binarization: tuple[Found, ...]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """What its flags come to."""
        return worst(self.worst.flags)

    @property
    def fall(self) -> Fall | None:
        """From the search's number to this one; None where the search had none."""
        return None if self.searched is None else Fall.between(self.searched, self.worst)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        accuracies = {name: getattr(self, name).to_json() for name in ("clean", "naive", "certified", "worst")}
        return {
            "candidate": self.candidate,
            "searched": None if self.searched is None else self.searched.to_json(),
            **accuracies,
            "fall": None if self.fall is None else asdict(self.fall),
            "verdict": self.verdict,
            "breaks": dict(self.breaks),
            "external": None if self.external is None else dict(self.external),
            "binarization": [asdict(one) | {"rate": one.rate, "chance": one.chance} for one in self.binarization],
            "seconds": round(self.seconds, 3),
        }


def flags_of(external: Mapping[str, int] | None, images: int, binarization: Sequence[Found]) -> tuple[str, ...]:
    """Flags of the rules above, on so many images; the weakest member speaks for an ensemble."""
    broken = sum((external or {}).values())
    missed = [
        Evidence(share=1 - one.rate, images=one.images - one.by_attack) for one in binarization if one.rate is not None
    ]
    weakest = max(missed, key=lambda one: (one.share, one.images), default=Evidence(share=0.0, images=0))
    found = {"binarization": weakest, "external": Evidence(share=broken / images, images=broken)}
    return tuple(flag for name, one in found.items() for flag in RULES[name].judge(name, one))
