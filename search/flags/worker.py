"""The flags of `worker`."""

import argparse
from pathlib import Path

from search import values
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `worker`: a study, and where this host keeps things; the rest is in the study."""
    parser.add_argument(
        "study", metavar="STUDY", type=Path, help="folder of a run, or its name in the database of --storage"
    )
    shared.add_storage(parser)
    parser.add_argument("--time", type=values.duration, metavar="T", help="stop after 90, 90s, 5m or 1h")
    shared.add_images(parser)
    shared.add_place(parser)
