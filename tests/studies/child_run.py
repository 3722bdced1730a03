"""A run in a process of its own, for tests that kill it: FOLDER SAMPLER TRIALS PAUSE [STORAGE]."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from closed_form import Arithmetic, config

from studies import RunStarted, Stop, Study, TrialFinished


def tell(event):
    if isinstance(event, RunStarted | TrialFinished):
        print(type(event).__name__, flush=True)


if __name__ == "__main__":
    folder, sampler, trials, pause, *storage = sys.argv[1:]
    study = Study.open(folder, config(sampler=sampler), *storage)
    print(study.run(Arithmetic(pause=float(pause)), Stop(trials=int(trials)), tell).reason, flush=True)
