"""The flags of `run`."""

import argparse
from pathlib import Path

from search import values
from search.flags import shared
from studies import AUTO, SAMPLERS

DEFAULT_OBJECTIVES = ("acc", "pgd", "bops")
DEFAULT_TRIALS = 24


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `run`: what is searched, how, and when it stops."""
    study = parser.add_argument_group("study")
    shared.add_objectives(study, DEFAULT_OBJECTIVES)
    study.add_argument("--space", default="tiny", metavar="NAME|TOML", help="preset or file (default: tiny)")
    _add_end(study)
    _add_proposals(study)
    shared.add_limits(study)
    study.add_argument(
        "--allow-masked",
        action="store_true",
        help="let the front hold robust accuracies that are known to be over-estimates, drawn hollow",
    )
    _add_place(study)
    shared.add_protocol(parser)
    shared.add_budget(parser)


def _add_end(study: argparse._ArgumentGroup) -> None:
    """When the study ends."""
    study.add_argument(
        "--trials",
        type=values.whole("--trials"),
        default=DEFAULT_TRIALS,
        metavar="N",
        help="evaluated candidates in the whole study, resumed ones included (default: %(default)s)",
    )
    study.add_argument("--time", type=values.duration, metavar="T", help="stop after 90, 90s, 5m or 1h")
    study.add_argument(
        "--plateau",
        metavar="N[:SHARE]",
        help="stop when the front's hypervolume grew by less than SHARE of itself (default: 0.001) over the latest N "
        "evaluated candidates (default: never)",
    )
    study.add_argument(
        "--repeats",
        type=values.whole("--repeats"),
        default=1,
        metavar="K",
        help="when the search is over, measure what may or may not be on the front by other seeds, each candidate "
        "at most K times in all (default: %(default)s, never again)",
    )


def _add_proposals(study: argparse._ArgumentGroup) -> None:
    """Who proposes candidates, and which are measured to the end."""
    study.add_argument(
        "--full",
        action="store_true",
        help="measure to the end what the front beats whatever comes, instead of stopping it",
    )
    study.add_argument(
        "--margin",
        type=values.share("--margin"),
        default=0.0,
        metavar="SHARE",
        help="stop also what at its best would add less than SHARE to the front's hypervolume and be the best in no "
        "objective, e.g. 0.001 (default: 0, only what the front beats)",
    )
    study.add_argument(
        "--sampler", default=AUTO, metavar="NAME", help=f"who proposes: {', '.join(SAMPLERS)} (default: %(default)s)"
    )
    study.add_argument(
        "--proposals",
        default="model",
        metavar="NAME",
        help="between the sampler's: model, candidates that promise most for their cost; pool, such of trained members "
        "alone; off (default: %(default)s)",
    )
    study.add_argument(
        "--rungs",
        type=values.rungs,
        default=(),
        metavar="N,N",
        help="epochs after which a trial may end unless it is among the better half so far, e.g. 1,2 (default: none)",
    )


def _add_place(study: argparse._ArgumentGroup) -> None:
    """Where the study is kept, and who works on it."""
    study.add_argument("--out", type=Path, metavar="DIR", help="the study's folder (default: runs/DATASET-NETWORK)")
    shared.add_storage(study)
    study.add_argument(
        "--workers",
        type=values.whole("--workers"),
        default=1,
        metavar="N",
        help="processes that evaluate, each with its share of processors and GPU (default: %(default)s)",
    )
    study.add_argument(
        "--engine",
        type=values.engine,
        default=values.ENGINES[0],
        metavar="NAME",
        help="what the workers are: processes of this host, or actors of a ray cluster (default: %(default)s)",
    )
    study.add_argument("--address", metavar="HOST:PORT", help="of a running ray cluster (default: one on this host)")
