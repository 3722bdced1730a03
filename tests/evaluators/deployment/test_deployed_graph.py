"""The deployed graph against the ensemble it was made from: the same function in other operations."""

import copy
import itertools

import pytest
import torch
from tiny_networks import drawn, pictures, plan_of
from torch import Tensor, nn

from evaluators.deployment.graph import Deployed, Majority, Mean, blank
from evaluators.deployment.operators import operator_of
from evaluators.deployment.steps import UNCHANGED, Affine, Levels, Steps, activated
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS
from evaluators.quantizers.bases import MultiBaseActivation
from evaluators.quantizers.binary import SignActivation
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.uniform import DoReFaActivation, PactActivation
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote, vote_named
from space import Candidate, UserError, read_precision
from space.precision import all_precisions

pytestmark = pytest.mark.usefixtures("one_thread")

TOLERANCE = 1e-4
"""Of logits of size 1 to 20: a hundred times what reassociated sums of float32 differ by."""
AT_A_THRESHOLD = 1 / 16
"""Share of images in which an activation may lie so near a threshold that rounding decides."""
PRECISIONS = [str(one) for one in all_precisions()] + ["fp~w50", "fp~c50"]


def ensemble_of(*networks: Network, vote: str | None = None, full: tuple[bool, ...] = (False,)) -> Ensemble:
    return Ensemble(networks, vote_named(vote, full))


def logits_of(ensemble: Ensemble, images: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return ensemble.member_logits(images), Deployed(ensemble).member_logits(images)


def check_agreement(ensemble: Ensemble, images: Tensor) -> None:
    ours, deployed = logits_of(ensemble, images)
    far = (ours - deployed).abs().amax((0, 2)) > TOLERANCE * ours.abs().max().clamp_min(1)
    assert far.float().mean() <= AT_A_THRESHOLD
    decided = Deployed(ensemble)(images)[0]
    assert torch.equal(decided[~far], ensemble(images)[~far])
    assert ours.std(1).max() > 100 * TOLERANCE  # else anything would agree


@pytest.mark.parametrize("token", PRECISIONS)
def test_every_precision_computes_what_its_ensemble_does(token):
    check_agreement(ensemble_of(drawn("mnistcnn", token)), pictures("mnistcnn", 32))


@pytest.mark.parametrize("token", ["fp", "pact2-3", "xnor", "mbn2x3", "ptq3"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_computes_what_its_ensemble_does(name, token):
    check_agreement(ensemble_of(drawn(name, token, input_bits=3)), pictures(name, 32))


@pytest.mark.parametrize("token", ["mbn2x1/xnor/pact4", "fp/dorefa2-2/bnn"])
def test_stages_of_several_precisions(token):
    network = build("resnet20", read_precision(token), plan_of("resnet20"))
    network.reset(stream(0, "staged"))
    with torch.no_grad():
        network.train()(pictures("resnet20", 32))
    check_agreement(ensemble_of(network.eval()), pictures("resnet20", 32))


@pytest.mark.parametrize("token", ["fp", "ptq3", "pact4", "dorefa2-2", "bnn", "xnor", "mbn3x2", "fp~w50"])
def test_mapped_weights_are_inside(token):
    network = drawn("cifarconv", token)
    network.map_weights(255, 3)
    check_agreement(ensemble_of(network), pictures("cifarconv", 32))
    plain = Deployed(ensemble_of(drawn("cifarconv", token))).state_dict()
    mapped = Deployed(ensemble_of(network)).state_dict()
    assert torch.equal(mapped["members.0.body.0.weight"], plain["members.0.body.0.weight"])
    assert not torch.equal(mapped["members.0.body.13.weight"], plain["members.0.body.13.weight"])


@pytest.mark.parametrize("bits", range(1, 9))
def test_pixels_are_discretized_inside_bit_for_bit(bits):
    ensemble = ensemble_of(drawn("fcn2", "fp", input_bits=bits))
    levels = torch.arange(256).float() / 255
    assert torch.equal(Deployed(ensemble).discretizer(levels), ensemble.discretise(levels))


@pytest.mark.parametrize("vote", ["mean", "majority"])
def test_ensembles_vote_inside(vote):
    tokens = ["fp", "bnn", "dorefa2-2"]
    networks = [drawn("mnistconv", token, seed=token) for token in tokens]
    ensemble = ensemble_of(*networks, vote=vote, full=(True, False, False))
    images = pictures("mnistconv", 64)
    check_agreement(ensemble, images)
    classes, probabilities = Deployed(ensemble)(images)
    assert classes.dtype == torch.int64
    assert probabilities.shape == (64, 3)
    expected = ensemble.member_logits(images).softmax(2).mean(0)
    assert torch.allclose(probabilities, expected, atol=1e-3)


@pytest.mark.parametrize("full", [(False,) * 3, (True, False, False), (False, True, True), (True,) * 3])
def test_majority_is_the_vote_on_every_profile_and_tie(full):
    """All 3^9 profiles of three members' logits that are 0, 1 or 2, so that ties of all kinds occur."""
    profiles = torch.tensor(list(itertools.product(range(3), repeat=9))).float()
    logits = profiles.view(-1, 3, 3).transpose(0, 1)
    vote = MajorityVote(full)
    assert torch.equal(Majority(vote.full_precision)(logits.softmax(2), logits), vote.predict(logits))
    assert torch.equal(Mean()(logits.softmax(2), logits), MeanVote().predict(logits))
    for scaled in (30 * logits, 60 * logits * torch.tensor([1.0, 1.1, 1.3]).view(-1, 1, 1)):  # ties of float32
        assert torch.equal(Majority(vote.full_precision)(scaled.softmax(2), scaled), vote.predict(scaled))
        assert torch.equal(Mean()(scaled.softmax(2), scaled), MeanVote().predict(scaled))


ACTIVATIONS = {
    "sign": SignActivation,
    "steps": lambda: MultiBaseActivation(3),
    "pact": lambda: PactActivation(2),
    "dorefa": lambda: DoReFaActivation(3),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activations_alone_keep_every_bit(kind):
    activation = ACTIVATIONS[kind]()
    edges = torch.linspace(-4, 4, 4097)
    x = torch.cat([edges, torch.nextafter(edges, torch.tensor(9.0)), torch.tensor([0.0, -0.0, 1e-42, -1e-42])])
    assert torch.equal(activated(activation)(x), activation(x))


def test_what_is_no_step_stays_as_it_is():
    assert activated(nn.ReLU()) is None


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_steps_after_an_affine_map_turn_round_where_it_falls(kind):
    """Powers of two and few digits: both ways compute without rounding, and x falls on thresholds again and again."""
    activation = ACTIVATIONS[kind]()
    for name, values in {"shift": [-0.5, 0.0, 0.25], "scale": [0.5, 0.25, -0.125], "clip": 3.0}.items():
        if hasattr(activation, name):
            getattr(activation, name).data = torch.tensor(values)
    scale = torch.tensor([2.0, 0.5, -1.0, -0.25, 0.0, 0.0, 0.0])
    shift = torch.tensor([0.5, 0.0, 0.25, 0.0, 0.75, 0.0, -0.75])
    before = Affine(scale, shift)
    x = (torch.arange(-64, 65).float() / 16)[:, None].expand(-1, 7)
    assert torch.equal(activated(activation, before)(x), activation(before(x)))


def test_thresholds_are_exact_where_a_norm_cannot_be():
    """Against whole numbers in double precision, as sums of signs are whole numbers."""
    norm = nn.BatchNorm2d(50).eval()
    generator = stream(0, "norms")
    for value, spread in ((norm.weight, 1.0), (norm.bias, 1.0), (norm.running_mean, 9.0)):
        value.data = spread * torch.randn(50, generator=generator)
    norm.running_var = 30 * torch.rand(50, generator=generator)
    x = torch.arange(-40.0, 41.0).view(1, 1, 81, 1).expand(1, 50, 81, 1)
    merged = activated(SignActivation(), Affine.of(norm))
    assert isinstance(merged, Steps)
    assert {-1.0, 1.0} == set(merged.direction.unique().tolist())
    exact = norm.double()(x.double())
    assert torch.equal(merged(x), torch.where(exact >= 0, 1.0, -1.0))


def test_levels_round_halves_to_even():
    levels = Levels(7, UNCHANGED, per_unit=torch.tensor(1.0), step=torch.tensor(1.0))
    assert levels(torch.tensor([0.5, 1.5, 2.5, 6.5, 7.5, -0.5])).tolist() == [0, 2, 2, 6, 7, 0]


def test_the_ensemble_stays_as_it_was_and_no_norm_or_trained_layer_is_left():
    network = drawn("resnet20", "mbn2x2")
    before = copy.deepcopy(network.state_dict())
    graph = Deployed(ensemble_of(network))
    kinds = {type(module) for module in graph.modules()}
    assert not any(issubclass(kind, QuantLayer | nn.modules.batchnorm._BatchNorm) for kind in kinds)
    assert list(graph.parameters()) == []
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_every_operation_is_of_the_library_itself():
    tokens = ["fp", "pact3", "dorefa2-2", "bnn", "mbn2x2", "ptq3"]
    ensemble = ensemble_of(*(drawn("fcn2", token) for token in tokens), vote="majority", full=(True, *[False] * 5))
    program = torch.export.export(Deployed(ensemble), (pictures("fcn2", 2),))
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert called
    assert all(name.startswith("aten.") or "getitem" in name for name in called)


@pytest.mark.parametrize("text", ["in2:fp+mbn2x2+pact4:majority:x0.125", "xnor/mbn2x1/fp:x0.125", "fp~c50:x0.125"])
def test_a_blank_graph_takes_the_values_of_another(text):
    candidate = Candidate.parse(text)
    networks = []
    for index, member in enumerate(candidate.canonical().members):
        network = build("resnet20", member.precision, plan_of("resnet20"), input_bits=candidate.input_bits)
        network.reset(stream(0, f"member {index}"))
        networks.append(network.eval())
    full = [member.precision.float for member in candidate.canonical().members]
    graph = Deployed(ensemble_of(*networks, vote=candidate.canonical().vote, full=tuple(full)))
    other = blank(candidate, "resnet20", plan_of("resnet20", width=1.0))
    other.load_state_dict(graph.state_dict())
    images = pictures("resnet20", 8)
    assert all(map(torch.equal, graph(images), other(images)))


def test_a_layer_of_no_known_kind_is_refused():
    with pytest.raises(UserError, match="a layer cannot be deployed: got 'QuantLayer'; expected QuantConv2d or Quant"):
        operator_of(QuantLayer((2, 2)), nn.Identity())
