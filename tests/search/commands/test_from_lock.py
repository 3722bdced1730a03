"""`evaluate --from-lock`: the very network of a lock file, built again from a study that was really run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from journals import unchecked

from evaluators.identity import fingerprint
from search.cli import main
from search.opening import evaluator_of_lock
from studies import read_lock

Capture = pytest.CaptureFixture[str]
PLACE = ["--device", "cpu", "--cache", "cache"]
SEARCH = ["--network", "fcn2", "--epsilon", "0.05", "--epochs", "1", "--train-images", "600"]
SPACE = 'precisions = ["fp", "xnor"]\nmembers = [2]\nfull_precision = [1]\ninput_bits = [4]\nwidths = [0.125, 0.25]\n'


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that was run, and its members."""
    folder = tmp_path_factory.mktemp("locked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.toml").write_text(SPACE)
        budget = ["--images", "20", "--steps", "2"]
        assert main(["--space", "space.toml", "--trials", "2", "--out", "study", *SEARCH, *budget, *PLACE]) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(workspace)
    capsys.readouterr()


def changed(name: str, **changes: object) -> str:
    """A copy of the study's lock file with other entries."""
    data = json.loads(Path("study/selected.json").read_text()) | changes
    Path(name).write_text(json.dumps(data))
    return name


def test_a_run_locks_the_weights_of_its_members() -> None:
    lock = read_lock("study")
    assert len(lock.members) == len(lock.candidate.members) == 2
    for one in lock.members:
        from safetensors.torch import load_file

        assert one.weights == fingerprint(load_file(f"cache/{one.key}.safetensors"))


@pytest.mark.parametrize("cache", ["cache", "another"])
def test_it_is_the_same_network_from_the_cache_and_trained_again(cache: str, capsys: Capture) -> None:
    assert main(["evaluate", "--from-lock", "study", "--device", "cpu", "--cache", cache]) == 0
    out = capsys.readouterr().out
    assert "the same network bit for bit: the weights of 2 members, and all " in out
    assert main(["evaluate", "--from-lock", "study/selected.json", "--device", "cpu", "--cache", cache, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["same"], data["weights_compared"], data["differences"]) == (True, True, [])
    assert data["measurements"].keys() == data["locked"].keys() >= {"acc", "pgd", "bops"}
    values = {name: one["value"] for name, one in data["measurements"].items()}
    assert values == {name: one.value for name, one in read_lock("study").measurements.items()}


def test_other_weights_and_other_values_are_told_apart(capsys: Capture) -> None:
    lock = json.loads(Path("study/selected.json").read_text())
    members = [lock["members"][0], lock["members"][1] | {"weights": "f" * 64}]
    measurements = lock["measurements"] | {"acc": lock["measurements"]["acc"] | {"value": 0.125}}
    versions = lock["versions"] | {"torch": "1.0"}
    changed("other.json", members=members, measurements=measurements, versions=versions)
    assert main(["evaluate", "--from-lock", "other.json", *PLACE]) == 2
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert last.startswith("bitfront: error: not the network of the lock: got ")
    assert "not the network of the lock: other weights of member 2 (" in printed.out
    assert "12.50 %" in printed.out
    assert last.endswith("here, 1.0 then")


def test_without_hashes_it_does_not_say_bit_for_bit(capsys: Capture) -> None:
    lock = json.loads(Path("study/selected.json").read_text())
    changed("bare.json", members=[one | {"weights": None} for one in lock["members"]])
    assert main(["evaluate", "--from-lock", "bare.json", *PLACE]) == 0
    assert "it has no hash of the weights to compare with" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["xnor"], "a lock file has its own candidate and protocol: got 'xnor'"),
        (["--epsilon", "0.1"], "a lock file has its own candidate and protocol: got '--epsilon'"),
        (["--epochs=3"], "a lock file has its own candidate and protocol: got '--epochs'"),
        (["--objectives", "acc"], "a lock file has its own candidate and protocol: got '--objectives'"),
    ],
)
def test_what_the_lock_decides_is_refused_beside_it(words: list[str], said: str, capsys: Capture) -> None:
    assert main(["evaluate", *words, "--from-lock", "study", *PLACE]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_other_images_are_refused_by_both_checksums(capsys: Capture) -> None:
    lock = json.loads(Path("study/selected.json").read_text())
    changed("images.json", protocol=lock["protocol"] | {"checksum": "0123456789abcdef"})
    assert main(["evaluate", "--from-lock", "images.json", *PLACE]) == 2
    message = capsys.readouterr().err
    assert "0123456789abcdef" in message
    assert lock["protocol"]["checksum"] in message


def test_nothing_to_evaluate_is_said(capsys: Capture) -> None:
    assert main(["evaluate"]) == 2
    assert "nothing to evaluate; expected a candidate, or --from-lock" in capsys.readouterr().err
    assert main(["evaluate", "--from-lock", "nosuch"]) == 2
    assert "no lock file: got 'nosuch'" in capsys.readouterr().err


def test_select_locks_the_weights_too_and_does_without_images(capsys: Capture) -> None:
    copy = shutil.copytree("study", Path("copy"))
    before = read_lock(copy)
    (copy / "selected.json").unlink()
    assert main(["select", "copy", *PLACE]) == 0
    assert read_lock(copy).members == before.members
    journal = copy / "journal.log"
    journal.write_text(unchecked(journal).replace('"dataset":"mnist5k"', '"dataset":"gone.npz"'))
    capsys.readouterr()
    assert main(["select", "copy", *PLACE]) == 0
    assert "the lock file names no weights: " in capsys.readouterr().err
    assert read_lock(copy).members == ()


def test_select_without_the_cache_keeps_the_weights_that_the_lock_names(capsys: Capture) -> None:
    shutil.copytree("study", Path("kept"))
    known = read_lock("kept").members
    assert all(one.weights for one in known)
    assert main(["select", "kept", "--device", "cpu", "--cache", "elsewhere"]) == 0
    assert capsys.readouterr().err == ""
    assert read_lock("kept").members == known


def test_select_says_that_the_weights_are_not_in_the_cache(capsys: Capture) -> None:
    shutil.copytree("study", Path("a copy"))
    Path("a copy", "selected.json").unlink()
    assert main(["select", "a copy", "--device", "cpu", "--cache", "elsewhere"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "the lock file names no weights: they are not in the cache; hint: --cache as in the run\n"
    assert "`confirm 'a copy'`" in printed.out
    assert not any(one.weights for one in read_lock("a copy").members)


def test_the_evaluator_of_a_lock_builds_its_network(capsys: Capture) -> None:
    from argparse import Namespace

    lock = read_lock("study")
    place = Namespace(device="cpu", cache=Path("cache"), data_root=None, download=False)
    evaluator = evaluator_of_lock(lock, place)
    model = evaluator.ensemble(lock.candidate)
    prints = [fingerprint(member.state_dict()) for member in model.members]
    assert evaluator.identities(lock.candidate) == lock.members
    assert prints == [one.weights for one in lock.members]  # the space has no mappings


def test_the_lock_is_a_source_as_its_study_is(capsys: Capture) -> None:
    words = [
        "evaluate",
        "xnor",
        "--objectives",
        "transfer",
        *SEARCH,
        "--images",
        "10",
        "--steps",
        "1",
        *PLACE,
        "--json",
    ]
    found = []
    for source in ("study", "study/selected.json", str(read_lock("study").candidate)):
        assert main([*words, "--source", source]) == 0
        found.append(json.loads(capsys.readouterr().out)["protocol"]["source"])
    assert found == [str(read_lock("study").candidate)] * 3


def test_the_same_images_may_lie_elsewhere(capsys: Capture) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = (random.integers(0, 60, (300, 8, 8, 1)) + 60 * labels[:, None, None, None]).astype(np.uint8)
    arrays = {"x_train": images[:200], "y_train": labels[:200], "x_test": images[200:], "y_test": labels[200:]}
    np.savez("first.npz", **arrays)
    budget = ["--epochs", "1", "--images", "10", "--steps", "1", "--epsilon", "0.05", "--network", "fcn2"]
    words = ["--dataset", "first.npz", "--space", "space.toml", "--trials", "1", "--out", "own"]
    assert main([*words, *budget, *PLACE]) == 0
    Path("first.npz").rename("second.npz")
    capsys.readouterr()
    assert main(["evaluate", "--from-lock", "own", *PLACE]) == 2
    assert "first.npz" in capsys.readouterr().err
    assert main(["evaluate", "--from-lock", "own", "--dataset", "second.npz", *PLACE]) == 0
    assert "the same network bit for bit" in capsys.readouterr().out
    assert main(["evaluate", "--from-lock", "own", "--dataset", "mnist5k", *PLACE]) == 2
    assert "the lock file was made with other images of first.npz: got " in capsys.readouterr().err
