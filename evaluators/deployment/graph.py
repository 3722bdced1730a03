"""The deployed graph: from an image to a class, everything inside and nothing but ordinary operations."""

import torch
from torch import Tensor, nn

from evaluators.deployment.folding import folded
from evaluators.deployment.steps import Bins
from evaluators.ensemble import Ensemble
from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.votes import MajorityVote, vote_named
from space import Candidate


class Deployed(nn.Module):
    """What an ensemble computes, on the processor: discretization, members, vote.

    Attributes:
        members: take images to logits; batch norm is folded, weights are constants.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        networks = [member for member in ensemble.members if isinstance(member, Network)]
        self.discretizer = _bins(networks[0].discretizer.bits)
        self.members = nn.ModuleList(nn.ModuleDict({"body": folded(one.body)}) for one in networks)
        vote = ensemble.vote
        self.vote = Majority(vote.full_precision) if isinstance(vote, MajorityVote) else Mean()
        self.eval().requires_grad_(False)

    def member_logits(self, images: Tensor) -> Tensor:
        """N×C×H×W in [0, 1] in, members × N × classes out."""
        pixels = 4 * self.discretizer(images) - 2
        return torch.stack([member["body"](pixels) for member in self.members])  # type: ignore[index]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """N×C×H×W in [0, 1] in; out come N classes (int64) and the members' mean probabilities (N × classes)."""
        logits = self.member_logits(images)
        probabilities = logits.softmax(2)
        return self.vote(probabilities, logits), probabilities.mean(0)


class Mean(nn.Module):
    """The class with the highest mean probability; of equal ones that of the member that is surest."""

    def forward(self, probabilities: Tensor, logits: Tensor) -> Tensor:
        """Members × N × classes in, N integers out."""
        return _likeliest(probabilities.mean(0), logits, _ballots(logits))


class Majority(nn.Module):
    """The class most members vote for; of tied ones that of a full-precision member, else the likelier one.

    As `evaluators.votes.MajorityVote`, in sums and products of zeros and ones: not every runtime selects by booleans.
    """

    def __init__(self, full_precision: list[int]) -> None:
        super().__init__()
        self.full_precision = full_precision

    def forward(self, probabilities: Tensor, logits: Tensor) -> Tensor:
        """Members × N × classes in, N integers out."""
        ballots = _ballots(logits)
        votes = ballots.sum(0)
        eligible = (votes == votes.amax(1, keepdim=True)).float()
        if self.full_precision:
            favoured = eligible * torch.stack([ballots[index] for index in self.full_precision]).amax(0)
            eligible = favoured + eligible * (1 - favoured.amax(1, keepdim=True))
        return _likeliest(probabilities.mean(0) * eligible + (eligible - 1), logits, ballots)


def blank(candidate: Candidate, network: str, plan: Plan) -> Deployed:
    """The graph of a candidate before its values are loaded.

    Args:
        candidate: its width is that of the plan.
        network: a name of NETWORKS.
        plan: shape of an image and classes; its own width does not matter.
    Raises: UserError where the candidate does not fit the network.
    """
    candidate = candidate.canonical()
    sizes = Plan(shape=plan.shape, classes=plan.classes, width=candidate.width)
    networks = [
        build(network, member.precision, sizes, input_bits=candidate.input_bits) for member in candidate.members
    ]
    vote = vote_named(candidate.vote, [member.precision.float for member in candidate.members])
    return Deployed(Ensemble(networks, vote))


def _ballots(logits: Tensor) -> Tensor:
    """1 where a class is a member's own, else 0: members × N × classes."""
    return (logits.argmax(2, keepdim=True) == torch.arange(logits.shape[2])).float()


def _likeliest(mean: Tensor, logits: Tensor, ballots: Tensor) -> Tensor:
    """As in `evaluators.votes`, from the mean probability (N × classes), below 0 for what is not eligible."""
    first, second = logits.topk(2, 2).values.unbind(2)
    sure = (ballots * (first - second).unsqueeze(2)).amax(0)
    likeliest = (mean == mean.amax(1, keepdim=True)).float()
    return (sure * likeliest + (likeliest - 1)).argmax(1)


def _bins(bits: int) -> nn.Module:
    return Bins(bits) if bits < 8 else nn.Identity()
