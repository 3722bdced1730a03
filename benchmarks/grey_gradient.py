"""The gradient of a convolution towards few channels, against that of torch.

python benchmarks/grey_gradient.py
"""

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from timing import fastest, save, table
from torch import Tensor

from evaluators.allocator import keep_freed_memory
from evaluators.quantizers.convolution import convolve

LAYERS = {"mnistconv 8×8 /2": (64, 8, 2, 3), "mnistcnn 5×5": (32, 5, 1, 2), "3×3": (32, 3, 1, 1)}
"""First layers: channels out, kernel, stride, padding."""
IMAGES = 64
Convolution = Callable[[Tensor, Tensor, None, int, int], Tensor]


def both_passes(layer: tuple[int, int, int, int], convolution: Convolution) -> Callable[[], object]:
    channels, kernel, stride, padding = layer
    images = torch.rand(IMAGES, 1, 28, 28, requires_grad=True)
    weight = torch.randn(channels, 1, kernel, kernel).contiguous(memory_format=torch.channels_last)

    def run() -> None:
        torch.autograd.grad(convolution(images, weight, None, stride, padding).sum(), images)

    return run


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    results = {}
    for name, layer in LAYERS.items():
        contestants = {"torch": functional.conv2d, "ours": convolve}
        results[name] = fastest({who: both_passes(layer, each) for who, each in contestants.items()})
        print(table(name, results[name], "ours"), end="\n\n")
    save("grey_gradient", {"seconds": results})


if __name__ == "__main__":
    main()
