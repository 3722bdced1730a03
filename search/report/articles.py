"""The page of one candidate."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.report.figure_list import FigureList
from search.report.markup import Markup, element, joined
from search.report.tables import grid

Json = Mapping[str, Any]
RULES = "docs/robustness_flags.md explains each rule."


def article(details: Json, columns: Sequence[str], figures: FigureList) -> Markup:
    """Everything that is known of one candidate; hidden until it is opened.

    Args:
        details: of the document.
        columns: the objectives, whose rows are set bold.
        figures: of the page, which it adds its own to.
    """
    number = details["number"]
    places = [figures.place(one["title"], one["figure"]) for one in details["figures"]]
    return element(
        "article",
        element("h2", f"#{number} ", element("code", details["candidate"])),
        _list([*details["facts"], *_rules(details["rules"])]),
        _measurements(details["measurements"], columns),
        _audit(details["audit"]),
        element("div", *places, class_="figures"),
        _samples(details["samples"]),
        element("details", element("summary", "what it chose"), _list(details["choices"]))
        if details["choices"]
        else None,
        _lacking(details["lacking"]),
        id=f"candidate-{number}",
        data_number=str(number),
        class_="page",
        tabindex="-1",
    )


def _list(facts: Sequence[Sequence[str]]) -> Markup:
    return element("dl", *(joined(element("dt", name), element("dd", text)) for name, text in facts))


def _rules(rules: Sequence[str]) -> list[list[str]]:
    return [["rules", f"{', '.join(rules)}. {RULES}"]] if rules else []


def _measurements(rows: Sequence[Json], columns: Sequence[str]) -> Markup:
    """Objectives in bold, whatever else was measured below."""
    names = ("measured", "value", "95 % interval", "images", "flags")
    cells = [
        [
            element("b" if one["name"] in columns else "span", f"{one['label']} ({one['name']})"),
            *(one[name] for name in ("value", "interval", "images", "flags")),
        ]
        for one in sorted(rows, key=lambda one: one["name"] not in columns)
    ]
    return grid(names, cells, "measurements")


def _audit(audit: Json | None) -> Markup | None:
    if audit is None:
        return None
    text = f"Audited on {audit['images']} test images: worst case {audit['worst']}, clean {audit['clean']}, "
    return element("p", f"{text}verdict {audit['verdict']}.")


def _samples(samples: Sequence[Json]) -> Markup | None:
    """Clean, perturbed and the difference, side by side."""
    if not samples:
        return None
    rows = [
        element("figure", *(_image(one, name) for name in one["images"]), element("figcaption", one["text"]))
        for one in samples
    ]
    head = element("h3", "Adversarial images: clean, perturbed, difference")
    return element("div", head, element("div", *rows, class_="samples"))


def _image(sample: Json, name: str) -> Markup:
    return element("img", src=sample["images"][name], alt=f"{name}: {sample['text']}")


def _lacking(lacking: Sequence[Json]) -> Markup | None:
    """Which command makes what is not here."""
    if not lacking:
        return None
    rows = [joined(element("dt", one["what"]), element("dd", element("code", one["command"]))) for one in lacking]
    return element("div", element("h3", "Not here yet"), element("dl", *rows, class_="lacking"), class_="screen")
