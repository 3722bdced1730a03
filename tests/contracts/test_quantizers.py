"""What every quantizer of every precision promises; a new precision is held to it without a new line here."""

import pytest
import torch
from torch import Tensor, nn

from evaluators.quantizers.layers import METHODS, QuantConv2d, QuantLinear, method_of
from evaluators.quantizers.weights import WeightQuantizer
from evaluators.seeds import stream
from space import Precision, UnknownName
from space.precision import METHODS as WRITTEN
from space.precision import all_precisions

PRECISIONS = list(all_precisions())
LAYERS = {"conv": lambda: QuantConv2d((4, 3), 3, padding=1), "linear": lambda: QuantLinear((36, 3), bias=True)}
INPUTS = {"conv": (5, 4, 6, 7), "linear": (5, 36)}

every_precision = pytest.mark.parametrize("precision", PRECISIONS, ids=str)
one_of_each = pytest.mark.parametrize(
    "precision", [Precision.parse(t) for t in ("fp", "pact3", "dorefa1-2", "bnn", "xnor", "mbn3x2")], ids=str
)
every_layer = pytest.mark.parametrize("kind", LAYERS)


def weight_levels(precision: Precision) -> float:
    """How many values an output channel may hold: 2^bits, or 2^M for M bases."""
    if precision.method == "ptq":
        return 2**precision.weight - 1  # symmetric about 0
    return float("inf") if precision.float else 2**precision.weight


def activation_levels(precision: Precision) -> float:
    """How many values an activation may take: 2^bits, or N + 1 for N thresholds."""
    if precision.real:
        return float("inf")
    return precision.activation + 1 if precision.binary else 2**precision.activation


def normal(shape: tuple[int, ...], seed: str) -> Tensor:
    return torch.randn(shape, generator=stream(0, seed))


def loaded(precision: Precision, shape: tuple[int, ...] = (3, 8, 12, 12)) -> WeightQuantizer:
    quantizer = method_of(precision).weight(shape, precision)
    quantizer.load_float(0.3 * normal(shape, "weights"))
    return quantizer


def activation(precision: Precision) -> nn.Module:
    return method_of(precision).activation(precision)


def test_every_written_precision_has_quantizers():
    assert METHODS.keys() == WRITTEN.keys()


def test_a_precision_without_quantizers_is_named(monkeypatch):
    monkeypatch.delitem(METHODS, "xnor")
    with pytest.raises(UnknownName, match="unknown precision: got 'xnor'; expected one of bnn, dorefa, fp, mbn, pact"):
        method_of(Precision.parse("xnor"))


@every_precision
def test_weights_keep_their_shape_and_hold_the_promised_number_of_values(precision):
    quantizer = loaded(precision)
    weight = quantizer()
    assert weight.shape == quantizer.shape == (3, 8, 12, 12)
    assert torch.isfinite(weight).all()
    assert max(len(channel.unique()) for channel in weight) <= weight_levels(precision)
    assert torch.equal(quantizer(), weight)


@every_precision
def test_weights_follow_the_float_weight(precision):
    quantizer = loaded(precision)
    pair = torch.stack([quantizer().flatten(), quantizer.float_weight().flatten()])
    # a sign and a normal variable: √(2/π) = 0.80; {-m, 0, m} with m = max|w| leaves all but the tails at 0
    assert torch.corrcoef(pair)[0, 1] > (0.25 if str(precision) == "ptq2" else 0.75)
    assert torch.equal(quantizer.float_weight(), 0.3 * normal((3, 8, 12, 12), "weights"))


@every_precision
def test_every_parameter_of_the_weights_gets_a_gradient(precision):
    quantizer = loaded(precision)
    (quantizer() * normal((3, 8, 12, 12), "up")).sum().backward()
    for name, parameter in quantizer.named_parameters():
        share = (parameter.grad != 0).float().mean()
        assert torch.isfinite(parameter.grad).all(), name
        assert share > 0.9, name


@every_precision
def test_only_latent_weights_are_decayed_so_all_else_has_another_name(precision):
    names = [name for name, _ in loaded(precision).named_parameters()]
    assert names in (["latent"], ["latent", "scale"])


@every_precision
def test_activations_keep_their_shape_and_take_the_promised_number_of_values(precision):
    x = 2 * normal((4, 5, 6, 300), "x")
    out = activation(precision)(x)
    assert out.shape == x.shape
    assert torch.isfinite(out).all()
    assert len(out.unique()) <= activation_levels(precision)
    assert len(out.unique()) == activation_levels(precision) or precision.real


@every_precision
def test_activations_do_not_decrease_and_pass_gradients(precision):
    module, x = activation(precision), torch.linspace(-4, 4, 2001).requires_grad_()
    out = module(x)
    assert (out.diff() >= 0).all()
    assert out[-1] > out[0]
    out.sum().backward()
    assert (x.grad >= 0).all()
    assert (x.grad[(x > 0.05) & (x < 0.95)] > 0).all()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


@one_of_each
def test_activations_leave_their_input_alone(precision):
    x = normal((3, 4), "x")
    before = x.clone()
    activation(precision)(x)
    assert torch.equal(x, before)


@one_of_each
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_activations_compute_in_the_type_they_are_given(precision, dtype):
    x = normal((4, 6), "x").to(dtype).requires_grad_()
    out = activation(precision)(x)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == dtype
    assert len(out.unique()) <= activation_levels(precision)


@one_of_each
def test_activations_do_not_depend_on_the_layout_in_memory(precision):
    module, x = activation(precision), normal((3, 4, 5, 6), "x")
    expected = module(x)
    for same in (x.contiguous(memory_format=torch.channels_last), torch.stack([x, x], -1)[..., 1]):
        assert torch.equal(module(same), expected)
    assert module(x[:0]).shape == (0, 4, 5, 6)


@every_layer
@every_precision
def test_layers_compute_with_quantized_operands_and_count_their_bits(precision, kind):
    layer, shape = LAYERS[kind]().quantized(precision), INPUTS[kind]
    layer.reset(stream(0, "reset"))
    x = normal(shape, "x").requires_grad_()
    out = layer(x)
    operator = nn.functional.conv2d if kind == "conv" else nn.functional.linear
    more = (None, 1, 1) if kind == "conv" else (layer.bias,)
    assert torch.allclose(out, operator(layer.activation(x), layer.weight(), *more), atol=1e-6)
    assert layer.bits == (precision.weight, precision.activation)
    out.sum().backward()
    assert x.grad.abs().sum() > 0


@every_layer
@one_of_each
def test_state_and_reset_decide_what_a_layer_computes(precision, kind):
    one, two, other = (LAYERS[kind]().quantized(precision) for _ in range(3))
    one.reset(stream(0, "name"))
    two.reset(stream(0, "name"))
    other.reset(stream(0, "another"))
    x = normal(INPUTS[kind], "x")
    assert torch.equal(one(x), two(x))
    assert not torch.equal(one(x), other(x))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(x), other(x))


@one_of_each
def test_weights_are_drawn_with_the_variance_of_he(precision):
    layer = QuantConv2d((32, 64), 5).quantized(precision)
    layer.reset(stream(0, "he"))
    drawn = layer.weight.float_weight()
    assert drawn.std().item() == pytest.approx((2 / (32 * 25)) ** 0.5, rel=0.02)
    assert drawn.mean().item() == pytest.approx(0, abs=1e-3)


@every_layer
def test_layers_start_real_and_biases_are_drawn_as_zero(kind):
    layer = LAYERS[kind]()
    assert layer.bits == (8, 8)
    assert isinstance(layer.activation, nn.Identity)
    if layer.bias is not None:
        layer.bias.data.fill_(3)
        layer.reset(stream(0, "reset"))
        assert (layer.bias == 0).all()


@every_layer
@one_of_each
def test_the_weight_of_a_frozen_layer_is_computed_once_until_something_changes(precision, kind):
    layer = LAYERS[kind]().quantized(precision)
    layer.reset(stream(0, "reset"))
    trained = layer.effective_weight().detach()
    layer.requires_grad_(False)
    weight = layer.effective_weight()
    assert torch.equal(weight, trained)
    assert layer.effective_weight() is weight
    layer.mu = 255.0
    mapped = layer.effective_weight()
    assert mapped is not weight
    layer.reset(stream(0, "again"))
    assert not torch.equal(layer.effective_weight(), mapped)
    layer.to(torch.float64)
    assert layer.effective_weight().dtype == torch.float64
    layer.requires_grad_(True)
    assert layer.effective_weight().requires_grad


@every_layer
@one_of_each
def test_mapping_compresses_the_effective_weight_and_nothing_that_is_stored(precision, kind):
    layer = LAYERS[kind]().quantized(precision)
    layer.reset(stream(0, "reset"))
    plain, stored = layer.effective_weight().detach(), {k: v.clone() for k, v in layer.state_dict().items()}
    layer.mu = 255.0
    peak = plain.abs().max()
    expected = peak * plain.sign() * (1 + 255 * plain.abs() / peak).log() / torch.tensor(256.0).log()
    assert torch.allclose(layer.effective_weight(), expected, atol=1e-6)
    assert layer.state_dict().keys() == stored.keys()
    assert all(torch.equal(value, stored[name]) for name, value in layer.state_dict().items())
