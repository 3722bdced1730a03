"""The flags of `audit`."""

import argparse
from pathlib import Path

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `audit`: a study's front or one candidate, and how hard it is attacked."""
    parser.add_argument("subject", metavar="STUDY|SPEC", help="folder of a run, whose front is meant, or a candidate")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where audit.json and audit.csv are left (default: the study's folder)"
    )
    shared.add_storage(parser)
    shared.add_verification(parser)
    shared.add_protocol(parser)
    shared.add_training(parser.add_argument_group("training, of a candidate that was named itself"))
