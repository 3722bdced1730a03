"""The flags of `select`."""

import argparse
from pathlib import Path

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `select`: a study, limits and a rule."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    shared.add_limits(parser)
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="best:OBJECTIVE; lexicographic:pgd~0.01,acc~0.005,bops, one after the other with tolerances; "
        "weights:pgd=2,acc=1; knee; closest:pgd=0.8,bops=1e8, to a wish (default: best:pgd)",
    )
    parser.add_argument("--interactive", action="store_true", help="walk through the front with the keyboard instead")
    parser.add_argument(
        "--unconfirmed", action="store_true", help="go by the search's own measurements, confirmed or not"
    )
    shared.add_storage(parser)
    place = parser.add_argument_group("place: where the selected network is looked up")
    shared.add_images(place)
    shared.add_place(place)
