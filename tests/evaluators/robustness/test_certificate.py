"""Certificates against brute force: every value of a pixel, and every combination of bins, tried one by one."""

from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from evaluators import Budget, open_evaluator
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.attacks.square import Square
from evaluators.ensemble import Ensemble
from evaluators.quantizers.pixels import PixelDiscretizer, discretise
from evaluators.robustness.certificate import BATCH, Certificate
from evaluators.robustness.lattice import Lattice, input_bits
from evaluators.seeds import stream
from evaluators.votes import MajorityVote, MeanVote
from space import Candidate

GREYS = (torch.arange(256, dtype=torch.uint8).float() / 255).tolist()
HALVES = [float(np.float32((level + 0.5) / 255)) for level in range(255)]
EXACT = Certificate(points=2**16, budget=float("inf"))

radii = st.sampled_from([0.0, 1e-9, 1e-3 / 255, 8 / 255, 0.1, 0.3, 1.0]) | st.integers(1, 64).map(lambda k: k / 255)
some_bits = st.integers(1, 7)
edges = st.integers(1, 127).map(lambda half: float(np.float32((2 * half - 1e-3) / 255)))
near_edges = st.tuples(edges, st.integers(-3, 3)).map(lambda drawn: neighbours(drawn[0])[3 + drawn[1]])
pixels = st.sampled_from(GREYS) | st.floats(0, 1, width=32) | near_edges


def neighbours(value: float, count: int = 3) -> list[float]:
    """float32 numbers in [0, 1] around a value, itself in the middle."""
    below, above = [np.float32(value)], [np.float32(value)]
    for _ in range(count):
        below.append(np.nextafter(below[-1], np.float32(0)))
        above.append(np.nextafter(above[-1], np.float32(1)))
    return [float(one) for one in (*reversed(below), *above[1:])]


@cache
def reachable(pixel: float, epsilon: float, bits: int) -> dict[float, float]:
    """The bin centres that an attacker can have, each by a value: all that may matter is tried, in exact fractions."""
    ends = [*neighbours(min(pixel + epsilon, 1.0)), *neighbours(max(pixel - epsilon, 0.0))]
    values = [value for value in {pixel, *GREYS, *HALVES, *ends} if allowed(value, pixel, epsilon)]
    return dict(zip(discretise(torch.tensor(values), bits).tolist(), values, strict=True))


def allowed(value: float, pixel: float, epsilon: float) -> bool:
    if abs(abs(value - pixel) - epsilon) > 1e-12:  # far from where the rounding of a difference matters
        return 0 <= value <= 1 and abs(value - pixel) < epsilon
    return 0 <= value <= 1 and abs(Fraction(value) - Fraction(pixel)) <= Fraction(epsilon)


class Tiny(nn.Module):
    """A random network of 1×4×4 images with discretized input, steep enough that a bin may matter."""

    def __init__(self, seed: str, bits: int) -> None:
        super().__init__()
        self.passed = 0
        self.discretizer = PixelDiscretizer(bits)
        self.first = 4 * torch.randn(16, 8, generator=stream(0, seed, "1"))
        self.last = torch.randn(8, 4, generator=stream(0, seed, "2"))

    def forward(self, images: Tensor) -> Tensor:
        self.passed += len(images)
        return ((self.discretizer(images).flatten(1) - 0.5) @ self.first).tanh() @ self.last


def tiny(seed: int, bits: int, members: int = 1) -> Ensemble:
    networks = [Tiny(f"{seed}/{index}", bits) for index in range(members)]
    return Ensemble(networks, MajorityVote([False] * members) if members > 2 else MeanVote())  # type: ignore[arg-type]


def passed(model: Ensemble) -> int:
    return model.members[0].passed  # type: ignore[return-value]


def scene(seed: int, bits: int, members: int = 1, count: int = 12) -> tuple[Ensemble, Tensor, Tensor]:
    """A model, grey images, and its own answers, a few of them wrong."""
    model = tiny(seed, bits, members)
    images = torch.randint(256, (count, 1, 4, 4), generator=stream(seed, "images")).float() / 255
    labels = model(images)
    labels[::5] = (labels[::5] + 1) % 4
    return model, images, labels


def broken_somewhere(model: Ensemble, image: Tensor, label: Tensor, epsilon: float, bits: int) -> tuple[int, bool]:
    """How many combinations of bins there are, and whether any of them is misclassified."""
    values = [list(reachable(pixel, epsilon, bits).values()) for pixel in image.flatten().tolist()]
    every = torch.tensor(list(product(*values))).view(-1, 1, 4, 4)
    return len(every), bool((model(every) != label).any())


def all_points(lattice: Lattice) -> Tensor:
    """Those of the lattice of one image, in order."""
    numbers = torch.arange(int(lattice.sizes))
    return lattice.points(torch.zeros_like(numbers), numbers)


@given(pixels, radii, some_bits)
def test_levels_are_the_bins_that_exact_arithmetic_reaches(pixel, epsilon, bits):
    lattice = Lattice.around(tiny(0, bits), torch.full((1, 1, 4, 4), pixel), epsilon)
    assert (lattice.levels == len(reachable(pixel, epsilon, bits))).all()


@given(st.lists(pixels, min_size=16, max_size=16), radii, some_bits)
def test_free_pixels_are_those_with_more_than_one_bin(image, epsilon, bits):
    found = Lattice.around(tiny(0, bits), torch.tensor(image).view(1, 1, 4, 4), epsilon).free
    assert found.tolist() == [sum(len(reachable(pixel, epsilon, bits)) > 1 for pixel in image)]


@settings(max_examples=50)
@given(st.lists(pixels, min_size=4, max_size=4), radii, some_bits)
def test_there_is_an_image_of_the_ball_for_every_point_of_the_lattice(image, epsilon, bits):
    model, origin = tiny(0, bits), torch.tensor(image).view(1, 1, 2, 2)
    lattice = Lattice.around(model, origin, epsilon)
    expected = [reachable(pixel, epsilon, bits) for pixel in image]
    size = int(np.prod([len(bins) for bins in expected]))
    assert lattice.sizes.tolist() == [size]
    numbers = torch.arange(min(size, 1000))
    points = lattice.points(torch.zeros_like(numbers), numbers).view(-1, 4)
    for values, pixel in zip(points.T, image, strict=True):
        assert all(allowed(value, pixel, epsilon) for value in values.unique().tolist())
    assert len(discretise(points, bits).unique(dim=0)) == len(numbers)
    same_bin = discretise(points, bits) == discretise(origin.view(4), bits)
    assert torch.equal(same_bin, points == origin.view(4))


@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize(("bits", "level"), [(1, 12), (2, 6), (2, 9), (3, 3), (4, 1), (5, 1), (7, 0)])
def test_the_truth_is_that_of_every_combination(bits, level, members):
    decided = []
    for seed in range(3):
        model, images, labels = scene(seed, bits, members)
        outcome = Attacked.untouched(model, images, labels)
        wrong = outcome.broken.clone()
        certain = Certificate(points=2**9, budget=float("inf")).certify(outcome, model, labels, level / 255)
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            if wrong[index]:
                assert not certain[index]
                continue
            if Lattice.around(model, image[None], level / 255).sizes > 2**9:
                assert not certain[index]
                assert not outcome.broken[index]
                continue
            size, falls = broken_somewhere(model, image, label, level / 255, bits)
            assert (bool(certain[index]), bool(outcome.broken[index])) == (not falls, falls)
            decided.append((size > 1, falls))
    assert len(decided) > 5
    assert len(set(decided)) >= 2 or level == 0


@pytest.mark.parametrize("members", [1, 3])
def test_what_breaks_is_an_image_of_the_ball(members):
    breaks = 0
    for seed in range(10):
        model, images, labels = scene(seed, 2, members)
        outcome = Attacked.untouched(model, images, labels)
        wrong = outcome.broken.clone()
        certain = EXACT.certify(outcome, model, labels, 8 / 255)
        assert torch.equal(model(outcome.images) != labels, outcome.broken)
        moves = (outcome.images.double() - images.double()).abs()
        assert moves.max() <= 8 / 255
        assert (outcome.images == images)[wrong | ~outcome.broken].all()
        assert torch.allclose(outcome.loss, model.loss(model.member_logits(outcome.images), labels))
        assert not (certain & outcome.broken).any()
        for index in (outcome.broken & ~wrong).nonzero().flatten().tolist():
            points = all_points(Lattice.around(model, images[[index]], 8 / 255))
            first = points[model(points) != labels[index]][:1]
            assert torch.equal(first, outcome.images[[index]])
        breaks += int((outcome.broken & ~wrong).sum())
    assert breaks > 10


def test_every_image_passed_is_counted():
    for seed in range(10):
        model, images, labels = scene(seed, 2)
        before = passed(model)
        outcome = Attacked.untouched(model, images, labels)
        EXACT.certify(outcome, model, labels, 8 / 255)
        assert outcome.forwards == passed(model) - before
        assert outcome.backwards == 0


def test_an_image_without_a_break_costs_its_whole_lattice_once():
    model, images, labels = constant()
    sizes = Lattice.around(model, images, 8 / 255).sizes
    outcome = Attacked.untouched(model, images, labels)
    assert EXACT.certify(outcome, model, labels, 8 / 255).all()
    assert outcome.forwards == 12 + sizes[sizes > 1].sum()
    assert (sizes > 1).sum() > 6


def constant() -> tuple[Ensemble, Tensor, Tensor]:
    """A model that answers the same to all images."""
    model, images, _ = scene(0, 2)
    model.members[0].first.zero_()  # type: ignore[operator,union-attr]
    return model, images, model(images)


def test_every_point_is_tried_once():
    model, images, labels = constant()
    sizes, seen = Lattice.around(model, images, 8 / 255).sizes, []
    outcome = Attacked.untouched(model, images, labels)
    hook = model.members[0].register_forward_pre_hook(lambda _, inputs: seen.append(model.discretise(inputs[0])))
    EXACT.certify(outcome, model, labels, 8 / 255)
    hook.remove()
    assert len(torch.cat(seen).unique(dim=0)) == len(torch.cat(seen)) == sizes[sizes > 1].sum()


class Fragile(nn.Module):
    """Class 0 where all pixels are at a quarter or above, else class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.discretizer = PixelDiscretizer(2)

    def forward(self, images: Tensor) -> Tensor:
        lowest = self.discretizer(images).flatten(1).amin(1)
        return torch.stack([lowest, 0.25 + 0 * lowest], 1)


def test_the_first_break_of_an_image_ends_its_trials():
    model, images = Ensemble([Fragile()], MeanVote()), torch.full((2, 1, 4, 4), 0.6)  # type: ignore[list-item]
    images.view(2, 16)[:, :10] = 64 / 255
    outcome, labels = Attacked.untouched(model, images, torch.zeros(2).long()), torch.zeros(2).long()
    assert Lattice.around(model, images, 1 / 255).sizes.tolist() == [1024, 1024]
    assert not EXACT.certify(outcome, model, labels, 1 / 255).any()
    assert outcome.broken.all()
    assert outcome.forwards == 2 + 2 * BATCH


@pytest.mark.parametrize("fallen", [0, 5])
def test_neither_the_largest_lattice_nor_the_budget_is_exceeded_and_small_ones_come_first(fallen):
    model, images, labels = constant()
    sizes = Lattice.around(model, images, 8 / 255).sizes
    for points, budget in ((1, 32.0), (4, 32.0), (2**12, 0.0), (2**12, 1.0), (2**12, 3.5), (2**16, 1e9)):
        outcome = Attacked.untouched(model, images, labels)
        outcome.broken[:fallen] = True
        certain = Certificate(points=points, budget=budget).certify(outcome, model, labels, 8 / 255)
        spent, left = outcome.forwards - 12, sizes[~certain & ~outcome.broken & (sizes <= points)]
        assert spent <= 12 * budget
        assert (sizes[certain] <= points).all()
        assert (left + spent > 12 * budget).all()
        assert not len(left) or (sizes[certain] <= left.min()).all()


def test_an_image_whose_pixels_keep_their_bins_is_certain_for_nothing():
    model, images, labels = scene(3, 1)
    centred, right = model.discretise(images), model(images) == labels
    outcome = Attacked.untouched(model, centred, labels)
    before = passed(model)
    certain = Certificate().certify(outcome, model, labels, 63 / 255)
    assert passed(model) == before
    assert torch.equal(certain, right)
    assert not Certificate(points=1).certify(outcome, model, labels, 65 / 255).any()


def test_what_has_fallen_is_neither_certain_nor_tried():
    model, images, labels = scene(1, 1)
    outcome = Attacked.untouched(model, images, labels)
    outcome.broken[:] = True
    before = passed(model)
    assert not EXACT.certify(outcome, model, labels, 4 / 255).any()
    assert passed(model) == before
    assert torch.equal(outcome.images, images)


def test_without_a_discretizer_nothing_is_certain_and_nothing_is_tried():
    bare = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    for model in (tiny(0, 8), Ensemble([bare], MeanVote()), Ensemble([Tiny("a", 1), Tiny("b", 2)], MeanVote())):  # type: ignore[list-item]
        images = torch.rand(6, 1, 4, 4)
        labels = model(images)
        outcome = Attacked.untouched(model, images, labels)
        assert input_bits(model) == 8
        assert not EXACT.certify(outcome, model, labels, 1 / 255).any()
        assert outcome.forwards == 6
        assert Lattice.around(model, images, 1 / 255).free.tolist() == [16] * 6


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_ball_of_one_image_is_certain_where_it_is_right(bits):
    model, images, labels = scene(0, bits)
    outcome = Attacked.untouched(model, images, labels)
    assert torch.equal(EXACT.certify(outcome, model, labels, 0.0), model(images) == labels)
    assert outcome.forwards == 12


def test_no_attack_breaks_what_is_certain_and_none_does_better_than_the_truth(tmp_path):
    budget = Budget(epochs=3, train_images=1500)
    evaluator = open_evaluator(dataset="mnist5k", network="mnistconv", budget=budget, device="cpu", cache=tmp_path)
    model, split = evaluator.ensemble(Candidate.parse("in1:fp:x0.25")), evaluator.data.validation.head(60)
    images, labels = split.images.float() / 255, split.labels
    outcome, threat = Attacked.untouched(model, images, labels), ThreatModel(epsilon=4 / 255)
    right = ~outcome.broken
    certain = Certificate().certify(outcome, model, labels, 4 / 255)
    assert right.sum() > 45
    assert certain.sum() > 0.8 * right.sum()
    assert outcome.forwards <= 60 * 33
    for attack in (Ascent(steps=20, start="uniform", restarts=2), Square(queries=100)):
        found = attack(model, images, labels, threat, stream(0, "attack"))
        assert not (found.broken & certain).any()
        assert found.broken.sum() <= (~certain).sum()
