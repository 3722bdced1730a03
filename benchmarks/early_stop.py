"""What early ends cost and save: a table's candidates in random orders, with and without them.

python benchmarks/early_stop.py
"""

import random
from statistics import mean

import numpy as np
from search_quality import OBJECTIVES, known, volume_of
from timing import save

from space.candidate import Candidate
from studies.config import StudyConfig
from studies.gate import Gate
from studies.records import GrowingFront, Record
from studies.replay import Replay
from studies.trial import evaluate

ORDERS = 10
COUNTS = (50, 100, 250, 696)


def searched(name: str, order: int, count: int, full: bool) -> dict[str, float]:
    """The first candidates of a random order: virtual seconds, hypervolume, and how many were stopped."""
    found = known(name)
    seed = order % len(found.best)
    replay = Replay(found.table, seed)
    texts = sorted(found.table.costs)
    random.Random(order).shuffle(texts)
    config = StudyConfig(
        objectives=OBJECTIVES, space=found.table.space, protocol=replay.protocol, budget=replay.budget, full=full
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
    return {"seconds": replay.seconds, "volume": volume_of(found.bounds, points), "stopped": stopped}


def main() -> None:
    rows = []
    for count in COUNTS:
        runs = [[searched("mnist5k", order, count, full) for full in (True, False)] for order in range(ORDERS)]
        row = {
            "candidates": count,
            "stopped": mean(short["stopped"] for _, short in runs),
            "seconds": [mean(one[which]["seconds"] for one in runs) for which in (0, 1)],
            "ratio": float(np.exp(mean(np.log(full["seconds"] / short["seconds"]) for full, short in runs))),
            "lost": max(1 - short["volume"] / full["volume"] for full, short in runs),
        }
        print(row)
        rows.append(row)
    save("early_stop", {"table": "mnist5k", "orders": ORDERS, "rows": rows})


if __name__ == "__main__":
    main()
