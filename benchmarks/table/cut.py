"""Cut the first images of a data set: `python benchmarks/table/cut.py cifar10.npz cifar5k.npz`."""

import sys

import numpy as np

TRAIN, TEST = 4000, 1000


def main() -> None:
    source, target = sys.argv[1:]
    with np.load(source) as images:
        counts = {"train": TRAIN, "test": TEST}
        part = {f"{axis}_{name}": images[f"{axis}_{name}"][:count] for name, count in counts.items() for axis in "xy"}
    np.savez(target, allow_pickle=False, **part)


if __name__ == "__main__":
    main()
