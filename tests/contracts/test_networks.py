"""What every topology promises in every precision."""

import pytest
import torch
import torch.nn.functional as functional
from tiny_networks import SMALL, TOKENS, WHOLE, drawn, pictures, plan_of, precision, thin
from torch import Tensor

from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS, check_fits, find_network
from evaluators.networks.plan import Plan
from evaluators.networks.resnet import Block
from evaluators.quantizers.companding import compress
from evaluators.quantizers.pixels import discretise
from evaluators.seeds import stream
from evaluators.training.recipes import RECIPES, optimizer_for
from space import UnknownName, UserError, read_precision

LAYERS = {
    "fcn1": 5,
    "fcn2": 5,
    "mnistconv": 4,
    "mnistcnn": 4,
    "cifarconv": 5,
    "alexnet": 8,
    "alexnet-imagenet": 8,
    "resnet20": 20,
    "resnet56": 56,
    "wrn32": 32,
    "resnet18": 21,
    "resnet18-1x1": 21,
}

every_network = pytest.mark.parametrize("name", NETWORKS)
every_token = pytest.mark.parametrize("token", TOKENS + WHOLE)
every_inner_token = pytest.mark.parametrize("token", TOKENS)


def traffic(network: Network, images: Tensor) -> list[tuple[str, Tensor, Tensor]]:
    """What every layer computed with, in the order of the computation: name, activations, effective weight."""
    seen: list[tuple[str, Tensor, Tensor]] = []
    names = {layer: name for name, layer in network.layers()}
    hooks = [
        layer.register_forward_hook(
            lambda layer, inputs, _: seen.append((names[layer], layer.activation(inputs[0]), layer.effective_weight()))
        )
        for layer in names
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return seen


def test_every_network_is_tested():
    assert SMALL.keys() == NETWORKS.keys() == LAYERS.keys()


@every_network
@every_token
def test_images_become_finite_logits_the_same_every_time(name, token):
    network, images = drawn(name, token), pictures(name, 5)
    logits = network(images)
    assert logits.shape == (5, 3)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()
    assert torch.equal(network(images), logits)
    assert len(logits.unique(dim=0)) == 5
    assert network(images[:0]).shape == (0, 3)


@every_network
@every_token
def test_logits_of_an_image_do_not_depend_on_its_neighbours(name, token):
    network, images = drawn(name, token), pictures(name, 6)
    alone = torch.cat([network(image[None]) for image in images])
    assert torch.allclose(network(images), alone, atol=1e-4)


@every_network
@every_token
def test_every_parameter_gets_a_gradient(name, token):
    network, images = drawn(name, token).train(), pictures(name, 16)
    for parameter, value in network.named_parameters():
        if parameter.endswith("clip"):
            value.data.fill_(0.5)  # so that even a few images reach it
    functional.cross_entropy(network(images), torch.arange(16) % 3).backward()
    for parameter, value in network.named_parameters():
        assert value.grad is not None, parameter
        assert torch.isfinite(value.grad).all(), parameter
        assert value.grad.abs().sum() > 0 or "norm" in parameter, parameter


@every_network
@pytest.mark.parametrize("token", ["fp", "pact2", "xnor", "mbn3x3", "fp~w50", "fp~c50"])
def test_a_step_of_training_changes_every_layer(name, token):
    network, images = drawn(name, token).train(), pictures(name, 8)
    before = {layer: layer.weight.latent.clone() for _, layer in network.layers()}
    optimizer = optimizer_for(network, precision(token), RECIPES["standard"])
    functional.cross_entropy(network(images), torch.arange(8) % 3).backward()
    optimizer.step()
    assert not any(torch.equal(layer.weight.latent, old) for layer, old in before.items())
    assert torch.isfinite(network.eval()(images)).all()


@every_network
@every_token
def test_images_get_a_gradient_through_every_quantizer(name, token):
    network, images = drawn(name, token, input_bits=2), pictures(name, 4).requires_grad_()
    functional.cross_entropy(network(images), torch.arange(4) % 3, reduction="sum").backward()
    assert torch.isfinite(images.grad).all()
    reached = 0.25 if token == "fp~w50" else 0.5  # of thin first layers, pruning takes half of what sees a pixel
    assert ((images.grad != 0).flatten(1).float().mean(1) > reached).all()


@every_network
@every_inner_token
def test_inner_layers_compute_with_the_promised_values_and_the_ends_are_real(name, token):
    network, kind = drawn(name, token, width=2 * thin(name)), precision(token)
    seen = traffic(network, pictures(name, 20))
    weight_levels = 2**kind.weight
    activation_levels = kind.activation + 1 if kind.binary else 2**kind.activation
    bits = [layer.bits for _, layer in network.layers()]
    assert bits[0] == bits[-1] == (8, 8)
    assert bits[1:-1] == [(kind.weight, kind.activation)] * (LAYERS[name] - 2)
    for layer, activations, weight in [seen[0], seen[-1]]:
        assert len(weight.unique()) > 0.9 * weight.numel(), layer
        assert len(activations.unique()) > 20, layer
    for layer, activations, weight in seen[1:-1] if not kind.float else []:
        assert max(len(channel.unique()) for channel in weight) <= weight_levels, layer
        assert 1 < len(activations.unique()) <= activation_levels, layer


@every_network
def test_quantization_after_training_and_pruning_reach_every_layer(name):
    quantized, masked = drawn(name, "ptq3"), drawn(name, "fp~w50")
    for layer, _, weight in traffic(quantized, pictures(name, 2)):
        assert len(weight.unique()) <= 7, layer
    assert {layer.bits for _, layer in quantized.layers()} == {(3, 8)}
    for layer, _, weight in traffic(masked, pictures(name, 2)):
        assert (weight == 0).sum() == round(weight.numel() / 2), layer
    assert {layer.bits for _, layer in masked.layers()} == {(8, 8)}


BY_STAGE = {3: "mbn3x2/pact4/bnn", 4: "mbn3x2/pact4/bnn/fp"}


@every_network
def test_each_stage_computes_in_its_own_precision(name):
    info = NETWORKS[name]
    for stages, text in BY_STAGE.items():
        mixed = read_precision(text)
        if stages != info.stages:
            with pytest.raises(UserError, match=f"{name} takes other precisions by stage: got '{text}'"):
                build(name, mixed, plan_of(name))
            continue
        network = build(name, mixed, plan_of(name)).eval()
        network.reset(stream(0, name))
        assert torch.isfinite(network(pictures(name, 3))).all()
        blocks = [module for module in network.modules() if isinstance(module, Block)]
        found = [(block.conv1.bits, block.conv2.bits) for block in blocks]
        per_stage = len(blocks) // stages
        wanted = [one for one in mixed.stages for _ in range(per_stage)]
        assert found == [((one.weight, one.activation),) * 2 for one in wanted]
        assert [block.binary for block in blocks] == [one.binary for one in wanted]


@every_network
@every_token
def test_layers_are_listed_in_the_order_of_the_computation(name, token):
    network = drawn(name, token)
    assert [layer for layer, *_ in traffic(network, pictures(name, 2))] == [layer for layer, _ in network.layers()]
    assert len(list(network.layers())) == LAYERS[name]


@every_network
@every_token
def test_a_state_is_all_that_a_network_is(name, token):
    one, images = drawn(name, token), pictures(name, 4)
    other = build(name, precision(token), plan_of(name))
    assert not torch.equal(other.eval()(images), one(images))
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.eval()(images), one(images))


@every_network
def test_weights_follow_the_name_of_their_stream(name):
    def weights(seed: int, stream_name: str) -> list[Tensor]:
        network = build(name, precision("fp"), plan_of(name))
        network.reset(stream(seed, stream_name))
        return [layer.weight() for _, layer in network.layers()]

    for same, elsewhere, later in zip(weights(0, "a"), weights(0, "b"), weights(1, "a"), strict=True):
        assert not torch.equal(same, elsewhere)
        assert not torch.equal(same, later)
    assert all(map(torch.equal, weights(0, "a"), weights(0, "a")))


@every_network
@pytest.mark.parametrize("width", [0.125, 0.3, 1.0, 1.5])
def test_width_multiplies_hidden_channels(name, width):
    with torch.device("meta"):
        network = build(name, precision("mbn2x2"), plan_of(name, width, classes=7))
        full = build(name, precision("mbn2x2"), plan_of(name, 1.0, classes=7))
    pairs = zip(network.layers(), full.layers(), strict=True)
    shapes = [(one.weight.shape, two.weight.shape) for (_, one), (_, two) in pairs]
    for ours, theirs in shapes[:-1]:
        assert ours[0] == max(1, round(theirs[0] * width))
    assert shapes[-1][0][0] == 7
    assert shapes[0][0][1] == shapes[0][1][1]


def test_no_width_is_too_small_for_a_channel():
    assert Plan(shape=(1, 28, 28), classes=10, width=0.125).channels(2) == 1


@every_network
@pytest.mark.parametrize("larger", [(0, 0), (1, 0), (0, 3), (9, 4)])
def test_any_image_that_is_large_enough_fits(name, larger):
    info = find_network(name)
    shape = (3, max(info.smallest, 2) + larger[0], max(info.smallest, 2) + larger[1])
    network = build(name, precision("dorefa2-2"), Plan(shape=shape, classes=4, width=thin(name)))
    network.reset(stream(0, "fits"))
    assert network.eval()(torch.rand(2, *shape)).shape == (2, 4)


@pytest.mark.parametrize("name", [name for name, info in NETWORKS.items() if info.smallest > 1])
@pytest.mark.parametrize("axis", [1, 2])
def test_smaller_images_are_refused(name, axis):
    info = find_network(name)
    shape = [3, 80, 80]
    shape[axis] = info.smallest - 1
    text = f"the network {name} does not fit the images: got '{shape[1]}x{shape[2]} pixels'; "
    text += f"expected at least {info.smallest}x{info.smallest}; hint: choose another --network, such as fcn2"
    for refuses in (lambda: check_fits(info, tuple(shape)), lambda: build(name, precision("fp"), plan(shape))):
        with pytest.raises(UserError) as raised:
            refuses()
        assert str(raised.value) == text


@pytest.mark.parametrize("name", ["mnistconv", "mnistcnn", "alexnet", "alexnet-imagenet"])
def test_one_pixel_less_leaves_a_layer_nothing(name, monkeypatch):
    monkeypatch.setattr("evaluators.networks.build.check_fits", lambda *_: None)
    side = find_network(name).smallest - 1
    with pytest.raises((RuntimeError, ZeroDivisionError)):
        build(name, precision("fp"), plan([1, side, side])).eval()(torch.rand(2, 1, side, side))


def plan(shape: list[int]) -> Plan:
    return Plan(shape=tuple(shape), classes=10)


def test_fcn2_takes_single_pixels_and_unknown_networks_are_named():
    assert build("fcn2", precision("fp"), plan([1, 1, 1])).eval()(torch.rand(2, 1, 1, 1)).shape == (2, 10)
    with pytest.raises(UnknownName, match=r"unknown network: got 'resnet2'.*hint: did you mean 'resnet20'\?"):
        build("resnet2", precision("fp"), plan([3, 32, 32]))


@every_network
@pytest.mark.parametrize("bits", [1, 2, 5])
def test_networks_see_nothing_but_the_bin_of_a_pixel(name, bits):
    network, images = drawn(name, "fp", input_bits=bits), pictures(name, 4)
    assert torch.equal(network(images), network(discretise(images, bits)))
    seen: list[Tensor] = []
    network.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(images)
    assert torch.equal(seen[0], 4 * discretise(images, bits) - 2)


@every_network
@pytest.mark.parametrize("mapped", [1, 2, 99])
def test_mapping_reaches_the_last_layers_alone(name, mapped):
    network = drawn(name, "dorefa4-4")
    before = [layer.effective_weight() for _, layer in network.layers()]
    stored = {key: value.clone() for key, value in network.state_dict().items()}
    network.map_weights(255, mapped)
    after = [layer.effective_weight() for _, layer in network.layers()]
    first = max(0, len(before) - mapped)
    assert all(map(torch.equal, before[:first], after[:first]))
    for plain, changed in zip(before[first:], after[first:], strict=True):
        assert torch.equal(changed, compress(plain, 255))
        assert not torch.equal(changed, plain)
    assert all(torch.equal(value, stored[key]) for key, value in network.state_dict().items())


SIZES = {
    "fcn1": [0] * 5,
    "fcn2": [0] * 5,
    "mnistconv": [14, 5, 1, 0],
    "mnistcnn": [28, 14, 0, 0],
    "cifarconv": [32, 16, 8, 0, 0],
    "alexnet": [16, 8, 4, 4, 4, 0, 0, 0],
    "alexnet-imagenet": [55, 27, 13, 13, 13, 0, 0, 0],
    "resnet20": [32] * 7 + [16] * 6 + [8] * 6 + [0],
    "resnet56": [32] * 19 + [16] * 18 + [8] * 18 + [0],
    "wrn32": [32] * 11 + [16] * 10 + [8] * 10 + [0],
    "resnet18": [112] + [56] * 4 + [28] * 5 + [14] * 5 + [7] * 5 + [0],
    "resnet18-1x1": [112] + [56] * 4 + [28] * 5 + [14] * 5 + [7] * 5 + [0],
}


@every_network
def test_feature_maps_have_the_sizes_of_the_papers(name):
    network = build(name, precision("fp"), Plan(shape=find_network(name).shape, classes=10, width=thin(name))).eval()
    found: list[int] = []
    for _, layer in network.layers():
        layer.register_forward_hook(lambda _, __, out: found.append(out.shape[2] if out.dim() == 4 else 0))
    network(torch.zeros(1, *find_network(name).shape))
    assert found == SIZES[name]


@every_network
@pytest.mark.parametrize("token", ["xnor", "mbn2x2", "dorefa2-2"])
def test_low_precision_and_float_networks_share_every_name_but_their_quantizers(name, token):
    ours = drawn(name, token).state_dict().keys()
    twins = drawn(name, "fp").state_dict().keys()
    assert twins <= ours
    assert {key.rpartition(".")[2] for key in ours - twins} <= {"scale", "shift", "clip"}
