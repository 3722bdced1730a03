"""Square: what it draws and keeps, what it costs, and that it needs no gradient."""

import math

import pytest
import torch
from torch import Tensor, nn

from evaluators import Budget, Evaluator, open_evaluator
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.ball import Ball
from evaluators.attacks.base import Attacked, ThreatModel, loss_gradient
from evaluators.attacks.halving import HalvingAscent
from evaluators.attacks.losses import break_margin
from evaluators.attacks.noise import Noise
from evaluators.attacks.square import Square
from evaluators.attacks.surrogates import through
from evaluators.ensemble import Ensemble
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote
from space import Candidate

QUERIES = 120
PAPER = (10, 50, 200, 1000, 2000, 4000, 6000, 8000)
"""Iterations, of 10,000, at which the paper halves p."""


class Seeing(nn.Module):
    """A random network that keeps what passes it; a constant one with no `scale`."""

    def __init__(self, seed: str = "seeing", pixels: int = 36, scale: float = 1.0) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.first = scale * torch.randn(pixels, 16, generator=stream(0, seed, "1"))
        self.last = torch.randn(16, 5, generator=stream(0, seed, "2"))
        self.bias = torch.arange(5) / 10.0

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        return ((images.flatten(1) - 0.5) @ self.first).tanh() @ self.last + self.bias


class Rounded(nn.Module):
    """A network behind 4-bit rounding without any straight-through rule: its gradient is zero everywhere."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network((images * 15).round() / 15)
        return logits


def ensemble(*members: nn.Module, majority: bool = False) -> Ensemble:
    vote = MajorityVote([False] * len(members)) if majority else MeanVote()
    return Ensemble(members, vote)  # type: ignore[arg-type]


def victims() -> dict[str, Ensemble]:
    three = [Seeing(name) for name in ("a", "b", "c")]
    return {"one": ensemble(Seeing()), "mean": ensemble(*three), "majority": ensemble(*three, majority=True)}


def scene(kind: str = "one", count: int = 40) -> tuple[Ensemble, Tensor, Tensor]:
    """A model, images, and its own answers, a few of them wrong."""
    model, images = victims()[kind], torch.rand(count, 1, 6, 6, generator=stream(0, "images"))
    labels = model(images)
    labels[::7] = (labels[::7] + 1) % 5
    model.members[0].seen.clear()  # type: ignore[union-attr,operator]
    return model, images, labels


def seen_by(model: Ensemble) -> list[Tensor]:
    return model.members[0].seen  # type: ignore[return-value]


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory) -> Evaluator:
    budget = Budget(epochs=3, train_images=1500)
    return open_evaluator(
        dataset="mnist5k", network="mnistconv", budget=budget, device="cpu", cache=tmp_path_factory.mktemp("members")
    )


@pytest.fixture(scope="module")
def trained(evaluator) -> tuple[Ensemble, Tensor, Tensor]:
    """A real network that knows digits, and digits."""
    split = evaluator.data.validation.head(100)
    return evaluator.ensemble(Candidate.parse("fp:x0.25")), split.images.float() / 255, split.labels


def test_it_breaks_a_network_without_any_gradient_and_noise_does_not(trained):
    network, images, labels = trained
    model, threat = ensemble(Rounded(network.members[0])), ThreatModel(epsilon=0.2)
    assert not loss_gradient(model, images, labels).any()
    clean = (model(images) == labels).sum().item()
    stands = {
        name: (~attack(model, images, labels, threat, stream(0, name)).broken).sum().item()
        for name, attack in {
            "square": Square(queries=QUERIES, sample=0),
            "noise": Noise(kind="uniform", draws=QUERIES),
            "pgd": Ascent(steps=20, start="uniform", restarts=3),
        }.items()
    }
    assert clean > 75
    assert stands["square"] < 0.5 * clean
    assert stands["noise"] > 0.7 * clean
    assert stands["pgd"] > 0.7 * clean


def test_the_search_does_better_than_its_first_guesses(trained):
    model, images, labels = trained
    threat = ThreatModel(epsilon=0.15)
    stands = {
        proposals: (
            ~Square(queries=QUERIES, sample=0, proposals=proposals)(
                model, images, labels, threat, stream(0, "s")
            ).broken
        ).sum()
        for proposals in (1, 4, QUERIES)  # all at once are stripes alone
    }
    assert stands[1] <= stands[4] + 4
    assert stands[4] < 0.8 * stands[QUERIES]


@pytest.mark.parametrize("kind", victims())
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 8 / 255])
def test_every_pixel_tried_is_at_a_bound_of_the_ball(kind, epsilon):
    model, images, labels = scene(kind)
    outcome = Square(queries=20)(model, images, labels, ThreatModel(epsilon=epsilon), stream(0, "s"))
    ball, wrong = Ball.around(images, epsilon), model(images) != labels
    moved = (outcome.images != images).flatten(1).any(1)
    assert epsilon == 0 or moved.sum() > 20
    assert ((outcome.images == ball.low) | (outcome.images == ball.high))[moved].all()
    assert torch.equal(outcome.images[wrong], images[wrong])
    assert torch.equal(model(outcome.images) != labels, outcome.broken)
    assert torch.allclose(outcome.loss, model.loss(model.member_logits(outcome.images), labels), atol=1e-5)


@pytest.mark.parametrize("kind", victims())
def test_every_image_passed_is_counted_and_what_has_fallen_is_not_passed(kind):
    model, images, labels = scene(kind)
    outcome = Square(queries=22, proposals=4)(model, images, labels, ThreatModel(epsilon=0.15), stream(0, "s"))
    counts = [len(seen) for seen in seen_by(model)]
    assert sum(counts) == outcome.forwards
    assert outcome.backwards == 0
    assert counts[:2] == [40, 4 * 34]  # 6 were wrong before
    assert len(counts) == 1 + 6
    assert counts[1:-1] == sorted(counts[1:-1], reverse=True)
    assert counts[-2] < counts[1]
    assert counts[-1] <= counts[-2] // 2  # 2 queries were left


@pytest.mark.parametrize(("queries", "proposals", "sample"), [(0, 4, 0), (1, 4, 0), (10, 3, 0), (10, 3, 7), (8, 8, 99)])
def test_a_model_that_never_falls_costs_all_queries_of_the_sample(queries, proposals, sample):
    model, images = ensemble(Seeing(scale=0.0)), torch.rand(30, 1, 6, 6)
    labels = torch.full((30,), 4)
    attack = Square(queries=queries, proposals=proposals, sample=sample)
    outcome = attack(model, images, labels, ThreatModel(epsilon=0.3), stream(0, "s"))
    assert not outcome.broken.any()
    assert outcome.forwards == 30 + queries * min(sample or 30, 30)


def test_the_sample_is_of_what_stands_and_drawn():
    model, images, labels = scene()
    right = model(images) == labels
    tried = []
    for seed in range(40):
        outcome = Square(queries=1, sample=5)(model, images, labels, ThreatModel(epsilon=1.0), stream(seed, "s"))
        assert outcome.forwards == 45
        tried.append((outcome.images != images).flatten(1).any(1))
        assert tried[-1].sum() <= 5
        assert not (tried[-1] & ~right).any()
    assert torch.stack(tried).any(0).sum() > 0.9 * right.sum()


def test_what_an_earlier_attack_broke_is_left_alone():
    model, images, labels = scene()
    outcome = Attacked.untouched(model, images, labels)
    Noise(kind="uniform", draws=4).shake(model, labels, outcome, 0.1, stream(0, "n"))
    before = outcome.copy()
    Square(queries=40, sample=0).go_on(outcome, model, labels, ThreatModel(epsilon=0.1), stream(0, "s"))
    assert (before.broken & (model(images) == labels)).sum() >= 2
    assert torch.equal(outcome.images[before.broken], before.images[before.broken])
    assert outcome.broken[before.broken].all()
    assert outcome.broken.sum() > before.broken.sum() + 5
    assert (outcome.loss >= before.loss)[~outcome.broken].all()


@pytest.mark.parametrize("kind", victims())
def test_draws_do_not_depend_on_what_else_stands(kind):
    model, images, labels = scene(kind)
    threat, others = ThreatModel(epsilon=0.05), torch.cat([labels[:20], (labels[20:] + 1) % 5])
    one, two, three = (
        Square(queries=40, sample=0)(model, images, each, threat, stream(0, "s")) for each in (labels, others, labels)
    )
    assert one.broken.sum() != two.broken.sum()
    for name in ("images", "broken", "loss"):
        assert torch.equal(getattr(one, name), getattr(three, name))
        assert torch.allclose(getattr(one, name)[:20].float(), getattr(two, name)[:20].float(), atol=1e-5)


def patterns(channels: int, queries: int) -> list[Tensor]:
    """What a model that sees no difference is shown around grey: step by step, P×N×C×H×W booleans."""
    model, grey = ensemble(Seeing(pixels=channels * 20 * 30, scale=0.0)), torch.full((50, channels, 20, 30), 0.5)
    attack = Square(queries=queries, sample=0, proposals=2)
    attack(model, grey, torch.full((50,), 4), ThreatModel(epsilon=0.25), stream(0, "s"))
    assert all(((shown == 0.25) | (shown == 0.75)).all() for shown in seen_by(model)[1:])
    return [(shown > 0.5).view(2, 50, channels, 20, 30) for shown in seen_by(model)[1:]]


@pytest.mark.parametrize("channels", [1, 3])
def test_it_begins_with_stripes_and_goes_on_with_squares_of_the_papers_schedule(channels):
    stripes, *steps = patterns(channels, queries=200)
    assert (stripes == stripes[..., :1, :]).all()
    assert stripes[..., 0, :].float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert len(steps) == 99
    for step, shown in enumerate(steps, start=1):
        share = 0.8 / 2 ** sum(step * 2 / 200 * 10_000 > halving for halving in PAPER)
        side = min(max(round(math.sqrt(share * 20 * 30)), 1), 20)
        changed = (shown != stripes[0]).any(2)  # nothing is ever better than the first guess
        assert changed.flatten(2).any(2).all()
        heights, widths = (extent(changed.any(axis)) for axis in (3, 2))
        assert heights.max() == widths.max() == side or channels == 1
        assert max(heights.max(), widths.max()) <= side


def extent(changed: Tensor) -> Tensor:
    """From the first to the last that changed, of P×N×places booleans."""
    places = torch.arange(changed.shape[2])
    first = torch.where(changed, places, 10**6).amin(2)
    return torch.where(changed, places, -1).amax(2) - first + 1


def test_squares_lie_anywhere_and_colour_channels_go_their_own_ways():
    stripes, *steps = patterns(channels=3, queries=400)
    late = torch.cat([(shown != stripes[0]) for shown in steps[-100:]])
    assert late.any(2).any(0).any(0).all()  # each pixel of the frame is changed at some time
    ways = late.flatten(3).any(3).flatten(0, 1).long() @ torch.tensor([1, 2, 4])
    shares = ways.bincount(minlength=8) / len(ways)
    assert shares[0] == 0
    assert (shares[1:] > 0.05).all()


def test_every_square_changes_the_best_pattern_so_far():
    model, images = ensemble(Seeing()), torch.rand(1, 1, 6, 6, generator=stream(0, "images"))
    labels, worse = model(images), 0
    seen_by(model).clear()
    attack = Square(queries=60, proposals=1)
    outcome = attack(model, images, labels, ThreatModel(epsilon=0.02), stream(0, "s"))
    assert not outcome.broken.any()
    tried = torch.cat(seen_by(model)[1:])
    margins = break_margin(model, model.member_logits(tried), labels.expand(len(tried)))
    for index in range(30, 60):  # when squares are single pixels
        best = margins[:index].argmax()
        worse += int(best < index - 1)
        assert (tried[index] != tried[best]).sum() == 1
    assert worse > 5


def attacked_a_little() -> tuple[Ensemble, Tensor, Tensor, Attacked]:
    """A scene after a few steps of an ascent, with nothing seen yet of what follows."""
    model, images, labels = scene()
    outcome = Ascent(steps=2)(model, images, labels, ThreatModel(epsilon=0.03), stream(0, "a"))
    assert 5 < len(outcome.standing) < len(images) - 5
    seen_by(model).clear()
    return model, images, labels, outcome


def test_it_may_begin_at_the_corner_nearest_to_the_best_image():
    model, images, labels, outcome = attacked_a_little()
    ball, before = Ball.around(images, 0.03), outcome.copy()
    attack = Square(queries=41, sample=0, start="best")
    attack.go_on(outcome, model, labels, ThreatModel(epsilon=0.03), stream(0, "s"))
    assert sum(map(len, seen_by(model))) == outcome.forwards - before.forwards
    nearest = torch.where(before.images - images > 0, ball.high, ball.low)
    assert torch.equal(seen_by(model)[0], nearest[before.standing])
    second = seen_by(model)[1].view(4, -1, 1, 6, 6)
    still = model(seen_by(model)[0]) == labels[before.standing]
    changed = second != nearest[before.standing][still]
    pixels = changed.flatten(2).sum(2)
    assert pixels.min() >= 1 and pixels.max() <= 4  # a tenth of 36
    assert len(outcome.standing) < len(before.standing)


def test_from_the_best_it_tries_what_is_nearest_to_falling():
    model, _, labels, outcome = attacked_a_little()
    attack = Square(queries=1, sample=5, start="best")
    before = outcome.copy()
    attack.go_on(outcome, model, labels, ThreatModel(epsilon=0.03), stream(0, "s"))
    assert [len(seen) for seen in seen_by(model)] == [5]
    losses = before.loss[before.standing]
    tried = (before.images != outcome.images).flatten(1).any(1) | (before.broken != outcome.broken)
    assert tried.any()
    assert set(before.loss[tried].tolist()) <= set(losses.topk(5).values.tolist())


def test_what_gradients_leave_of_a_binary_network_falls_around_their_best(evaluator):
    """With the same queries the blind search breaks hardly anything there; on full precision neither does."""
    split = evaluator.data.validation.head(200)
    images, labels, threat = split.images.float() / 255, split.labels, ThreatModel(epsilon=0.06)
    fallen = {}
    for spec in ("mbn3x1:x0.125", "fp:x0.25"):
        model = evaluator.ensemble(Candidate.parse(spec))
        left = Attacked.untouched(model, images, labels)
        for guide in (model, through(model, "smooth")):
            HalvingAscent(steps=20).go_on(left, guide, labels, threat, stream(0, "ascent"))
        for start in ("best", "stripes"):
            outcome = left.copy()
            Square(queries=200, sample=0, start=start).go_on(outcome, model, labels, threat, stream(0, "s"))
            fallen[spec, start] = len(left.standing) - len(outcome.standing)
        fallen[spec] = len(left.standing)
    assert fallen["mbn3x1:x0.125", "best"] > max(4, 2 * fallen["mbn3x1:x0.125", "stripes"])
    assert fallen["fp:x0.25", "best"] <= 1
