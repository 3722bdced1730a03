"""What a source that somebody wrote may give."""

import numpy as np
import pytest

from evaluators.data import load
from evaluators.data.arrays import Part, Source
from evaluators.data.sources import SOURCES
from space.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
LABELS = np.arange(40) % 2


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ((PIXELS / 255).astype(np.float32), LABELS, "images of a data set: got 'float32, 40×28×28×1'; expected uint8"),
        (PIXELS[..., 0], LABELS, "images of a data set: got 'uint8, 40×28×28'"),
        (np.repeat(PIXELS, 2, axis=3), LABELS, "images of a data set: got 'uint8, 40×28×28×2'"),
        (PIXELS, LABELS / 2, "labels of a data set: got 'float64, 40'"),
        (PIXELS, np.eye(2, dtype=int)[LABELS], "labels of a data set: got 'int64, 40×2'"),
    ],
)
def test_what_would_be_learnt_from_wrongly_is_refused_in_one_line(images, labels, message):
    """Pixels from 0 to 1 were all cut down to 0, and networks learnt from black images."""
    with pytest.raises(UserError, match=message):
        Part(images=images, labels=labels)


@pytest.mark.parametrize("labels", [LABELS.astype(np.int32), LABELS.astype(np.uint8), LABELS.tolist()])
def test_labels_may_be_any_integers(labels, monkeypatch):
    made = Source(train=Part(images=PIXELS, labels=labels), test=None)
    monkeypatch.setitem(SOURCES, "mine", lambda root, download: made)
    usual = Source(train=Part(images=PIXELS, labels=LABELS), test=None)
    data = load("mine")
    assert (data.checksum, data.classes) == (usual.checksum(), 2)
    assert str(data.train.labels.dtype) == "torch.int64"
