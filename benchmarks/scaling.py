"""How cost grows: with the bases of a layer, members, images, and steps, as exponents of a power of each.

    python benchmarks/scaling.py

An exponent of 1 is proportional growth, 0 is none. Processor seconds of one thread, the fastest of some turns. Attacks
run within a radius so small that hardly an image falls: what falls is cheaper, which is another benchmark's matter.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from timing import save
from training_step import step_of

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.votes import MeanVote
from space import Precision

NETWORK, PRECISION = "mnistconv", "pact4"
THREAT = ThreatModel(epsilon=0.25 / 255)
TURNS = 5
Series = Mapping[int, Callable[[], object]]


def network(index: int) -> Network:
    """One that was never trained: time does not depend on what it knows."""
    shape = NETWORKS[NETWORK].shape
    made: Network = build(NETWORK, Precision.parse(PRECISION), Plan(shape=shape, classes=10, width=0.5))
    made.reset(stream(0, "scaling", str(index)))
    return made.eval()


def attack(members: int, images: int, steps: int) -> Callable[[], object]:
    """Plain PGD against an ensemble, whose own answers are the labels."""
    model = Ensemble([network(index) for index in range(members)], MeanVote())
    batch = torch.rand(images, *NETWORKS[NETWORK].shape, generator=stream(0, "images"))
    with torch.no_grad():
        labels = model(batch)
    return lambda: Ascent(steps=steps)(model, batch, labels, THREAT, stream(0, "draws"))


def series() -> dict[str, Series]:
    """What is varied, and a function to time at each value."""
    return {
        "bases (M·N)": {size**2: step_of(NETWORK, f"mbn{size}x{size}") for size in (1, 2, 3, 5)},
        "members": {count: attack(count, 64, 10) for count in (1, 2, 4, 8)},
        "images": {count: attack(1, count, 10) for count in (64, 128, 256, 512)},
        "steps": {count: attack(1, 64, count) for count in (5, 10, 20, 40)},
    }


def processor_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def exponent(seconds: Mapping[int, float]) -> float:
    """Slope of the logarithm of the seconds over that of the value."""
    slope, _ = np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)
    return float(slope)


def main() -> None:
    torch.set_num_threads(1)
    results = {}
    for name, runs in series().items():
        turns = [{value: processor_seconds(run) for value, run in runs.items()} for _ in range(TURNS + 1)][1:]
        seconds = {value: min(turn[value] for turn in turns) for value in runs}
        results[name] = {"seconds": seconds, "exponent": exponent(seconds)}
        times = "  ".join(f"{value}: {1e3 * took:.1f} ms" for value, took in seconds.items())
        print(f"{name:12} {exponent(seconds):5.2f}  {times}", flush=True)
    save("scaling", {"series": results})


if __name__ == "__main__":
    main()
