"""Measurements, and what is held fixed (protocol) or spent (budget) to get them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from space.candidate import Candidate
from space.errors import UnknownName, UserError

Threat = Literal["raw", "discretised"]
THREATS: tuple[Threat, ...] = ("raw", "discretised")

NORMAL_95 = 1.959963984540054
"""Standard errors to either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A value with everything needed to weigh it; never a bare float.

    Attributes:
        value: in `unit`; its direction belongs to the objective.
        unit: "fraction", "bit-ops", "operations" or "bytes".
        stderr: standard error of `value`, same unit; sqrt(p(1-p)/n) for a fraction, 0 for what is exact.
        n: how many images it was measured on; 0 for what needs none.
        seconds: wall time it cost.
        flags: names of what is doubtful about it.
        freedom: degrees of freedom of `stderr`, >= 1, where a few trainings tell how far they spread; None for as many
            as images have.
    """

    value: float
    unit: str
    stderr: float = 0.0
    n: int = 0
    seconds: float = 0.0
    flags: tuple[str, ...] = ()
    freedom: float | None = None

    @classmethod
    def fraction(cls, hits: int, n: int, *, runs: int = 1, squares: int | None = None, seconds: float = 0.0) -> Self:
        """The share of successes on `n` > 0 images, averaged over `runs` repetitions on the same images.

        Its error is sqrt(variance of the images' own shares / n). For one run that is the binomial error. Over
        several, drawn independently image by image, it holds both what sets the images apart and how the runs of one
        image spread: the error goes down to that of n images, and no further.

        Args:
            hits: successes, 0 to n·runs.
            n: images.
            runs: repetitions.
            squares: sum over the images of the square of their own successes, each 0 to runs; `hits` for one run.
            seconds: wall time.
        """
        own_squares = hits if squares is None else squares
        variance = (n * own_squares - hits * hits) / (n * runs) ** 2
        return cls(value=hits / (n * runs), unit="fraction", stderr=math.sqrt(variance / n), n=n, seconds=seconds)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of a fraction on `n` images (Wilson 1927); the value itself for what is exact.

        Unlike value ± 2 standard errors it stays within [0, 1] and has a width where all images agree. Where the
        standard error is larger than that of n images, because trainings by several seeds differ, it is the interval
        of as few images as have that error; and as few trainings tell little of how far they differ, Student's
        quantile takes the place of the normal one.

        >>> [round(edge, 3) for edge in Measurement(value=0.0, unit="fraction", n=400).interval]
        [0.0, 0.01]
        """
        if self.unit != "fraction" or not self.n:
            return self.value, self.value
        quantile, spread = student_95(self.freedom), self.value * (1 - self.value)
        square = quantile**2
        wider = self.n * self.stderr**2 > spread * (1 + 1e-9) > 0
        n = spread / self.stderr**2 if wider else self.n
        centre = (self.value + square / (2 * n)) / (1 + square / n)
        half = math.sqrt(spread / n + square / (4 * n**2))
        reach = quantile * half / (1 + square / n)
        return max(0.0, min(centre - reach, self.value)), min(1.0, max(centre + reach, self.value))

    def to_json(self) -> dict[str, Any]:
        """As a JSON object with its 95 % interval, and `freedom` where it is few; `from_json` reads it back."""
        fields = asdict(self)
        if self.freedom is None:
            del fields["freedom"]
        return fields | {"flags": list(self.flags), "interval": list(self.interval)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        found = cls(**{**fields, "flags": tuple(data.get("flags", ()))})
        _check_read(found)
        return found


def student_95(freedom: float | None) -> float:
    """Standard errors to either side that hold 95 % of Student's distribution.

    Args:
        freedom: its degrees of freedom, > 0; None for the normal distribution, which it comes to with many.

    >>> [round(student_95(freedom), 2) for freedom in (1, 2, 4, 1e9, None)]
    [12.71, 4.3, 2.78, 1.96, 1.96]
    """
    if freedom is None:
        return NORMAL_95
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _check_read(one: Measurement) -> None:
    """Raise TypeError for what is no number or no text, ValueError for a number that no measurement has."""
    freedom = 1.0 if one.freedom is None else one.freedom
    numbers = one.value, one.stderr, one.n, one.seconds, freedom
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise TypeError(f"{numbers} are no numbers")
    if not isinstance(one.n, int) or not all(isinstance(text, str) for text in (one.unit, *one.flags)):
        raise TypeError(f"{one.n!r} images, unit {one.unit!r}, flags {one.flags}")
    low, high = (-1e-9, 1 + 1e-9) if one.unit == "fraction" else (-1e300, 1e300)
    if not (low <= one.value <= high and all(0 <= number <= 1e300 for number in numbers[1:]) and freedom >= 1):
        raise ValueError(f"{numbers} out of range")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Everything held fixed in a study, so that its measurements can be compared.

    Attributes:
        dataset: name of the data set, as the user gave it.
        checksum: identity of its images and labels.
        network: name of the topology.
        epsilon: largest change of a pixel, in [0, 1] of the pixel range.
        threat: "raw", the attacker changes the image before the input discretizer (the honest default);
            "discretised", after it, as Panda et al. (2019) did.
        seed: of the splits, the training streams and the attack starts.
        autocast: dtype that training convolutions run in, "float32" or "bfloat16"; attacks are float32.
        source: candidate that the attack of the objective `transfer` is crafted on, trained like any other; kept in
            its canonical text. Where a candidate shares members with it, those are attacked by their own gradients.
    """

    dataset: str
    checksum: str
    network: str
    epsilon: float
    threat: Threat = "raw"
    seed: int = 0
    autocast: str = "float32"
    source: str = "fp"

    def __post_init__(self) -> None:
        check_range("epsilon", self.epsilon, 0.0, 1.0, "pixels are in [0, 1]: write 8/255 for 8 grey levels")
        check_range("seed", self.seed, 0, 2**31 - 1)
        if self.threat not in THREATS:
            raise UnknownName("threat model", self.threat, THREATS)
        object.__setattr__(self, "source", str(Candidate.parse(self.source)))


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much one evaluation may spend.

    Attributes:
        epochs: passes over the training images, per member, >= 1.
        train_images: training images used, 0 for all.
        images: validation images attacked, >= 1 (fewer if the split holds fewer).
        steps: gradient steps of BIM, MIM and PGD, transferred or not, >= 0; none switches every attack off.
        restarts: random starts of PGD, transferred or not, >= 1.
    """

    epochs: int = 4
    train_images: int = 0
    images: int = 256
    steps: int = 20
    restarts: int = 1

    def __post_init__(self) -> None:
        check_range("epochs", self.epochs, 1, 10_000)
        check_range("train images", self.train_images, 0, 10**9, "0 means all")
        if self.train_images == 1:
            raise UserError("train images", got=1, expected="at least 2, or 0 for all", hint="batch norm needs two")
        check_range("attacked images", self.images, 1, 10**9)
        check_range("attack steps", self.steps, 0, 100_000)
        check_range("attack restarts", self.restarts, 1, 1_000)


def check_range(what: str, value: float, low: float, high: float, hint: str = "") -> None:
    """Raise UserError unless low <= value <= high (so NaN is refused too); whole bounds ask for a whole number."""
    whole = isinstance(low, int) and isinstance(high, int)
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        expected = f"{low} to {high}, a whole number" if whole else f"{low:g} to {high:g}"
        raise UserError(f"{what} out of range", got=value, expected=expected, hint=hint)
