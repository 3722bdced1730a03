"""The commands that make what a report lacks."""

import shlex
from dataclasses import asdict
from pathlib import Path

from evaluators.base import Budget, Protocol
from search.formats import operand

USUAL = Budget()


def diagnose_command(candidate: str, protocol: Protocol, budget: Budget, folder: Path) -> str:
    """What diagnoses a candidate as a study measured it, and leaves the tables where the report looks for them."""
    words = ["diagnose", candidate, "--out", operand(folder), *_protocol_words(protocol), *_budget_words(budget)]
    return _command(words)


def cost_command(candidate: str, network: str) -> str:
    """What prints the layers of a candidate."""
    return _command(["cost", candidate, "--network", network])


def audit_command(study: Path) -> str:
    """What looks at a study's front again."""
    return _command(["audit", operand(study)])


def report_command(study: Path, images: int) -> str:
    """What makes the report with so many adversarial images for each candidate of the front."""
    return _command(["report", operand(study), "--images", str(images)])


def confirm_command(study: Path) -> str:
    """What measures a study's front at the full budget."""
    return _command(["confirm", operand(study)])


def _command(words: list[str]) -> str:
    return f"python -m search {shlex.join(words)}"


def _protocol_words(protocol: Protocol) -> list[str]:
    words = ["--dataset", protocol.dataset, "--network", protocol.network, "--epsilon", repr(protocol.epsilon)]
    words += ["--threat", protocol.threat] if protocol.threat != "raw" else []
    words += ["--seed", str(protocol.seed)] if protocol.seed else []
    return words


def _budget_words(budget: Budget) -> list[str]:
    """Flags of what is not as usual."""
    usual, words = asdict(USUAL), []
    for name, value in asdict(budget).items():
        if value != usual[name]:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words
