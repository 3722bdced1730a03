"""The commands, and what each is for; their flags are in `search.flags`. A test holds the list."""

import argparse
import sys
from importlib import import_module
from typing import Any, NoReturn

from space.errors import UserError

COMMANDS = {
    "run": "search a design space and leave its front, pictures and one selected candidate (the default)",
    "worker": "one more pair of hands for a study, on this host or another",
    "cost": "what a candidate computes and stores, layer by layer; no training, milliseconds",
    "evaluate": "train and attack one candidate, and print every objective",
    "diagnose": "a table and a picture per diagnostic: why one candidate is robust, or only looks so",
    "audit": "a study's front, or one candidate, under far more attacks on images that no search has seen",
    "confirm": "train a study's front again, in full and by fresh seeds, and attack it on test images: who stands",
    "plot": "draw a study's pictures again, from its records",
    "report": "one HTML file of a study: the front to turn and click, a page for each candidate; needs no network",
    "select": "pick one candidate of a study: limits first, then a rule; says why",
    "export": "the selected network as files that other programs run, each measured again before it counts",
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
130 interrupted (143 by SIGTERM) with everything finished kept."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UserErrors: one line, status 2, printed in one place."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(message, hint=f"{self.prog} --help lists the flags")

    def print_help(self, file: Any = None) -> None:
        """Print what --help shows; OSError where nothing can be written, which argparse would pass over."""
        stream = file or sys.stdout
        stream.write(self.format_help())
        stream.flush()


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
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        command.add_argument("--json", action="store_true", help="print JSON and nothing else on stdout")
        import_module(f"search.flags.{name}").add_flags(command)
    return parser


def flags(parser: Parser) -> dict[str, set[str]]:
    """Every flag and positional word of every command."""
    found: dict[str, set[str]] = {}
    for action in parser._actions:
        commands = action.choices if isinstance(action.choices, dict) else {}
        for name, command in commands.items():
            found[name] = {word for one in command._actions for word in one.option_strings or [one.metavar]}
    return found
