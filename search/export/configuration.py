"""config.json: what was exported, and what a program must know to run it."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.export.programs import INPUT, IR, ONNX, OPSET, OUTPUTS, PT2
from space import Candidate, UserError

if TYPE_CHECKING:
    from evaluators.deployment.graph import Deployed
    from studies import Lock

CONFIG = "config.json"
FORMAT = 1
"""Raised when an older version could misread an export."""
LIBRARIES = ("onnx", "onnxscript", "onnxruntime", "numpy", "safetensors")
"""Whose versions a file may depend on, beside those of the lock."""


def configuration(lock: Lock, shape: tuple[int, int, int], classes: int, versions: dict[str, str]) -> dict[str, Any]:
    """Everything about the files that is not in the numbers of the network.

    Args:
        lock: of the network.
        shape: channels, height, width of an image.
        classes: how many.
        versions: of what the result depends on, here.
    """
    return {
        "format": FORMAT,
        "made_by": "bitfront export",
        "candidate": str(lock.candidate),
        "configuration": lock.candidate.to_json(),
        "network": lock.protocol.network,
        "classes": classes,
        "input": {
            "name": INPUT,
            "shape": ["batch", *shape],
            "type": "float32",
            "range": [0.0, 1.0],
            "preprocessing": "grey levels 0 to 255 divided by 255, channels first; all else is inside the graph",
        },
        "outputs": {
            OUTPUTS[0]: {"shape": ["batch"], "type": "int64", "meaning": "the decided class, numbered from 0"},
            OUTPUTS[1]: {"shape": ["batch", classes], "type": "float32", "meaning": "mean of the members' softmax"},
        },
        "graphs": {ONNX: {"opset": OPSET, "ir_version": IR}, PT2: {"torch": version("torch")}},
        "study": lock.study,
        "trial": lock.number,
        "confirmed": lock.confirmed,
        "protocol": asdict(lock.protocol),
        "split_seed": lock.split_seed,
        "budget": asdict(lock.budget),
        "verification": dict(lock.verification),
        "members": [asdict(one) for one in lock.members],
        "part": lock.part,
        "measurements": {name: one.to_json() for name, one in lock.measurements.items()},
        "verdict": lock.verdict,
        "rules": list(lock.rules),
        "versions": {**versions, **_installed()},
    }


def blank_graph(folder: Path) -> Deployed:
    """The graph that the folder's config.json describes, without values; UserError for a damaged file."""
    from evaluators.deployment.graph import blank
    from evaluators.networks.plan import Plan

    try:
        data = read_configuration(folder)
        _, channels, height, width = data["input"]["shape"]
        plan = Plan(shape=(int(channels), int(height), int(width)), classes=int(data["classes"]))
        return blank(Candidate.parse(str(data["candidate"])), str(data["network"]), plan)
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged(folder) from error


def read_configuration(folder: Path) -> dict[str, Any]:
    """What config.json holds; UserError where there is none, or it is no export's."""
    try:
        data = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data["format"] != FORMAT or data["made_by"] != "bitfront export":
            raise _damaged(folder)
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise _damaged(folder) from error
    return data


def _installed() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _damaged(folder: Path) -> UserError:
    return UserError("no export's config.json", got=str(folder / CONFIG), expected="one of this version")
