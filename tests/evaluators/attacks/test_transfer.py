"""Transferred attacks: how images are crafted, what they do to the model itself, and what is never computed twice."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from evaluators.attacks import transfer as module
from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import ThreatModel
from evaluators.attacks.catalogue import gradient_attack
from evaluators.attacks.spec import AttackSpec
from evaluators.attacks.transfer import Transfer
from evaluators.base import Budget, Measurement, Protocol
from evaluators.cache import Store
from evaluators.data import DataSet
from evaluators.ensemble import Ensemble
from evaluators.evaluator import Evaluator
from evaluators.members import MemberPool
from evaluators.objectives import BOUND
from evaluators.seeds import stream
from evaluators.votes import MeanVote
from space import Candidate, UserError

FP, XNOR = Candidate.parse("fp:x0.25"), Candidate.parse("in2:xnor:x0.25")
BUDGET = Budget(epochs=3, train_images=600, images=300, steps=4, restarts=2)
EPSILON = 0.1


class Smooth(nn.Module):
    """A random network of 1×6×6 images that counts what passes it."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self.seen = 0
        self.first = torch.randn(36, 16, generator=stream(0, seed, "1")) / 2
        self.last = torch.randn(16, 5, generator=stream(0, seed, "2"))

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return ((images.flatten(1) - 0.5) @ self.first).tanh() @ self.last


def smooth(seed: str) -> Ensemble:
    return Ensemble([Smooth(seed)], MeanVote())  # type: ignore[list-item]


def scene() -> tuple[Ensemble, Ensemble, Tensor, Tensor]:
    """Source, model, images, and labels that either of them gets right on most images."""
    source, model, images = smooth("source"), smooth("model"), torch.rand(64, 1, 6, 6, generator=stream(0, "images"))
    return source, model, images, torch.where(torch.arange(64) % 2 == 0, source(images), model(images))


def last_iterates(attack: Ascent, source: Ensemble, images: Tensor, labels: Tensor) -> list[Tensor]:
    """The end of every start, written out anew: no image is ever left alone."""
    ends, generator = [], stream(0, "draws")
    for _ in range(attack.restarts):
        noise = 2 * torch.rand(images.shape, generator=generator) - 1
        offset = {"clean": torch.zeros_like(noise), "uniform": noise, "signs": noise.sign() / 2}[attack.start]
        iterate, velocity = (images + EPSILON * offset).clamp(0, 1), torch.zeros_like(images)
        for _ in range(attack.steps):
            iterate = iterate.detach().requires_grad_()
            loss = nn.functional.cross_entropy(source.member_logits(iterate)[0], labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, iterate)
            velocity = attack.decay * velocity + gradient / gradient.abs().mean((1, 2, 3), keepdim=True)
            iterate = iterate + attack.step_size * EPSILON * velocity.sign()
            iterate = torch.minimum(torch.maximum(iterate, images - EPSILON), images + EPSILON).clamp(0, 1)
        ends.append(iterate.detach())
    return ends


@pytest.mark.parametrize("name", ["fgsm", "rfgsm", "bim", "mim", "pgd"])
def test_images_are_crafted_to_the_last_step_and_the_highest_start_is_taken(name):
    source, _, images, labels = scene()
    attack = gradient_attack(AttackSpec(name=name, steps=5, restarts=3 if name == "pgd" else 1))
    assert isinstance(attack, Ascent)
    found = attack.craft(source, images, labels, EPSILON, stream(0, "draws"))
    ends = last_iterates(attack, source, images, labels)
    losses = torch.stack(
        [nn.functional.cross_entropy(source.member_logits(end)[0], labels, reduction="none") for end in ends]
    )
    best = torch.stack(ends)[losses.argmax(0), torch.arange(64)]
    assert torch.allclose(found, best, atol=1e-6)
    assert len({int(which) for which in losses.argmax(0)}) == len(ends)


def test_what_the_source_has_lost_goes_on_being_crafted():
    source, _, images, labels = scene()
    lost = source(images) != labels
    assert 0 < lost.sum() < 64
    attack = Ascent(steps=10)
    found = attack.craft(source, images, labels, EPSILON, stream(0, "draws"))
    before, after = (source.loss(source.member_logits(each), labels) for each in (images, found))
    assert ((found - images).abs().amax((1, 2, 3)) > 0.9 * EPSILON).all()
    assert (after[lost] > before[lost]).all()
    early = attack(source, images, labels, ThreatModel(epsilon=EPSILON), stream(0, "draws"))
    stopped = early.broken & ~lost
    assert stopped.any()
    assert (after[stopped] >= early.loss[stopped]).all()
    assert after[stopped].mean() > 1.2 * early.loss[stopped].mean()


@pytest.mark.parametrize("name", ["fgsm", "bim", "mim", "cw"])
def test_one_step_from_the_image_does_the_same_to_the_model_itself_as_the_white_box(name):
    source, _, images, labels = scene()
    attack = gradient_attack(AttackSpec(name=name, steps=50 if name == "cw" else 1))
    threat = ThreatModel(epsilon=EPSILON)
    white = attack(source, images, labels, threat, stream(0, "draws"))
    found = Transfer(attack=attack, source=source)(source, images, labels, threat, stream(0, "draws"))
    assert torch.equal(found.broken, white.broken)
    assert torch.equal(found.images, white.images)
    assert white.broken.sum() > (source(images) != labels).sum()


def test_many_steps_break_no_more_of_the_model_itself_than_the_white_box_and_hardly_less():
    source, _, images, labels = scene()
    threat = ThreatModel(epsilon=EPSILON)
    for attack in (
        Ascent(steps=8),
        Ascent(steps=8, start="uniform", restarts=3),
        Ascent(steps=8, step_size=1 / 8, decay=1),
    ):
        white = attack(source, images, labels, threat, stream(0, "draws")).broken
        found = Transfer(attack=attack, source=source)(source, images, labels, threat, stream(0, "draws")).broken
        assert not (found & ~white).any()
        assert white.sum() - found.sum() <= 2


def test_no_steps_transfer_nothing():
    source, model, images, labels = scene()
    for attack in (Ascent(steps=0, restarts=3), gradient_attack(AttackSpec(name="cw", steps=0))):
        outcome = Transfer(attack=attack, source=source)(
            model, images, labels, ThreatModel(epsilon=0.5), stream(0, "draws")
        )
        assert torch.equal(outcome.images, images)
        assert torch.equal(outcome.broken, model(images) != labels)


def passes(transfer: Transfer, model: Ensemble, epsilon: float = EPSILON, draws: str = "draws", count: int = 64) -> int:
    """How many images pass the source when the model is attacked."""
    _, _, images, labels = scene()
    source: Smooth = transfer.source.members[0]  # type: ignore[assignment]
    before = source.seen
    transfer(model, images[:count], labels[:count], ThreatModel(epsilon=epsilon), stream(0, draws))
    return source.seen - before


def test_the_next_model_has_the_crafted_images_free(monkeypatch):
    source, model, images, labels = scene()
    transfer, threat = Transfer(attack=Ascent(steps=3), source=source), ThreatModel(epsilon=EPSILON)
    assert passes(transfer, smooth("first")) == 64 * 4
    assert passes(transfer, model) == 0
    again = transfer(model, images, labels, threat, stream(0, "draws"))
    fresh = Transfer(attack=Ascent(steps=3), source=source)(model, images, labels, threat, stream(0, "draws"))
    assert torch.equal(again.images, fresh.images)
    assert passes(transfer, model, epsilon=0.2) == passes(transfer, model, draws="other") == 64 * 4
    assert passes(transfer, model, count=60) == 60 * 4
    assert passes(transfer, model) == 0
    monkeypatch.setattr(module, "REMEMBERED", 0)
    assert passes(transfer, model, draws="third") == 64 * 4
    assert len(transfer.crafted) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("members")


def make(folder: Path, data: DataSet, **changes: object) -> Evaluator:
    fields = {"dataset": "mnist5k", "checksum": data.checksum, "network": "fcn2", "epsilon": EPSILON} | changes
    return Evaluator(Protocol(**fields), BUDGET, MemberPool(Store(folder), data))  # type: ignore[arg-type]


def timeless(found: Sequence[Measurement]) -> list[Measurement]:
    return [replace(one, seconds=0) for one in found]


@pytest.mark.parametrize("threat", ["raw", "discretised"])
def test_the_objective_is_pgd_crafted_on_the_protocols_source(folder, mnist5k, threat):
    evaluator = make(folder, mnist5k, source="fp:x0.25", threat=threat)
    found = dict(evaluator.measure(XNOR, ["transfer", "pgd"]))
    assert list(found) == ["transfer", "pgd_naive", BOUND, "certified", "pgd"]
    spec = AttackSpec(name="pgd", epsilon=EPSILON, steps=4, restarts=2, source=FP, threat=threat)
    assert timeless(list(evaluator.judge(XNOR, [spec], images=300))) == timeless([found["transfer"]])
    [clean] = evaluator.judge(XNOR, [None], images=300)
    assert found["pgd"].value < found["transfer"].value <= clean.value or threat == "discretised"


def test_a_model_under_its_own_images_is_nearly_the_white_box(folder, mnist5k):
    evaluator = make(folder, mnist5k, source="fp:x0.25")
    found = {name: one.value for name, one in evaluator.measure(FP, ["pgd", "transfer", "acc"])}
    assert found["pgd_naive"] <= found["transfer"] <= found["pgd_naive"] + 0.02 < found["acc"] - 0.1
    plain = AttackSpec(name="fgsm", epsilon=EPSILON)
    one, own, other = (next(evaluator.judge(FP, [replace(plain, source=source)])).value for source in (None, FP, XNOR))
    assert one == own < other


def test_sources_differ_and_are_trained_once(tmp_path, mnist5k):
    evaluator = make(tmp_path, mnist5k)
    spec = AttackSpec(name="bim", epsilon=EPSILON, steps=4)
    specs = [replace(spec, source=Candidate.parse(text)) for text in ("fp:x0.25", "bnn:x0.25", "fp:x0.25")]
    found = timeless(list(evaluator.judge(FP, specs, images=100)))
    assert found[0] == found[2] != found[1]
    assert evaluator.pool.trained == 2
    list(evaluator.judge(FP, specs, images=100))
    assert evaluator.pool.trained == 2


def test_a_source_is_loaded_once_for_many_candidates(folder, mnist5k, monkeypatch):
    evaluator, asked = make(folder, mnist5k, source="fp:x0.25"), []
    build = Evaluator.ensemble
    monkeypatch.setattr(Evaluator, "ensemble", lambda self, one: asked.append(str(one)) or build(self, one))
    for candidate in (XNOR, FP, XNOR):
        list(evaluator.measure(candidate, ["acc", "fgsm", "transfer", "pgd"]))
    assert asked == ["in2:xnor:x0.25", "fp:x0.25", "fp:x0.25", "in2:xnor:x0.25"], "each candidate, the source once"


def test_a_source_that_does_not_fit_is_refused_before_any_training(tmp_path, mnist5k):
    evaluator = make(tmp_path, mnist5k)
    spec = AttackSpec(name="pgd", source=Candidate.parse("fp:mu255@6"))
    with pytest.raises(UserError, match="fp:mu255@6 maps more layers than fcn2 has"):
        next(evaluator.judge(FP, [None, spec]))
    assert evaluator.pool.trained == 0


def test_a_protocol_keeps_the_canonical_text_of_its_source(mnist5k):
    given = Protocol(dataset="a", checksum="0", network="fcn2", epsilon=0.1, source="xnor+fp:mean:x1")
    assert given.source == "fp+xnor"
    assert replace(given, source="fp") == Protocol(dataset="a", checksum="0", network="fcn2", epsilon=0.1)
    with pytest.raises(UserError, match="bnnn"):
        replace(given, source="bnnn")
