"""The flags of `report`."""

import argparse
from pathlib import Path

from search import values
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `report`: a study, where the page goes, and whether it has adversarial images."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the page (default: report.html in the study's folder)"
    )
    parser.add_argument(
        "--images",
        type=values.whole("--images"),
        metavar="N",
        help="adversarial images of each candidate of the front whose members are kept, 0 to 12 "
        "(default: 4, where the data are at hand)",
    )
    shared.add_storage(parser)
    place = parser.add_argument_group("place: where images are attacked, for --images")
    shared.add_images(place)
    shared.add_place(place)
