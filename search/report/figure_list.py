"""The figures of a page, each once: many candidates share theirs."""

import json
from typing import Any

from search.report.markup import Markup, element


class FigureList:
    """Figures by their place; equal ones have one place.

    Attributes:
        all: the figures, as plotly reads them.
    """

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def place(self, title: str, figure: dict[str, Any]) -> Markup:
        """Where the figure will be drawn, as soon as it is looked at."""
        text = json.dumps(figure, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.all)
            self.all.append(figure)
        height = f"min-height:{figure['layout']['height']}px"
        plot = element(
            "div", class_="plot", data_figure=str(self._places[text]), style=height, role="img", aria_label=title
        )
        return element("figure", element("figcaption", title), plot)
