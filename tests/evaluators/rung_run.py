"""A process of its own that trains members to a rung: FOLDER EPOCHS RECIPE/PRECISION…"""

import sys
from pathlib import Path

import torch
from paused import member

from evaluators.cache import Store
from evaluators.data import load
from evaluators.members import MemberPool, Rung

if __name__ == "__main__":
    folder, epochs, *pairs = sys.argv[1:]
    torch.set_num_threads(1)
    pool = MemberPool(Store(Path(folder)), load("mnist5k"))
    for pair in pairs:
        pool.rung(Rung(member(*pair.split("/")), int(epochs)))
