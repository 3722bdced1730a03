"""What early ends cost and save: a table's candidates in random orders, with and without them, and with a margin.

python benchmarks/early_stop.py
"""

import random
from itertools import product
from statistics import mean
from typing import Any

import numpy as np
from known_tables import OBJECTIVES, known, volume_of
from timing import save

from space.candidate import Candidate
from studies.config import StudyConfig
from studies.records import GrowingFront, Record
from studies.replay import Replay
from studies.stages.gate import Gate
from studies.trial import evaluate

ORDERS = 10
COUNTS = (50, 100, 250, 696)
MARGINS = (0.0, 0.001)


def searched(name: str, order: int, count: int, margin: float | None) -> dict[str, float]:
    """The first candidates of a random order: virtual seconds, hypervolume, how many were stopped and are on the front.

    Args:
        name: of the table.
        order: seed of the order.
        count: of the candidates.
        margin: of early ends; None for none.
    """
    found = known(name)
    seed = order % len(found.best)
    replay = Replay(found.table, seed)
    texts = sorted(found.table.costs)
    random.Random(order).shuffle(texts)
    config = StudyConfig(
        objectives=OBJECTIVES,
        space=found.table.space,
        protocol=replay.protocol,
        budget=replay.budget,
        full=margin is None,
        margin=margin or 0.0,
    )
    front, records = GrowingFront(OBJECTIVES, config.terms), []
    gate = Gate(config, found.bounds, front, [])
    for number, text in enumerate(texts[:count]):
        candidate = Candidate.parse(text)
        outcome = evaluate(replay, candidate, config, lambda name, one: None, gate)
        record = Record(
            number=number,
            candidate=text,
            key=candidate.key(),
            state=outcome.state,
            reason=outcome.reason,
            measurements=outcome.measurements,
        )
        records.append(record)
        front.add(record)
        gate.add(record)
    points = [[one.measurements[name].value for name in OBJECTIVES] for one in front.members]
    stopped = sum(one.state == "stopped" for one in records)
    volume = volume_of(found.bounds, points)
    return {"seconds": replay.seconds, "volume": volume, "stopped": stopped, "front": len(points)}


def compared(count: int, margin: float) -> dict[str, Any]:
    """All orders with early ends, each beside itself without."""
    runs = [[searched("mnist5k", order, count, which) for which in (None, margin)] for order in range(ORDERS)]
    return {
        "candidates": count,
        "margin": margin,
        "stopped": mean(short["stopped"] for _, short in runs),
        "seconds": [mean(one[which]["seconds"] for one in runs) for which in (0, 1)],
        "front": [mean(one[which]["front"] for one in runs) for which in (0, 1)],
        "ratio": float(np.exp(mean(np.log(full["seconds"] / short["seconds"]) for full, short in runs))),
        "lost": max(1 - short["volume"] / full["volume"] for full, short in runs),
    }


def main() -> None:
    rows = []
    for margin, count in product(MARGINS, COUNTS):
        rows.append(compared(count, margin))
        print(rows[-1])
    save("early_stop", {"table": "mnist5k", "orders": ORDERS, "rows": rows})


if __name__ == "__main__":
    main()
