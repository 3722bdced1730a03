"""The test of an attack: it must see through what hides gradients, and say so where an attack does not."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from victims import member, same

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.data import Split, load
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network
from evaluators.robustness.effort import Effort
from evaluators.robustness.stages import Stage
from evaluators.robustness.verification.binarization import Binarization, Found
from evaluators.robustness.verification.readout import Discriminator, Probe
from evaluators.robustness.verification.verify import by_gradient
from evaluators.seeds import stream

IMAGES = 12
EPSILON = 0.1


class Rounded(nn.Module):
    """Grey levels, without a straight-through gradient."""

    def forward(self, images: Tensor) -> Tensor:
        return (images * 255).round() / 255


def honest(network: Network) -> Network:
    return network


def blocked(network: Network) -> Network:
    network = deepcopy(network)
    network.discretizer = Rounded()
    return network


def loud(network: Network) -> Network:
    """Logits times 1000: the cross-entropy is flat nearly everywhere."""
    network = deepcopy(network)
    [*_, (_, classifier)] = network.layers()
    with torch.no_grad():
        classifier.weight.load_float(1000 * classifier.effective_weight())
        classifier.bias *= 1000
    return network


def plain(model: Ensemble, example: Tensor) -> Iterator[Stage]:
    yield Stage(name="pgd", attack=Ascent(steps=20, start="uniform"), model=model)


def digits() -> Split:
    return load("mnist5k").test.head(IMAGES)


def examined(network: Network, stages=plain, epsilon: float = EPSILON) -> Found:
    return Binarization(stages=stages, threat=ThreatModel(epsilon=epsilon), inner=300)(network, digits())


@pytest.mark.parametrize(("token", "bits"), [("fp", 8), ("mbn3x2", 8), ("fp", 2)])
def test_plain_pgd_finds_what_is_there_in_honest_networks(token: str, bits: int) -> None:
    found = examined(member(token, bits))
    assert found.images >= IMAGES - 2
    assert found.rate == 1
    assert found.chance is not None
    assert found.chance < 0.7


@pytest.mark.parametrize("mask", [blocked, loud])
@pytest.mark.parametrize("token", ["fp", "mbn3x2"])
def test_plain_pgd_fails_where_gradients_are_hidden_and_the_worst_case_does_not(token: str, mask) -> None:
    network = mask(member(token, 8))
    assert (examined(network).rate or 0) < 0.3
    assert examined(network, by_gradient(Effort(steps=20))).rate == 1


def test_no_attack_finds_nothing() -> None:
    found = examined(member("fp", 8), lambda model, example: [])
    assert (found.by_attack, found.rate) == (0, 0)
    assert found.images > 0


def test_the_network_stays_as_it_is_and_equal_calls_agree() -> None:
    network = member("fp", 8)
    before = [value.clone() for value in network.state_dict().values()]
    assert examined(network) == examined(network)
    assert all(map(same, network.state_dict().values(), before))


def test_without_a_radius_nothing_can_be_told_apart() -> None:
    found = examined(member("fp", 8), epsilon=0.0)
    assert found == Found(images=0, by_attack=0, by_chance=0)
    assert (found.rate, found.chance) == (None, None)


def test_features_are_what_the_classifier_computes_with() -> None:
    network, images = member("mbn3x2", 8), digits().images.float() / 255
    probe = Probe(network)
    features = probe.features(images)
    logits = features @ probe.classifier.effective_weight().T + probe.classifier.bias
    assert torch.allclose(logits, network(images), atol=1e-5)


def test_the_edge_point_is_an_adversarial_example_and_near_ones_are_not() -> None:
    """By the replaced network itself, and its logits of the image lie as far apart as the network's own."""
    network, probe = member("fp", 8), Probe(member("fp", 8))
    image = digits().images[:1].float() / 255
    signs = torch.rand(image.shape, generator=stream(0, "signs")) < 0.5
    corner = (image + torch.where(signs, -EPSILON, EPSILON)).clamp(0, 1)
    noise = 2 * torch.rand((300, *image.shape[1:]), generator=stream(0, "inner")) - 1
    near = torch.cat([image, (image + 0.95 * EPSILON * noise).clamp(0, 1)])
    assert probe.tell(probe.features(near), probe.features(corner)[0])
    with torch.no_grad():
        assert (probe.network(near).argmax(1) == 0).all()
        assert probe.network(corner).argmax(1).item() == 1
        own, told = network(image), probe.network(image)
    assert (told.max() - told.min()).item() == pytest.approx((own.max() - own.min()).item(), rel=1e-3)


def test_a_discriminator_divides_where_a_plane_can_and_only_there() -> None:
    square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    apart = Discriminator.between(square, torch.tensor([3.0, 3.0]))
    assert apart is not None
    assert (apart(square) < 0).all()
    assert apart(torch.tensor([[3.0, 3.0], [2.0, 2.0]])).gt(0).all()  # a quarter of the way lies before (2, 2)
    assert Discriminator.between(square, torch.tensor([0.5, 0.5])) is None
