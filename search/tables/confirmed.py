"""A confirmed front, shown: as a table, in sentences, and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluators.objectives import OBJECTIVES
from search.console import say, table
from search.formats import bounded, number, probability
from search.tables.narrow import print_table
from search.tables.verdicts import styled
from space.shown import counted, csv_text

if TYPE_CHECKING:
    from rich.table import Table

    from evaluators.base import Measurement
    from studies import Confirmation, ConfirmedRow


def print_confirmation(confirmation: Confirmation, title: str) -> None:
    """A row per candidate, and what it all comes to."""
    print_table(confirmed_table(confirmation, title))
    for line in sentences(confirmation):
        say(line)


def origin_of(confirmation: Confirmation) -> str:
    """How many candidates were confirmed, and how."""
    seeds, epochs = len(confirmation.seeds), confirmation.budget.epochs
    means = f"means of {seeds} fresh seeds" if seeds > 1 else "one fresh seed"
    return (
        f"{counted(len(confirmation.rows), 'confirmed candidate')}: {means}, {counted(epochs, 'epoch')}, on test images"
    )


def confirmed_table(confirmation: Confirmation, title: str) -> Table:
    """What the search had said and what was confirmed, side by side; those that stand first, set bold."""
    dear = [name for name in confirmation.objectives if OBJECTIVES[name].stage != "cost"]
    costs = [name for name in confirmation.objectives if name not in dear]
    named = [part for name in dear for part in (f"{name} was", f"{name}, 95 %")]
    grid = table(title, ("trial", "candidate", *costs, *named, "P(front)", "verdict", "seeds", "now"), left=2)
    for row in confirmation.rows:
        cells = [text for name in dear for text in (_bare(row.proxy[name]), _cell(row.measurements.get(name)))]
        grid.add_row(
            str(row.number),
            row.candidate,
            *(_bare(row.proxy[name]) for name in costs),
            *cells,
            probability(row.front_probability),
            styled(row.verdict),
            str(len(row.seeds)),
            row.now,
            style="bold" if row.stands else None,
        )
    return grid


def sentences(confirmation: Confirmation) -> list[str]:
    """What it all comes to: who stands, who fell and why, and how far the search had been off."""
    before, stand = [row for row in confirmation.rows if row.on_front], confirmation.front
    kept = sum(row.on_front for row in stand)
    told = [f"{kept} of the front's {len(before)} stand" + _joined(stand)]
    told += [
        f"#{row.number} {row.candidate}{' fell' if row.fell else ''}: {row.reason}" for row in before if not row.stands
    ]
    told += [f"from search to confirmed: {text}" for text in _shifts(confirmation)]
    missing = sum(len(confirmation.seeds) - len(row.seeds) for row in confirmation.rows)
    lacking = f"{counted(missing, 'training')} {'is' if missing == 1 else 'are'} missing"
    return told + ([f"not finished: {lacking}; the same command goes on"] if missing else [])


def _joined(stand: Sequence[ConfirmedRow]) -> str:
    joined = [f"#{row.number} {row.candidate}" for row in stand if not row.on_front]
    return f"; from beside it came {', '.join(joined)}" if joined else ""


def _shifts(confirmation: Confirmation) -> list[str]:
    """The mean change from proxy to full of each objective that is measured, over all rows."""
    told = []
    for name in confirmation.objectives:
        pairs = [(row.proxy[name], row.measurements[name]) for row in confirmation.rows if name in row.measurements]
        if OBJECTIVES[name].stage == "cost" or not pairs:
            continue
        points = [100 * (full.value - proxy.value) for proxy, full in pairs]
        mean = sum(points) / len(points)
        told.append(f"{name} {mean:+.1f} points on average ({min(points):+.1f} to {max(points):+.1f})")
    return told


def confirmation_csv(confirmation: Confirmation) -> str:
    """A row per candidate: before and after for each objective, every seed's value, and why it fell."""
    seeds = range(len(confirmation.seeds))
    header = ["number", "candidate", "on_front", "stands"]
    for name in confirmation.objectives:
        header += [f"{name}_proxy", f"{name}_proxy_se", name, f"{name}_se", f"{name}_low", f"{name}_high"]
        header += [f"{name}_seed{place + 1}" for place in seeds]
    judged = ["pgd_naive", "gap", "verdict", "rules", "proxy_probability", "front_probability", "reason"]
    rows = (
        [row.number, row.candidate, row.on_front, row.stands, *_values(confirmation, row), *_judged(row)]
        for row in confirmation.rows
    )
    return csv_text([*header, *judged], rows)


def _values(confirmation: Confirmation, row: ConfirmedRow) -> list[object]:
    cells: list[object] = []
    for name in confirmation.objectives:
        proxy, full = row.proxy[name], row.measurements.get(name)
        cells += [proxy.value, proxy.stderr]
        cells += ["", "", "", ""] if full is None else [full.value, full.stderr, *full.interval]
        each = [one.measurements[name].value if name in one.measurements else "" for one in row.seeds]
        cells += [*each, *[""] * (len(confirmation.seeds) - len(each))]
    return cells


def _judged(row: ConfirmedRow) -> list[object]:
    naive = row.measurements.get("pgd_naive")
    parts = (naive and naive.value, row.gap, row.verdict, " ".join(row.rules))
    told = (*parts, row.proxy_probability, row.front_probability, row.reason)
    return ["" if one is None else one for one in told]


def _cell(one: Measurement | None) -> str:
    if one is None:
        return "–"
    return bounded(one)


def _bare(one: Measurement) -> str:
    return number(one.value, one.unit)
