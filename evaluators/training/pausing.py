"""The state of a training under way as tensors by name, which need no pickle to be stored."""

from collections.abc import Mapping

import torch
from torch import Tensor

Tensors = dict[str, Tensor]


def under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """The same tensors, named PREFIX.NAME."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def below(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """Those named PREFIX.NAME, by NAME."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def moments(optimizer: torch.optim.Optimizer) -> Tensors:
    """What an optimizer keeps of each parameter, named NUMBER.WHAT; its rates are not kept, a schedule gives them."""
    kept = optimizer.state_dict()["state"]
    return {f"{number}.{what}": value for number, one in kept.items() for what, value in one.items()}


def load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimizer of the same parameters, in the same order, what `moments` gave."""
    state: dict[int, Tensors] = {}
    for name, value in tensors.items():
        number, _, what = name.partition(".")
        state.setdefault(int(number), {})[what] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
