"""Make a table of the lines that `measure.py` wrote; see there."""

import argparse
import json
from pathlib import Path
from typing import Any

from plan import PLANS

from evaluators.objectives import BOUND
from evaluators.opening import open_evaluator
from studies.replay import Row, Table, member_names

HERE = Path(__file__).parent
FIRST, LAST = ("acc", "pgd_naive"), ("certified", "pgd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=PLANS, default="mnist5k")
    parser.add_argument("--lines", type=Path, default=Path("runs/table"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    args = parser.parse_args()
    plan = PLANS[args.table]
    lines = [_lines(args.lines / f"{args.table}-{seed}.jsonl") for seed in args.seeds]
    table = Table(
        space=plan.space,
        protocols=tuple(_opened(plan, seed).protocol for seed in args.seeds),
        budget=plan.budget,
        train_images=len(_opened(plan, 0).data.train),
        costs={one["candidate"]: one["costs"] for one in lines[0] if "candidate" in one},
        members=tuple(_members(of_seed) for of_seed in lines),
        rows=tuple({one["candidate"]: _row(one) for one in of_seed if "candidate" in one} for of_seed in lines),
    )
    _check(table)
    table.save(HERE / f"{args.table}.json.gz")
    print(f"{HERE / args.table}.json.gz: {len(table.costs)} candidates, {len(args.seeds)} seeds")


def _opened(plan: Any, seed: int) -> Any:
    return open_evaluator(
        dataset=plan.dataset, network=plan.network, epsilon=plan.epsilon, seed=seed, budget=plan.budget
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _members(lines: list[dict[str, Any]]) -> dict[str, float]:
    return {one["member"]: round(sum(one["seconds"].values()), 3) for one in lines if "member" in one}


def _row(line: dict[str, Any]) -> Row:
    """Steps in their order; the first bound is plain PGD's, and took nothing."""
    seconds, (_, images) = line["seconds"], line["pgd"]
    first, last = ([(name, *line[name], seconds[name]) for name in names] for names in (FIRST, LAST))
    bounds = [(BOUND, hits, images, spent) for hits, spent in zip(line["bounds"], seconds["bounds"], strict=True)]
    return Row((*first, *bounds, *last), tuple(line.get("flags", ())))


def _check(table: Table) -> None:
    """Every candidate of the space is there, with every member that it needs."""
    for rows, members in zip(table.rows, table.members, strict=True):
        for candidate in table.space.enumerate():
            lacks = {str(candidate)} - rows.keys() or {*member_names(candidate)} - members.keys()
            if lacks:
                raise SystemExit(f"the table is not finished: it lacks {min(lacks)}")


if __name__ == "__main__":
    main()
