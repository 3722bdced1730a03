"""How far off predictions under attack are, with one scale for all numbers of a candidate and with one for each part.

    python benchmarks/predictions.py

Learns from random candidates of a recorded table, and predicts all others with 1 or 2 bits of input, where there is
something to resist; the root of the mean squared error, averaged over draws.
"""

import random
from collections.abc import Sequence

import numpy as np
from known_tables import OBJECTIVES, known
from timing import save

from space import Candidate
from studies.fronts.pareto import Floats
from studies.proposals.designs import Designs
from studies.proposals.prediction import Prediction
from studies.replay import Replay

COUNTS = (12, 25, 50)
DRAWS = 16
ACC, PGD = 0, 1


class Truth:
    """A table as numbers.

    Args:
        name: of the table.
        seed: of the table's.
    """

    def __init__(self, name: str, seed: int) -> None:
        found = known(name)
        replay, designs = Replay(found.table, seed), Designs(found.table.space, found.bounds, OBJECTIVES)
        self.texts = sorted(found.table.costs)
        candidates = [Candidate.parse(text) for text in self.texts]
        rows = [{name: one.value for name, one in found.table.rows[seed][text].measured()} for text in self.texts]
        self.losses = 1 - np.array([[row["acc"], row["pgd"]] for row in rows])
        own = np.array([designs.of(one, replay.cost(one)) for one in candidates])
        self.designs = np.column_stack([own, self.losses[:, ACC]])
        self.groups = [*designs.groups, range(own.shape[1], own.shape[1] + 1)]
        self.coarse = np.array([one.input_bits <= 2 for one in candidates])

    def error(self, learned: Sequence[int], groups: Sequence[Sequence[int]]) -> float:
        """Of what is expected of coarse candidates that were not learned from."""
        asked = np.flatnonzero(self.coarse & ~np.isin(np.arange(len(self.texts)), learned))
        told: Floats = self.losses[learned, PGD]
        expected, _ = Prediction.learn(self.designs[learned], told, groups).of(self.designs[asked])
        return float(np.sqrt(((expected - self.losses[asked, PGD]) ** 2).mean()))


def errors(truths: Sequence[Truth], count: int) -> tuple[float, float]:
    """With one scale, and with one for each part."""
    found = []
    for draw in range(DRAWS):
        truth = truths[draw % len(truths)]
        learned = random.Random(draw).sample(range(len(truth.texts)), count)
        whole = [range(truth.designs.shape[1])]
        found.append([truth.error(learned, groups) for groups in (whole, truth.groups)])
    one, each = np.mean(found, axis=0)
    return float(one), float(each)


def main() -> None:
    truths = [Truth("mnist5k", seed) for seed in (0, 1)]
    rows = []
    for count in COUNTS:
        one, each = errors(truths, count)
        rows.append({"learned from": count, "one scale": one, "a scale for each part": each})
        print(rows[-1])
    noise = float(np.sqrt(((truths[0].losses - truths[1].losses)[truths[0].coarse, PGD] ** 2).mean()))
    print(f"two seeds of one candidate differ by {noise:.3f}")
    save("predictions", {"table": "mnist5k", "draws": DRAWS, "rows": rows, "two seeds differ by": noise})


if __name__ == "__main__":
    main()
