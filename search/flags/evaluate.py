"""The flags of `evaluate`."""

import argparse

from evaluators.objectives import OBJECTIVES
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `evaluate`: one candidate under a protocol, or that of a lock file."""
    parser.add_argument("candidate", metavar="SPEC", nargs="?", help=shared.SPEC)
    parser.add_argument(
        "--from-lock",
        metavar="LOCK|STUDY",
        help="instead of SPEC: build the very network of a lock file again, and compare it with what the file says",
    )
    shared.add_objectives(parser, tuple(OBJECTIVES))
    shared.add_protocol(parser)
    shared.add_budget(parser)
