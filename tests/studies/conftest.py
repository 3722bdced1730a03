"""What the tests of studies share."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_power_cuts(monkeypatch):
    """Flushing to the disk guards against power cuts, which no test makes, and takes most of the time.

    Processes that a test starts, and so those it kills, flush as ever; so do the tests of storages.
    """
    monkeypatch.setattr(os, "fsync", lambda handle: None)
