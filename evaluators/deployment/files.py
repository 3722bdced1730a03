"""The two files of a deployed graph's values: packed.npz in few bits, weights.safetensors in float32; no pickle."""

import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from evaluators.deployment.graph import Deployed
from evaluators.deployment.packing import Arrays, packed, unpacked
from evaluators.ensemble import Ensemble
from space import UserError

DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
)
"""What reading a damaged file may raise; RuntimeError also where values do not fit the graph."""


def write_packed(ensemble: Ensemble, path: Path) -> None:
    """Write every value in as few bits as it needs, uncompressed: a reader needs NumPy and nothing else."""
    np.savez(path, allow_pickle=False, **packed(ensemble))


def write_weights(graph: Deployed, path: Path) -> None:
    """Write every value by its name in the graph, float32."""
    values = {name: tensor.contiguous() for name, tensor in graph.state_dict().items()}
    path.write_bytes(safetensors.torch.save(values))  # save_file makes a file that nobody else may read


def load_packed(graph: Deployed, path: Path) -> Deployed:
    """Fill a blank graph from packed.npz; UserError for a damaged file, and for one of another graph."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: Arrays = {name: archive[name] for name in archive.files}
        return _filled(graph, {name: torch.from_numpy(values) for name, values in unpacked(arrays).items()})
    except DAMAGE as error:
        raise _damaged(path) from error


def load_weights(graph: Deployed, path: Path) -> Deployed:
    """Fill a blank graph from weights.safetensors; UserError for a damaged file, and for one of another graph."""
    try:
        return _filled(graph, safetensors.torch.load(path.read_bytes()))
    except (*DAMAGE, SafetensorError) as error:
        raise _damaged(path) from error


def _filled(graph: Deployed, values: dict[str, Tensor]) -> Deployed:
    graph.load_state_dict(values)
    return graph


def _damaged(path: Path) -> UserError:
    return UserError("damaged file", got=str(path), expected="the values of this graph", hint="export writes it anew")
