"""A batch that does not fit into memory is halved, not lost."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

SAYINGS = (
    *("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory"),
    "status_alloc_failed",
)
"""What PyTorch's errors say where a device, or the system, has no memory left; the last is that of CUDA's libraries."""

Result = TypeVar("Result")


def fitting(network: nn.Module, images: Tensor) -> Tensor:
    """network(images); where that does not fit into memory, of either half of the images, and so on.

    Where gradients are asked for, a half is computed again for its gradient, so that no two halves are held at once.
    For networks in eval mode, which treat each image alone; batch norm that is training would see other batches.

    Args:
        network: takes N×… to N×….
        images: N >= 1.
    Raises: what the network raises, also where memory runs out for a single image.
    """
    try:
        result: Tensor = network(images)
    except (MemoryError, RuntimeError) as error:
        if len(images) < 2 or not ran_out_of_memory(error):
            raise
    else:
        return result
    # Only here is what the failed pass held let go.
    return torch.cat([_half(network, half) for half in images.chunk(2)])


def parted(compute: Callable[..., Result], *rows: Tensor) -> list[Result]:
    """compute(*rows); where that does not fit into memory, of either half of the rows, and so on.

    For what takes gradients: a pass that has fitted may not fit back.

    Args:
        compute: treats each row alone.
        rows: tensors of N >= 1 rows each.
    Returns: the result, or one for each part, in order.
    Raises: what `compute` raises, also where memory runs out for a single row.
    """
    try:
        return [compute(*rows)]
    except (MemoryError, RuntimeError) as error:
        if len(rows[0]) < 2 or not ran_out_of_memory(error):
            raise
    halves = zip(*(one.chunk(2) for one in rows), strict=True)
    return [result for half in halves for result in parted(compute, *half)]


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether this error says that there is no memory left."""
    told = any(saying in str(error).lower() for saying in SAYINGS)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and told)


def _half(network: nn.Module, images: Tensor) -> Tensor:
    if not (torch.is_grad_enabled() and images.requires_grad):
        return fitting(network, images)
    from torch.utils.checkpoint import checkpoint

    again: Tensor = checkpoint(fitting, network, images, use_reentrant=False, preserve_rng_state=False)
    return again
