"""Noise: what is drawn, how far it goes, and that one pass over many radii equals many passes."""

import pytest
import torch
from torch import Tensor, nn

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.noise import Noise
from evaluators.attacks.sweep import fgsm_sweep, noise_sweep
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote

EPSILONS = (0.0, 0.02, 8 / 255, 0.1, 0.3)


class Small(nn.Module):
    """A smooth random network of 1×6×6 images."""

    def __init__(self, seed: str = "small") -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.first = torch.randn(36, 16, generator=stream(0, seed, "1")) / 2
        self.last = torch.randn(16, 5, generator=stream(0, seed, "2"))

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        return ((images.flatten(1) - 0.5) @ self.first).tanh() @ self.last


def model(majority: bool = False) -> Ensemble:
    members = [Small(name) for name in ("a", "b", "c")] if majority else [Small()]
    return Ensemble(members, MajorityVote([True, False, False]) if majority else MeanVote())  # type: ignore[arg-type]


def images_of(count: int = 64) -> Tensor:
    return torch.rand(count, 1, 6, 6, generator=stream(0, "images"))


def labels_of(victim: Ensemble, images: Tensor) -> Tensor:
    """The model's own answers, a few of them wrong."""
    labels = victim(images)
    labels[::7] = (labels[::7] + 1) % 5
    return labels


def drawn(kind: str, epsilon: float) -> Tensor:
    """What is added to grey images that never fall."""
    victim, grey = model(), torch.full((500, 1, 6, 6), 0.5)
    small: Small = victim.members[0]  # type: ignore[assignment]
    small.last.zero_()
    Noise(kind=kind, draws=3)(victim, grey, victim(grey), ThreatModel(epsilon=epsilon), stream(0, kind))
    return torch.cat(small.seen[2:]) - 0.5


def test_uniform_noise_fills_the_ball():
    noise = drawn("uniform", 0.25) / 0.25
    assert len(noise) == 1500
    quantiles = noise.flatten().quantile(torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99]))
    assert quantiles.tolist() == pytest.approx([-0.98, -0.5, 0, 0.5, 0.98], abs=0.02)


def test_gaussian_noise_has_half_the_radius_as_its_deviation_and_is_cut_there():
    noise = drawn("gaussian", 0.25) / 0.25
    quantiles = noise.flatten().quantile(torch.tensor([0.16, 0.5, 0.84]))
    assert quantiles.tolist() == pytest.approx([-0.497, 0, 0.497], abs=0.02)
    assert (noise.abs() == 1).float().mean().item() == pytest.approx(0.0455, abs=0.005)  # beyond two deviations


def test_corners_have_every_pixel_as_far_up_or_down_as_it_may_be():
    noise = drawn("corners", 0.25) / 0.25
    assert (noise.abs() == 1).all()
    assert noise.mean().item() == pytest.approx(0, abs=4 / noise.numel() ** 0.5)
    assert noise.flatten(1).unique(dim=0).shape == (1500, 36)


@pytest.mark.parametrize("kind", ["uniform", "gaussian"])
def test_more_draws_break_whatever_fewer_do(kind):
    victim, images = model(), images_of()
    labels, counts = labels_of(victim, images), []
    before = victim(images) != labels
    for draws in (0, 1, 8, 64):
        outcome = Noise(kind=kind, draws=draws)(victim, images, labels, ThreatModel(epsilon=0.4), stream(0, "d"))
        assert (outcome.broken | ~before).all()
        before = outcome.broken
        counts.append(before.sum().item())
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("majority", [False, True])
def test_one_gradient_serves_every_radius(majority):
    victim, images = model(majority), images_of()
    labels = labels_of(victim, images)
    found = fgsm_sweep(victim, images, labels, EPSILONS)
    assert list(found) == list(EPSILONS)
    for epsilon, broken in found.items():
        fgsm = Ascent(steps=1, step_size=1.0)
        assert torch.equal(broken, fgsm(victim, images, labels, ThreatModel(epsilon=epsilon), stream(0, "x")).broken)
    assert found[0.0].sum() < found[0.02].sum() <= found[0.3].sum()


def test_a_sweep_passes_the_gradient_once():
    victim, images = model(), images_of()
    labels, small = labels_of(victim, images), victim.members[0]
    small.seen.clear()  # type: ignore[union-attr,operator]
    fgsm_sweep(victim, images, labels, EPSILONS)
    assert len(small.seen) == 2 + len(EPSILONS)  # type: ignore[arg-type]


def test_a_sweep_over_a_batch_that_has_all_fallen():
    victim, images = model(), images_of(4)
    found = fgsm_sweep(victim, images, (victim(images) + 1) % 5, EPSILONS)
    assert all(broken.all() for broken in found.values())


@pytest.mark.parametrize("kind", ["uniform", "gaussian"])
def test_the_same_draws_serve_every_radius(kind):
    victim, images = model(), images_of()
    labels, noise, generator = labels_of(victim, images), Noise(kind=kind), stream(0, "noise")
    found = noise_sweep(noise, victim, images, labels, EPSILONS, generator)
    for epsilon, broken in found.items():
        alone = noise(victim, images, labels, ThreatModel(epsilon=epsilon), stream(0, "noise"))
        assert torch.equal(broken, alone.broken)
    assert torch.equal(generator.get_state(), stream(0, "noise").get_state())
