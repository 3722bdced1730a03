"""`cost SPEC --network NAME`: what a candidate computes and stores, layer by layer."""

import json
from argparse import Namespace
from typing import Any

from evaluators import cost_report
from evaluators.objectives import OBJECTIVES
from search.console import console, table
from search.formats import number, scientific
from space import Candidate

COLUMNS = ("layer", "kind", "MACs", "weights", "w", "a", "BOPS")
LEGEND = "w, a: bits of a weight and of an input activation; bases for mbn"


def execute(args: Namespace) -> int:
    """Print the table, or JSON."""
    report = cost_report(Candidate.parse(args.candidate), args.network)
    data = report.to_json()
    if args.json:
        print(json.dumps(data, indent=2))
        return 0
    layers = iter(data["layers"])
    for index, member in enumerate(report.members, start=1):
        place = f"member {index} of {len(report.members)}: " if len(report.members) > 1 else ""
        rows = [next(layers) for _ in member.layers]
        _print_member(f"{place}{member.member} on {args.network}", rows)
    print(LEGEND)
    costs = [f"{name} {number(data[name], OBJECTIVES[name].unit)}" for name in OBJECTIVES if name in data]
    totals = (f"MACs {scientific(data['macs'])}", f"weight bits {scientific(data['weight_bits'])}", *costs)
    print(f"total: {', '.join(totals)}")
    return 0


def _print_member(title: str, layers: list[dict[str, Any]]) -> None:
    """A row per layer and their sum."""
    grid = table(title, COLUMNS, left=2)
    for one in layers:
        counts = (f"{one['macs']:,}", f"{one['weights']:,}")
        bits = (str(one["weight_bits"]), str(one["activation_bits"]))
        grid.add_row(one["name"], one["kind"], *counts, *bits, scientific(one["bops"]))
    macs, weights, bops = (sum(one[name] for one in layers) for name in ("macs", "weights", "bops"))
    grid.add_section()
    grid.add_row("sum", "", f"{macs:,}", f"{weights:,}", "", "", scientific(bops), style="bold")
    console().print(grid)
