"""Models that hide their gradients, each in one known way, and none any more robust for it."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from evaluators.ensemble import Ensemble
from evaluators.quantizers.layers import QuantLayer
from evaluators.quantizers.ste import plain_sign, round_through
from evaluators.votes import MeanVote

LEVELS = 15


Change = Callable[[Tensor], Tensor]


def unchanged(x: Tensor) -> Tensor:
    return x


class Wrapped(nn.Module):
    """A trained member, with something before or after it."""

    def __init__(self, member: nn.Module, *, before: Change = unchanged, after: Change = unchanged) -> None:
        super().__init__()
        self.member, self.before, self.after = member, before, after

    def forward(self, images: Tensor) -> Tensor:
        return self.after(self.member(self.before(images)))


class Counts(nn.Module):
    """The ballots of several members, as if they were logits."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        return sum(functional.one_hot(member(images).argmax(1), 10) for member in self.members).float()


class _BlockedRound(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        return torch.zeros_like(grads[0])


class _NarrowSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return plain_sign(x)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * (x.abs() < 1e-3)


class NarrowSign(nn.Module):
    """sign(x) whose window lets next to nothing through."""

    def forward(self, x: Tensor) -> Tensor:
        return _NarrowSign.apply(x)


def single(member: nn.Module) -> Ensemble:
    return Ensemble([member], MeanVote())


def member_of(model: Ensemble) -> nn.Module:
    [member] = model.members
    return member


def rounded(model: Ensemble) -> Ensemble:
    """Without a straight-through rule, by PyTorch's own function."""
    return single(Wrapped(member_of(model), before=lambda x: torch.round(x * LEVELS) / LEVELS))


def rounded_out_of_sight(model: Ensemble) -> Ensemble:
    """The same in a function that nothing can look into."""
    return single(Wrapped(member_of(model), before=lambda x: _BlockedRound.apply(x * LEVELS) / LEVELS))


def rounded_honestly(model: Ensemble) -> Ensemble:
    return single(Wrapped(member_of(model), before=lambda x: round_through(x * LEVELS) / LEVELS))


def scaled(model: Ensemble) -> Ensemble:
    return single(Wrapped(member_of(model), after=lambda logits: 1000 * logits))


def probabilities(model: Ensemble) -> Ensemble:
    return single(Wrapped(member_of(model), after=lambda logits: logits.softmax(1)))


def counted(model: Ensemble) -> Ensemble:
    return single(Counts(list(model.members)))


def noisy(model: Ensemble) -> Ensemble:
    """Draws anew at every pass."""
    return single(Wrapped(member_of(model), before=lambda x: x + 0.05 * torch.randn_like(x)))


def narrowed(model: Ensemble) -> Ensemble:
    """Every binary activation with a window of a thousandth."""
    member = deepcopy(member_of(model))
    for module in member.modules():
        if isinstance(module, QuantLayer) and not isinstance(module.activation, nn.Identity | nn.ReLU):
            module.activation = NarrowSign()
    return single(member)


def in_training_mode(model: Ensemble) -> Ensemble:
    return deepcopy(model).train()
