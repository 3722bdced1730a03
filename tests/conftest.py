from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

if TYPE_CHECKING:  # tests of packages that do without torch should start without it
    from object_server import ObjectServer
    from servers import Server

    from evaluators.cache import Store
    from evaluators.data import DataSet


def _has_data() -> bool:
    return bool(os.environ.get("BITFRONT_DATA"))


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _has_browser() -> bool:
    return shutil.which("chromium") is not None


def _has_postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _has_s3() -> bool:
    return all(map(find_spec, ("s3fs", "moto", "flask")))


NEEDS: dict[str, Callable[[], bool]] = {
    "data": _has_data,
    "gpu": _has_gpu,
    "browser": _has_browser,
    "postgresql": _has_postgresql,
    "s3": _has_s3,
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests whose mark names something that this machine lacks."""
    for mark, present in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(mark)]
        if marked and not present():
            config.hook.pytest_deselected(items=marked)
            items[:] = [item for item in items if item not in marked]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """With more, a convolution may sum one image in another order than many, and a value round to another level."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    from evaluators.cache import Store

    return Store(tmp_path / "cache")


@pytest.fixture(scope="session")
def mnist5k() -> DataSet:
    from evaluators.data import load

    return load("mnist5k")


@pytest.fixture(scope="session")
def complete() -> Path:
    """The folder with the complete sets, mnist.npz and cifar10.npz; for tests marked `data` only."""
    return Path(os.environ["BITFRONT_DATA"])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL server of this session's own; for tests marked `postgresql` only."""
    from servers import Server

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        server = Server(Path(folder) / "s")
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    """A server that speaks S3, of this session's own; for tests marked `s3` only."""
    from object_server import ObjectServer

    server = ObjectServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new bucket; the environment leads to it, as a user's would."""
    for name, value in object_server.environment.items():
        monkeypatch.setenv(name, value)
    return object_server.fresh()
