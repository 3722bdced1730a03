"""Several trainings of one row as one number, and how far it is from the printed one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from evaluators.base import Measurement


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table, in its printed unit.

    Attributes:
        published: the printed figure, None where unknown.
        measured: mean over the seeds, None where nothing was measured yet.
        stderr: standard error of `measured`.
        seeds: how many trainings it is the mean of.
        images: how many images each was judged on; 0 for what needs none.
    """

    published: float | None = None
    measured: float | None = None
    stderr: float = 0.0
    seeds: int = 0
    images: int = 0

    @property
    def difference(self) -> float | None:
        """Measured minus published, None where either is missing."""
        return None if self.measured is None or self.published is None else self.measured - self.published


def make_cell(published: float | None, measurements: Sequence[Measurement], scale: float) -> Cell:
    """Join the measurements of all seeds.

    Args:
        published: in printed units.
        measurements: one per seed, in [0, 1] or a cost.
        scale: how much one printed unit is.
    """
    if not measurements:
        return Cell(published=published)
    return Cell(
        published=published,
        measured=fmean(one.value for one in measurements) / scale,
        stderr=standard_error(measurements) / scale,
        seeds=len(measurements),
        images=max(one.n for one in measurements),
    )


def standard_error(measurements: Sequence[Measurement]) -> float:
    """Standard error of the mean over seeds, for other trainings and other test images.

    Trainings are independent, so their part is s²/S, s² the variance between S >= 2 seeds. All are judged on the same
    images, so the part of these does not shrink with S: it is the mean squared standard error of one measurement.
    The sum is a little too wide, since s² holds some of the images' part as well.
    """
    images = fmean(one.stderr**2 for one in measurements)
    if len(measurements) < 2:
        return math.sqrt(images)
    return math.sqrt(images + variance(one.value for one in measurements) / len(measurements))
