"""The flags of `cost`."""

import argparse

from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `cost`: the candidate and the network."""
    parser.add_argument("candidate", metavar="SPEC", help=shared.SPEC)
    parser.add_argument("--network", required=True, metavar="NAME", help=shared.NETWORKS)
