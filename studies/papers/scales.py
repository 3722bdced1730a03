"""How much of a paper's effort a reproduction spends."""

from dataclasses import dataclass, replace

from evaluators.attacks.spec import AttackSpec
from evaluators.base import check_range
from space.errors import UnknownName
from studies.papers.table import Table

UNCAPPED = 100_000


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A budget for a whole table.

    Attributes:
        name: "smoke", "short" or "paper".
        epochs: of every training, 0 for as many as the table says.
        train_images: training images, 0 for all.
        clean_images: test images that clean accuracy is taken over, 0 for all; they cost next to nothing.
        images: test images that are attacked, 0 for all.
        steps: most gradient steps of an attack.
        runs: most repetitions of an attack.
        width: multiplier of every hidden width.
        seeds: trainings of each row.
        time: how long the table takes on a processor of two cores, in words; "" where nobody knows.
    """

    name: str
    epochs: int = 0
    train_images: int = 0
    clean_images: int = 0
    images: int = 0
    steps: int = UNCAPPED
    runs: int = UNCAPPED
    width: float = 1.0
    seeds: int = 1
    time: str = ""

    def __post_init__(self) -> None:
        check_range("seeds", self.seeds, 1, 1_000)

    def cut(self, attack: AttackSpec) -> AttackSpec:
        """The attack with no more steps and runs than this scale allows."""
        return replace(attack, steps=min(attack.steps, self.steps), runs=min(attack.runs, self.runs))

    def budget(self, table: Table) -> str:
        """The budget in words."""
        parts = [
            _counted(self.epochs or table.epochs, "epoch"),
            f"{self.train_images or 'all'} training images",
            f"{self.images or 'all'} test images attacked, clean accuracy on {self.clean_images or 'all'}",
        ]
        parts += [f"at most {self.steps} attack steps"] if self.steps < UNCAPPED else []
        parts += [f"at most {_counted(self.runs, 'attack run')}"] if self.runs < UNCAPPED else []
        parts += [f"hidden layers ×{self.width:g} as wide"] if self.width != 1 else []
        return ", ".join((*parts, _counted(self.seeds, "seed")))


SMOKE = Scale(
    name="smoke", epochs=1, train_images=32, clean_images=16, images=16, steps=2, runs=1, width=0.125, time="seconds"
)
TINY_SMOKE = replace(SMOKE, train_images=16, clean_images=6, images=6, steps=1)
"""For networks whose rows would take most of the time of all tables together."""
HEAVY = ("C3", "C4")
PAPER = Scale(name="paper", seeds=3)
SHORT: dict[str, Scale] = {
    "A1": Scale(name="short", epochs=8, train_images=8000, images=1000, time="a quarter of an hour"),
    "A2": Scale(name="short", epochs=20, train_images=20_000, images=1000, width=0.25, time="half an hour"),
    "A3": Scale(name="short", epochs=20, train_images=20_000, images=1000, width=0.25, time="twenty minutes"),
    "A4": Scale(name="short", epochs=8, train_images=8000, images=1000, time="half an hour"),
    "A5": Scale(name="short", epochs=8, train_images=8000, images=1000, time="twenty minutes"),
    "A6": Scale(name="short", epochs=12, train_images=10_000, images=1000, time="half an hour"),
    "B2": Scale(name="short", epochs=3, images=1000, runs=1, time="two hours"),
    "B3": Scale(name="short", epochs=8, train_images=8000, images=300, runs=2, time="two hours"),
    "C1": Scale(name="short", epochs=10, train_images=20_000, images=500, time="half an hour"),
    "C2": Scale(name="short", epochs=10, train_images=20_000, images=500, time="a quarter of an hour after C1"),
    "C3": Scale(name="short", epochs=6, train_images=5000, images=300, width=0.25, time="three hours"),
    "C4": Scale(name="short", epochs=6, train_images=5000, images=300, width=0.25, time="an hour after C3"),
    "D2-mnist": Scale(name="short", epochs=10, train_images=20_000, images=500, time="half an hour"),
    "D2-cifar": Scale(name="short", epochs=6, train_images=20_000, images=500, time="an hour"),
}
"""An evening of a processor of two cores, by table; times are reckoned from measured steps of training and attack."""

SCALES = ("smoke", "short", "paper")
"""Seconds that show that everything runs; an evening; the published schedule on the whole test set."""


def find_scale(name: str, table: Table, seeds: int | None = None) -> Scale:
    """The scale of this name for a table, with so many seeds if given; UnknownName, UserError."""
    if name not in SCALES:
        raise UnknownName("scale", name, SCALES)
    smoke = TINY_SMOKE if table.name in HEAVY else SMOKE
    scale = {"smoke": smoke, "short": SHORT[table.name], "paper": PAPER}[name]
    return scale if seeds is None else replace(scale, seeds=seeds)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
