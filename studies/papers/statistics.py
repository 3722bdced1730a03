"""Several trainings of one row as one number, and how far it is from the printed one."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.base import Measurement
from studies.averages import average


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table, in its printed unit.

    Attributes:
        published: the printed figure, None where unknown.
        measured: mean over the seeds, None where nothing was measured yet.
        stderr: standard error of `measured`.
        interval: its 95 % interval, as in `Measurement`; None where nothing was measured or it is exact.
        seeds: how many trainings it is the mean of.
        images: how many images each was judged on; 0 for what needs none.
    """

    published: float | None = None
    measured: float | None = None
    stderr: float = 0.0
    interval: tuple[float, float] | None = None
    seeds: int = 0
    images: int = 0

    @property
    def difference(self) -> float | None:
        """Measured minus published, None where either is missing."""
        return None if self.measured is None or self.published is None else self.measured - self.published


def make_cell(published: float | None, measurements: Sequence[Measurement], scale: float) -> Cell:
    """Join the measurements of all seeds, as the mean over trainings of other seeds on the same images.

    Args:
        published: in printed units.
        measurements: one per seed, in [0, 1] or a cost.
        scale: how much one printed unit is.
    """
    if not measurements:
        return Cell(published=published)
    mean = average(measurements)
    low, high = mean.interval
    return Cell(
        published=published,
        measured=mean.value / scale,
        stderr=mean.stderr / scale,
        interval=(low / scale, high / scale) if low < high else None,
        seeds=len(measurements),
        images=max(one.n for one in measurements),
    )
