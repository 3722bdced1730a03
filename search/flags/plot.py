"""The flags of `plot`."""

import argparse
from pathlib import Path

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `plot`: a study."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    shared.add_storage(parser)
