"""The worst case: what every stage adds, what it costs, and truths that can be had exactly."""

from functools import cache
from itertools import product

import pytest
import torch
from planted import in_training_mode, noisy, probabilities, single
from torch import Tensor, nn
from victims import digits, images_of_digits, victim, watched

from evaluators.attacks.base import Attacked, ThreatModel
from evaluators.data.dataset import Split
from evaluators.ensemble import Ensemble
from evaluators.quantizers.pixels import PixelDiscretizer
from evaluators.robustness.effort import Effort
from evaluators.robustness.siege import Siege
from evaluators.robustness.soundness import are_counts, are_probabilities, stop_training, unsound
from evaluators.robustness.worst_case import Findings, WorstCase
from evaluators.seeds import stream
from evaluators.votes import MeanVote
from space import UserError

IMAGES = 60
QUICK = Effort(steps=6, queries=40, sample=16, probed=8)


pytestmark = pytest.mark.usefixtures("one_thread")


@cache
def found(kind: str, epsilon: float = 0.05, effort: Effort = QUICK) -> Findings:
    attack = WorstCase(epsilon=epsilon, effort=effort, seed=0, twins=(victim("fp"),))
    return attack(victim(kind), images_of_digits(IMAGES))


KINDS = ("fp", "bnn", "fp, 2-bit input", "mean", "majority")


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_the_worst_case_stands_under_less(kind):
    one = found(kind)
    assert not (one.standing & ~one.naive).any()
    assert not (one.naive & ~one.clean).any()
    assert not (one.certified & ~one.standing).any()
    assert int(one.clean.sum()) - sum(one.breaks.values()) == int(one.standing.sum()), "every break is some stage's"
    assert one.evidence["gap"].images == int((one.naive & ~one.standing).sum())


@pytest.mark.parametrize("kind", ["fp", "fp, 2-bit input", "majority"])
def test_wherever_plain_pgd_stands_the_worst_case_is_the_same(kind):
    """Else one step would be told to have broken what plain PGD never tried."""
    before = found(kind)
    attack = WorstCase(epsilon=0.05, effort=QUICK, seed=0, threat="discretised", twins=(victim("fp"),))
    behind = attack(victim(kind), images_of_digits(IMAGES))
    assert torch.equal(behind.standing, before.standing) and behind.breaks == before.breaks
    assert behind.evidence["one-step"] == before.evidence["one-step"]
    if kind == "fp":
        assert torch.equal(behind.naive, before.naive), "8 bits are a discretizer of no effect"


def test_it_is_the_same_again_and_depends_on_the_seed():
    split = images_of_digits(IMAGES)
    runs = [WorstCase(epsilon=0.05, effort=QUICK, seed=seed)(victim("bnn"), split) for seed in (0, 0, 1)]
    assert torch.equal(runs[0].standing, runs[1].standing) and runs[0].breaks == runs[1].breaks
    assert runs[0].evidence == runs[1].evidence
    assert runs[0].breaks != runs[2].breaks or not torch.equal(runs[0].naive, runs[2].naive)


def test_every_pass_of_the_model_is_counted():
    """The twin is another model; passes that only look at the model's soundness are not an attack's."""
    with watched(victim("bnn")) as traffic:
        one = WorstCase(epsilon=0.05, effort=QUICK, seed=0)(victim("bnn"), images_of_digits(IMAGES))
    assert sum(traffic.forwards) <= one.forwards * IMAGES + 6 * 64 + 1
    assert one.backwards * IMAGES >= sum(traffic.with_gradient) * 0.5
    assert one.forward_equivalents == one.forwards + 2 * one.backwards


def test_an_undefended_network_is_cheap_and_the_dearest_is_within_the_bounds():
    """40 and 300 forward passes of the whole set, at the usual effort and number of images."""
    attack, split = WorstCase(epsilon=0.1, effort=Effort(), seed=0, twins=(victim("fp"),)), images_of_digits(400)
    assert attack(victim("fp"), split).forward_equivalents <= 40
    assert attack(victim("majority"), split).forward_equivalents <= 300


def test_more_effort_never_breaks_less_of_plain_pgd():
    weak, strong = found("fp", 0.05), found("fp", 0.05, Effort(steps=20))
    assert int(strong.standing.sum()) <= int(weak.standing.sum())


def test_without_steps_nothing_is_attacked():
    one = found("majority", 0.3, Effort(steps=0))
    assert torch.equal(one.standing, one.clean) and torch.equal(one.naive, one.clean)
    assert sum(one.breaks.values()) == 0
    assert one.flags == ("masked:unattacked",)


def test_what_cannot_be_moved_needs_no_attack():
    assert found("majority", 0.0, Effort(steps=0)).flags == ()


@pytest.mark.parametrize("field", ["steps", "restarts", "queries", "sample", "probed"])
def test_efforts_out_of_range_are_refused(field):
    with pytest.raises(UserError, match="out of range"):
        Effort(**{field: -1})


class Lined(nn.Module):
    """A random network on 4×4 pixels of 1 bit: its 65,536 inputs can all be tried."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.discretizer = PixelDiscretizer(1)
        draw = stream(seed, "lined")
        self.first, self.second = (torch.randn(shape, generator=draw) for shape in ((16, 12), (12, 3)))

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu((4 * self.discretizer(images) - 2).flatten(1) @ self.first) @ self.second


@pytest.mark.parametrize("seed", range(6))
def test_on_tiny_lattices_it_is_the_exact_truth(seed):
    """Eight pixels near the edge of their bin and eight far from it: 256 points around each image."""
    draw, model = stream(seed, "images"), single(Lined(seed))
    free = torch.rand((20, 1, 4, 4), generator=draw).argsort(dim=3) < 2
    side = (torch.rand(free.shape, generator=draw) < 0.5).float()
    grey = torch.where(free, 124 + 8 * side, 250 * side).to(torch.uint8)
    labels = model(grey / 255)
    one = WorstCase(epsilon=20 / 255, effort=QUICK, seed=0)(model, Split(images=grey, labels=labels))
    for index in range(20):
        where = free[index].flatten().nonzero().flatten()
        points = grey[index].flatten().float().div(255).repeat(2 ** len(where), 1)
        points[:, where] = torch.tensor(list(product((0.1, 0.9), repeat=len(where))))
        robust = bool((model(points.view(-1, 1, 4, 4)) == labels[index]).all())
        assert bool(one.standing[index]) is robust
        assert bool(one.certified[index]) is robust


def test_a_siege_joins_batches_and_gives_parts_back():
    images, labels = digits()
    model = victim("fp")
    halves = [Siege.lay(model, images[part], labels[part], 0.1, 0, str(part)) for part in (slice(0, 20), slice(20, 48))]
    whole = Siege.joined(halves)
    alone = Attacked.untouched(model, images, labels)
    assert torch.equal(whole.outcome.broken, alone.broken) and torch.equal(whole.labels, labels)
    assert whole.outcome.forwards == 48
    part = whole.outcome.part(torch.tensor([3, 5]))
    part.broken[:], part.forwards = True, 7
    whole.outcome.take_back(torch.tensor([3, 5]), part)
    assert whole.outcome.broken[[3, 5]].all() and whole.outcome.forwards == 55
    assert whole.threat == ThreatModel(epsilon=0.1)


def test_stages_of_one_name_start_elsewhere_each_time():
    """Two losses from one corner would climb the same hill twice."""
    images, labels = digits()
    siege, again = (Siege.lay(victim("fp"), images, labels, 0.1, 0, "0") for _ in range(2))
    first, second = (torch.rand(8, generator=siege.draws("smooth")) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(first, torch.rand(8, generator=again.draws("smooth"))), "and the same ones in another run"


def unsound_rules(model: Ensemble) -> set[str]:
    images, _ = digits()
    return {one.partition(":")[2] for one in unsound(model, images)}


@pytest.mark.parametrize("kind", KINDS)
def test_trained_networks_are_sound(kind):
    assert unsound_rules(victim(kind)) == set()
    assert stop_training(victim(kind)) == ()


def test_what_is_no_function_is_named():
    assert "nondeterministic" in unsound_rules(noisy(victim("fp")))
    assert unsound_rules(probabilities(victim("fp"))) == {"probabilities"}
    training = in_training_mode(victim("fp"))
    assert "batch-dependent" in unsound_rules(training)
    assert stop_training(training) == ("invalid:training-mode",)
    assert not any(module.training for module in training.modules())
    assert unsound_rules(single(Broken())) == {"not-a-number"}


class Broken(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.full((len(images), 10), torch.nan)


def test_outputs_that_only_look_like_probabilities_or_counts():
    logits = torch.tensor([[[0.5, 0.5], [0.9, 0.2]]])
    assert not are_probabilities(logits) and are_probabilities(logits.softmax(2))
    assert are_counts(torch.tensor([[[3.0, 0.0]]])) and not are_counts(torch.tensor([[[3.0, -1.0]]]))
    assert isinstance(victim("mean").vote, MeanVote)
