"""Weights in files: every bit comes back, and there are no more bytes than the cost model says."""

import io
import math
import pickle
import zipfile

import numpy as np
import pytest
import torch
from tiny_networks import drawn, pictures, plan_of

from evaluators.deployment.coding import bits_of, decoded, in_levels, planes_of, tables
from evaluators.deployment.files import load_packed, load_weights, write_packed, write_weights
from evaluators.deployment.graph import Deployed, blank
from evaluators.deployment.packing import coding_of, packed, unpacked
from evaluators.ensemble import Ensemble
from evaluators.networks.build import build
from evaluators.networks.trace import trace
from evaluators.quantizers.layers import QuantLinear
from evaluators.seeds import stream
from evaluators.votes import vote_named
from space import Candidate, Precision, UserError
from space.precision import all_precisions

FIRST = {(one.method, one.weight): str(one) for one in reversed(list(all_precisions()))}
ALL = [*FIRST.values(), "fp~w50", "fp~w99", "fp~c50"]
HEADERS = 350
"""Bytes of the zip and npy headers of one array, its name included, at most."""


def ensemble_of(token: str, name: str = "cifarconv", mu: float = 0) -> Ensemble:
    network = drawn(name, token)
    network.map_weights(mu, 3)
    return Ensemble([network], vote_named(None, [False]))


def weight_bytes(ensemble: Ensemble) -> int:
    """Of the planes, and of weights that stay float: what scales and tables take is left out."""
    stored = ("signs", "codes", "mask", "kept")
    return sum(
        array.nbytes
        for name, array in packed(ensemble).items()
        if name.endswith(".weight") or name.partition(":")[2] in stored
    )


@pytest.mark.parametrize("mu", [0, 255], ids=["plain", "mapped"])
@pytest.mark.parametrize("token", ALL)
def test_every_bit_comes_back(token, mu):
    ensemble = ensemble_of(token, mu=mu)
    values = unpacked(packed(ensemble))
    state = Deployed(ensemble).state_dict()
    assert values.keys() == state.keys()
    for name, tensor in state.items():
        assert np.array_equal(values[name].view(np.uint32), tensor.numpy().view(np.uint32)), name


@pytest.mark.parametrize("mu", [0, 255], ids=["plain", "mapped"])
@pytest.mark.parametrize("token", ALL)
def test_weights_take_the_bits_that_the_cost_model_counts(token, mu):
    """k bits a weight and plane, the last byte of a plane filled up; float32 where a layer stays float."""
    precision = Precision.parse(token)
    layers = trace("cifarconv", precision, plan_of("cifarconv"))
    expected = 0
    for place, layer in enumerate(layers):
        inside = 0 < place < len(layers) - 1 or precision.method == "ptq"
        if inside and precision.method != "fp":
            expected += layer.weight_bits * math.ceil(layer.weights / 8)
        else:
            expected += 4 * layer.weights
    if token.startswith("fp~w"):
        full = trace("cifarconv", Precision.parse("fp"), plan_of("cifarconv"))
        expected += sum(math.ceil(layer.weights / 8) for layer in full)
    assert weight_bytes(ensemble_of(token, mu=mu)) == expected


@pytest.mark.parametrize("token", ["ptq3", "ptq8", "ptq2"])
def test_where_every_layer_is_quantized_the_planes_are_the_objective_memory(token):
    layers = trace("cifarconv", Precision.parse(token), plan_of("cifarconv"))
    memory = sum(layer.weights * layer.weight_bits for layer in layers) / 8
    assert memory <= weight_bytes(ensemble_of(token)) <= memory + 8 * len(layers)


@pytest.mark.parametrize("token", ["bnn", "mbn3x1", "pact4", "ptq2", "fp"])
def test_the_file_is_its_arrays_and_their_headers(token, tmp_path):
    ensemble = ensemble_of(token)
    write_packed(ensemble, tmp_path / "packed.npz")
    arrays = packed(ensemble)
    content = sum(array.nbytes for array in arrays.values())
    assert content < (tmp_path / "packed.npz").stat().st_size <= content + HEADERS * len(arrays)


def test_a_large_binary_network_is_thirty_times_smaller(tmp_path):
    """1 bit for 32 in two layers of 600 × 600 weights each; scales, norms and headers are the rest."""
    network = build("fcn2", Precision.parse("bnn"), plan_of("fcn2", width=1.0))
    network.reset(stream(0, "large"))
    ensemble = Ensemble([network.eval()], vote_named(None, [False]))
    write_packed(ensemble, tmp_path / "packed.npz")
    write_weights(Deployed(ensemble), tmp_path / "weights.safetensors")
    ends = 4 * (30 * 600 + 600 * 3)
    packed_size, float_size = ((tmp_path / name).stat().st_size for name in ("packed.npz", "weights.safetensors"))
    assert (packed_size - ends) * 20 < float_size - ends


def test_signs_are_those_of_the_bases_and_scales_those_learnt():
    layer = QuantLinear((5, 4)).quantized(Precision.parse("mbn2x1"))
    layer.weight.latent.data = torch.randn(2, 4, 5, generator=stream(0, "latent"))
    layer.weight.scale.data = torch.randn(2, 4, 1, generator=stream(0, "scale"))
    coded = coding_of(layer)
    signs = np.stack(list(bits_of(coded["signs"], (4, 5))))
    assert np.array_equal(signs, layer.weight.latent.detach().numpy() >= 0)
    assert np.array_equal(coded["scale"], layer.weight.scale.detach().numpy()[..., 0])


@pytest.mark.parametrize(("token", "count"), [("dorefa3-1", 8), ("ptq3", 7), ("dorefa1-1", 2)])
def test_codes_of_fixed_point_are_the_whole_numbers_that_a_device_multiplies(token, count):
    layer = QuantLinear((40, 30)).quantized(Precision.parse(token))
    layer.reset(stream(0, "weights"))
    coded = coding_of(layer)
    step = np.diff(coded["levels"])
    assert len(coded["levels"]) == count
    assert np.allclose(step, step[0], rtol=1e-5)
    planes = list(bits_of(coded["codes"], (30, 40)))
    codes = sum(plane * 2**place for place, plane in enumerate(planes))
    weight = coded["levels"][0] + codes * step[0]
    assert np.allclose(weight, layer.effective_weight().numpy(force=True), atol=1e-6)


def test_planes_hold_bits_in_order():
    assert planes_of([np.array([1, 0, 0, 0, 0, 0, 0, 1, 1], bool)]).tolist() == [[0b10000001, 0b10000000]]


def test_a_table_is_of_the_whole_weight_or_of_each_channel():
    shared = np.array([[1, 2], [2, 1]], np.float32)
    assert next(tables(shared, 1))["levels"].tolist() == [1, 2]
    own = np.array([[1, 2], [3, 4]], np.float32)
    (only,) = tables(own, 1)
    assert only["levels"].tolist() == [[1, 2], [3, 4]]
    assert np.array_equal(decoded(only), own)
    assert list(tables(np.arange(6, dtype=np.float32).reshape(2, 3), 1)) == []


def candidate(text: str = "mbn2x1:x0.125") -> Candidate:
    return Candidate.parse(text)


def filled(text: str = "mbn2x1:x0.125") -> tuple[Ensemble, Deployed]:
    network = drawn("fcn2", text.partition(":")[0])
    ensemble = Ensemble([network], vote_named(None, [False]))
    return ensemble, blank(candidate(text), "fcn2", plan_of("fcn2"))


@pytest.mark.parametrize("token", ["fp", "pact4", "bnn", "xnor", "mbn3x2", "ptq3", "fp~w50"])
def test_a_graph_from_either_file_gives_the_same_answers(token, tmp_path):
    ensemble, graph = filled(f"{token}:x0.125")
    write_packed(ensemble, tmp_path / "p.npz")
    write_weights(Deployed(ensemble), tmp_path / "w.safetensors")
    images = pictures("fcn2", 16)
    expected = Deployed(ensemble)(images)
    assert all(map(torch.equal, load_packed(graph, tmp_path / "p.npz")(images), expected))
    other = blank(candidate(f"{token}:x0.125"), "fcn2", plan_of("fcn2"))
    assert all(map(torch.equal, load_weights(other, tmp_path / "w.safetensors")(images), expected))


def pickled() -> bytes:
    stream_ = io.BytesIO()
    np.save(stream_, np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    return stream_.getvalue()


def rezipped(content: bytes, name: str, data: bytes | None) -> bytes:
    """The archive with one of its arrays replaced, or left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            if entry != f"{name}.npy":
                new.writestr(entry, old.read(entry))
        if data is not None:
            new.writestr(f"{name}.npy", data)
    return out.getvalue()


SIGNS = "members.0.body.3.weight:signs"
DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "text": lambda content: b"not an archive",
    "flipped": lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:],
    "pickle": lambda content: rezipped(content, SIGNS, pickled()),
    "bare pickle": lambda content: pickle.dumps([1]),
    "lacking": lambda content: rezipped(content, SIGNS, None),
    "short": lambda content: rezipped(content, SIGNS, saved(np.zeros((2, 3), np.uint8))),
    "wide": lambda content: rezipped(content, SIGNS, saved(np.zeros((2, 10**3), np.uint8))),
    "another type": lambda content: rezipped(content, SIGNS, saved(np.zeros((2, 3), np.float64))),
    "one more": lambda content: rezipped(content, "more", saved(np.zeros(3, np.float32))),
    "vast": lambda content: rezipped(content, "members.0.body.3.weight:shape", saved(np.array([2**40, 2**40]))),
}


def saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_in_one_line(damage, tmp_path):
    ensemble, graph = filled()
    path = tmp_path / "packed.npz"
    write_packed(ensemble, path)
    assert SIGNS in packed(ensemble)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(UserError, match=r"damaged file: got .*packed\.npz'; expected the values of this graph"):
        load_packed(graph, path)


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_damaged_safetensors_are_refused(damage, tmp_path):
    ensemble, graph = filled()
    path = tmp_path / "weights.safetensors"
    write_weights(Deployed(ensemble), path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(UserError, match="damaged file"):
        load_weights(graph, path)


def test_the_values_of_another_candidate_are_refused(tmp_path):
    ensemble, _ = filled()
    write_packed(ensemble, tmp_path / "packed.npz")
    _, other = filled("fp:x0.125")
    with pytest.raises(UserError, match="damaged file"):
        load_packed(other, tmp_path / "packed.npz")


def test_codes_beyond_the_levels_are_refused():
    coded = in_levels(np.array([[3]], np.uint16), np.array([0, 1], np.float32), 2)
    with pytest.raises(IndexError):
        decoded(coded)
