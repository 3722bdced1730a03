"""MNISTconv and ResNet-20 in every precision of the search space `tiny`, in plain PyTorch."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from plain.quantizers import Sign, activation_quantizer, weight_quantizer
from space import Precision


def compress(weight: Tensor, mu: float) -> Tensor:
    """μ-law compression."""
    peak = weight.abs().max()
    return peak * weight.sign() * torch.log1p(mu * weight.abs() / peak) / math.log1p(mu)


class Conv(nn.Module):
    """A convolution of quantized activations with quantized weights; without a precision, of both as they are."""

    def __init__(
        self,
        channels: tuple[int, int],
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        precision: Precision | None = None,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.mu = stride, padding, 0
        self.weight = nn.Parameter(torch.empty(channels[1], channels[0], kernel, kernel))
        nn.init.kaiming_normal_(self.weight)
        self.activation = activation_quantizer(precision) if precision else nn.Identity()
        self.quantize = weight_quantizer(precision) if precision else lambda weight: weight

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×H'×W' out."""
        weight = self.quantize(self.weight)
        weight = compress(weight, self.mu) if self.mu else weight
        return functional.conv2d(self.activation(x), weight, None, self.stride, self.padding)


class MultiBitConv(nn.Module):
    """Σ_m Σ_n α_m β_n Conv(sign W_m, sign(x + v_n)): M×N binary convolutions (Frickenstein et al. 2023)."""

    def __init__(self, channels: tuple[int, int], kernel: int, stride: int, padding: int, precision: Precision) -> None:
        super().__init__()
        self.stride, self.padding, self.mu = stride, padding, 0
        weight = nn.init.kaiming_normal_(torch.empty(channels[1], channels[0], kernel, kernel))
        latent, bases = weight, []
        for _ in range(precision.weight):  # each base takes the sign of what those before it leave
            bases.append(latent)
            latent = latent - latent.abs().mean((1, 2, 3), keepdim=True) * latent.sign()
        self.weight = nn.Parameter(torch.stack(bases))
        signs = self.weight.detach().sign().flatten(2).permute(1, 2, 0)
        alpha = torch.linalg.lstsq(signs, weight.flatten(1).unsqueeze(2)).solution
        self.alpha = nn.Parameter(alpha.permute(1, 0, 2)[..., None, None])
        count = precision.activation
        self.beta = nn.Parameter(torch.full((count,), 1 / count))
        quantiles = torch.arange(1, count + 1) / (count + 1)
        self.shift = nn.Parameter(torch.special.ndtri(quantiles))

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×H'×W' out."""
        signs, total = [Sign.apply(x + shift) for shift in self.shift], torch.zeros(())
        for weight, alpha in self._bases():
            for beta, activation in zip(self.beta, signs, strict=True):
                total = total + alpha * beta * functional.conv2d(activation, weight, None, self.stride, self.padding)
        return total

    def _bases(self) -> list[tuple[Tensor, Tensor]]:
        """Binary weights, and what their convolutions count; one real weight after a μ-law, which is not linear."""
        weights = [Sign.apply(latent) for latent in self.weight]
        if not self.mu:
            return list(zip(weights, self.alpha.transpose(1, 2), strict=True))
        weight = (torch.stack(weights) * self.alpha).sum(0)
        return [(compress(weight, self.mu), torch.ones(()))]


def conv(
    channels: tuple[int, int], kernel: int, precision: Precision, *, stride: int = 1, padding: int = 0
) -> nn.Module:
    """The convolution of a precision."""
    layer = MultiBitConv if precision.method == "mbn" else Conv
    return layer(channels, kernel, stride, padding, precision)


def classifier(features: int, classes: int) -> nn.Linear:
    """The last layer, in full precision."""
    layer = nn.Linear(features, classes)
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def mnistconv(precision: Precision, width: float) -> nn.Module:
    """conv 8×8×64 /2, conv 6×6×128 /2, conv 5×5×128, FC, for 28×28 images."""
    c1, c2, c3 = (max(1, round(count * width)) for count in (64, 128, 128))
    return nn.Sequential(
        Conv((1, c1), 8, stride=2, padding=3),
        nn.BatchNorm2d(c1),
        conv((c1, c2), 6, precision, stride=2),
        nn.BatchNorm2d(c2),
        conv((c2, c3), 5, precision),
        nn.BatchNorm2d(c3),
        nn.ReLU(),
        nn.Flatten(),
        classifier(c3, 10),
    )


class Block(nn.Module):
    """Two 3×3 convolutions, one shortcut around both, or one around each where activations are binary."""

    def __init__(self, channels: tuple[int, int], stride: int, precision: Precision) -> None:
        super().__init__()
        self.stride, self.new, self.binary = stride, channels[1] - channels[0], precision.binary
        self.conv1 = conv(channels, 3, precision, stride=stride, padding=1)
        self.norm1 = nn.BatchNorm2d(channels[1])
        self.conv2 = conv((channels[1], channels[1]), 3, precision, padding=1)
        self.norm2 = nn.BatchNorm2d(channels[1])

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, N×out×H'×W' out, before the next activation."""
        carried = (x if self.binary else x.relu())[:, :, :: self.stride, :: self.stride]
        carried = functional.pad(carried, (0, 0, 0, 0, 0, self.new))
        x = self.norm1(self.conv1(x))
        if self.binary:
            x = carried = carried + x
        stream: Tensor = carried + self.norm2(self.conv2(x))
        return stream


def resnet20(precision: Precision, width: float) -> nn.Module:
    """Three stages of three blocks, for 32×32 images in colour."""
    widths = [max(1, round(count * width)) for count in (16, 16, 32, 64)]
    blocks: list[nn.Module] = []
    for stage, (before, after) in enumerate(pairwise(widths)):
        blocks += [Block((before, after), 2 if stage else 1, precision)]
        blocks += [Block((after, after), 1, precision) for _ in range(2)]
    stem = [Conv((3, widths[0]), 3, padding=1), nn.BatchNorm2d(widths[0])]
    return nn.Sequential(*stem, *blocks, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier(widths[-1], 10))


TOPOLOGIES = {"mnistconv": mnistconv, "resnet20": resnet20}


class Network(nn.Module):
    """Discretizer, normalisation, layers: images in [0, 1] to logits."""

    def __init__(self, name: str, precision: Precision, *, width: float = 1.0, input_bits: int = 8) -> None:
        super().__init__()
        self.input_bits = input_bits
        self.body = TOPOLOGIES[name](precision, width)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W in, N×classes out."""
        if self.input_bits < 8:  # to the centre of the pixel's bin; the gradient goes straight through
            size = 256 / 2**self.input_bits
            bins = (images.detach() * 255 + 1e-3).div(size).floor()
            images = (bins * size + size / 2) / 255 + (images - images.detach())
        return self.body(4 * images - 2)  # type: ignore[no-any-return]

    def map_weights(self, mu: int, layers: int) -> None:
        """μ-law compress the weights of the last layers, after training."""
        weighted = [module for module in self.modules() if isinstance(module, Conv | MultiBitConv | nn.Linear)]
        for layer in weighted[-layers:]:
            if isinstance(layer, nn.Linear):
                layer.weight.data = compress(layer.weight.data, mu)
            else:
                layer.mu = mu
