"""How much a worst case may spend."""

from dataclasses import dataclass

from evaluators.base import check_range


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What the stages of a worst case may spend; each attacks only what still stands.

    Attributes:
        steps: gradient steps of one start of a full stage, >= 0; none switches every attack off.
        restarts: starts of the full stages, >= 1.
        queries: model evaluations that Square may ask for each image, >= 0.
        sample: survivors that Square tries, >= 1.
        probed: survivors that are attacked harder, to see whether the stages had settled, >= 1.
    """

    steps: int = 20
    restarts: int = 1
    queries: int = 100
    sample: int = 32
    probed: int = 32

    def __post_init__(self) -> None:
        check_range("attack steps", self.steps, 0, 100_000)
        check_range("attack restarts", self.restarts, 1, 1_000)
        check_range("queries", self.queries, 0, 10**7)
        check_range("sampled survivors", self.sample, 1, 10**9)
        check_range("probed survivors", self.probed, 1, 10**9)

    @property
    def half(self) -> int:
        """Steps of the stages that repeat a full one with another loss or rule."""
        return -(-self.steps // 2)
