"""What a front that short trainings choose is worth after long ones.

    python benchmarks/proxy_front.py

Reads what proxy_order.py measured: each candidate's accuracy and accuracy under PGD after a short training and after
one ten times as long. Chosen is the front of the short trainings, and what `confirm` would train again beside it.
Worth is the hypervolume of the chosen by the values of the long training, as a share of that of all candidates; and
for comparison that of as many candidates by chance.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from timing import RESULTS, save

from evaluators import cost_report
from evaluators.base import Measurement
from evaluators.networks.plan import Plan
from space import Candidate
from studies.fronts.bounds import Bounds
from studies.fronts.hypervolume import hypervolume
from studies.fronts.pareto import Floats, non_dominated
from studies.fronts.probability import front_probability
from studies.records import Record
from studies.terms import NEAR

OBJECTIVES = ("acc", "pgd", "bops")
CHANCES = 2000
MEASURED = {
    "cifar10_25": Plan(shape=(3, 32, 32), classes=10),
    "cifar10_10k": Plan(shape=(3, 32, 32), classes=10),
    "cifar10_drawn": Plan(shape=(3, 32, 32), classes=10),
    "mnist": Plan(shape=(1, 28, 28), classes=10),
    "mnist_drawn": Plan(shape=(1, 28, 28), classes=10),
}
"""Results of proxy_order.py by name, with the images they were measured on."""

VALIDATION = 10_000
"""Images that clean accuracy was measured on."""

Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Candidates by the values of their long training.

    Attributes:
        losses: n x 3, in [0, 1], 0 the best; a corner of (1, 1, 1) is a network that is never right and as dear as any.
    """

    losses: Floats

    @property
    def front(self) -> Chosen:
        """Which of them no other beats."""
        return non_dominated(self.losses, [False] * len(OBJECTIVES))

    def worth(self, chosen: Chosen) -> float:
        """The hypervolume of some, as a share of that of all."""
        corner = np.ones(len(OBJECTIVES))
        return hypervolume(self.losses[chosen], corner) / hypervolume(self.losses, corner)

    def by_chance(self, count: int, seed: int = 0) -> float:
        """What so many are worth on average if drawn at random."""
        random, n = np.random.default_rng(seed), len(self.losses)
        return float(np.mean([self.worth(random.permutation(n) < count) for _ in range(CHANCES)]))


def records_of(values: Mapping[str, Sequence[float]], costs: Mapping[str, float], images: int) -> list[Record]:
    """What a search would have recorded of these candidates; `images` were attacked."""
    return [
        Record(number=number, key=text, candidate=text, state="complete", measurements=_measured(*pair, images, cost))
        for number, ((text, pair), cost) in enumerate(zip(values.items(), costs.values(), strict=True))
    ]


def _measured(acc: float, pgd: float, images: int, bops: float) -> dict[str, Measurement]:
    return {
        "acc": Measurement.fraction(round(acc * VALIDATION), VALIDATION),
        "pgd": Measurement.fraction(round(pgd * images), images),
        "bops": Measurement(value=bops, unit="bit-ops"),
    }


def losses_of(values: Mapping[str, Sequence[float]], costs: Mapping[str, float], room: float = 1.0) -> Floats:
    """As losses in [0, 1]; bit operations on a logarithmic scale from the cheapest to `room` times the dearest."""
    bounds = Bounds({"bops": (min(costs.values()), room * max(costs.values()))})
    rows = [[*pair, costs[text]] for text, pair in values.items()]
    return bounds.normalise(np.array(rows), OBJECTIVES)


def chosen_by(values: Mapping[str, Sequence[float]], costs: Mapping[str, float], images: int) -> tuple[Chosen, Chosen]:
    """The front of a training, and that with what is near enough to it to be confirmed."""
    front = non_dominated(losses_of(values, costs), [False] * len(OBJECTIVES))
    sure = front_probability(records_of(values, costs, images), OBJECTIVES)
    return front, front | np.array([sure.get(number, 0.0) >= NEAR for number in range(len(values))])


def bops_of(text: str, images: Plan) -> float:
    """Bit operations of a candidate on one image."""
    return cost_report(Candidate.parse(text), "mnistconv", images).total("bops")


def compared(name: str) -> dict[str, dict[str, float]]:
    """What the fronts of each short training of one result are worth."""
    found = json.loads((RESULTS / f"proxy_order_{name}.json").read_text())
    costs = {text: bops_of(text, MEASURED[name]) for text in found["long"]}
    truth, images = Truth(losses_of(found["long"], costs)), int(found["settings"]["images"])
    rows = {}
    for way, values in found["short"].items():
        front, near = chosen_by({text: values[text] for text in costs}, costs, images)
        rows[way] = {
            "candidates": len(costs),
            "true front": int(truth.front.sum()),
            "front": int(front.sum()),
            "front worth": truth.worth(front),
            "front by chance": truth.by_chance(int(front.sum())),
            "confirmed": int(near.sum()),
            "confirmed worth": truth.worth(near),
            "confirmed by chance": truth.by_chance(int(near.sum())),
        }
    return rows


def main() -> None:
    rows = {name: compared(name) for name in MEASURED}
    for name, ways in rows.items():
        print(f"{name}\n{'':45} {'front':>5} {'worth':>6} {'chance':>6} {'confirmed':>10} {'worth':>6} {'chance':>6}")
        for way, row in ways.items():
            front = f"{row['front']:5.0f} {row['front worth']:6.3f} {row['front by chance']:6.3f}"
            near = f"{row['confirmed']:10.0f} {row['confirmed worth']:6.3f} {row['confirmed by chance']:6.3f}"
            print(f"{way:45} {front} {near}")
    save("proxy_front", {"rows": rows})


if __name__ == "__main__":
    main()
