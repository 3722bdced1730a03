"""The flags of `confirm`."""

import argparse
from pathlib import Path

from search import values
from search.flags import shared
from studies import NEAR


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `confirm`: a study, how it is trained again, and how hard it is attacked."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    parser.add_argument(
        "--near",
        type=values.share("--near"),
        default=NEAR,
        metavar="P",
        help="also confirm what is not on the front, but with at least this probability might be "
        "(default: %(default)s, within one standard error; 1: the front alone)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where its files are left (default: the study's folder)"
    )
    shared.add_storage(parser)
    group = parser.add_argument_group("training: the full budget")
    group.add_argument(
        "--seeds",
        type=values.whole("--seeds"),
        default=3,
        metavar="K",
        help="trainings of each candidate, by seeds that the search never used (default: %(default)s)",
    )
    group.add_argument(
        "--epochs",
        type=values.whole("--epochs"),
        metavar="N",
        help="passes over the training images, per member (default: the longest that a paper trains the network, else "
        "10 times the search's)",
    )
    group.add_argument(
        "--train-images",
        type=values.whole("--train-images"),
        default=0,
        metavar="N",
        help="training images, 0 for all (default: %(default)s)",
    )
    shared.add_verification(parser, "effort of the attacks on test images")
    place = parser.add_argument_group("place")
    shared.add_images(place)
    shared.add_place(place)
