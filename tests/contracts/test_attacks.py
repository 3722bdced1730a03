"""What every attack promises against every kind of model."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor
from victims import CANDIDATES, clamped, digits, same, state_of, victim, watched
from victims import attacks as objective_attacks

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attack, Attacked, ThreatModel
from evaluators.attacks.carlini import CarliniWagner
from evaluators.attacks.noise import Noise
from evaluators.attacks.square import Square
from evaluators.attacks.transfer import Transfer
from evaluators.ensemble import Ensemble
from evaluators.objectives import OBJECTIVES
from evaluators.quantizers.pixels import discretise
from evaluators.seeds import stream

pytestmark = pytest.mark.usefixtures("one_thread")


def attacks(*, steps: int, restarts: int) -> dict[str, Attack]:
    """Those behind objectives, and those that only a worst case is made of."""
    return objective_attacks(steps=steps, restarts=restarts) | {"square": Square(queries=10 * steps)}


STRENGTH = attacks(steps=6, restarts=2)
RADII = {"8/255": 8 / 255, "0.1": 0.1, "0.3": 0.3}
LOW_BITS = {"fp, 2-bit input": 2, "xnor": 2, "majority": 4}

ASCENTS = {name: attack for name, attack in STRENGTH.items() if isinstance(attack, Ascent)}
NOISES = {name: attack for name, attack in STRENGTH.items() if isinstance(attack, Noise)}
IN_BALL = ASCENTS | NOISES | {"square": STRENGTH["square"]}  # Carlini and Wagner's attacker goes any distance

every_attack = pytest.mark.parametrize("name", STRENGTH)
every_ascent = pytest.mark.parametrize("name", ASCENTS)
every_noise = pytest.mark.parametrize("name", NOISES)
every_attack_in_the_ball = pytest.mark.parametrize("name", IN_BALL)
every_crafter = pytest.mark.parametrize("name", ASCENTS | {"cw": STRENGTH["cw"]})
every_victim = pytest.mark.parametrize("kind", CANDIDATES)
every_radius = pytest.mark.parametrize("epsilon", RADII.values(), ids=RADII)
every_threat = pytest.mark.parametrize("where", ["raw", "discretised"])


def attacked(
    attack: Attack, kind: str, epsilon: float, *, where: str = "raw", seed: str = "noise", labels: Tensor | None = None
) -> Attacked:
    images, truth = digits()
    threat = ThreatModel(epsilon=epsilon, where=where)
    return attack(victim(kind), images, truth if labels is None else labels, threat, stream(0, seed))


def clean(kind: str) -> Tensor:
    """Which images the model gets wrong before any attack."""
    images, labels = digits()
    return victim(kind)(images) != labels


def test_every_attack_objective_has_its_attack():
    alone = {name for name, one in OBJECTIVES.items() if one.stage == "attack"} - {"certified", "pgd"}
    assert {*STRENGTH, "transfer"} - {"square"} == alone


def test_the_attacks_are_their_published_parts():
    assert STRENGTH["fgsm"] == Ascent(steps=1, step_size=1.0, start="clean", restarts=1)
    assert STRENGTH["bim"] == Ascent(steps=6, step_size=0.25, start="clean", restarts=1)
    assert STRENGTH["pgd_naive"] == Ascent(steps=6, step_size=0.25, start="uniform", restarts=2)
    assert STRENGTH["rfgsm"] == Ascent(steps=1, step_size=0.5, start="signs")
    assert STRENGTH["mim"] == Ascent(steps=6, step_size=1 / 6, decay=1.0)
    assert STRENGTH["uniform"] == Noise(kind="uniform", draws=8)
    assert STRENGTH["gaussian"] == Noise(kind="gaussian", draws=8)
    assert STRENGTH["cw"] == CarliniWagner(steps=50, search_steps=1, constant=10, rate=0.1, confidence=0)
    assert attacks(steps=0, restarts=3)["fgsm"].steps == 0


@every_victim
def test_victims_know_digits_but_not_all(kind):
    assert 0 < clean(kind).sum() < 0.35 * len(clean(kind))


@every_threat
@every_radius
@every_victim
@every_attack_in_the_ball
def test_images_stay_in_the_ball_and_in_the_range_exactly(name, kind, epsilon, where):
    outcome = attacked(STRENGTH[name], kind, epsilon, where=where)
    images, _ = digits()
    centre = images if where == "raw" else victim(kind).discretise(images)
    assert same(outcome.origin, centre)
    assert (outcome.images.double() - centre.double()).abs().max().item() <= epsilon
    assert outcome.images.min() >= 0
    assert outcome.images.max() <= 1
    assert outcome.images.dtype == torch.float32
    assert outcome.images.shape == images.shape
    assert not any(tensor.requires_grad for tensor in (outcome.images, outcome.loss, outcome.broken, outcome.origin))


@every_radius
@every_victim
@every_attack
def test_what_is_called_broken_is_misclassified_and_the_rest_is_not(name, kind, epsilon):
    outcome, (_, labels) = attacked(STRENGTH[name], kind, epsilon), digits()
    assert same(victim(kind)(outcome.images) != labels, outcome.broken)
    alone = torch.cat([victim(kind)(image[None]) for image in outcome.images])
    assert same(alone != labels, outcome.broken)


@every_threat
@every_victim
@every_attack
def test_attacks_only_ever_break_and_leave_what_is_broken_alone(name, kind, where):
    outcome = attacked(STRENGTH[name], kind, 0.2, where=where)
    assert (outcome.broken | ~clean(kind)).all()
    assert same(outcome.images[clean(kind)], outcome.origin[clean(kind)])
    assert name in NOISES or outcome.broken.sum() > clean(kind).sum() + 3  # gradients pass every quantizer


@every_radius
@every_victim
@every_attack
def test_what_stands_keeps_its_best_iterate(name, kind, epsilon):
    images, labels = digits()
    outcome, model = attacked(STRENGTH[name], kind, epsilon), victim(kind)
    loss = model.loss(model.member_logits(outcome.images), labels)
    origin = model.loss(model.member_logits(images), labels)
    assert torch.allclose(outcome.loss, loss, rtol=1e-4, atol=1e-5)
    standing = ~outcome.broken
    assert (outcome.loss[standing] >= origin[standing]).all()


@every_victim
@every_attack
def test_the_model_stays_as_it_was(name, kind):
    model = victim(kind)
    before, (images, labels) = state_of(model), digits()
    kept, kept_labels = images.clone(), labels.clone()
    attacked(STRENGTH[name], kind, 0.2)
    assert all(map(same, before, state_of(model)))
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())
    assert not any(module.training for module in model.modules())
    assert same(images, kept)
    assert same(labels, kept_labels)
    assert not images.requires_grad


@every_threat
@every_victim
@every_attack
def test_no_steps_change_nothing(name, kind, where):
    with watched(victim(kind)) as traffic:
        outcome = attacked(attacks(steps=0, restarts=3)[name], kind, 0.3, where=where)
    assert same(outcome.images, outcome.origin)
    assert same(outcome.broken, clean(kind))
    assert traffic.forwards == [48]
    assert (outcome.forwards, outcome.backwards) == (48, 0)


@every_victim
@every_attack_in_the_ball
def test_a_ball_of_radius_zero_holds_the_image_alone(name, kind):
    outcome, (images, _) = attacked(STRENGTH[name], kind, 0.0), digits()
    assert same(outcome.images, images)
    assert same(outcome.broken, clean(kind))


@every_victim
@every_attack
def test_the_same_stream_gives_the_same_outcome(name, kind):
    one, two = (attacked(STRENGTH[name], kind, 0.05) for _ in range(2))
    assert same(one.images, two.images)
    assert same(one.broken, two.broken)
    assert same(one.loss, two.loss)
    other = attacked(STRENGTH[name], kind, 0.05, seed="another")
    assert same(one.images, other.images) == (name not in {"pgd_naive", "rfgsm", "square", *NOISES})


@every_victim
@every_attack
def test_an_image_does_not_depend_on_its_batch_mates(name, kind):
    attack, model, (images, labels) = attacks(steps=6, restarts=1)[name], victim(kind), digits()
    threat = ThreatModel(epsilon=0.05)
    together = attack(model, images, labels, threat, stream(0, "noise"))
    mates, wrong = images.flip(0), (labels.flip(0) + 1) % 10
    among_others = attack(
        model, torch.cat([images[:20], mates[20:]]), torch.cat([labels[:20], wrong[20:]]), threat, stream(0, "noise")
    )
    assert same(together.broken[:20], among_others.broken[:20])
    assert torch.allclose(together.loss[:20], among_others.loss[:20], rtol=1e-3, atol=1e-4)
    if kind in ("fp", "fp, 2-bit input"):  # rounding in another batch may flip a sign that is nearly 0
        assert torch.allclose(together.images[:20], among_others.images[:20], atol=1e-6)


@every_victim
def test_more_restarts_never_break_fewer(kind):
    before = clean(kind)
    for restarts in (1, 2, 4):
        broken = attacked(Ascent(steps=2, start="uniform", restarts=restarts), kind, 0.04).broken
        assert (broken | ~before).all()
        before = broken


def test_restarts_start_elsewhere():
    counts = [attacked(Ascent(steps=1, start="uniform", restarts=n), "majority", 0.05).broken.sum() for n in (1, 8)]
    assert counts[1] > counts[0]


@every_victim
@pytest.mark.parametrize("start", ["clean", "uniform"])
def test_more_steps_on_the_same_path_never_break_fewer(kind, start):
    before = clean(kind)
    for steps in (1, 3, 9):
        broken = attacked(Ascent(steps=steps, step_size=0.1, start=start), kind, 0.06).broken
        assert (broken | ~before).all()
        before = broken


@every_victim
@every_ascent
def test_only_what_still_stands_is_computed(name, kind):
    attack = STRENGTH[name]
    with watched(victim(kind)) as traffic:
        outcome = attacked(attack, kind, 0.1)
    assert traffic.forwards[0] == 48
    first_run = traffic.forwards[1 : 2 + attack.steps]
    assert first_run[0] == 48 - clean(kind).sum()
    assert first_run == sorted(first_run, reverse=True)
    assert first_run[-1] < first_run[0] or attack.steps == 1
    assert sum(traffic.forwards) == outcome.forwards
    assert outcome.backwards <= sum(traffic.with_gradient) < outcome.forwards
    most = 48 + attack.restarts * (attack.steps + 1) * 48
    assert outcome.forwards < most


@every_victim
@every_noise
def test_noise_passes_only_what_still_stands_and_takes_no_gradient(name, kind):
    with watched(victim(kind)) as traffic:
        outcome = attacked(STRENGTH[name], kind, 0.3)
    assert traffic.forwards[:2] == [48, 48 - clean(kind).sum()]
    assert traffic.forwards == sorted(traffic.forwards, reverse=True)
    assert len(traffic.forwards) == 1 + 8
    assert sum(traffic.forwards) == outcome.forwards
    assert (traffic.with_gradient, outcome.backwards) == ([], 0)


@every_victim
def test_the_search_for_the_nearest_goes_on_with_what_has_fallen(kind):
    with watched(victim(kind)) as traffic:
        outcome = attacked(CarliniWagner(steps=3, search_steps=2), kind, 0.1)
    hardest = 48 - clean(kind).sum().item()
    assert traffic.forwards == [48] + [hardest] * 2 * (3 + 1)
    assert (outcome.forwards, outcome.backwards) == (sum(traffic.forwards), 2 * 3 * hardest)


def test_an_attack_on_a_model_that_never_falls_costs_all_its_steps():
    images, _ = digits()
    labels = victim("fp")(images)
    with watched(victim("fp")) as traffic:
        outcome = attacked(Ascent(steps=4, start="uniform", restarts=3), "fp", 1e-6, labels=labels)
    assert not outcome.broken.any()
    assert traffic.forwards == [48] * (1 + 5) + [2 * 48] * 5  # the first start alone, the others side by side
    assert (outcome.forwards, outcome.backwards) == (48 * 16, 48 * 12)


@every_attack
def test_a_batch_that_has_all_fallen_is_left_alone(name):
    images, _ = digits()
    wrong = (victim("mean")(images) + 1) % 10
    with watched(victim("mean")) as traffic:
        outcome = attacked(STRENGTH[name], "mean", 0.3, labels=wrong)
    assert outcome.broken.all()
    assert same(outcome.images, images)
    assert sum(traffic.forwards) == outcome.forwards == 48
    assert outcome.backwards == 0


@every_attack
@every_victim
def test_batches_of_one_image_work(name, kind):
    images, labels = digits()
    for which in (clean(kind).nonzero()[0], (~clean(kind)).nonzero()[0]):
        threat = ThreatModel(epsilon=0.3)
        outcome = STRENGTH[name](victim(kind), images[which], labels[which], threat, stream(0, "one"))
        assert outcome.images.shape == (1, 1, 28, 28)
        assert same(victim(kind)(outcome.images) != labels[which], outcome.broken)


@every_attack
def test_neither_memory_layout_nor_gradient_mode_matters(name):
    images, labels = digits()
    expected = attacked(STRENGTH[name], "fp", 0.1)
    for same_images in (
        images.contiguous(memory_format=torch.channels_last),
        torch.stack([images, images], -1)[..., 0],
    ):
        with torch.no_grad():
            found = STRENGTH[name](victim("fp"), same_images, labels, ThreatModel(epsilon=0.1), stream(0, "noise"))
        assert same(found.broken, expected.broken)
        assert torch.allclose(found.images, expected.images, atol=1e-6)


@every_attack_in_the_ball
@pytest.mark.parametrize("kind", LOW_BITS)
def test_an_attacker_behind_the_discretizer_cannot_leave_a_wide_bin(name, kind):
    safe = (256 / 2 ** LOW_BITS[kind] / 2 - 1) / 255
    outcome = attacked(STRENGTH[name], kind, min(safe, 16 / 255), where="discretised")
    images, _ = digits()
    assert same(outcome.images, discretise(images, LOW_BITS[kind]))
    assert same(outcome.broken, clean(kind))
    raw = attacked(STRENGTH[name], kind, min(safe, 16 / 255))
    assert name in NOISES or raw.broken.sum() > outcome.broken.sum()


@pytest.mark.parametrize("kind", LOW_BITS)
def test_a_larger_step_than_half_a_bin_breaks_the_discretised_image(kind):
    bin_width = 256 / 2 ** LOW_BITS[kind] / 255
    assert attacked(STRENGTH["pgd_naive"], kind, bin_width, where="discretised").broken.sum() > clean(kind).sum() + 5


@pytest.mark.parametrize("kind", ["fp", "mean", "majority"])
def test_without_input_bits_or_with_them_the_raw_origin_is_the_image(kind):
    assert same(ThreatModel(epsilon=0.1).origin(victim(kind), digits()[0]), digits()[0])


def loss_by_hand(model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy averaged over the members whose class is the decided one (all of them under the mean vote)."""
    logits = [member(images) for member in model.members]
    decided = model(images.detach())
    each = torch.stack([functional.cross_entropy(one, labels, reduction="none") for one in logits])
    counted = torch.stack([one.argmax(1) == decided for one in logits])
    if model is victim("mean") or len(logits) == 1:
        counted = torch.ones_like(counted)
    return (each * counted).sum(0) / counted.sum(0)


def plain_attack(kind: str, attack: Ascent, epsilon: float, where: str) -> tuple[Tensor, Tensor]:
    """The same attack without any of its thrift: the whole batch, every step; broken is what was ever wrong."""
    model, (images, labels) = victim(kind), digits()
    centre, generator = images if where == "raw" else model.discretise(images), stream(0, "noise")
    ever, highest = model(centre) != labels, loss_by_hand(model, centre, labels)
    for _ in range(attack.restarts):
        noise = 2 * torch.rand(images.shape, generator=generator) - 1
        offset = {"clean": torch.zeros_like(noise), "uniform": noise, "signs": noise.sign() / 2}[attack.start]
        iterate, velocity = clamped(centre + epsilon * offset, centre, epsilon), torch.zeros_like(centre)
        for step in range(attack.steps + 1):
            iterate = iterate.detach().requires_grad_()
            loss = loss_by_hand(model, iterate, labels)
            ever = ever | (model(iterate) != labels)
            highest = highest.maximum(loss.detach())
            if step < attack.steps:
                (gradient,) = torch.autograd.grad(loss.sum(), iterate)
                size = gradient.abs().mean((1, 2, 3), keepdim=True)
                velocity = attack.decay * velocity + torch.where(size > 0, gradient / size, gradient)
                iterate = clamped(iterate + attack.step_size * epsilon * velocity.sign(), centre, epsilon)
    return ever, highest


@every_threat
@every_victim
@every_ascent
def test_thrift_costs_no_strength(name, kind, where):
    for epsilon in (0.03, 0.1):
        outcome = attacked(STRENGTH[name], kind, epsilon, where=where)
        ever, highest = plain_attack(kind, STRENGTH[name], epsilon, where)
        assert same(outcome.broken, ever)
        standing = ~outcome.broken
        assert torch.allclose(outcome.loss[standing], highest[standing], rtol=1e-2, atol=1e-3)


@every_victim
def test_fgsm_goes_the_whole_radius_along_the_sign_of_the_gradient(kind):
    model, (images, labels) = victim(kind), digits()
    iterate = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_by_hand(model, iterate, labels).sum(), iterate)
    expected = clamped(images + 0.1 * gradient.sign(), images, 0.1)
    outcome = attacked(STRENGTH["fgsm"], kind, 0.1)
    for image in (~clean(kind)).nonzero().flatten().tolist():
        moved = torch.allclose(outcome.images[image], expected[image], atol=1e-6)
        assert moved or (same(outcome.images[image], images[image]) and not outcome.broken[image])
    assert (outcome.images != images).flatten(1).any(1).sum() > 20


def test_starts_are_uniform_in_the_ball():
    images = torch.full((40, 1, 28, 28), 0.5)
    labels = victim("fp")(images)
    seen: list[Tensor] = []
    hook = victim("fp").members[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    Ascent(steps=1, start="uniform")(victim("fp"), images, labels, ThreatModel(epsilon=0.25), stream(0, "u"))
    hook.remove()
    start = (seen[1] - 0.5) / 0.25
    assert start.abs().max() <= 1
    quantiles = start.flatten().quantile(torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99]))
    assert quantiles.tolist() == pytest.approx([-0.98, -0.5, 0, 0.5, 0.98], abs=0.03)


@every_victim
def test_three_attacks_in_the_order_of_their_strength(kind):
    broken = {name: attacked(STRENGTH[name], kind, 0.06).broken.sum().item() for name in ("fgsm", "bim", "pgd_naive")}
    assert broken["pgd_naive"] + 3 >= broken["bim"]
    assert broken["bim"] + 3 >= broken["fgsm"]


def transferred(name: str) -> Transfer:
    """Crafted on a binary network that sees two bits."""
    return Transfer(attack=STRENGTH[name], source=victim("xnor"))  # type: ignore[arg-type]


@every_threat
@every_victim
@every_crafter
def test_transferred_images_keep_the_promises_of_all_attacks(name, kind, where):
    model, source, (images, labels) = victim(kind), victim("xnor"), digits()
    before = state_of(model) + state_of(source)
    outcome = attacked(transferred(name), kind, 0.2, where=where)
    assert same(outcome.origin, images if where == "raw" else model.discretise(images))
    moved = (outcome.images.double() - outcome.origin.double()).abs().max().item()
    assert 0 < moved <= (1 if name == "cw" else 0.2)
    assert (outcome.images.min() >= 0) & (outcome.images.max() <= 1)
    assert same(model(outcome.images) != labels, outcome.broken)
    assert (outcome.broken | (model(outcome.origin) == labels)).all()
    wrong = model(outcome.origin) != labels
    assert same(outcome.images[wrong], outcome.origin[wrong])
    assert not any(tensor.requires_grad for tensor in (outcome.images, outcome.loss, outcome.broken))
    assert all(map(same, before, state_of(model) + state_of(source)))


@every_crafter
def test_a_transferred_attack_asks_the_model_twice_and_never_for_a_gradient(name):
    with watched(victim("fp")) as traffic:
        outcome = attacked(transferred(name), "fp", 0.2)
    assert traffic.forwards == [48, 48 - clean("fp").sum()]
    assert (traffic.with_gradient, outcome.forwards, outcome.backwards) == ([], sum(traffic.forwards), 0)


@every_crafter
def test_a_transferred_image_does_not_depend_on_its_batch_mates(name):
    attack, model, (images, labels) = transferred(name), victim("fp"), digits()
    threat = ThreatModel(epsilon=0.1)
    together = attack(model, images, labels, threat, stream(0, "noise"))
    others, wrong = torch.cat([images[:20], images.flip(0)[20:]]), torch.cat([labels[:20], (labels[20:] + 1) % 10])
    among_others = attack(model, others, wrong, threat, stream(0, "noise"))
    assert same(together.broken[:20], among_others.broken[:20])


@every_crafter
def test_neither_layout_nor_gradient_mode_matters_to_a_transfer(name):
    images, labels = digits()
    expected = attacked(transferred(name), "fp", 0.1)
    with torch.no_grad():
        found = transferred(name)(
            victim("fp"),
            images.contiguous(memory_format=torch.channels_last),
            labels,
            ThreatModel(epsilon=0.1),
            stream(0, "noise"),
        )
    assert same(found.broken, expected.broken)


@every_crafter
def test_a_transferred_batch_of_one_image_works(name):
    images, labels = digits()
    for which in (clean("fp").nonzero()[0], (~clean("fp")).nonzero()[0]):
        outcome = transferred(name)(
            victim("fp"), images[which], labels[which], ThreatModel(epsilon=0.3), stream(0, "one")
        )
        assert same(victim("fp")(outcome.images) != labels[which], outcome.broken)
