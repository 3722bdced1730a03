"""The deployed graph as a PyTorch program and as an ONNX model, with a batch of any size.

Neither file says where it was made: the exporters note for every operation which line of which file it came from.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from space import UserError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto
    from torch.export import ExportedProgram

    from evaluators.deployment.graph import Deployed

ONNX, PT2 = "model.onnx", "model.pt2"
OPSET, IR = 20, 10
"""Of the ONNX file: runtimes refuse what is newer than they are."""

INPUT, OUTPUTS = "images", ("classes", "probabilities")
BATCH = "batch"
LARGEST = 2**31 - 2**20
"""Bytes that an ONNX file may have, with room for the graph: it is one protocol buffer."""


def traced(graph: Deployed, shape: tuple[int, int, int]) -> ExportedProgram:
    """The graph as torch.export sees it, for images of this shape (C, H, W)."""
    import torch

    example = torch.zeros(2, *shape)  # of one image, the exporter would take the batch for fixed
    program = torch.export.export(graph, (example,), dynamic_shapes=({0: torch.export.Dim(BATCH, min=1)},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


def write_pt2(program: ExportedProgram, path: Path) -> None:
    """Write what torch.export.load reads."""
    import torch

    torch.export.save(program, path)


def write_onnx(program: ExportedProgram, path: Path, about: str) -> None:
    """Write an ONNX model that its own checker accepts.

    Args:
        program: as `traced` gives it.
        path: of the file.
        about: one line for the model's documentation.
    Raises: UserError where the weights exceed what one file can hold.
    """
    import onnx

    if (size := sum(value.nbytes for value in program.state_dict.values())) > LARGEST:
        hint = "choose a smaller --network, or fewer members"
        raise UserError("too large for an ONNX file", got=f"{size} bytes", expected=f"{LARGEST} at most", hint=hint)
    model = _converted(program)
    model.ir_version, model.doc_string = IR, about
    _forget_origin(model.graph)
    _name_batch(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _converted(program: ExportedProgram) -> ModelProto:
    import torch

    found = torch.onnx.export(
        program, (), dynamo=True, opset_version=OPSET, input_names=[INPUT], output_names=[*OUTPUTS], verbose=False
    )
    assert found is not None  # so it is with dynamo
    model: ModelProto = found.model_proto
    return model


def _forget_origin(graph: GraphProto) -> None:
    """Remove the exporter's notes."""
    del graph.metadata_props[:]
    for one in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del one.metadata_props[:]
        one.doc_string = ""


def _name_batch(graph: GraphProto) -> None:
    """Call the free dimension by its name wherever it stands alone."""
    free = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param == free:
                dimension.dim_param = BATCH
