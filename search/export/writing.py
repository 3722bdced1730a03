"""Writes the files of an export, all but what its verification adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from search.export.card import card
from search.export.configuration import CONFIG, configuration
from search.export.folders import CARD, VERIFIED
from search.export.programs import ONNX, PT2, traced, write_onnx, write_pt2
from search.export.running import PACKED, WEIGHTS
from search.export.subject import Subject
from search.export.verification import Outcome
from studies import this_machine, versions_with
from studies.storage.files import write_text


def write_network(folder: Path, subject: Subject) -> None:
    """The network in every form, and how to run it; UserError where it is too large for one of them."""
    from evaluators.deployment.files import write_packed, write_weights
    from evaluators.deployment.graph import Deployed

    lock, data = subject.lock, subject.evaluator.data
    graph = Deployed(subject.ensemble)
    _write_json(folder / CONFIG, configuration(lock, data.shape, data.classes, versions_with(subject.evaluator)))
    write_weights(graph, folder / WEIGHTS)
    write_packed(subject.ensemble, folder / PACKED)
    program = traced(graph, data.shape)
    write_pt2(program, folder / PT2)
    write_onnx(program, folder / ONNX, f"{lock.candidate} of {lock.protocol.network}: images in [0, 1] to classes")


def write_findings(folder: Path, subject: Subject, outcome: Outcome) -> None:
    """What the files turned out to be worth: verify.json and the model card."""
    found = {"format": 1, **outcome.to_json(), "machine": this_machine().to_json()}
    _write_json(folder / VERIFIED, found)
    write_text(folder / CARD, card(subject.lock, outcome))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
