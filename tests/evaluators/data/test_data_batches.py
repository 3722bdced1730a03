import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluators.data import Split, batches, evaluation_batches
from evaluators.data.batches import jitter
from evaluators.seeds import stream
from space.errors import UserError


def numbered(n: int, shape: tuple[int, int, int] = (1, 2, 2)) -> Split:
    """Image i has the label i; its pixels are noise."""
    images = torch.randint(256, (n, *shape), dtype=torch.uint8, generator=stream(0, "images"))
    return Split(images, torch.arange(n))


def crops(image: torch.Tensor, reach: int, mirror: bool) -> dict[bytes, tuple[int, int, bool]]:
    """Every way to move (and mirror) an image, by the bytes that come out."""
    height, width = image.shape[1:]
    found = {}
    for flipped in (False, True)[: 1 + mirror]:
        padded = torch.zeros(len(image), height + 2 * reach, width + 2 * reach, dtype=image.dtype)
        padded[:, reach : reach + height, reach : reach + width] = image
        for top in range(2 * reach + 1):
            for left in range(2 * reach + 1):
                crop = padded[:, top : top + height, left : left + width]
                crop = crop.flip(2) if flipped else crop
                found[crop.contiguous().numpy().tobytes()] = (top, left, flipped)
    return found


@given(st.integers(2, 40), st.integers(2, 12), st.booleans())
def test_a_pass_shows_each_image_exactly_once(n, size, augment):
    sizes, seen = [], []
    for images, labels in batches(numbered(n), size, generator=stream(0, "pass"), augment=augment):
        assert len(images) == len(labels)
        sizes.append(len(labels))
        seen += labels.tolist()
    assert sorted(seen) == list(range(n))
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert 2 <= sizes[-1] <= size + 1


def test_images_come_with_their_labels_as_floats_between_0_and_1():
    split = numbered(50)
    for images, labels in batches(split, 16, generator=stream(0, "pass"), augment=False):
        assert images.dtype == torch.float32
        assert torch.equal(images, split.images[labels].double().div(255).float())
        assert images.min() >= 0 and images.max() <= 1


def test_black_is_0_and_white_is_1_exactly():
    split = Split(torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1), torch.tensor([0, 1]))
    (images, _), *_ = evaluation_batches(split, 2)
    assert images.flatten().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("augment", [False, True])
def test_channels_are_last_in_memory(augment):
    images, _ = next(batches(numbered(8, (3, 6, 5)), 4, generator=stream(0, "pass"), augment=augment))
    assert images.shape == (4, 3, 6, 5)
    assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("augment", [False, True])
def test_passes_differ_and_generators_repeat_them(augment):
    split = numbered(64, (1, 6, 6))

    def one_pass(generator):
        shown = batches(split, 10, generator=generator, augment=augment)
        return [torch.cat(part) for part in zip(*shown, strict=True)]

    generator = stream(0, "pass")
    first, second, again = one_pass(generator), one_pass(generator), one_pass(stream(0, "pass"))
    assert not torch.equal(first[1], second[1])
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])


def test_evaluation_keeps_order_and_images():
    split = numbered(11)
    parts = list(evaluation_batches(split, 5))
    assert [len(labels) for _, labels in parts] == [5, 5, 1]
    assert torch.cat([labels for _, labels in parts]).tolist() == list(range(11))
    assert torch.equal(torch.cat([images for images, _ in parts]), split.images / 255)


@pytest.mark.parametrize(("shape", "reach", "mirror"), [((1, 28, 28), 2, False), ((3, 32, 32), 4, True)])
def test_jitter_moves_each_image_by_its_own_offset(shape, reach, mirror):
    images = numbered(40, shape).images
    offsets = []
    for image, moved in zip(images, jitter(images, stream(0, "jitter")), strict=True):
        offsets.append(crops(image, reach, mirror)[moved.contiguous().numpy().tobytes()])
    assert len(set(offsets)) > 10


@pytest.mark.parametrize(("channels", "reach", "mirror"), [(1, 2, False), (3, 4, True)])
def test_jitter_draws_every_offset_equally_often(channels, reach, mirror):
    image = torch.arange(1, 12 * 12 + 1, dtype=torch.uint8).reshape(1, 12, 12).expand(channels, 12, 12)
    ways = crops(image, reach, mirror)
    n = 200 * len(ways)
    moved = jitter(image.expand(n, *image.shape), stream(0, "jitter")).contiguous()
    drawn = dict.fromkeys(ways, 0)
    for one in moved.numpy():
        drawn[one.tobytes()] += 1
    assert len(ways) == (2 * reach + 1) ** 2 * (1 + mirror)
    assert min(drawn.values()) > 200 - 5 * 200**0.5 and max(drawn.values()) < 200 + 5 * 200**0.5


def test_augmented_batches_are_not_the_images_themselves():
    split = numbered(30, (1, 8, 8))
    (images, labels), *_ = batches(split, 30, generator=stream(0, "pass"), augment=True)
    same = (images == split.images[labels] / 255).flatten(1).all(1)
    assert same.float().mean() < 0.5


def test_a_batch_of_one_is_refused():
    with pytest.raises(UserError, match=r"^batch size out of range: got 1; expected 2 to 1000000000, a whole number$"):
        next(batches(numbered(5), 1, generator=stream(0), augment=False))


def test_a_training_set_of_one_is_refused():
    with pytest.raises(UserError, match=r"^too few training images: got 1; expected at least 2$"):
        next(batches(numbered(1), 4, generator=stream(0), augment=False))


def test_evaluation_takes_single_images():
    assert [len(labels) for _, labels in evaluation_batches(numbered(1), 4)] == [1]
    with pytest.raises(UserError, match=r"^batch size out of range: got 0"):
        next(evaluation_batches(numbered(5), 0))


@pytest.mark.gpu
def test_a_pass_never_waits_for_the_device():
    split = numbered(1000, (3, 32, 32))
    split = Split(split.images.cuda(), split.labels.cuda())
    generator = stream(0, "pass", device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        shown = [labels for _, labels in batches(split, 128, generator=generator, augment=True)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert sorted(torch.cat(shown).tolist()) == list(range(1000))
