"""Kernels where no folder can be written: an installation of another user, in a container without a home."""

import numpy as np
import pytest
from numba.core import caching

from evaluators.quantizers.kernels import _compiled


def doubled(x, out):
    for i in range(x.size):
        out[i] = 2 * x[i]


@pytest.fixture
def nowhere(monkeypatch):
    """No place for compiled code."""
    for impl in (caching.CacheImpl, *caching.CacheImpl.__subclasses__()):
        monkeypatch.setattr(impl, "_locator_classes", [], raising=False)


def test_a_kernel_that_cannot_be_kept_is_compiled_all_the_same(nowhere):
    x, out = np.arange(3.0), np.zeros(3)
    _compiled(doubled)(x, out)
    assert out.tolist() == [0.0, 2.0, 4.0]
