"""The convolution of grey images: torch's values, its gradients, and gradients of those."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from evaluators.quantizers import convolution as module
from evaluators.quantizers.convolution import convolve
from evaluators.quantizers.layers import QuantConv2d
from evaluators.seeds import stream

LAYERS = {
    "8x8 /2": (8, 2, 3, (28, 28)),
    "5x5": (5, 1, 2, (9, 12)),
    "3x3 /3": (3, 3, 0, (10, 7)),
    "1x1": (1, 1, 0, (4, 4)),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def parts(size: tuple[int, int], kernel: int, channels: int = 1, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Images, weight and bias that want gradients."""
    shapes = ((3, channels, *size), (4, channels, kernel, kernel), (4,))
    return [torch.randn(shape, generator=stream(0, str(shape)), dtype=dtype).requires_grad_() for shape in shapes]


@every_layer
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torch(layer, layout):
    kernel, stride, padding, size = layer
    given = parts(size, kernel)
    ours, theirs = (
        function(given[0], given[1].contiguous(memory_format=layout), given[2], stride, padding)
        for function in (convolve, functional.conv2d)
    )
    assert torch.equal(ours, theirs)
    assert type(ours.grad_fn).__name__ == "_GreyConvolutionBackward"
    draw = torch.randn(ours.shape, generator=stream(0, "gradient"))
    for one, other in zip(*(torch.autograd.grad(out, given, draw) for out in (ours, theirs)), strict=True):
        assert one.shape == other.shape
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


@every_layer
def test_gradients_can_be_differentiated(layer):
    """As finite differences tell, in double precision."""
    kernel, stride, padding, _ = layer
    given = parts((8, 8), kernel, dtype=torch.float64)

    def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out: Tensor = module._GreyConvolution.apply(x[:1], weight[:2], bias[:2], stride, padding)
        return out

    assert torch.autograd.gradcheck(run, given)
    assert torch.autograd.gradgradcheck(run, given)


def test_where_it_does_not_pay_it_is_that_of_torch():
    for channels, wants in ((3, True), (1, False)):
        images, weight, bias = parts((6, 6), 3, channels)
        out = convolve(images.requires_grad_(wants) if wants else images.detach(), weight, bias, 1, 0)
        assert type(out.grad_fn).__name__ == "ConvolutionBackward0"


def test_layers_of_grey_images_use_it():
    layer = QuantConv2d((1, 4), 5, padding=2)
    layer.reset(stream(0, "layer"))
    images = torch.rand(2, 1, 8, 8, requires_grad=True)
    assert type(layer(images).grad_fn).__name__ == "_GreyConvolutionBackward"
    with torch.no_grad():
        assert torch.equal(layer(images), functional.conv2d(images, layer.effective_weight(), None, 1, 2))
