"""No pickle is ever loaded: one is planted under every path that reads a file, and leaves nothing behind."""

import ast
import gzip
import io
import json
import pickle
import sqlite3
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from optuna.storages.journal._base import BaseJournalSnapshot

sys.path.insert(0, str(Path(__file__).parents[1] / "studies"))

from closed_form import Arithmetic, config

from evaluators.cache import DamagedEntry, Store
from evaluators.data.sources import open_source
from search.reading import read_source, selected_in
from space import UserError, load_space
from studies import Stop, Study
from studies.papers.results import read_result
from studies.replay import Table
from studies.storage.journal import Journal

ROOT = Path(__file__).parents[2]
PACKAGES = ("space", "evaluators", "studies", "search", "benchmarks")
LOADERS = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "_pickle"}


class Planted:
    """Whoever loads it leaves a file behind."""

    def __init__(self, trap):
        self.trap = trap

    def __reduce__(self):
        return open, (str(self.trap), "w")


@pytest.fixture
def trap(tmp_path):
    """The file that a loaded pickle would leave; it works, and it must not be there at the end."""
    path = tmp_path / "trap"
    pickle.loads(pickle.dumps(Planted(path))).close()
    assert path.exists()
    path.unlink()
    yield path
    assert not path.exists(), "a pickle was loaded"


def torch_file(trap):
    file = io.BytesIO()
    torch.save({"weight": Planted(trap)}, file)
    return file.getvalue()


FORMS = {
    "text": lambda trap: pickle.dumps(Planted(trap), 0),
    "binary": lambda trap: pickle.dumps(Planted(trap), 4),
    "torch": torch_file,
    "gzip": lambda trap: gzip.compress(pickle.dumps(Planted(trap))),
    "zlib": lambda trap: pickle.dumps({b"data": Planted(trap), b"labels": [0]}, 2),
}


@pytest.fixture(params=FORMS)
def content(request, trap):
    """A malicious pickle as bytes."""
    return FORMS[request.param](trap)


def plant(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(use):
    """The use ends in a complaint."""
    with pytest.raises(UserError) as caught:
        use()
    assert str(caught.value).isprintable()


def test_images_of_an_npz_file(tmp_path, content, trap):
    plant(tmp_path / "own.npz", content)
    refused(lambda: open_source(str(tmp_path / "own.npz")))
    objects = np.empty(2, object)
    objects[:] = [Planted(trap), Planted(trap)]
    for name in ("x_train", "y_test"):
        arrays = {one: np.zeros(4, np.uint8) for one in ("x_train", "y_train", "x_test", "y_test")} | {name: objects}
        np.savez(tmp_path / "objects.npz", **arrays)
        refused(lambda: open_source(str(tmp_path / "objects.npz")))


def test_images_of_a_folder(tmp_path, content):
    for one in "ab":
        plant(tmp_path / "images" / one / "0.png", content)
        plant(tmp_path / "images" / one / "1.jpg", content)
    refused(lambda: open_source(f"folder:{tmp_path / 'images'}"))


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("cifar10", [f"cifar-10-batches-py/{one}" for one in ("batches.meta", "test_batch", "data_batch_1")]),
        ("cifar100", [f"cifar-100-python/{one}" for one in ("meta", "train", "test")]),
        ("mnist", ["MNIST/processed/training.pt", "MNIST/processed/test.pt", "MNIST/raw/train-images-idx3-ubyte"]),
    ],
)
def test_public_sets(tmp_path, content, name, files):
    for one in files:
        plant(tmp_path / one, content)
    refused(lambda: open_source(name, root=tmp_path))


@pytest.mark.parametrize("ending", ["safetensors", "json"])
def test_entries_of_the_cache(tmp_path, content, ending):
    store = Store(tmp_path / "cache")
    store.save("0" * 16, {"weight": torch.zeros(2)}, {"epochs": 1})
    plant(tmp_path / "cache" / f"{'0' * 16}.{ending}", content)
    with pytest.warns(DamagedEntry, match="damaged and ignored"):
        assert store.load("0" * 16) is None


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_the_journal_of_a_study(tmp_path, content, place):
    Study.open(tmp_path, config(sampler="random")).run(Arithmetic(), Stop(trials=2))
    lines = (tmp_path / "journal.log").read_bytes().splitlines(keepends=True)
    at = {"start": 0, "middle": len(lines) // 2, "end": len(lines)}[place]
    plant(tmp_path / "journal.log", b"".join([*lines[:at], content, b"\n", *lines[at:]]))
    if place == "end":
        assert len(Study.load(tmp_path).records()) == 2
    else:
        refused(lambda: Study.load(tmp_path))


def test_the_records_of_a_study_in_a_database(tmp_path, trap):
    url = f"sqlite:///{tmp_path}/trials.db"
    Study.open(tmp_path / "s", config(sampler="random"), url).run(Arithmetic(), Stop(trials=2))
    with sqlite3.connect(tmp_path / "trials.db") as database:
        database.execute("update trial_user_attributes set value_json = ?", (FORMS["text"](trap).decode("latin1"),))
        database.execute("update studies set study_name = study_name")
    database.close()
    refused(lambda: Study.load(tmp_path / "s").records())


@pytest.mark.parametrize("name", ["storage.json", "selected.json"])
def test_the_small_files_of_a_study(tmp_path, content, name):
    plant(tmp_path / "s" / name, content)
    refused(
        {"storage.json": lambda: Study.load(tmp_path / "s"), "selected.json": lambda: selected_in(tmp_path / "s")}[name]
    )
    refused(lambda: read_source(str(tmp_path / "s")))


def test_search_spaces_tables_and_results(tmp_path, content):
    refused(lambda: load_space(str(plant(tmp_path / "space.toml", content))))
    refused(lambda: Table.load(plant(tmp_path / "table.json.gz", content)))
    refused(lambda: Table.load(plant(tmp_path / "table.json.gz", gzip.compress(content))))
    assert read_result(plant(tmp_path / "result.json", content), {}) is None


def test_the_journal_keeps_no_snapshots_which_optuna_would_unpickle():
    assert not issubclass(Journal, BaseJournalSnapshot)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_code_here_can_load_one(package):
    for file in (ROOT / package).rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {one.split(".")[0] for one in names} & LOADERS, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
                words = {one.arg: ast.unparse(one.value) for one in node.keywords}
                if ast.unparse(node.func) == "torch.load":
                    assert words.get("weights_only") == "True", file
                if ast.unparse(node.func) in ("np.load", "numpy.load"):
                    assert words.get("allow_pickle", "False") == "False", file


def test_numpy_and_torch_load_none_unless_they_are_told_to(tmp_path, trap):
    """What the loaders above rely on."""
    objects = np.empty(1, object)
    objects[0] = Planted(trap)
    np.save(tmp_path / "objects.npy", objects)
    with pytest.raises(ValueError, match="allow_pickle"):
        np.load(tmp_path / "objects.npy")
    with warnings.catch_warnings(), pytest.raises(pickle.UnpicklingError):
        warnings.simplefilter("ignore")
        torch.load(plant(tmp_path / "checkpoint.pt", torch_file(trap)), weights_only=True)


def test_what_is_kept_beside_a_study_is_json(tmp_path):
    Study.open(tmp_path, config(sampler="random")).run(Arithmetic(), Stop(trials=2))
    for line in (tmp_path / "journal.log").read_text().splitlines():
        assert isinstance(json.loads(line), dict)
