"""Our convolutions: torch's values, its gradients, and gradients of those."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.quantizers import convolution as module
from evaluators.quantizers.convolution import convolve
from evaluators.quantizers.input_gradient import by_phases, by_product, quicker
from evaluators.quantizers.layers import QuantConv2d
from evaluators.seeds import stream

LAYERS = {
    "8x8 /2": (1, 8, 2, 3, (28, 28)),
    "5x5": (1, 5, 1, 2, (9, 12)),
    "3x3 /3": (1, 3, 3, 0, (10, 7)),
    "1x1": (1, 1, 1, 0, (4, 4)),
    "colour 3x3": (3, 3, 1, 1, (8, 9)),
    "colour 11x11 /4": (3, 11, 4, 2, (31, 40)),
    "16 channels 6x6 /2": (16, 6, 2, 0, (14, 15)),
    "5 channels 4x4 /2": (5, 4, 2, 1, (9, 8)),
}
"""Channels, kernel, stride, padding and image of layers whose gradient is our own."""
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def parts(size: tuple[int, int], kernel: int, channels: int = 1, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Images, weight and bias that want gradients."""
    shapes = ((3, channels, *size), (4, channels, kernel, kernel), (4,))
    return [torch.randn(shape, generator=stream(0, str(shape)), dtype=dtype).requires_grad_() for shape in shapes]


@every_layer
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torch(layer, layout):
    channels, kernel, stride, padding, size = layer
    given = parts(size, kernel, channels)
    ours, theirs = (
        function(given[0], given[1].contiguous(memory_format=layout), given[2], stride, padding)
        for function in (convolve, functional.conv2d)
    )
    assert torch.equal(ours, theirs)
    assert type(ours.grad_fn).__name__ == "_ConvolutionBackward"
    draw = torch.randn(ours.shape, generator=stream(0, "gradient"))
    for one, other in zip(*(torch.autograd.grad(out, given, draw) for out in (ours, theirs)), strict=True):
        assert one.shape == other.shape
        assert torch.allclose(one, other, rtol=1e-4, atol=2e-4)


@every_layer
@pytest.mark.parametrize("way", [by_product, by_phases])
def test_either_way_gives_the_gradient(layer, way):
    """In double precision, up to its rounding; each way is right for every layer, whichever is quicker."""
    channels, kernel, stride, padding, size = layer
    images, weight, _ = parts(size, kernel, channels, torch.float64)
    out = functional.conv2d(images, weight, None, stride, padding)
    draw = torch.randn(out.shape, generator=stream(0, "gradient"), dtype=torch.float64)
    (expected,) = torch.autograd.grad(out, images, draw)
    assert torch.allclose(way(draw, weight, size, stride, padding), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layer", [(1, 3, 2, 1), (1, 1, 1, 0), (2, 4, 2, 1)], ids=str)
def test_gradients_can_be_differentiated(layer):
    """As finite differences tell, in double precision."""
    channels, kernel, stride, padding = layer
    given = parts((6, 6), kernel, channels, dtype=torch.float64)

    def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out: Tensor = module._Convolution.apply(x[:1], weight[:2], bias[:2], stride, padding)
        return out

    assert torch.autograd.gradcheck(run, given)
    assert torch.autograd.gradgradcheck(run, given)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_window_that_sees_all_is_a_product(layout):
    images, weight, bias = parts((5, 5), 5, 16)
    given = [images.contiguous(memory_format=layout), weight.contiguous(memory_format=layout), bias]
    ours, theirs = convolve(*given, 1, 0), functional.conv2d(*given)
    assert ours.shape == theirs.shape == (3, 4, 1, 1)
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    draw = torch.randn(ours.shape, generator=stream(0, "gradient"))
    for one, other in zip(
        *(torch.autograd.grad(out, (images, weight, bias), draw) for out in (ours, theirs)), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_which_way_is_quicker():
    """As measured: products for images, phases for strided windows over few channels, else the library's."""
    ways = {(32, 3, 3, 3): 1, (16, 1, 8, 8): 2, (32, 16, 6, 6): 2, (64, 3, 11, 11): 4, (64, 64, 3, 3): 1}
    found = [quicker(weight, stride) for weight, stride in ways.items()]
    assert found == [by_product, by_product, by_phases, by_phases, None]
    assert quicker((32, 16, 3, 3), 2) is quicker((64, 32, 1, 1), 2) is None


def test_where_it_does_not_pay_it_is_that_of_torch():
    for channels, wants in ((4, True), (1, False)):
        images, weight, bias = parts((6, 6), 3, channels)
        out = convolve(images.requires_grad_(wants) if wants else images.detach(), weight, bias, 1, 0)
        assert type(out.grad_fn).__name__ == "ConvolutionBackward0"


def test_layers_of_grey_images_use_it():
    layer = QuantConv2d((1, 4), 5, padding=2)
    layer.reset(stream(0, "layer"))
    images = torch.rand(2, 1, 8, 8, requires_grad=True)
    assert type(layer(images).grad_fn).__name__ == "_ConvolutionBackward"
    with torch.no_grad():
        assert torch.equal(layer(images), functional.conv2d(images, layer.effective_weight(), None, 1, 2))
