"""The flags of `diagnose`."""

import argparse
from pathlib import Path

from evaluators.diagnostics.catalogue import ALPHAS, DIAGNOSTICS
from search import values
from search.flags import shared


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `diagnose`: one candidate, and which diagnostics."""
    parser.add_argument("candidate", metavar="SPEC", help=shared.SPEC)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where NAME.csv and NAME.png are left")
    parser.add_argument(
        "--only",
        type=values.diagnostics,
        default=tuple(DIAGNOSTICS),
        metavar="A,B,C",
        help=f"some of {', '.join(DIAGNOSTICS)} (default: all)",
    )
    parser.add_argument(
        "--alphas",
        type=values.alphas,
        default=ALPHAS,
        metavar="X,Y,Z",
        help=f"step sizes that steps compares, as shares of epsilon (default: {','.join(map(str, ALPHAS))})",
    )
    shared.add_protocol(parser)
    shared.add_budget(parser)
