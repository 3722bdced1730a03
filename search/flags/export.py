"""The flags of `export`."""

import argparse
from pathlib import Path

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `export`: the network of a lock file, as files that other programs run."""
    parser.add_argument("lock", metavar="STUDY|LOCK", help="a lock file, or the folder of a run with a selected.json")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a new or empty folder, or an earlier export to replace"
    )
    shared.add_images(parser)
    shared.add_place(parser)
