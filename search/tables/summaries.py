"""What each diagnostic comes to, in one line, read from its table alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from search.formats import number

if TYPE_CHECKING:
    from evaluators import Table


def summary_of(table: Table) -> str:
    """The line of any diagnostic."""
    return SUMMARIES[table.name](table)


def _lipschitz(table: Table) -> str:
    if not any(table.numbers("infinity_norm")):
        return "no layer has a quantization error"
    parts = []
    for name, norm in (("two_norm", "‖ΔW‖₂"), ("infinity_norm", "‖ΔW‖_∞")):
        worst = max(_cells(table), key=lambda one: float(one[name]))
        parts.append(f"largest {norm} {worst[name]:.3g} (layer {worst['layer']} of member {worst['member']})")
    amplifying = sum(norm > 1 for norm in table.numbers("two_norm"))
    return f"{', '.join(parts)}; ‖ΔW‖₂ above 1 in {amplifying} of {len(table.rows)} layers"


def _activations(table: Table) -> str:
    parts = []
    for member in table.distinct("member"):
        clean, *attacked = _cells(table.where(member=member))
        moved = [f", {last['l1']:.4g} (moved by {last['moved']:.4g})" for last in attacked[-1:]]
        parts.append(f"member {member}: {clean['l1']:.4g} clean{''.join(moved)}")
    return f"L1 norm at ε = {max(table.numbers('epsilon')):.3g}: {'; '.join(parts)}"


def _confusion(table: Table) -> str:
    parts = []
    for attack in table.distinct("attack"):
        cells = _cells(table.where(attack=attack))
        right = sum(one["images"] for one in cells if one["true"] == one["predicted"])
        wrong = max((one for one in cells if one["true"] != one["predicted"]), key=lambda one: int(one["images"]))
        often = (
            f", most often {wrong['true']} taken for {wrong['predicted']} ({wrong['images']})"
            if wrong["images"]
            else ""
        )
        parts.append(f"{attack}: {_percent(right / sum(one['images'] for one in cells))} right{often}")
    return "; ".join(parts)


def _epsilon(table: Table) -> str:
    radii = table.distinct("epsilon")
    parts = []
    for attack in table.distinct("attack"):
        shown = [_percent(value) for value in _three(table.where(attack=attack).numbers("accuracy"))]
        parts.append(f"{attack} {' → '.join(shown if len(radii) > 1 else shown[:1])}")
    return f"at ε = {', '.join(f'{radius:.3g}' for radius in _three(radii))}: {'; '.join(parts)}"


def _three(values: Sequence[Any]) -> list[Any]:
    """The first, the middle and the last."""
    return [values[0], values[len(values) // 2], values[-1]]


def _steps(table: Table) -> str:
    [worst] = table.where(worst=1).distinct("alpha")
    parts = []
    for alpha in table.distinct("alpha"):
        last = _cells(table.where(alpha=alpha))[-1]
        mark = " (worst)" if alpha == worst else ""
        parts.append(f"α = {alpha:g} ε: {_percent(last['accuracy'])}{mark}")
    return f"after {max(table.distinct('steps'))} steps: {', '.join(parts)}"


def _gradients(table: Table) -> str:
    parts = [
        f"member {one['member']}: mean {one['gradient']:.2e}, all zero for {_percent(one['zero_images'])} of the images"
        for one in _cells(table)
        if one["place"] == "image"
    ]
    return f"gradient at the image, {'; '.join(parts)}"


def _cells(table: Table) -> list[dict[str, Any]]:
    """Every row, by column."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _percent(share: float) -> str:
    return number(share, "fraction")


SUMMARIES: dict[str, Callable[[Table], str]] = {
    "lipschitz": _lipschitz,
    "activations": _activations,
    "confusion": _confusion,
    "epsilon": _epsilon,
    "steps": _steps,
    "gradients": _gradients,
}
"""By the name of the diagnostic."""
