"""Boundary examples on networks whose boundary is known, and on one that was trained."""

import pytest
import torch
from torch import nn

from evaluators.seeds import stream
from evaluators.training.feedback import boundary_examples


class Linear(nn.Module):
    """Logits that are linear in the pixels, so that distances to the boundary have a closed form."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weight.T + self.bias


@pytest.fixture
def plane() -> Linear:
    weight = 0.1 * torch.randn(3, 4, generator=stream(0, "weight"))
    return Linear(weight, torch.tensor([0.02, 0.0, -0.02])).train()


def inner_images(count: int) -> torch.Tensor:
    return 0.4 + 0.2 * torch.rand(count, 1, 2, 2, generator=stream(0, "images"))


def test_examples_lie_on_the_boundary_between_their_label_and_another_class(plane):
    images = inner_images(64)
    labels = plane(images).argmax(1)
    moved, theirs = boundary_examples(plane, images, labels, stream(0, "draws"))
    logits = plane(moved)
    inside = ((moved > 0) & (moved < 1)).flatten(1).all(1)
    assert inside.float().mean() > 0.5
    own = logits.gather(1, theirs[:, None]).squeeze(1)
    margins = own[:, None] - logits.scatter(1, theirs[:, None], torch.inf)
    at_some_boundary = margins.abs().amin(1) < 0.1 * (plane(images).amax(1) - plane(images).amin(1)).mean()
    assert at_some_boundary[inside].float().mean() > 0.9


def test_moves_are_as_long_as_the_distance_to_a_plane(plane):
    images = inner_images(1).repeat(8, 1, 1, 1)
    labels = plane(images).argmax(1)
    moved, theirs = boundary_examples(plane, images, labels, stream(0, "draws"))
    weight, bias = plane.weight.detach(), plane.bias.detach()
    label = int(labels[0])
    distances = [
        float(
            ((weight[label] - weight[c]) @ images[0].flatten() + bias[label] - bias[c])
            / (weight[label] - weight[c]).norm()
        )
        for c in range(3)
        if c != label
    ]
    for length in (moved - images).flatten(1).norm(dim=1).tolist():
        assert any(length == pytest.approx(distance, rel=1 / 15) for distance in distances)
    assert torch.equal(theirs, labels)


def test_what_is_wrong_already_stays_where_it_is(plane):
    images = inner_images(16)
    wrong = plane(images).argmin(1)
    moved, theirs = boundary_examples(plane, images, wrong, stream(0, "draws"))
    unmoved = (moved[:, None] == images[None]).flatten(2).all(2).any(1)
    assert unmoved.float().mean() > 0.4  # all whose rival was ahead of the label
    assert set(theirs.tolist()) <= set(wrong.tolist())


def test_near_images_come_more_often():
    plane = Linear(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]), torch.tensor([-0.5, 0.5])).train()
    images = torch.full((200, 1, 2, 2), 0.5)
    images[:100, 0, 0, 0], images[100:, 0, 0, 0] = 0.51, 0.95
    images[:100, 0, 1, 1] = 0.25  # a mark that no move touches
    moved, _ = boundary_examples(plane, images, torch.zeros(200, dtype=torch.int64), stream(0, "draws"))
    near = (moved[:, 0, 1, 1] == 0.25).sum().item()
    assert 120 < near < 180


def test_the_network_is_left_in_train_mode_without_gradients_or_new_statistics():
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 3)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    moved, _ = boundary_examples(network, inner_images(8), torch.zeros(8, dtype=torch.int64), stream(0, "draws"))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not moved.requires_grad
    assert ((moved >= 0) & (moved <= 1)).all()


def test_where_all_are_at_the_boundary_already_none_is_nearer():
    plane = Linear(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]), torch.tensor([0.0, 9.0])).train()
    images = inner_images(64)
    moved, _ = boundary_examples(plane, images, torch.zeros(64, dtype=torch.int64), stream(0, "draws"))
    assert len(moved.flatten(1).unique(dim=0)) > 30


def test_a_network_of_no_numbers_leaves_it_to_the_loss_to_say_so(plane):
    plane.weight.data.fill_(torch.nan)
    images = inner_images(8)
    moved, theirs = boundary_examples(plane, images, torch.zeros(8, dtype=torch.int64), stream(0, "draws"))
    assert nn.functional.cross_entropy(plane(moved), theirs).isnan()
