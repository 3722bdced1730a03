"""What a result was measured on."""

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine as a reader needs to know it.

    Attributes:
        cores: that this process may use.
        processor: model name.
        gpu: model name of the device that was used, "" for none.
    """

    cores: int
    processor: str
    gpu: str = ""

    def __str__(self) -> str:
        text = f"{self.cores} cores of {self.processor}"
        return f"{self.gpu}, {text}" if self.gpu else text

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return asdict(self)


def this_machine(gpu: str = "") -> Machine:
    """The machine that this process runs on."""
    return Machine(cores=available_cores(), processor=processor(), gpu=gpu)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Model name of the processor, as far as the system tells."""
    lines = CPU_INFO.read_text(errors="replace").splitlines() if CPU_INFO.is_file() else []
    return _model(lines) or platform.processor() or platform.machine() or "unknown"


def _model(lines: Iterable[str]) -> str:
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return ""
