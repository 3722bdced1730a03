"""Which trained network: the same tensors have the same fingerprint, anything else has another."""

import pytest
import torch

from evaluators.identity import fingerprint

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3)}


def test_the_same_tensors_have_the_same_fingerprint():
    again = {"b": torch.tensor(3), "a": torch.arange(6.0).reshape(3, 2).T.reshape(2, 3) * 0 + WEIGHTS["a"]}
    assert fingerprint(again) == fingerprint(WEIGHTS)
    assert fingerprint({**WEIGHTS, "a": WEIGHTS["a"].T.contiguous().T}) == fingerprint(WEIGHTS)
    assert len(fingerprint({})) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"a": WEIGHTS["a"], "b": torch.tensor(4)},
        {"a": WEIGHTS["a"].reshape(3, 2), "b": WEIGHTS["b"]},
        {"a": WEIGHTS["a"].double(), "b": WEIGHTS["b"]},
        {"a": WEIGHTS["a"], "c": WEIGHTS["b"]},
        {"a": WEIGHTS["a"]},
        {"a": torch.nextafter(WEIGHTS["a"], torch.tensor(9.0)), "b": WEIGHTS["b"]},
    ],
)
def test_any_other_bit_name_shape_or_type_has_another(other):
    assert fingerprint(other) != fingerprint(WEIGHTS)


def test_it_is_that_of_the_bytes():
    """The second route: by hand, little-endian."""
    from hashlib import sha256

    content = b"a torch.float32 (2,)\n" + b"\x00\x00\x80?" + b"\x00\x00\x00\xc0"
    assert fingerprint({"a": torch.tensor([1.0, -2.0])}) == sha256(content).hexdigest()
