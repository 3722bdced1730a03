"""The flags of `reproduce`."""

import argparse
from pathlib import Path

from search import values
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `reproduce`: a paper's table, and at what scale."""
    parser.add_argument("table", metavar="TABLE", nargs="?", help="its name, D2, all, or list (default: list)")
    parser.add_argument(
        "--scale",
        default="smoke",
        metavar="NAME",
        help="smoke: seconds, shows that it runs; short: an evening; paper: its own schedule (default: smoke)",
    )
    parser.add_argument("--rows", type=values.names, default=(), metavar="A,B", help="only these rows")
    parser.add_argument(
        "--seeds", type=values.whole("--seeds"), metavar="N", help="trainings of a row (default: 1; 3 at paper)"
    )
    parser.add_argument("--jobs", type=values.whole("--jobs"), metavar="N", help="rows at once (default: by cores)")
    parser.add_argument("--out", type=Path, default=Path("runs/reproduce"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--dataset", metavar="NAME|FILE.npz", help="instead of torchvision's (default: the paper's)")
    shared.add_place(parser)
