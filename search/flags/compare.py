"""The flags of `compare`."""

import argparse
from pathlib import Path


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `compare`: studies."""
    parser.add_argument(
        "studies", metavar="STUDY", type=Path, nargs="+", help="folders of runs, of any samplers and seeds"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/compare"),
        metavar="DIR",
        help="where compare.csv and pictures are left (default: %(default)s)",
    )
