"""The flags of every command. What is in here works; a test holds the list."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from evaluators.diagnostics.catalogue import ALPHAS, DIAGNOSTICS
from evaluators.objectives import OBJECTIVES
from search import shared_flags, values
from space.errors import UserError
from studies import AUTO, SAMPLERS

COMMANDS = {
    "run": "search a design space and leave its front, pictures and one selected candidate (the default)",
    "cost": "what a candidate computes and stores, layer by layer; no training, milliseconds",
    "evaluate": "train and attack one candidate, and print every objective",
    "diagnose": "a table and a picture per diagnostic: why one candidate is robust, or only looks so",
    "audit": "a study's front, or one candidate, under far more attacks on images that no search has seen",
    "plot": "draw a study's pictures again, from its records",
    "select": "pick one candidate of a study: limits first, then a rule; says why",
    "compare": "several studies side by side: hypervolume against evaluations and time, by sampler",
    "reproduce": "a table of a paper, its published figures beside measured ones",
}
EXAMPLES = """examples:
  {prog} --objectives acc,pgd,bops
  {prog} --dataset cifar10 --download --limit 'bops<=2e8' --time 1h
  {prog} cost mbn3x1 --network resnet20
  {prog} select runs/mnist5k-mnistconv --limit 'acc>=0.9'

{prog} COMMAND --help lists a command's flags;
without a COMMAND, flags are those of run.
Exit status: 0 done, 2 something you can fix, 1 a fault of this program,
130 interrupted with everything finished kept."""
SPEC = "a candidate, e.g. mbn3x1, in4:pact4:x0.5 or in2:fp+dorefa4-2:majority"
DEFAULT_OBJECTIVES = ("acc", "pgd", "bops")
DEFAULT_TRIALS = 24


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UserErrors: one line, status 2, printed in one place."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(message, hint=f"{self.prog} --help lists the flags")


def build_parser(prog: str = "python -m search") -> Parser:
    """Build the parser of all commands; the chosen one is in `command`."""
    parser = Parser(
        prog=prog,
        usage=f"{prog} [COMMAND] [FLAGS]",
        description="Searches robust, low-bit networks: accuracy, robustness, bit operations.",
        epilog=EXAMPLES.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands", prog=prog)
    builders: dict[str, Callable[[Parser], None]] = {
        "run": _run,
        "cost": _cost,
        "evaluate": _evaluate,
        "diagnose": _diagnose,
        "audit": _audit,
        "plot": _plot,
        "select": _select,
        "compare": _compare,
        "reproduce": _reproduce,
    }
    for name, build in builders.items():
        text = COMMANDS[name]
        command = commands.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        command.add_argument("--json", action="store_true", help="print JSON and nothing else on stdout")
        build(command)
    return parser


def _run(parser: Parser) -> None:
    study = parser.add_argument_group("study")
    shared_flags.add_objectives(study, DEFAULT_OBJECTIVES)
    study.add_argument("--space", default="tiny", metavar="NAME|TOML", help="preset or file (default: tiny)")
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
    study.add_argument(
        "--full",
        action="store_true",
        help="measure to the end what the front beats whatever comes, instead of stopping it",
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
    shared_flags.add_limits(study)
    study.add_argument(
        "--allow-masked",
        action="store_true",
        help="let the front hold robust accuracies that are known to be over-estimates, drawn hollow",
    )
    study.add_argument("--out", type=Path, metavar="DIR", help="the study's folder (default: runs/DATASET-NETWORK)")
    shared_flags.add_storage(study)
    shared_flags.add_protocol(parser)
    shared_flags.add_budget(parser)


def _cost(parser: Parser) -> None:
    parser.add_argument("candidate", metavar="SPEC", help=SPEC)
    parser.add_argument("--network", required=True, metavar="NAME", help=shared_flags.NETWORKS)


def _evaluate(parser: Parser) -> None:
    parser.add_argument("candidate", metavar="SPEC", help=SPEC)
    shared_flags.add_objectives(parser, tuple(OBJECTIVES))
    shared_flags.add_protocol(parser)
    shared_flags.add_budget(parser)


def _diagnose(parser: Parser) -> None:
    parser.add_argument("candidate", metavar="SPEC", help=SPEC)
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
    shared_flags.add_protocol(parser)
    shared_flags.add_budget(parser)


def _audit(parser: Parser) -> None:
    parser.add_argument("subject", metavar="STUDY|SPEC", help="folder of a run, whose front is meant, or a candidate")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where audit.json and audit.csv are left (default: the study's folder)"
    )
    shared_flags.add_storage(parser)
    shared_flags.add_verification(parser)
    shared_flags.add_protocol(parser)
    shared_flags.add_training(parser.add_argument_group("training, of a candidate that was named itself"))


def _plot(parser: Parser) -> None:
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    shared_flags.add_storage(parser)


def _select(parser: Parser) -> None:
    parser.add_argument("study", metavar="STUDY", type=Path, help="folder of a run")
    shared_flags.add_limits(parser)
    parser.add_argument("--rule", metavar="RULE", help="best:OBJECTIVE or knee (default: best:pgd)")
    shared_flags.add_storage(parser)


def _compare(parser: Parser) -> None:
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


def _reproduce(parser: Parser) -> None:
    parser.add_argument("table", metavar="TABLE", nargs="?", help="its name, D2, all, or list (default: list)")
    parser.add_argument(
        "--scale",
        default="smoke",
        metavar="NAME",
        help="smoke: seconds, shows that it runs; short: an evening; paper: its own schedule (default: smoke)",
    )
    parser.add_argument("--rows", type=values.names, default=(), metavar="A,B", help="only these rows")
    parser.add_argument(
        "--seeds", type=values.whole("--seeds"), metavar="N", help="trainings of a row (default: 1; 3 at paper)"
    )
    parser.add_argument("--jobs", type=values.whole("--jobs"), metavar="N", help="rows at once (default: by cores)")
    parser.add_argument("--out", type=Path, default=Path("runs/reproduce"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--dataset", metavar="NAME|FILE.npz", help="instead of torchvision's (default: the paper's)")
    shared_flags.add_place(parser)


def flags(parser: Parser) -> dict[str, set[str]]:
    """Every flag and positional word of every command."""
    found: dict[str, set[str]] = {}
    for action in parser._actions:
        commands = action.choices if isinstance(action.choices, dict) else {}
        for name, command in commands.items():
            found[name] = {word for one in command._actions for word in one.option_strings or [one.metavar]}
    return found
