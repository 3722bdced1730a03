"""The flags of `select`."""

import argparse
from pathlib import Path

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `select`: a study, limits and a rule."""
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    shared.add_limits(parser)
    parser.add_argument("--rule", metavar="RULE", help="best:OBJECTIVE or knee (default: best:pgd)")
    shared.add_storage(parser)
    shared.add_place(parser.add_argument_group("place: where the selected network is looked up"))
