"""The yardstick computes what the project computes, so that the two may be timed against each other."""

from collections.abc import Mapping

import pytest
import torch
from plain.attack import Ensemble as PlainEnsemble
from plain.attack import attacked, pgd
from plain.networks import Conv, MultiBitConv
from plain.networks import Network as PlainNetwork
from plain.study import Task, search
from plain.train import rate_at
from torch import Tensor, nn

from evaluators import Budget, Evaluator, Protocol, cost_report
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.ensemble import Ensemble
from evaluators.members import MemberPool
from evaluators.networks.build import Network, build
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.seeds import stream
from evaluators.training.loop import Schedule
from evaluators.votes import vote_named
from space import Candidate, Precision, SearchSpace

PRECISIONS = [str(precision) for precision in SearchSpace.preset("tiny").precisions]
WIDTH, EPSILON = 0.25, 0.1
PLACES = {"weight.scale": "alpha", "activation.scale": "beta", "activation.shift": "shift", "weight.latent": "weight"}


def place(name: str) -> str:
    """Where the yardstick has a parameter of ours."""
    for ours, theirs in PLACES.items():
        name = name.replace(ours, theirs)
    return name


def plain_state(network: Network) -> Mapping[str, Tensor]:
    state = network.state_dict()
    one_base = {name for name in state if name.endswith("latent") and name.replace("latent", "scale") not in state}
    return {place(name): value[0] if name in one_base else value for name, value in state.items()}


def pair(name: str, token: str, input_bits: int = 8) -> tuple[Network, PlainNetwork]:
    """Our network, of random state, and the yardstick's with the same parameters."""
    precision = Precision.parse(token)
    ours = build(name, precision, Plan(shape=NETWORKS[name].shape, classes=10, width=WIDTH), input_bits=input_bits)
    ours.reset(stream(0, token))
    ours.train()(torch.rand(64, *NETWORKS[name].shape, generator=stream(0, "seen")))  # running statistics
    theirs = PlainNetwork(name, precision, width=WIDTH, input_bits=input_bits)
    theirs.load_state_dict(plain_state(ours))
    return ours.eval(), theirs.eval()


def some_images(name: str) -> Tensor:
    return torch.rand(4, *NETWORKS[name].shape, generator=stream(0, "images"))


@pytest.mark.parametrize("token", PRECISIONS)
@pytest.mark.parametrize("name", ["mnistconv", "resnet20"])
def test_networks_are_the_same_in_value_and_gradient(name, token):
    ours, theirs = pair(name, token)
    gradients = []
    for network in (ours, theirs):
        images = some_images(name).requires_grad_()
        logits = network(images)
        logits.square().sum().backward()
        found = {place(key): value.grad for key, value in network.named_parameters()}
        gradients.append((logits.detach(), images.grad, found))
    (mine, my_image, my_weights), (plain, plain_image, plain_weights) = gradients
    assert my_image.abs().max() > 0
    torch.testing.assert_close(plain, mine, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(plain_image, my_image, rtol=1e-2, atol=1e-3 * float(my_image.abs().max()))
    assert plain_weights.keys() == my_weights.keys()
    for key, value in plain_weights.items():
        expected = my_weights[key].view_as(value)
        torch.testing.assert_close(value, expected, rtol=1e-2, atol=1e-3 * float(expected.abs().max()), msg=key)


@pytest.mark.parametrize("token", ["fp", "dorefa4-2", "xnor", "mbn2x2"])
@pytest.mark.parametrize("layers", [1, 3])
def test_mapped_and_discretized_networks_are_the_same(token, layers):
    ours, theirs = pair("mnistconv", token, input_bits=2)
    images = some_images("mnistconv")
    before = ours(images)
    ours.map_weights(255, layers)
    theirs.map_weights(255, layers)
    torch.testing.assert_close(theirs(images), ours(images), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(before, ours(images), rtol=1e-2)


@pytest.mark.parametrize("vote", ["mean", "majority"])
@pytest.mark.parametrize("floats", [(False, False, False), (True, False, False), (True, True, False)])
def test_votes_and_their_losses_are_the_same(vote, floats):
    images = 3 * torch.randn(500, 3 * 4, generator=stream(0, "votes"))  # many ties among four classes
    members = [Slice(start) for start in (0, 4, 8)]
    ours = Ensemble(members, vote_named(vote, floats))
    theirs = PlainEnsemble(members, vote == "majority", floats)
    logits, labels = ours.member_logits(images), torch.arange(500) % 4
    assert torch.equal(theirs.predict(images), ours.predict(logits))
    torch.testing.assert_close(theirs.loss(images, labels), ours.loss(logits, labels).sum())


class Slice(nn.Module):
    """Some of the columns as logits."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self.start = start

    def forward(self, images: Tensor) -> Tensor:
        return images[:, self.start : self.start + 4]


@pytest.mark.parametrize("name", ["mnistconv", "resnet20"])
@pytest.mark.parametrize("token", ["fp", "pact4", "xnor", "mbn3x1"])
def test_bit_operations_are_those_of_the_networks_as_they_run(name, token):
    """Counted from the outputs of the yardstick's own layers."""
    precision, counts = Precision.parse(token), []
    network = PlainNetwork(name, precision, width=WIDTH).eval()

    def count(layer, given, out):
        quantized = isinstance(layer, MultiBitConv) or not (
            isinstance(layer, nn.Linear) or isinstance(layer.activation, nn.Identity)
        )
        weight = layer.weight[0] if isinstance(layer, MultiBitConv) else layer.weight
        bits = precision.weight * precision.activation if quantized else 64
        counts.append(out[0].numel() * weight[0].numel() * bits)

    for layer in network.modules():
        if isinstance(layer, Conv | MultiBitConv | nn.Linear):
            layer.register_forward_hook(count)
    network(some_images(name)[:1])
    assert sum(counts) == cost_report(Candidate.parse(f"{token}:x{WIDTH}"), name).total("bops")


def test_learning_rates_are_the_same():
    schedule = Schedule(steps=37, warmup=0.2)
    assert [rate_at(step, 37) for step in range(37)] == pytest.approx([schedule.factor(step) for step in range(37)])


@pytest.fixture(scope="module")
def evaluator(mnist5k, tmp_path_factory):
    from evaluators.cache import Store

    store = Store(tmp_path_factory.mktemp("cache"))
    protocol = Protocol(dataset="mnist5k", checksum=mnist5k.checksum, network="mnistconv", epsilon=EPSILON)
    budget = Budget(epochs=2, train_images=1000, images=100, steps=10, restarts=2)
    return Evaluator(protocol, budget, MemberPool(store, mnist5k))


@pytest.fixture(scope="module")
def task(evaluator):
    budget = evaluator.budget
    return Task(
        data=evaluator.data,
        network="mnistconv",
        epsilon=EPSILON,
        epochs=budget.epochs,
        train_images=budget.train_images,
        images=budget.images,
        steps=budget.steps,
        restarts=budget.restarts,
    )


@pytest.mark.parametrize("text", ["in2:fp:x0.25", "mbn2x1:x0.25", "fp+pact2:majority:x0.25"])
def test_attacks_agree_within_a_few_images(evaluator, text):
    """One judges every iterate, the other the last of each restart, from starts of its own."""
    model = evaluator.ensemble(Candidate.parse(text))
    split = evaluator.data.validation.head(100)
    images, labels = split.images.float() / 255, split.labels
    majority = text.endswith("majority:x0.25")
    theirs = PlainEnsemble(list(model.members), majority, [majority, False])
    torch.manual_seed(0)
    stands = pgd(theirs, images, labels, epsilon=EPSILON, steps=10, restarts=2)
    attack = Ascent(steps=10, start="uniform", restarts=2)
    fallen = attack(model, images, labels, ThreatModel(epsilon=EPSILON), stream(0, "attack")).broken
    clean = int((theirs.predict(images) == labels).sum())
    assert int(stands.sum()) < clean
    assert abs(int(stands.sum()) - int((~fallen).sum())) <= 4


def test_attack_stays_in_the_ball_and_raises_the_loss(evaluator):
    model = PlainEnsemble(list(evaluator.ensemble(Candidate.parse("in2:fp:x0.25")).members))
    split = evaluator.data.validation.head(50)
    images, labels = split.images.float() / 255, split.labels
    torch.manual_seed(0)
    moved = attacked(model, images, labels, EPSILON, steps=10)
    assert (moved - images).abs().max() <= EPSILON + 1e-6
    assert moved.min() >= 0 and moved.max() <= 1
    assert model.loss(moved, labels) > model.loss(images, labels)


@pytest.mark.parametrize("text", ["fp:x0.25", "mbn2x2:mu255@1:x0.25"])
def test_trained_accuracies_are_alike(evaluator, task, text):
    candidate = Candidate.parse(text)
    ours = {name: one.value for name, one in evaluator.measure(candidate, ("acc", "pgd_naive", "bops"))}
    torch.manual_seed(0)
    theirs = task.values(candidate)
    assert theirs["bops"] == ours["bops"]
    assert theirs["acc"] == pytest.approx(ours["acc"], abs=0.06)
    assert ours["acc"] > 0.7


def test_a_study_tells_every_trial(task):
    space = SearchSpace.from_toml("precisions = ['fp', 'xnor']\nmembers = [1, 2]\nwidths = [0.25]\nmu = [0, 255]")
    told: list[str] = []
    small = Task(**{**vars(task), "train_images": 100, "images": 10, "steps": 1, "restarts": 1})
    search(small, space, 3, 0, lambda candidate, values: told.append(str(candidate)))
    assert len(told) == 3
    assert all(space.contains(Candidate.parse(text)) for text in told)
