"""Trained members: their addresses, what is trained and what is only read, on real digits."""

import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import evaluators
from evaluators import members
from evaluators.cache import DamagedEntry, Store
from evaluators.data import DataSet
from evaluators.members import MemberPool, MemberSpec, code_version
from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.quantizers.linear import linear_weight
from evaluators.seeds import stream
from evaluators.training.inheritance import start_from
from evaluators.training.loop import Course, train
from evaluators.training.recipes import RECIPES
from space import Precision
from space.candidate import MAX_MEMBERS

PLAN = Plan(shape=(1, 28, 28), classes=10, width=0.125)
SPEC = MemberSpec(
    precision="dorefa2-2",
    index=0,
    network="fcn2",
    plan=PLAN,
    input_bits=4,
    recipe="warm",
    epochs=1,
    train_images=130,
    dataset="0123456789abcdef",
    seed=3,
    autocast="float32",
)
OTHERS = {
    "precision": "dorefa2-3",
    "index": 1,
    "network": "mnistconv",
    "plan": replace(PLAN, width=0.25),
    "input_bits": 5,
    "recipe": "standard",
    "epochs": 2,
    "train_images": 131,
    "dataset": "0123456789abcdee",
    "seed": 4,
    "autocast": "bfloat16",
    "epsilon": 0.1,
}


def state(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: Network, other: Network) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.fixture
def pool(store: Store, mnist5k: DataSet) -> MemberPool:
    return MemberPool(store, mnist5k)


def test_every_field_of_a_specification_has_its_own_address():
    assert OTHERS.keys() == {field.name for field in fields(MemberSpec)}
    specs = [SPEC, *(replace(SPEC, **{name: value}) for name, value in OTHERS.items())]
    specs += [replace(SPEC, plan=replace(PLAN, shape=shape)) for shape in ((3, 28, 28), (1, 29, 28), (1, 28, 29))]
    specs += [replace(SPEC, plan=replace(PLAN, classes=11))]
    assert len({spec.key() for spec in specs}) == len(specs)
    assert all(re.fullmatch(r"[0-9a-f]{32}", spec.key()) for spec in specs)
    assert replace(SPEC).key() == SPEC.key()


def test_streams_are_named_by_what_is_trained_and_not_by_how_long():
    renamed = {name for name, value in OTHERS.items() if replace(SPEC, **{name: value}).name != SPEC.name}
    assert renamed == {"precision", "index", "network", "plan", "input_bits", "recipe"}
    assert SPEC.name == "fcn2 dorefa2-2/0 in4 x0.125 warm"
    assert replace(SPEC, plan=replace(PLAN, classes=11)).name == SPEC.name


@pytest.mark.parametrize(
    "file", ["quantizers/ste.py", "training/loop.py", "networks/resnet.py", "members.py", "seeds.py"]
)
def test_new_code_has_new_addresses(file, tmp_path, monkeypatch):
    copy = tmp_path / "evaluators"
    shutil.copytree(Path(evaluators.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(members, "__file__", str(copy / "members.py"))

    def version() -> str:
        return code_version.__wrapped__()

    before = version()
    assert before == code_version()
    (copy / "attacks" / "ascent.py").write_text("# attacks train nothing")
    (copy / "quantizers" / "notes.txt").write_text("no code")
    assert version() == before
    with (copy / file).open("a") as source:
        source.write("\n")
    assert version() != before
    key = SPEC.key()
    monkeypatch.setattr(members, "code_version", version)
    assert SPEC.key() != key


def test_the_twin_is_a_full_precision_network_of_8_bit_input_that_no_ensemble_holds():
    twin = SPEC.origin()
    assert twin == replace(SPEC, precision="fp", index=MAX_MEMBERS, input_bits=8)
    assert twin.origin() is None
    assert replace(SPEC, precision="mbn3x3", input_bits=2).origin() == twin
    assert replace(SPEC, index=1).origin() == replace(twin, index=MAX_MEMBERS + 1)


def test_the_standard_recipe_does_without_twins():
    assert replace(SPEC, recipe="standard").origin() is None
    assert replace(SPEC, recipe="standard").teacher() is None


PLAIN = replace(SPEC, recipe="standard")


@pytest.mark.parametrize(
    ("spec", "origin"),
    [
        (replace(PLAIN, precision="ptq3"), replace(PLAIN, precision="fp")),
        (replace(PLAIN, precision="fp~w50"), replace(PLAIN, precision="fp", index=MAX_MEMBERS)),
        (replace(PLAIN, precision="fp~c50"), replace(PLAIN, precision="fp", index=MAX_MEMBERS)),
        (replace(SPEC, recipe="feedback"), PLAIN),
        (replace(SPEC, recipe="feedback", precision="ptq3"), replace(SPEC, recipe="feedback", precision="fp")),
        (replace(SPEC, recipe="feedback", precision="fp~c50"), replace(PLAIN, precision="fp~c50")),
        (replace(SPEC, recipe="distill"), None),
    ],
    ids=lambda spec: spec and f"{spec.precision} {spec.recipe}",
)
def test_what_a_member_takes_its_weights_from(spec, origin):
    assert spec.origin() == origin


def test_a_teacher_is_a_network_of_its_own_that_nobody_teaches():
    spec = replace(SPEC, recipe="distill")
    teacher = replace(spec, precision="fp", index=2 * MAX_MEMBERS)
    assert spec.teacher() == teacher
    assert replace(spec, precision="fp").teacher() == teacher
    assert (teacher.teacher(), teacher.origin()) == (None, None)


def test_quantizing_after_training_trains_nothing_more(pool):
    full = pool.obtain(replace(PLAIN, precision="fp"))
    quantized = pool.obtain(replace(PLAIN, precision="ptq3"))
    assert pool.trained == 1
    for (_, ours), (_, theirs) in zip(quantized.layers(), full.layers(), strict=True):
        assert torch.equal(ours.effective_weight(), linear_weight(theirs.effective_weight(), 3))
    kept = {name: value for name, value in state(full).items() if "weight.latent" not in name}
    assert all(torch.equal(state(quantized)[name], value) for name, value in kept.items())


def test_a_network_of_pruned_channels_starts_from_the_largest_filters_and_is_trained_on(pool):
    network = pool.obtain(replace(PLAIN, precision="fp~c50"))
    assert pool.trained == 2
    full = pool.obtain(replace(PLAIN, precision="fp", index=MAX_MEMBERS))
    sizes = [tuple(layer.weight.shape) for _, layer in network.layers()]
    assert all(
        ours[0] < layer.weight.shape[0] for ours, (_, layer) in list(zip(sizes, full.layers(), strict=True))[:-1]
    )


def test_feedback_goes_on_from_the_trained_network(pool):
    before = pool.obtain(PLAIN)
    after = pool.obtain(replace(PLAIN, recipe="feedback"))
    assert pool.trained == 2  # the plain one, and on from there
    far = replace(PLAIN, recipe="feedback", index=1)
    near = sum((state(before)[name] - value).norm() for name, value in state(after).items() if "latent" in name)
    other = pool.obtain(far)
    elsewhere = sum((state(before)[name] - value).norm() for name, value in state(other).items() if "latent" in name)
    assert near < elsewhere / 3


def test_a_member_is_trained_once_and_its_twin_serves_all(pool):
    first = pool.obtain(SPEC)
    assert pool.trained == 2  # it and its twin
    assert same(pool.obtain(SPEC), first)
    assert pool.trained == 2
    pool.obtain(replace(SPEC, precision="xnor", input_bits=2))
    assert pool.trained == 3
    pool.obtain(replace(SPEC, index=1))
    assert pool.trained == 5
    pool.obtain(replace(SPEC, recipe="standard"))
    assert pool.trained == 6
    again = MemberPool(pool.store, pool.data)
    assert same(again.obtain(SPEC), first)
    assert again.trained == 0


def test_order_and_company_change_no_member(pool, mnist5k, tmp_path):
    others = [replace(SPEC, precision="fp"), replace(SPEC, precision="mbn2x1"), SPEC]
    forwards = [pool.obtain(spec) for spec in others]
    torch.manual_seed(99)
    elsewhere = MemberPool(Store(tmp_path / "elsewhere"), mnist5k)
    backwards = [elsewhere.obtain(spec) for spec in reversed(others)]
    assert all(map(same, forwards, reversed(backwards)))


@pytest.mark.parametrize("change", [{"index": 1}, {"seed": 1}, {"input_bits": 1}, {"train_images": 140}, {"epochs": 2}])
def test_other_specifications_give_other_weights(change, pool):
    spec = replace(SPEC, precision="fp")
    one, other = pool.obtain(spec), pool.obtain(replace(spec, **change))
    pairs = zip(one.layers(), other.layers(), strict=True)
    assert not any(torch.equal(ours.weight(), theirs.weight()) for (_, ours), (_, theirs) in pairs)


def by_hand(data: DataSet, token: str, bits: int, name: str, twin: Network | None = None) -> Network:
    """A training as the recipe is written, step by step, without a pool; 1 epoch over 130 images."""
    recipe = RECIPES[name.rpartition(" ")[2]]
    network = build("fcn2", Precision.parse(token), PLAN, input_bits=bits)
    if twin is None:
        network.reset(stream(3, name, "weights"))
    else:
        start_from(network, twin)
    course = Course(
        split=data.train.head(130),
        recipe=recipe,
        epochs=1 if twin else recipe.float_epochs,
        generator=stream(3, name, "order"),
        teacher=twin if recipe.teacher_share else None,
    )
    train(network, Precision.parse(token), course)
    return network


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_warm_member_starts_from_and_may_learn_from_its_twin(share, pool, mnist5k, monkeypatch):
    monkeypatch.setitem(RECIPES, "warm", replace(RECIPES["warm"], teacher_share=share))
    twin = by_hand(mnist5k, "fp", 8, "fcn2 fp/9 in8 x0.125 warm")
    assert same(pool.obtain(SPEC.origin()), twin)
    assert same(pool.obtain(SPEC), by_hand(mnist5k, "dorefa2-2", 4, "fcn2 dorefa2-2/0 in4 x0.125 warm", twin))


@pytest.mark.parametrize("token", ["fp", "mbn2x1"])
def test_a_standard_member_starts_from_its_own_stream(token, pool, mnist5k):
    spec = replace(SPEC, recipe="standard", precision=token)
    assert same(pool.obtain(spec), by_hand(mnist5k, token, 4, f"fcn2 {token}/0 in4 x0.125 standard"))
    assert pool.trained == 1


def test_full_precision_trains_longer_where_its_followers_come_after_it():
    assert RECIPES["standard"].float_epochs == 1
    assert RECIPES["warm"].float_epochs > 1


def test_what_is_obtained_is_in_eval_mode_and_ones_own(pool):
    network = pool.obtain(SPEC)
    before = state(network)
    assert not any(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())
    for parameter in network.parameters():
        parameter.data.zero_()
    network.map_weights(255, 2)
    again = pool.obtain(SPEC)
    assert all(torch.equal(value, before[name]) for name, value in again.state_dict().items())
    assert all(layer.mu == 0 for _, layer in again.layers())


def test_members_discretise_with_their_own_bits(pool):
    assert pool.obtain(SPEC).discretizer.bits == 4
    assert pool.obtain(replace(SPEC, precision="fp", input_bits=8)).discretizer.bits == 8


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_a_damaged_member_is_trained_again_to_the_same_values(suffix, pool):
    first = pool.obtain(SPEC)
    path = pool.store.root / f"{SPEC.key()}.{suffix}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(DamagedEntry, match=f"cache entry {SPEC.key()} is damaged and ignored"):
        again = pool.obtain(SPEC)
    assert pool.trained == 3
    assert same(again, first)
    pool.obtain(SPEC)
    assert pool.trained == 3


def test_an_entry_says_what_it_holds(pool):
    pool.obtain(SPEC)
    meta = pool.store.load(SPEC.key()).meta
    assert meta["code"] == code_version()
    assert meta["spec"]["precision"] == "dorefa2-2"
    assert meta["spec"]["plan"] == {"shape": [1, 28, 28], "classes": 10, "width": 0.125}
    assert meta["spec"].keys() == OTHERS.keys()


def test_a_training_that_diverges_leaves_no_entry(pool, monkeypatch):
    monkeypatch.setitem(RECIPES, "warm", replace(RECIPES["warm"], rate=1e38))
    with pytest.raises(FloatingPointError, match="no longer finite"):
        pool.obtain(SPEC)
    assert pool.trained == 0
    assert not list(pool.store.root.glob("*.json"))
