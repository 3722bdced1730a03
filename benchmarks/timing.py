"""Ratios measured in one run: the contestants take turns, and the fastest turn of each counts."""

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def fastest(
    contestants: Mapping[str, Callable[[], object]], turns: int = 12, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds of the fastest turn of each; one warm-up turn first, then round-robin."""
    best = dict.fromkeys(contestants, float("inf"))
    for turn in range(turns + 1):
        for name, run in contestants.items():
            began = clock()
            run()
            if turn:
                best[name] = min(best[name], clock() - began)
    return best


def table(title: str, seconds: Mapping[str, float], base: str) -> str:
    """Milliseconds and ratios to `base`, one line each."""
    lines = [f"{title:40} {'ms':>8} {'ratio':>6}"]
    lines += [f"{name:40} {1e3 * value:8.1f} {value / seconds[base]:6.2f}" for name, value in seconds.items()]
    return "\n".join(lines)


def save(name: str, result: Mapping[str, Any]) -> None:
    """Write a result beside what it was measured with."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = {"processor": _processor(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    text = json.dumps({"machine": machine, "versions": versions, **result}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
