"""What the rules are told: a sample's share of what is left, and what is left as a share of all images."""

import pytest
import torch
from torch import Tensor, nn

from evaluators.ensemble import Ensemble
from evaluators.robustness.effort import Effort
from evaluators.robustness.probes import Prober, is_flat, zero_gradients
from evaluators.robustness.rules import Evidence
from evaluators.robustness.siege import Siege
from evaluators.robustness.stages import SQUARE, Target
from evaluators.votes import MeanVote

ALL, STANDING = 40, 30
"""Images, and how many of them stand when the stages are through."""


class Slanted(nn.Module):
    """z = (mean pixel - 1/2 + bias, 0): the first class until the image is dark enough."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, images: Tensor) -> Tensor:
        first = images.flatten(1).mean(1) - 0.5 + self.bias
        return torch.stack([first, torch.zeros_like(first)], 1)


class Mixed(nn.Module):
    """By its corner pixel slanted below 1/3, rounded below 2/3, else constant; blind to its last row."""

    def forward(self, images: Tensor) -> Tensor:
        kind, seen = images[:, 0, 0, 0].detach(), images[:, :, :-1].flatten(1)
        light, rounded = seen.mean(1), (4 * seen).round().mean(1)
        first = torch.where(kind < 1 / 3, light, torch.where(kind < 2 / 3, rounded, torch.ones_like(light)))
        return torch.stack([first, torch.zeros_like(first)], 1)


def prober(model: Ensemble, effort: Effort, epsilon: float) -> Prober:
    """Grey images of the first class of which the last ten have fallen."""
    siege = Siege.lay(model, torch.full((ALL, 1, 4, 4), 0.5), torch.zeros(ALL, dtype=torch.int64), epsilon, 0, "all")
    assert not siege.outcome.broken.any()
    siege.outcome.broken[STANDING:] = True
    return Prober(siege=siege, model=model, effort=effort)


def share(evidence: Evidence, of_probed: float, left: int) -> bool:
    return evidence.share == pytest.approx(of_probed * left / ALL)


def test_what_all_that_is_probed_fall_to_is_carried_to_all_that_is_left():
    effort = Effort(steps=4, probed=8)
    one = prober(Ensemble([Slanted(0.05)], MeanVote()), effort, epsilon=0.1)
    found = one.settled()
    assert list(found) == ["unconverged", "restarts"]
    assert share(found["unconverged"], 1.0, STANDING) and found["unconverged"].images == 8
    assert share(found["restarts"], 1.0, STANDING - 8) and found["restarts"].images == 8
    assert len(one.siege.outcome.standing) == STANDING - 16
    assert one.siege.breaks == {"unconverged": 8, "restarts": 8}


def test_what_nothing_moves_is_evidence_of_nothing_but_at_a_radius_where_it_must_fall():
    sure = prober(Ensemble([Slanted(0.9)], MeanVote()), Effort(steps=4, probed=8), epsilon=0.1)
    before = sure.siege.outcome.forwards
    assert {one.images for one in sure.settled().values()} == {0}
    twice_the_steps, two_further_starts = 8 * (8 + 1), 2 * 8 * (4 + 1)
    assert sure.siege.outcome.forwards - before == twice_the_steps + two_further_starts
    [(name, stands)] = sure.large_radius().items()
    assert name == "large-radius" and share(stands, 1.0, STANDING) and stands.images == 8
    assert len(sure.siege.outcome.standing) == STANDING, "the radius is not the threat's"
    weak = prober(Ensemble([Slanted(0.05)], MeanVote()), Effort(steps=4, probed=8), epsilon=0.01)
    assert weak.large_radius()["large-radius"] == Evidence(share=0.0, images=0)
    assert prober(weak.model, Effort(steps=0), 0.01).large_radius() == {}
    weak.siege.outcome.broken[:] = True
    assert weak.large_radius() == {}, "nothing is left to look at"
    assert set(weak.settled().values()) == {Evidence(share=0.0, images=0)}


@pytest.mark.parametrize(("sample", "light", "square", "of_sample"), [(6, 0, 6, 1.0), (64, 18, 12, 12 / STANDING)])
def test_black_boxes_count_in_full_and_the_sample_of_square_for_all_that_is_left(sample, light, square, of_sample):
    effort = Effort(steps=4, queries=20, sample=sample)
    one = prober(Ensemble([Slanted(0.01)], MeanVote()), effort, epsilon=0.2)
    one.siege.outcome.origin[:light] = one.siege.outcome.images[:light] = 0.9  # these are out of reach
    one.siege.breaks |= {"noise": 2, "transfer": 1, "smooth": 5}
    target = Target(model=one.model, carriers=(), example=one.siege.outcome.origin[:1], flat=False)
    found = one.black_box(target)["black-box"]
    assert one.siege.breaks[SQUARE] == square
    assert found.images == 3 + square
    assert found.share == pytest.approx(3 / ALL + of_sample * STANDING / ALL)


def test_gradients_are_looked_at_where_plain_pgd_left_an_image_standing():
    """Of eight images PGD leaves six, of which the first five are looked at."""
    kinds = torch.tensor([0.5, 0.1, 0.9, 0.5, 0.9, 0.5, 0.1, 0.9])
    images = torch.full((8, 1, 4, 4), 0.3)
    images[:, 0, 0, 0] = kinds
    labels, model = torch.zeros(8, dtype=torch.int64), Ensemble([Mixed()], MeanVote())
    assert zero_gradients(model, images, labels).tolist() == (kinds > 1 / 3).tolist()
    assert not zero_gradients(model, images, labels + 1).any(), "what has fallen needs no gradient"
    siege = Siege.lay(model, images, labels, 0.1, 0, "all")
    naive = torch.tensor([False, True, True, True, True, True, True, False])
    found = Prober(siege=siege, model=model, effort=Effort(probed=5)).gradients(naive)
    assert found["zero-gradient"] == Evidence(share=pytest.approx(6 / 8 * 4 / 5), images=4)
    assert found["no-gradient"] == Evidence(share=pytest.approx(6 / 8 * 2 / 5), images=2)


def test_a_model_is_flat_where_more_than_one_image_in_twenty_has_no_gradient():
    model, labels = Ensemble([Mixed()], MeanVote()), torch.zeros(40, dtype=torch.int64)
    for constant, flat in ((0, False), (2, False), (3, True)):
        images = torch.full((40, 1, 4, 4), 0.1)
        images[:constant, 0, 0, 0] = 0.9
        assert is_flat(model, images, labels) is flat
