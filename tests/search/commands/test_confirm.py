"""`confirm` on a study that was really run: against an audit, against the study itself, interrupted, and its files."""

import csv
import json
import re
import shlex
import shutil
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.image import imread

from evaluators.robustness.verification.settings import Verification
from evaluators.robustness.verification.verify import Verifier
from search.cli import main, parse
from search.commands.confirm import title_of
from search.confirming import Confirming, on_test
from search.formats import bounded
from search.opening import evaluator_of_lock, evaluator_of_study
from search.pictures import scene_of
from search.tables.confirmed import confirmation_csv, print_confirmation, sentences
from space import Candidate
from studies import Study, read_confirmation, read_lock
from studies.confirmation.plan import fresh_seeds
from studies.selection.rules.reading import FORMS

Capture = pytest.CaptureFixture[str]
PLACE = ["--device", "cpu", "--cache", "cache"]
SEARCH = ["--network", "fcn2", "--epsilon", "0.05", "--epochs", "1", "--train-images", "600"]
SMALL = ["--images", "12", "--steps", "2", "--restarts", "1", "--queries", "5", "--binarized", "0", "--twins", ""]
EFFORT = Verification(images=12, steps=2, restarts=1, queries=5, binarized=0, twins=())
CONFIRM = ["confirm", "study", "--seeds", "2", "--epochs", "2", "--train-images", "600", *SMALL, *PLACE]
SPACE = 'precisions = ["fp", "xnor"]\nmembers = [1]\nfull_precision = [0]\ninput_bits = [8]\nwidths = [0.125, 0.25]\n'
HERE = Namespace(dataset="", device="cpu", cache=Path("cache"), data_root=None, download=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that was run and confirmed, and its members."""
    folder = tmp_path_factory.mktemp("confirmed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.toml").write_text(SPACE)
        budget = ["--images", "20", "--steps", "2"]
        assert main(["--space", "space.toml", "--trials", "3", "--out", "study", *SEARCH, *budget, *PLACE]) == 0
        assert main(CONFIRM) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(workspace)
    capsys.readouterr()


def test_it_leaves_its_files_and_prints_who_stands(capsys: Capture) -> None:
    assert main(CONFIRM) == 0
    printed = capsys.readouterr()
    assert printed.err.count("kept from before") == printed.err.count("[") > 0
    found = read_confirmation("study")
    assert found is not None
    assert found.complete
    assert (found.budget.epochs, found.budget.train_images, found.seeds) == (2, 600, fresh_seeds(0, 2))
    for row in found.rows:
        assert row.candidate in printed.out
    assert sentences(found)[0] in printed.out
    rows = list(csv.DictReader(Path("study/confirmed.csv").read_text().splitlines()))
    assert confirmation_csv(found) == Path("study/confirmed.csv").read_text()
    for line, row in zip(rows, found.rows, strict=True):
        assert (line["candidate"], line["stands"]) == (row.candidate, str(row.stands))
        assert float(line["pgd"]) == row.measurements["pgd"].value
        assert [float(line[f"acc_seed{place}"]) for place in (1, 2)] == [
            one.measurements["acc"].value for one in row.seeds
        ]
        assert float(line["acc_proxy"]) == row.proxy["acc"].value
    assert (imread("study/confirmed.png") < 0.5).any()
    assert main([*CONFIRM, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path("study/confirmed.json").read_text())


@pytest.mark.parametrize("name", ["confirmed.json", "confirmed.csv", "confirmed.png"])
def test_a_file_that_cannot_be_written_is_one_line(name: str, capsys: Capture) -> None:
    study = shutil.copytree("study", Path(f"taken-{name}"))
    (study / name).unlink()
    (study / name).mkdir()
    assert main([CONFIRM[0], str(study), *CONFIRM[2:]]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"bitfront: error: output folder: got '{study}'; expected a folder that can be written")


def test_a_title_can_be_drawn_whatever_the_data_set_is_called() -> None:
    study, found = Study.load("study"), read_confirmation("study")
    assert found is not None
    protocol = replace(study.config.protocol, dataset="latin\udce9.npz")
    odd = SimpleNamespace(config=replace(study.config, protocol=protocol))
    assert title_of(odd, found).startswith("latin?.npz, fcn2, ε = 0.05")  # type: ignore[arg-type]


def test_other_seeds_train_other_networks_on_the_test_images() -> None:
    found = read_confirmation("study")
    assert found is not None
    keys = [member.key for row in found.rows for one in row.seeds for member in one.members]
    assert len(set(keys)) == len(keys)
    for row in found.rows:
        for one in row.seeds:
            assert (one.measurements["pgd"].n, one.measurements["acc"].n) == (12, 1000)
            assert all(member.weights for member in one.members)


def test_by_the_seed_and_budget_of_the_search_it_is_the_audit(capsys: Capture) -> None:
    """The second route: `audit` verifies the very same networks."""
    assert main(["audit", "study", *SMALL, *PLACE, "--out", "audited", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    study = Study.load("study")
    evaluator = evaluator_of_study(study, HERE)
    for entry in entries:
        candidate = Candidate.parse(entry["candidate"])
        found = dict(on_test(evaluator, candidate, ("acc", "pgd"), EFFORT, lambda text: None))
        assert found["pgd"].value == entry["worst"]["value"]
        assert found["pgd_naive"].value == entry["naive"]["value"]
        assert found["certified"].value == entry["certified"]["value"]
        [clean] = evaluator.judge(candidate, [None], part="test")
        assert found["acc"].value == clean.value


def test_on_validation_images_the_full_budget_of_one_epoch_is_the_search(capsys: Capture) -> None:
    """The member that a confirmation trains by the search's seed and budget is the search's own."""
    study = Study.load("study")
    evaluator = evaluator_of_study(study, HERE)
    confirming = Confirming(evaluator=evaluator, settings=EFFORT, names=("acc",), tell=lambda text: None)
    for record in study.front():
        candidate = Candidate.parse(record.candidate)
        result = confirming.measure(candidate, study.config.protocol.seed)
        assert result.members == evaluator.identities(candidate)
        again = dict(evaluator.measure(candidate, ("acc", "pgd")))
        assert {name: again[name].value for name in ("acc", "pgd")} == {
            name: record.measurements[name].value for name in ("acc", "pgd")
        }


def test_select_takes_a_confirmed_row_and_its_lock_is_built_again(capsys: Capture) -> None:
    assert main(["select", "study", *PLACE]) == 0
    out = capsys.readouterr().out
    assert "confirmed candidates: means of 2 fresh seeds, 2 epochs, on test images" in out
    lock, found = read_lock("study"), read_confirmation("study")
    assert found is not None
    row = next(row for row in found.rows if row.number == lock.number)
    assert lock.confirmed
    assert scene_of(Study.load("study")).confirmed
    assert lock.measurements == row.seeds[0].measurements
    for cache in ("cache", "elsewhere"):
        assert main(["evaluate", "--from-lock", "study", "--device", "cpu", "--cache", cache]) == 0
        assert "the same network bit for bit: the weights of 1 member, and all " in capsys.readouterr().out
    evaluator = evaluator_of_lock(lock, HERE)
    assert evaluator.identities(lock.candidate) == lock.members
    assert main(["select", "study", "--unconfirmed", *PLACE]) == 0
    assert "the search's own measurements, not confirmed ones; `confirm study`" in capsys.readouterr().out
    assert not read_lock("study").confirmed
    assert not scene_of(Study.load("study")).confirmed


def test_a_run_says_that_it_chose_among_confirmed_rows(capsys: Capture) -> None:
    """Its table is of the search, which may say another front and other values."""
    budget = ["--images", "20", "--steps", "2"]
    assert main(["--space", "space.toml", "--trials", "3", "--out", "study", *SEARCH, *budget, *PLACE]) == 0
    told = r"^from: +\d confirmed candidates: means of 2 fresh seeds, 2 epochs, on test images$"
    assert re.search(told, capsys.readouterr().out, flags=re.MULTILINE)


def test_an_interrupted_confirmation_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    calls = []
    real = Confirming.measure

    def once(self: Confirming, candidate: Candidate, seed: int) -> object:
        calls.append((str(candidate), seed))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, candidate, seed)

    monkeypatch.setattr(Confirming, "measure", once)
    words = [*CONFIRM, "--near", "1", "--out", str(tmp_path)]
    assert main(words) == 130
    printed = capsys.readouterr()
    assert "interrupted; everything finished is kept" in printed.err
    assert "trainings are missing; the same command goes on" in printed.out
    part = read_confirmation(tmp_path)
    assert part is not None
    assert not part.complete
    assert sum(len(row.seeds) for row in part.rows) == 1
    assert main(words) == 0
    whole, before = read_confirmation(tmp_path), read_confirmation("study")
    assert whole is not None
    assert before is not None
    assert whole.complete
    assert len(calls) == 1 + sum(len(row.seeds) for row in whole.rows)
    rows = {row.number: row for row in before.rows}
    for row in whole.rows:
        for one, other in zip(row.seeds, rows[row.number].seeds, strict=True):
            values = [{n: m.value for n, m in result.measurements.items()} for result in (one, other)]
            assert values[0] == values[1]
            assert one.members == other.members


def test_a_finished_confirmation_makes_way_only_for_a_finished_one(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def interrupt(self: Confirming, candidate: Candidate, seed: int) -> object:
        raise KeyboardInterrupt

    study = shutil.copytree("study", Path("spared"))
    files = [study / f"confirmed.{kind}" for kind in ("json", "csv", "png")]
    before = [file.read_bytes() for file in files]
    with monkeypatch.context() as patch:
        patch.setattr(Confirming, "measure", interrupt)
        words = ["confirm", "spared", "--seeds", "1", "--epochs", "1", "--train-images", "500", *SMALL, *PLACE]
        assert main(words) == 130
        printed = capsys.readouterr()
        assert "files: those of the finished confirmation stay until this one is finished" in printed.out
        assert "fell" not in printed.out, "nothing was measured"
        assert [file.read_bytes() for file in files] == before
        files[0].write_text("{")
        assert main(words) == 130, "a damaged one is not spared"
        found = read_confirmation(study)
        assert found is not None
        assert not found.complete
        assert not files[2].exists(), "a picture of something else"
    assert main(words) == 0
    assert read_confirmation(study) != found


def test_a_training_that_diverges_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(self: Verifier, candidate: Candidate, searched: object) -> None:
        raise FloatingPointError("loss is nan")

    monkeypatch.setattr(Verifier, "verify", diverge)
    confirming = Confirming(
        evaluator=evaluator_of_study(Study.load("study"), HERE),
        settings=EFFORT,
        names=("acc", "pgd"),
        tell=lambda text: None,
    )
    result = confirming.measure(Candidate.parse("fp:x0.125"), 0)
    assert result.failure == "the training diverged (loss is nan)"
    assert result.measurements.keys() >= {"acc", "bops"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "no study: got 'nosuch'"),
        (["study", "--near", "2"], "--near: got '2'; expected a number from 0 to 1"),
        (["study", "--seeds", "0"], "seeds out of range: got 0"),
        (["study", "--epochs", "0"], "epochs out of range: got 0"),
        (["study", "--steps", "0"], "attack steps out of range: got 0"),
        (["study", "--twins", "none"], "unknown recipe of a twin: got 'none'"),
        (["study", "--out", "space.toml/below"], "output folder: got 'space.toml/below'"),
    ],
)
def test_what_cannot_be_confirmed_is_refused_in_one_line(words: list[str], said: str, capsys: Capture) -> None:
    assert main(["confirm", *words, *PLACE]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_sentences_tell_who_fell_who_came_and_how_far_off_the_search_was() -> None:
    found = read_confirmation("study")
    assert found is not None
    first, *_ = found.rows
    moved = {name: replace(one, value=one.value + 0.1) for name, one in first.proxy.items() if one.n}
    fallen = replace(first, number=7, on_front=True, reason="beaten by #1", measurements={**first.proxy, **moved})
    risen = replace(first, number=8, on_front=False, reason="", measurements={**first.proxy, **moved})
    told = sentences(replace(found, rows=(risen, fallen)))
    assert told[0] == f"0 of the front's 1 stand; from beside it came #8 {first.candidate}"
    assert told[1] == f"#7 {first.candidate} fell: beaten by #1"
    assert told[2] == "from search to confirmed: acc +10.0 points on average (+10.0 to +10.0)"


def test_eighty_columns_hold_every_figure(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The table is wider: there, numbers lost their exponents, and candidates their names."""
    found = read_confirmation("study")
    assert found is not None
    monkeypatch.setenv("COLUMNS", "80")
    print_confirmation(found, "what was confirmed")
    told = "".join(capsys.readouterr().out.split())
    for row in found.rows:
        figures = [bounded(row.measurements[name]) for name in found.objectives]
        assert all("".join(text.split()) in told for text in (row.candidate, *figures))


@pytest.fixture(autouse=True)
def same_lock() -> Iterator[None]:
    """The study's lock is as the run left it, whatever a test selects."""
    lock = Path("study/selected.json")
    before = lock.read_bytes()
    yield
    lock.write_bytes(before)


def commands(page: str) -> list[str]:
    """What a page of the documentation tells to type."""
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^python -m search (.*)$", text, flags=re.MULTILINE)


@pytest.fixture
def run_of_the_pages() -> Iterator[Path]:
    """The study where the pages look for it."""
    folder = Path("runs/mnist5k-mnistconv")
    if not folder.exists():
        shutil.copytree("study", folder)
    yield folder


@pytest.mark.parametrize("command", commands("confirm.md"))
def test_the_commands_of_the_page_on_confirming_run(command: str, run_of_the_pages: Path, capsys: Capture) -> None:
    """At an effort of seconds; later flags win."""
    words = [*shlex.split(command), *SMALL, *PLACE, "--seeds", "1", "--epochs", "1", "--train-images", "200"]
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", commands("select.md"))
def test_the_commands_of_the_page_on_selecting_run(command: str, run_of_the_pages: Path, capsys: Capture) -> None:
    words = shlex.split(command.replace("acc>=0.3", "acc>=0.05"))  # networks of seconds are no better
    assert main([*words, *PLACE]) == 0
    assert capsys.readouterr().out


def test_the_page_on_confirming_names_every_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "confirm.md").read_text(encoding="utf-8")
    args = parse(["confirm", "study"])
    for name in ("near", "seeds", "train_images", "images", "steps", "restarts", "queries", "binarized"):
        assert f"--{name.replace('_', '-')} {getattr(args, name)}" in page
    assert args.epochs is None
    for script in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(script.replace("runs/mnist5k-mnistconv", "study"), "confirm.md", "exec"), {})


def test_the_page_on_selecting_names_every_rule_and_entry_of_the_lock() -> None:
    page = (Path(__file__).parents[3] / "docs" / "select.md").read_text(encoding="utf-8")
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    named = {name for text in re.findall(r"`([^`]+)`", page) for name in text.split(", ")}
    assert named >= read_lock("study").to_json().keys()
    assert all(f"| `{name}" in page for name in FORMS)
