"""The written files as functions from images to classes, each by the library that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from search.export.configuration import blank_graph
from search.export.programs import INPUT, ONNX, PT2

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray
    from torch import nn

    Images = NDArray[np.float32]
    Classes = NDArray[np.int64]
    Decides = Callable[[Images], Classes]
    """N×C×H×W in [0, 1] in, N classes out."""

PACKED, WEIGHTS = "packed.npz", "weights.safetensors"


def onnx_session(path: Path) -> onnxruntime.InferenceSession:
    """A session on the processor, in one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def by_onnxruntime(folder: Path) -> Decides:
    """model.onnx."""
    session = onnx_session(folder / ONNX)

    def decide(images: Images) -> Classes:
        classes: Classes = session.run(None, {INPUT: images})[0]
        return classes

    return decide


def by_program(folder: Path) -> Decides:
    """model.pt2, without any code of this project."""
    import torch

    return _decides(torch.export.load(folder / PT2).module())


def by_packed_bits(folder: Path) -> Decides:
    """packed.npz, in the graph that config.json describes."""
    from evaluators.deployment.files import load_packed

    return _decides(load_packed(blank_graph(folder), folder / PACKED))


def by_weights(folder: Path) -> Decides:
    """weights.safetensors, in the graph that config.json describes."""
    from evaluators.deployment.files import load_weights

    return _decides(load_weights(blank_graph(folder), folder / WEIGHTS))


READERS: Mapping[str, Callable[[Path], Decides]] = {
    ONNX: by_onnxruntime,
    PT2: by_program,
    PACKED: by_packed_bits,
    WEIGHTS: by_weights,
}
"""How each file that holds the network is run; folder in, function out."""


def _decides(module: nn.Module) -> Decides:
    return partial(_decided, module)


def _decided(module: nn.Module, images: Images) -> Classes:
    import torch

    with torch.no_grad():
        classes: Classes = module(torch.from_numpy(images))[0].numpy()
    return classes
