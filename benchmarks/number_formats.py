"""What training convolutions cost in float32 and bfloat16, and what keeping freed memory saves.

    python benchmarks/number_formats.py

bfloat16 runs in a process of its own: some virtual machines announce instructions that then crash.
"""

import multiprocessing
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from timing import fastest, save, table

from evaluators.allocator import keep_freed_memory
from evaluators.networks.build import build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from space import Precision

BATCH = 64


def step_of(name: str, *, bfloat16: bool = False, channels_last: bool = True) -> Callable[[], object]:
    """Forward and backward pass of a full-precision network, as a function to time."""
    shape = NETWORKS[name].shape
    network = build(name, Precision.parse("fp"), Plan(shape=shape, classes=10))
    network.reset(stream(0, name))
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images, labels = torch.rand(BATCH, *shape).contiguous(memory_format=layout), torch.randint(0, 10, (BATCH,))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = functional.cross_entropy(network(images).float(), labels)
        loss.backward()

    return step


def measure(name: str, pipe: "multiprocessing.connection.Connection", bfloat16: bool) -> None:
    """Time in this process; the allocator's setting cannot be taken back, so it comes last."""
    steps = {"float32": step_of(name), "float32, channels first": step_of(name, channels_last=False)}
    if bfloat16:
        steps["bfloat16"] = step_of(name, bfloat16=True)
    found = fastest(steps)
    keep_freed_memory()
    found |= {f"{key}, freed memory kept": value for key, value in fastest(steps).items()}
    pipe.send(found)


def timed(name: str, bfloat16: bool) -> dict[str, float] | None:
    """Times from a process of its own; None where it crashed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(name, theirs, bfloat16))
    process.start()
    theirs.close()
    try:
        found: dict[str, float] = ours.recv()
    except EOFError:
        return None
    finally:
        process.join()
    return found


def main() -> None:
    results = {}
    for name in ("mnistconv", "resnet20"):
        found = timed(name, True)
        note = "" if found else "bfloat16 crashed this processor"
        results[name] = found or timed(name, False) or {}
        print(table(name, results[name], "float32"), note, sep="\n", end="\n\n")
        results[name] |= {"bfloat16 crashed": float(not found)}
    save("number_formats", {"seconds": results})


if __name__ == "__main__":
    main()
