"""model.onnx and model.pt2 against the network in PyTorch: what onnxruntime and torch.export read back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny_networks import drawn, pictures

from evaluators.deployment.graph import Deployed
from evaluators.ensemble import Ensemble
from evaluators.networks.catalogue import NETWORKS
from evaluators.votes import vote_named
from search.export.programs import IR, LARGEST, OPSET, traced, write_onnx, write_pt2
from search.export.running import onnx_session
from space import UserError

pytestmark = pytest.mark.usefixtures("one_thread")

EVERY = ("fp", "ptq3", "pact4", "dorefa2-2", "bnn", "xnor", "mbn2x3", "fp~w50", "fp~c50")
QUICK = ("mnistcnn", "cifarconv")
"""Seconds each; the others take longer to be written."""
CASES = [
    pytest.param(("fcn2", EVERY, "majority"), id="all precisions"),
    *(
        pytest.param((name, ("mbn2x1", "pact3"), "mean"), id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name in NETWORKS
        if name != "fcn2"
    ),
]


@pytest.fixture(scope="module", params=CASES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Ensemble]:
    """A folder with both graphs, the name of their topology, and what they were written from."""
    name, tokens, vote = request.param
    networks = [drawn(name, token, input_bits=3) for token in tokens]
    for network in networks:
        network.map_weights(255, 1)
    ensemble = Ensemble(networks, vote_named(vote, [token == "fp" for token in tokens]))
    folder = tmp_path_factory.mktemp(name)
    images = pictures(name, 2)
    program = traced(Deployed(ensemble), tuple(images.shape[1:]))
    write_pt2(program, folder / "model.pt2")
    write_onnx(program, folder / "model.onnx", "a network")
    return folder, name, ensemble


def test_onnxruntime_decides_the_same_for_batches_of_any_size(written: tuple[Path, str, Ensemble]) -> None:
    folder, name, ensemble = written
    session, images = onnx_session(folder / "model.onnx"), pictures(name, 64)
    for count in (1, 7, 64):
        classes, probabilities = session.run(None, {"images": images[:count].numpy()})
        assert classes.dtype == np.int64
        assert np.array_equal(classes, ensemble(images[:count]).numpy())
        expected = ensemble.member_logits(images[:count]).softmax(2).mean(0).numpy()
        assert np.abs(probabilities - expected).max() < 1e-3


def test_the_program_decides_the_same_for_batches_of_any_size(written: tuple[Path, str, Ensemble]) -> None:
    folder, name, ensemble = written
    program, images = torch.export.load(folder / "model.pt2").module(), pictures(name, 64)
    for count in (1, 7, 64):
        classes, probabilities = program(images[:count])
        assert torch.equal(classes, ensemble(images[:count]))
        assert torch.allclose(probabilities, ensemble.member_logits(images[:count]).softmax(2).mean(0), atol=1e-3)


def test_the_model_is_one_that_runtimes_of_today_load(written: tuple[Path, str, Ensemble]) -> None:
    folder, name, _ = written
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == IR == 10
    assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    assert OPSET == 20
    assert not model.functions
    (entry,) = model.graph.input
    assert [one.dim_param or one.dim_value for one in entry.type.tensor_type.shape.dim] == [
        "batch",
        *pictures(name, 1).shape[1:],
    ]
    assert [one.name for one in model.graph.output] == ["classes", "probabilities"]


def test_no_file_says_where_it_was_made(written: tuple[Path, str, Ensemble]) -> None:
    folder, _, _ = written
    here = [str(Path(__file__).parents[3]).encode(), str(Path(onnx.__file__).parent).encode(), b".py"]
    with zipfile.ZipFile(folder / "model.pt2") as archive:
        parts = [archive.read(entry) for entry in archive.namelist()]
    for content in (*parts, (folder / "model.onnx").read_bytes()):
        assert not any(path in content for path in here)


def test_rounding_is_to_even_and_a_zero_is_positive_in_onnxruntime(tmp_path: Path) -> None:
    """What a threshold depends on: the graph asks for it, and the runtime does it."""

    class Edges(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            flat = images.flatten(1)
            return (flat == flat.amax(1, keepdim=True)).float().argmax(1), torch.where(flat >= 0, flat.round(), -9.0)

    write_onnx(traced(Edges(), (1, 1, 6)), tmp_path / "edges.onnx", "edges")  # type: ignore[arg-type]
    values = np.array([0.5, 1.5, 2.5, -0.0, 2.5, -0.5], np.float32).reshape(1, 1, 1, 6)
    first, rounded = onnx_session(tmp_path / "edges.onnx").run(None, {"images": values})
    assert first.tolist() == [2]  # of equal ones the first
    assert rounded.tolist() == [[0, 2, 2, 0, 2, -9]]


def test_a_network_beyond_one_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("search.export.programs.LARGEST", 10)
    ensemble = Ensemble([drawn("fcn2", "fp")], vote_named(None, [True]))
    with pytest.raises(UserError, match=r"too large for an ONNX file: got '\d+ bytes'; expected 10 at most"):
        write_onnx(traced(Deployed(ensemble), (1, 5, 6)), tmp_path / "model.onnx", "large")
    assert LARGEST < 2**31
