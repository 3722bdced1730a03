"""The flags of `evaluate`."""

import argparse

from evaluators.objectives import OBJECTIVES
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `evaluate`: one candidate under a protocol."""
    parser.add_argument("candidate", metavar="SPEC", help=shared.SPEC)
    shared.add_objectives(parser, tuple(OBJECTIVES))
    shared.add_protocol(parser)
    shared.add_budget(parser)
