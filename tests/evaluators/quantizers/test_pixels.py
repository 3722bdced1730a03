"""Input discretization against the formula in whole grey levels."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quantizing import flat, tensors, upstream_of

from evaluators.quantizers.pixels import PixelDiscretizer, discretise

GREYS = torch.arange(256, dtype=torch.uint8).float() / 255
pixels = tensors(st.floats(0, 1, width=32) | st.integers(0, 255).map(lambda k: float(GREYS[k])))


@pytest.mark.parametrize("bits", range(1, 8))
def test_all_256_grey_levels_go_to_the_centre_of_their_bin(bits):
    width = 256 // 2**bits
    expected = [((k // width) * width + width / 2) / 255 for k in range(256)]
    assert torch.equal(discretise(GREYS, bits), torch.tensor(expected))
    assert discretise(GREYS, bits).unique().numel() == 2**bits


@pytest.mark.parametrize("bits", range(1, 8))
def test_grey_levels_that_were_multiplied_by_a_rounded_255th_keep_their_bin(bits):
    """So graphics cards divide, which may fall just below the level."""
    reciprocal = torch.arange(256).float() * (torch.tensor(1.0) / 255)
    for greys in (reciprocal, reciprocal.nextafter(torch.tensor(-1.0)).clamp(0, 1)):
        assert torch.equal(discretise(greys, bits), discretise(GREYS, bits))


@pytest.mark.parametrize("bits", range(1, 8))
def test_the_darkest_pixels_get_exactly_a_centre_too(bits):
    dark = torch.cat([torch.arange(1, 200, 2) * 2.0**-power for power in range(20, 40)]).clamp_max(0.5 / 255)
    assert discretise(dark, bits).unique().tolist() == discretise(GREYS[:1], bits).tolist()


def test_the_published_bins_of_2_bits():
    assert discretise(GREYS, 2).mul(255).unique().tolist() == pytest.approx([32, 96, 160, 224])


@given(pixels)
def test_8_bits_are_the_identity(images):
    assert torch.equal(discretise(images, 8), images)


@given(pixels, st.integers(1, 7))
def test_any_pixel_gets_exactly_a_centre_and_keeps_it(images, bits):
    width = 256 / 2**bits
    out = discretise(images, bits)
    centres = (torch.arange(2**bits) * width + width / 2) / 255
    assert torch.isin(out, centres).all()
    assert torch.equal(discretise(out, bits), out)
    moved = (out.double() - images.double()).abs() * 255
    assert moved.max() <= width / 2 + 0.002  # pixels a thousandth of a grey level below a bin count as in it
    assert out.min() >= 0
    assert out.max() <= 1


@given(pixels, st.integers(1, 7))
def test_bins_are_half_open_in_grey_levels(images, bits):
    width = 256 / 2**bits
    for value, out in zip(flat(images), flat(discretise(images, bits)), strict=True):
        if abs(value * 255 / width - round(value * 255 / width)) * width > 0.002:
            assert math.floor(out * 255 / width) == math.floor(value * 255 / width)


@given(pixels, st.integers(1, 8))
def test_gradients_pass_straight_through(images, bits):
    images.requires_grad_()
    upstream = upstream_of(images)
    discretise(images, bits).backward(upstream)
    assert torch.equal(images.grad, upstream)


@pytest.mark.parametrize("bits", range(1, 9))
def test_the_layer_is_the_function(bits):
    images = torch.linspace(0, 1, 1000).view(10, 1, 10, 10)
    assert torch.equal(PixelDiscretizer(bits)(images), discretise(images, bits))


@pytest.mark.parametrize(("bits", "safe"), [(1, 63), (2, 31), (3, 15), (4, 7)])
def test_small_changes_of_discretised_pixels_never_leave_the_bin(bits, safe):
    seen = discretise(GREYS, bits)
    for change in torch.linspace(-safe, safe, 41) / 255:
        assert torch.equal(discretise((seen + change).clamp(0, 1), bits), seen)
