"""`cost SPEC --network NAME`: what a candidate computes and stores, layer by layer."""

from argparse import Namespace
from typing import Any

from evaluators import cost_report
from evaluators.objectives import OBJECTIVES
from search.console import say, say_json, table
from search.formats import number, scientific
from search.tables.narrow import print_table
from space import Candidate

COLUMNS = ("layer", "kind", "MACs", "weights", "w", "a", "BOPS")
LEGEND = "w, a: bits of a weight and of an input activation; bases for mbn"


def execute(args: Namespace) -> int:
    """Print the table, or JSON."""
    report = cost_report(Candidate.parse(args.candidate), args.network)
    data = report.to_json()
    if args.json:
        say_json(data)
        return 0
    layers = iter(data["layers"])
    for index, member in enumerate(report.members, start=1):
        place = f"member {index} of {len(report.members)}: " if len(report.members) > 1 else ""
        rows = [next(layers) for _ in member.layers]
        _print_member(f"{place}{member.member} on {args.network}", rows)
    say(LEGEND)
    _print_totals(data)
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
    print_table(grid)


def _print_totals(data: dict[str, Any]) -> None:
    """Every cost model over all members."""
    grid = table("cost models, all members", ("model", "of one image", "value"), left=2)
    for name, value in (("macs", "multiply-accumulates"), ("weight_bits", "bits of all weights")):
        grid.add_row(name, value, scientific(data[name]))
    for name in (name for name in OBJECTIVES if name in data):
        grid.add_row(name, OBJECTIVES[name].label, number(data[name], OBJECTIVES[name].unit))
    grid.add_row("empir_time", "time / that of one float32 network", f"{data['empir_time']:.3g}")
    grid.add_row("empir_storage", "weights / those of one float32 network", f"{data['empir_storage']:.3g}")
    print_table(grid)
