"""A training epoch of ours against the ordinary way: DataLoader, transforms on each image, separate operations.

    python benchmarks/training_epoch.py

Both train the same network from the same weights on the same random images, shaped like CIFAR-10 and MNIST: ours with
the loop of every member, the ordinary one with torchvision's transforms, a DataLoader (the better of 0 and 2 workers),
float32, channels first, the same optimizer, and quantizers written as most people write them: forward values plus a
detached difference. Seconds are of one epoch of IMAGES images.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as functional
from timing import fastest, save, table
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from evaluators.allocator import keep_freed_memory
from evaluators.data.dataset import Split
from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.quantizers.binary import SignActivation, XnorWeight
from evaluators.quantizers.layers import QuantConv2d, QuantLayer
from evaluators.quantizers.uniform import DoReFaWeight, PactActivation
from evaluators.seeds import stream
from evaluators.training.loop import Course, train
from evaluators.training.recipes import RECIPES, optimizer_for
from space import Precision

IMAGES = 960
PRECISIONS = ("fp", "pact2", "xnor")
WORKERS = (0, 2)


def passed_through(exact: Tensor, soft: Tensor) -> Tensor:
    """The values of one tensor with the gradient of another."""
    return soft + (exact - soft).detach()


def ordinary_sign(x: Tensor) -> Tensor:
    return passed_through(torch.where(x >= 0, 1.0, -1.0), x.clamp(-1, 1))


def ordinary_pact(clip: Tensor, levels: int, x: Tensor) -> Tensor:
    clipped = torch.minimum(x.relu(), clip)
    return passed_through(torch.round(clipped * levels / clip) * clip / levels, clipped)


def ordinary_activation(module: nn.Module, x: Tensor) -> Tensor:
    """What the module computes, in separate operations; other modules compute it themselves."""
    if isinstance(module, PactActivation):
        return ordinary_pact(module.clip, module.levels, x)
    return ordinary_sign(x) if isinstance(module, SignActivation) else module(x)


def ordinary_weight(module: nn.Module) -> Tensor:
    """The effective weight, in separate operations."""
    if isinstance(module, XnorWeight):
        weight = module.latent[0]
        return ordinary_sign(weight) * weight.abs().mean((1, 2, 3), keepdim=True)
    if isinstance(module, DoReFaWeight):
        squashed = module.latent[0].tanh()
        unit, levels = squashed / (2 * squashed.abs().max().detach()) + 0.5, 2**module.bits - 1
        return 2 * passed_through(torch.round(unit * levels) / levels, unit) - 1
    return module()


def ordinary_layer(layer: QuantLayer, x: Tensor) -> Tensor:
    x, weight = ordinary_activation(layer.activation, x), ordinary_weight(layer.weight)
    if isinstance(layer, QuantConv2d):
        return functional.conv2d(x, weight, layer.bias, layer.stride, layer.padding)
    return functional.linear(x, weight, layer.bias)


class Images(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's data sets give them: a picture at a time, transformed on its own."""

    def __init__(self, split: Split, transform: Callable[[object], Tensor]) -> None:
        to_picture = transforms.ToPILImage()
        self.pictures = [to_picture(image) for image in split.images]
        self.labels, self.transform = split.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def ordinary_epoch(network: Network, precision: Precision, split: Split, workers: int) -> Callable[[], object]:
    """An epoch of the ordinary loop, as a function to time."""
    colour = split.images.shape[1] == 3
    steps = [transforms.RandomCrop(split.images.shape[2], padding=4 if colour else 2)]
    steps += [transforms.RandomHorizontalFlip()] if colour else []
    images = Images(split, transforms.Compose([*steps, transforms.ToTensor()]))
    recipe = RECIPES["standard"]
    loader = DataLoader(images, recipe.batch, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    optimizer = optimizer_for(network, precision, recipe)
    for _, layer in network.layers():
        layer.forward = partial(ordinary_layer, layer)  # type: ignore[method-assign]

    def epoch() -> None:
        network.train()
        for batch, labels in loader:
            loss = functional.cross_entropy(network(batch), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def our_epoch(network: Network, precision: Precision, split: Split) -> Callable[[], object]:
    """An epoch of the loop that trains every member, as a function to time."""
    course = Course(split=split, recipe=RECIPES["standard"], epochs=1, generator=stream(0, "epoch", "order"))
    return lambda: train(network, precision, course)


def made(name: str, token: str) -> tuple[Network, Precision]:
    precision = Precision.parse(token)
    network = build(name, precision, Plan(shape=NETWORKS[name].shape, classes=10))
    network.reset(stream(0, "epoch", "weights"))
    return network, precision


def drawn(name: str) -> Split:
    """Random images of the network's shape."""
    generator = stream(0, "epoch", "images")
    shape = (IMAGES, *NETWORKS[name].shape)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return Split(images, torch.randint(10, (IMAGES,), generator=generator))


def ratio(seconds: dict[str, float], token: str) -> float:
    """How much longer the ordinary way takes, with the better number of workers."""
    return min(seconds[f"{token} ordinary, {workers} workers"] for workers in WORKERS) / seconds[f"{token} ours"]


def main() -> None:
    results, ratios = {}, {}
    for name in ("mnistconv", "resnet20"):
        split, epochs = drawn(name), {}
        for token in PRECISIONS:
            for workers in WORKERS:
                epochs[f"{token} ordinary, {workers} workers"] = ordinary_epoch(*made(name, token), split, workers)
        found = fastest(epochs, turns=3)
        keep_freed_memory()  # a part of ours, and it can't be taken back
        found |= fastest({f"{token} ours": our_epoch(*made(name, token), split) for token in PRECISIONS}, turns=3)
        results[name] = found
        print(table(name, found, "fp ours"), end="\n\n", flush=True)
        for token in PRECISIONS:
            ratios[f"{name} {token}"] = ratio(found, token)
            print(f"{name} {token}: {ratios[f'{name} {token}']:.2f} times as fast", flush=True)
    save("training_epoch", {"images": IMAGES, "seconds": results, "ratios": ratios})


if __name__ == "__main__":
    main()
