"""Seconds an image takes in onnxruntime, one thread, beside the float32 network of the same topology."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.export.programs import INPUT, ONNX, traced, write_onnx
from search.export.running import onnx_session
from space import Precision

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from evaluators.networks.plan import Plan

BATCHES = (1, 64)
TURNS = 15
"""Measurements of each network and batch; the two take turns, so that whatever else runs slows both."""
SHORTEST = 0.01
"""Seconds that one measurement takes at least: one image may take less than the clock can tell."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Medians over `TURNS` measurements, seconds an image.

    Attributes:
        batch: images at once.
        exported: of the exported graph.
        float32: of one full-precision network of its topology and width, whatever its weights are.
    """

    batch: int
    exported: float
    float32: float

    @property
    def ratio(self) -> float:
        """The exported graph's time over that of the float32 network."""
        return self.exported / self.float32

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "batch": self.batch,
            "exported_seconds_per_image": self.exported,
            "float32_seconds_per_image": self.float32,
            "ratio": self.ratio,
        }


def measure_latency(folder: Path, network: str, plan: Plan) -> list[Latency]:
    """Run both networks on blank images, in turns.

    Args:
        folder: of the export.
        network: a name of NETWORKS.
        plan: shape of an image, classes, and the width of the float32 network.
    """
    exported = onnx_session(folder / ONNX)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / ONNX
        _write_float_network(path, network, plan)
        float32 = onnx_session(path)
        return [_compared(exported, float32, batch, plan.shape) for batch in BATCHES]


def _write_float_network(path: Path, network: str, plan: Plan) -> None:
    """An untrained one: what it answers does not matter, and random weights take as long as trained ones."""
    from evaluators.deployment.graph import Deployed
    from evaluators.ensemble import Ensemble
    from evaluators.networks.build import build
    from evaluators.seeds import stream
    from evaluators.votes import MeanVote

    float32 = build(network, Precision.parse("fp"), plan)
    float32.reset(stream(0, "latency"))
    write_onnx(traced(Deployed(Ensemble([float32], MeanVote())), plan.shape), path, "float32, untrained")


def _compared(
    exported: InferenceSession,
    float32: InferenceSession,
    batch: int,
    shape: tuple[int, int, int],
) -> Latency:
    times: dict[str, list[float]] = {"exported": [], "float32": []}
    for _ in range(TURNS):
        times["exported"].append(_seconds(exported, batch, shape))
        times["float32"].append(_seconds(float32, batch, shape))
    return Latency(batch=batch, **{name: statistics.median(found) for name, found in times.items()})


def _seconds(session: InferenceSession, batch: int, shape: tuple[int, int, int]) -> float:
    """Of one image, in as many runs as it takes to tell; the first is not counted."""
    import numpy as np

    images = {INPUT: np.full((batch, *shape), 0.5, np.float32)}
    session.run(None, images)
    runs, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < SHORTEST or not runs:
        session.run(None, images)
        runs += 1
    return spent / runs / batch
