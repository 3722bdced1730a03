"""What several trainings of one candidate come to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from evaluators.base import Measurement

MANY = 1e4
"""Degrees of freedom from which Student's quantiles are the normal ones, to three digits and more."""


def averages(runs: Sequence[Mapping[str, Measurement]]) -> dict[str, Measurement]:
    """Average what every run has measured; what some run lacks is the first one's.

    Args:
        runs: at least one, by objective name; the first names what there is.
    """
    first, *others = runs
    return {
        name: average([one, *(other[name] for other in others)]) if all(name in other for other in others) else one
        for name, one in first.items()
    }


def average(runs: Sequence[Measurement]) -> Measurement:
    """The mean over trainings of other seeds, each measured on the same images.

    Its variance is the mean of the runs' own, which more runs on the same images do not make less, and that between
    the runs, divided by how many there are. Chance in one run's images is in both, so this errs on the side of doubt.
    Few runs tell little of what lies between them: the degrees of freedom of the sum are those of Satterthwaite (1946),
    from one less than there are runs, where these alone spread, to as many as images have, where they agree.

    Args:
        runs: at least one, of one objective; what is exact is the same in all of them.
    Returns: with all flags of all runs, and the seconds that they took together.
    """
    first, count, values = runs[0], len(runs), [one.value for one in runs]
    if count == 1:
        return first
    mean = round(math.fsum(values) / count, 15)  # 0.95 of counts is then what a limit of 0.95 says
    mean = min(max(values), max(min(values), mean))  # and what all agree on is left as it is
    images = math.fsum(one.stderr**2 for one in runs) / count
    between = math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count
    return replace(
        first,
        value=mean,
        stderr=math.sqrt(images + between),
        seconds=math.fsum(one.seconds for one in runs),
        flags=tuple(dict.fromkeys(flag for one in runs for flag in one.flags)),
        freedom=_freedom(count, images, between),
    )


def _freedom(count: int, images: float, between: float) -> float | None:
    """Degrees of freedom of a sum of two variances, where one is known and the other is of so many runs."""
    if not between:
        return None
    ratio = 1 + images / between
    freedom = (count - 1) * ratio * ratio
    return freedom if freedom < MANY else None
