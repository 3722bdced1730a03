import numpy as np
import pytest
import torch

from evaluators.data import DataSet, Split, batches, load
from evaluators.data.sources import mnist5k as read_mnist5k
from evaluators.seeds import stream
from space.errors import UnknownName, UserError


def as_npz(path, n=400):
    """Images that say which one they are."""
    index = np.arange(n, dtype=np.uint16)
    pixels = np.stack([index // 256, index % 256], axis=1).astype(np.uint8).reshape(n, 1, 2)
    labels = np.repeat(np.arange(4), n // 4)
    np.savez(path, x_train=pixels, y_train=labels, x_test=pixels[::40] + 128, y_test=labels[::40])
    return str(path)


def numbers(split: Split) -> list[int]:
    return [256 * high + low for high, low in split.images.flatten(1).tolist()]


def test_mnist5k_is_real_digits_in_three_splits(mnist5k: DataSet):
    assert (mnist5k.name, mnist5k.classes, mnist5k.shape) == ("mnist5k", 10, (1, 28, 28))
    assert (len(mnist5k.train), len(mnist5k.validation), len(mnist5k.test)) == (3200, 800, 1000)
    for split, each in ((mnist5k.train, 320), (mnist5k.validation, 80), (mnist5k.test, 100)):
        assert torch.bincount(split.labels).tolist() == [each] * 10
        assert split.images.dtype == torch.uint8 and split.labels.dtype == torch.int64
        assert split.images.is_contiguous()
        assert split.images.min() == 0 and split.images.max() == 255


def test_the_digits_can_be_told_apart(mnist5k: DataSet):
    """The nearest class mean, a rule without parameters, knows most: images and labels belong together."""
    train = mnist5k.train.images.flatten(1).float()
    means = torch.stack([train[mnist5k.train.labels == digit].mean(0) for digit in range(10)])
    guess = torch.cdist(mnist5k.test.images.flatten(1).float(), means).argmin(1)
    assert (guess == mnist5k.test.labels).float().mean() > 0.75


def test_mnist5k_keeps_its_identity_and_its_test_set_under_another_seed(mnist5k: DataSet):
    other = load("mnist5k", seed=1)
    assert other.checksum == mnist5k.checksum
    assert torch.equal(other.test.images, mnist5k.test.images)
    assert not torch.equal(other.validation.images, mnist5k.validation.images)


def test_the_same_images_under_another_name_have_the_same_checksum(mnist5k: DataSet, tmp_path):
    source = read_mnist5k()
    np.savez(
        tmp_path / "digits.npz",
        x_train=source.train.images[..., 0],
        y_train=source.train.labels.astype(np.uint8),
        x_test=source.test.images[..., 0],
        y_test=source.test.labels.astype(np.uint8),
    )
    assert load(str(tmp_path / "digits.npz")).checksum == mnist5k.checksum


def test_the_checksum_of_mnist5k_does_not_drift(mnist5k: DataSet):
    assert mnist5k.checksum == "67fb5b3fe623edb2"


def test_splits_are_disjoint_and_complete(tmp_path):
    data = load(as_npz(tmp_path / "own.npz"))
    assert sorted(numbers(data.train) + numbers(data.validation)) == list(range(400))
    assert len(data.validation) == 80
    assert torch.bincount(data.validation.labels).tolist() == [20] * 4


def test_splits_keep_images_and_labels_together(tmp_path):
    data = load(as_npz(tmp_path / "own.npz"))
    for split in (data.train, data.validation):
        assert [number // 100 for number in numbers(split)] == split.labels.tolist()


def test_splits_follow_the_seed(tmp_path):
    path = as_npz(tmp_path / "own.npz")
    first, again, other = (numbers(load(path, seed=seed).validation) for seed in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


def test_a_head_is_a_stratified_prefix(mnist5k: DataSet):
    head = mnist5k.train.head(100)
    assert torch.equal(head.images, mnist5k.train.images[:100])
    assert torch.bincount(head.labels).tolist() == [10] * 10


def order_of(path, labels: list[int]) -> list[int]:
    """Which of the test images come in which order, where the test set has these labels."""
    pixels = np.arange(len(labels), dtype=np.uint8)[:, None, None]
    classes = max(labels) + 1
    train = {"x_train": np.zeros((5 * classes, 1, 1), np.uint8), "y_train": np.arange(5 * classes) % classes}
    np.savez(path, **train, x_test=pixels, y_test=np.array(labels))
    orders = [load(str(path), seed=seed).test for seed in (0, 1)]
    assert all([labels[one] for one in order.images.flatten().tolist()] == order.labels.tolist() for order in orders)
    assert torch.equal(orders[0].images, orders[1].images)
    return orders[0].images.flatten().tolist()


def test_a_head_of_a_test_set_that_lies_class_by_class_holds_every_class(tmp_path):
    """As folders have them, and files that were made of folders."""
    for labels in ([0] * 20 + [1] * 20 + [2] * 20, [2] * 20 + [0] * 20 + [1] * 20):
        order = order_of(tmp_path / "sorted.npz", labels)
        assert sorted(order) == list(range(60))
        assert [np.bincount([labels[one] for one in order[:n]]).tolist() for n in (6, 30)] == [[2] * 3, [10] * 3]
        assert sorted(order[:3]) != [0, 20, 40]  # the first files of a folder may be alike in other ways too


def test_a_test_set_that_is_mixed_keeps_its_order(tmp_path):
    assert order_of(tmp_path / "mixed.npz", [0, 1, 1, 0, 2, 1, 0, 2]) == list(range(8))


@pytest.mark.parametrize("n", [0, 3200, 5000])
def test_a_head_of_nothing_or_of_more_is_everything(mnist5k: DataSet, n):
    assert len(mnist5k.train.head(n)) == 3200


def test_values_are_frozen(mnist5k: DataSet):
    with pytest.raises(AttributeError):
        mnist5k.train = mnist5k.test
    with pytest.raises(AttributeError):
        mnist5k.train.images = mnist5k.test.images


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName) as caught:
        load("mnist5")
    assert str(caught.value) == (
        "unknown data set: got 'mnist5'; expected one of FILE.npz, cifar10, cifar100, fashion-mnist, "
        "folder:PATH[@SIZE], mnist, mnist5k; hint: did you mean 'mnist5k'?"
    )


def test_a_bare_folder_is_told_its_prefix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets").mkdir()
    with pytest.raises(UserError) as caught:
        load("pets")
    assert str(caught.value) == "a folder is no data set: got 'pets'; hint: folder:pets reads images from it"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "shape", "lengths"),
    [("mnist", (1, 28, 28), (50_000, 10_000, 10_000)), ("cifar10", (3, 32, 32), (40_000, 10_000, 10_000))],
)
def test_complete_sets_pass_once(complete, name, shape, lengths):
    data = load(str(complete / f"{name}.npz"))
    assert (data.classes, data.shape) == (10, shape)
    assert (len(data.train), len(data.validation), len(data.test)) == lengths
    seen = torch.zeros(10, dtype=torch.int64)
    for images, labels in batches(data.train, 500, generator=stream(0, "pass"), augment=True):
        assert images.shape == (500, *shape)
        seen += torch.bincount(labels, minlength=10)
    assert torch.equal(seen, torch.bincount(data.train.labels))


@pytest.mark.gpu
def test_splits_are_the_same_on_every_device(mnist5k: DataSet):
    there = load("mnist5k", device="cuda")
    assert there.train.images.is_cuda and there.train.labels.is_cuda
    for here, far in ((mnist5k.train, there.train), (mnist5k.validation, there.validation)):
        assert torch.equal(here.images, far.images.cpu()) and torch.equal(here.labels, far.labels.cpu())
