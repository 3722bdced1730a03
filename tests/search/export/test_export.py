"""`export` of studies that were really run: its files, what is read back from them, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search.cli import main
from search.export.checks import MOST_FLIPS
from search.export.folders import FILES
from search.export.latency import TURNS
from search.export.programs import IR, OPSET

Capture = pytest.CaptureFixture[str]
PLACE = ["--device", "cpu", "--cache", "cache"]
SEARCH = ["--network", "fcn2", "--epsilon", "0.05", "--epochs", "1", "--train-images", "600"]
SMALL = ["--images", "12", "--steps", "2", "--restarts", "1", "--queries", "5", "--binarized", "0", "--twins", ""]
SPACE = 'precisions = ["fp", "xnor"]\nmembers = [2]\nfull_precision = [1]\ninput_bits = [4]\nwidths = [0.25]\n'
NETWORK_FILES = ["model.onnx", "model.pt2", "packed.npz", "weights.safetensors"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that was run, and its export."""
    folder = tmp_path_factory.mktemp("exporting")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.toml").write_text(SPACE)
        budget = ["--images", "40", "--steps", "2"]
        assert main(["--space", "space.toml", "--trials", "1", "--out", "study", *SEARCH, *budget, *PLACE]) == 0
        assert main(["export", "study", "--out", "exported", *PLACE]) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(workspace)
    capsys.readouterr()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], None]], None]:
    """Let the files be copies of those exported before, changed by a function before they are verified."""

    def use(change: Callable[[Path], None]) -> None:
        def copied(folder: Path, subject: object) -> None:
            for name in ("config.json", *NETWORK_FILES):
                shutil.copy(Path("exported") / name, folder / name)
            change(folder)

        monkeypatch.setattr("search.commands.export.write_network", copied)
        monkeypatch.setattr("search.export.verification.measure_latency", lambda *_: ())

    return use


def found(folder: str = "exported") -> dict:
    return json.loads(Path(folder, "verify.json").read_text())


def test_all_files_are_there_and_were_judged() -> None:
    assert {path.name for path in Path("exported").iterdir()} == set(FILES)
    data = found()
    assert data["deployable"] is True
    assert data["failures"] == []
    assert all(one["passed"] for one in data["checks"])
    for name in NETWORK_FILES:
        named = [one["name"] for one in data["checks"] if one["file"] == name]
        assert {"can be read and run", "same classes as PyTorch", "accuracy on validation images"} <= set(named)
        assert "accuracy on attacked validation images" in named
        assert data["measured"]["test"][name] == {**data["measured"]["test"][name], "images": 1000, "flips": 0}
        assert data["measured"]["attacked"][name]["images"] == 40
    for name, digest in data["sha256"].items():
        assert hashlib.sha256(Path("exported", name).read_bytes()).hexdigest() == digest
    assert set(data["sha256"]) == {"config.json", *NETWORK_FILES}


def test_what_is_read_back_is_what_the_lock_claims() -> None:
    lock, data = json.loads(Path("study/selected.json").read_text()), found()
    for name in NETWORK_FILES:
        assert data["measured"]["claimed"][name]["accuracy"] == lock["measurements"]["acc"]["value"]
        assert data["measured"]["attacked"][name]["accuracy"] == lock["measurements"]["pgd"]["value"]
        attacked = data["measured"]["attacked"][name]
        assert attacked["fooled"] == attacked["of_wrong"] > 0


def test_sizes_and_times_stand_beside_float32() -> None:
    data = found()
    floats = 784 * 150 + 3 * 150 * 150 + 150 * 10
    assert data["sizes"]["float32 weights of one network"] == 4 * floats
    for name in NETWORK_FILES:
        assert data["sizes"][name] == Path("exported", name).stat().st_size
    assert data["sizes"]["packed.npz"] < data["sizes"]["weights.safetensors"]
    assert [one["batch"] for one in data["latency"]] == [1, 64]
    for one in data["latency"]:
        assert one["exported_seconds_per_image"] > 0
        ratio = one["exported_seconds_per_image"] / one["float32_seconds_per_image"]
        assert one["ratio"] == pytest.approx(ratio)


def test_the_configuration_says_all_that_a_program_needs() -> None:
    data = json.loads(Path("exported/config.json").read_text())
    lock = json.loads(Path("study/selected.json").read_text())
    assert data["candidate"] == lock["candidate"] == "in4:fp+xnor:x0.25"
    assert data["input"]["shape"] == ["batch", 1, 28, 28]
    assert data["classes"] == 10
    assert data["graphs"]["model.onnx"] == {"opset": 20, "ir_version": 10}
    for name in ("protocol", "budget", "verification", "measurements", "verdict", "members", "split_seed"):
        assert data[name] == lock[name]
    assert {"torch", "onnx", "onnxruntime", "bitfront", "code"} <= data["versions"].keys()


def test_the_card_says_what_it_is_and_how_far_it_carries() -> None:
    text = Path("exported/model_card.md").read_text()
    for part in (
        "`in4:fp+xnor:x0.25` on `mnist5k`",
        "**deployable**",
        "at most 0.05 (l-infinity",
        "verdict: **",
        "not confirmed: its numbers are those of the search",
        "Creative Commons Attribution-ShareAlike 3.0",
        "Limits of the claim",
        "0 of 1000 test images",
        "| accuracy, validation images | accuracy, attacked validation images |",
    ):
        assert part in text
    assert "**not deployable**" not in text


def test_an_earlier_export_is_replaced_and_json_is_printed(quick, capsys: Capture) -> None:
    shutil.copytree("exported", "again")
    Path("again/model_card.md").write_text("old")
    quick(lambda folder: None)
    assert main(["export", "study/selected.json", "--out", "again", "--json", *PLACE]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["folder"], data["deployable"]) == ("again", True)
    assert Path("again/model_card.md").read_text().startswith("# `in4:fp+xnor:x0.25`")
    assert {path.name for path in Path("again").iterdir()} == set(FILES)
    assert not list(Path().glob(".again*"))


def flipped(name: str) -> Callable[[Path], None]:
    """Another value in the middle of each 997 bytes, where the weights are."""

    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        for place in range(2000, len(content) - 2000, 997):
            content[place] ^= 255
        (folder / name).write_bytes(content)

    return change


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:1000]) and None


@pytest.mark.parametrize("name", NETWORK_FILES)
@pytest.mark.parametrize("damage", [flipped, cut])
def test_what_is_damaged_after_writing_is_not_deployable(name, damage, quick, capsys: Capture) -> None:
    out = f"{damage.__name__}-{name}"
    quick(damage(name))
    assert main(["export", "study", "--out", out, *PLACE]) == 2
    printed = capsys.readouterr()
    line = printed.err.splitlines()[-1]
    assert line[:45].replace('"', "'").startswith("bitfront: error: not deployable: got '")
    assert f"{name}: " in line
    assert "deployable: all" not in printed.out
    data = found(out)
    assert data["deployable"] is False
    assert data["failures"]
    assert all(one.startswith(f"{name}: ") for one in data["failures"])
    assert "**not deployable**" in Path(out, "model_card.md").read_text()
    assert {path.name for path in Path(out).iterdir()} == set(FILES)


def test_a_damaged_config_fails_what_depends_on_it(quick, capsys: Capture) -> None:
    quick(lambda folder: (folder / "config.json").write_text("{}") and None)
    assert main(["export", "study", "--out", "no-config", *PLACE]) == 2
    assert {one.partition(":")[0] for one in found("no-config")["failures"]} == {"packed.npz", "weights.safetensors"}


def test_weights_of_another_network_fail(quick, capsys: Capture) -> None:
    """The files agree with one another, but not with the network: an untrained one of the same shape."""

    def swapped(folder: Path) -> None:
        import safetensors.torch
        import torch

        path = folder / "weights.safetensors"
        values = safetensors.torch.load(path.read_bytes())
        values["members.0.body.1.weight"] = torch.roll(values["members.0.body.1.weight"], 7)
        path.write_bytes(safetensors.torch.save(values))

    quick(swapped)
    assert main(["export", "study", "--out", "swapped", *PLACE]) == 2
    assert any("same classes as PyTorch" in one for one in found("swapped")["failures"])


@pytest.mark.parametrize(("objective", "exam"), [("acc", "accuracy on val"), ("pgd", "accuracy on attacked val")])
def test_a_claim_that_the_files_do_not_keep_fails(objective, exam, quick, capsys: Capture) -> None:
    data = json.loads(Path("study/selected.json").read_text())
    data["measurements"][objective] |= {"value": 0.999, "stderr": 0.001}
    Path(f"{objective}.json").write_text(json.dumps(data))
    quick(lambda folder: None)
    assert main(["export", f"{objective}.json", "--out", f"claim-{objective}", *PLACE]) == 2
    failed = found(f"claim-{objective}")["failures"]
    assert len(failed) == len(NETWORK_FILES)
    assert all(exam in one for one in failed)


def test_another_network_than_the_locks_is_refused(capsys: Capture) -> None:
    data = json.loads(Path("study/selected.json").read_text())
    data["members"][1]["weights"] = "0" * 64
    Path("other.json").write_text(json.dumps(data))
    assert main(["export", "other.json", "--out", "other", *PLACE]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "not the network of the lock: got 'other weights of member 2'; hint: evaluate --from-lock" in line
    assert not list(Path().glob("*other"))


def foreign_file() -> None:
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("precious")


def export_and_more() -> None:
    shutil.copytree("exported", "taken")
    Path("taken/notes.md").write_text("precious")


def a_file() -> None:
    Path("taken").write_text("precious")


def a_link() -> None:
    Path("elsewhere").mkdir(exist_ok=True)
    Path("taken").symlink_to("elsewhere")


def half_an_export() -> None:
    Path("taken").mkdir()
    Path("taken/config.json").write_text("{}")


@pytest.mark.parametrize("taken", [foreign_file, export_and_more, a_file, a_link, half_an_export])
def test_a_folder_that_holds_anything_else_is_refused(taken, tmp_path, monkeypatch, capsys: Capture) -> None:
    shutil.copytree("exported", tmp_path / "exported")
    shutil.copytree("study", tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    taken()
    before = sorted(Path("taken").rglob("*")) if Path("taken").is_dir() else Path("taken").read_text()
    assert main(["export", "study", "--out", "taken", *PLACE]) == 2
    assert "--out is taken: got 'taken'; expected a new folder, an empty one, or an earlier export" in (
        capsys.readouterr().err
    )
    assert before == (sorted(Path("taken").rglob("*")) if Path("taken").is_dir() else Path("taken").read_text())


def test_an_interrupted_export_leaves_nothing(monkeypatch, capsys: Capture) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("search.commands.export.verify", interrupted)
    monkeypatch.setattr("search.commands.export.write_network", lambda folder, _: (folder / "half").write_text("x"))
    assert main(["export", "study", "--out", "interrupted", *PLACE]) == 130
    assert not list(Path().glob("*interrupted*"))
    assert not list(Path().glob(".interrupted*"))


def test_what_is_no_lock_is_refused(capsys: Capture) -> None:
    assert main(["export", "space.toml", "--out", "x", *PLACE]) == 2
    assert "damaged lock file: got 'space.toml'" in capsys.readouterr().err
    assert main(["export", "nowhere", "--out", "x", *PLACE]) == 2
    assert "no lock file: got 'nowhere'" in capsys.readouterr().err
    assert main(["export", "study", *PLACE]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_confirmed_network_is_judged_on_test_images(capsys: Capture) -> None:
    """Trained again, attacked on test images by what confirmation attacked it with: the numbers are the same."""
    confirming = ["confirm", "study", "--seeds", "1", "--epochs", "2", "--train-images", "600"]
    shutil.copytree("study", "confirmed-study")
    confirming[1] = "confirmed-study"
    assert main([*confirming, *SMALL, *PLACE]) == 0
    assert main(["select", "confirmed-study", "--cache", "cache", "--device", "cpu"]) == 0
    lock = json.loads(Path("confirmed-study/selected.json").read_text())
    assert (lock["confirmed"], lock["part"]) == (True, "test")
    assert main(["export", "confirmed-study", "--out", "confirmed-export", *PLACE]) == 0
    data = found("confirmed-export")
    for name in NETWORK_FILES:
        attacked = data["measured"]["attacked"][name]
        assert (attacked["images"], attacked["accuracy"]) == (12, lock["measurements"]["pgd"]["value"])
        assert data["measured"]["claimed"][name]["accuracy"] == lock["measurements"]["acc"]["value"]
    assert "measured on test images that no search has seen" in Path("confirmed-export/model_card.md").read_text()


def snippets() -> list[str]:
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def test_the_snippets_of_the_page_run(capsys: Capture) -> None:
    import numpy as np
    import safetensors.numpy
    import torch

    run, unpack = snippets()
    seen: dict = {}
    exec(compile(run, "docs/export.md", "exec"), seen)
    images = torch.from_numpy(seen["grey_levels"]).float() / 255
    expected = torch.export.load("exported/model.pt2").module()(images)
    assert np.array_equal(seen["classes"], expected[0].numpy())
    assert np.allclose(seen["probabilities"], expected[1].numpy(), atol=1e-5)
    exec(compile(unpack, "docs/export.md", "exec"), seen)
    values = safetensors.numpy.load(Path("exported/weights.safetensors").read_bytes())
    assert len(seen["weights"]) == 3  # the hidden layers of the one binary member
    for name, weight in seen["weights"].items():
        assert np.array_equal(weight, values[name])


def test_the_page_names_every_file_and_the_limit_of_flips() -> None:
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in FILES)
    assert f"at most {100 * MOST_FLIPS:g} %" in page
    assert f"medians of {TURNS} turns" in page
    assert f"opset {OPSET}, IR version {IR}" in page
