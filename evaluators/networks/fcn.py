"""Fully connected networks of Panda et al. (2019)."""

from torch import nn

from evaluators.networks.plan import Plan
from evaluators.quantizers.layers import QuantLinear
from space import Precision


def fcn1(plan: Plan, precision: Precision) -> nn.Module:
    """784-6144×4-10: fcn2, ten times as wide."""
    return _fcn(plan, precision, hidden=plan.channels(6144))


def fcn2(plan: Plan, precision: Precision) -> nn.Module:
    """784-600×4-10, batch norm after each hidden layer; the first layer and the classifier stay 8/8."""
    return _fcn(plan, precision, hidden=plan.channels(600))


def _fcn(plan: Plan, precision: Precision, *, hidden: int) -> nn.Module:
    channels, height, width = plan.shape
    parts: list[nn.Module] = [nn.Flatten(), QuantLinear((channels * height * width, hidden))]
    for _ in range(3):
        parts += [nn.BatchNorm1d(hidden), QuantLinear((hidden, hidden)).quantized(precision)]
    parts += [nn.BatchNorm1d(hidden), nn.ReLU(), QuantLinear((hidden, plan.classes), bias=True)]
    return nn.Sequential(*parts)
