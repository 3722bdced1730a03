"""The report's document and file, without a browser."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import shlex
from argparse import Namespace
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from evaluators import DIAGNOSTICS, OBJECTIVES, cost_report
from evaluators.base import Budget, Measurement, Protocol
from evaluators.diagnostics.table import Table
from evaluators.samples import Sample
from search.cli import main, parse
from search.opening import budget_of
from search.report import document_of, page_of
from search.report.again import diagnose_command
from search.report.choices import chosen_by
from search.report.images import as_json, data_uri
from search.report.importance import LEAST, importances
from search.report.markup import element
from search.report.page import SCRIPTS
from space import Candidate
from studies import Confirmation, ConfirmedRow, SeedResult, Study, hypervolume_trace

Use = Callable[..., None]
Capture = pytest.CaptureFixture[str]
HOSTILE = "</script><img src=x onerror=alert(1)><!--&amp;\u2028'\""
REPORT = Path(__file__).parents[3] / "search" / "report"


class Tags(HTMLParser):
    """Collects tags with their attributes, and the text of what is no script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._inside = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


@pytest.fixture
def document(study: Path) -> dict[str, Any]:
    found = document_of(Study.load(study), chosen=3)
    json.dumps(found, allow_nan=False)
    return found


def test_a_report_is_one_file_that_says_where_it_is(study: Path, capsys: Capture) -> None:
    before = {path.name for path in study.iterdir()}
    assert main(["report", "study"]) == 0
    assert capsys.readouterr().out == "study/report.html\n"
    assert {path.name for path in study.iterdir()} - before == {"report.html"}
    assert main(["report", "study", "--out", "other.html", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": "other.html", "bytes": Path("other.html").stat().st_size}
    assert Path("other.html").read_bytes() == (study / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no study"),
        (["study", "--out", "no/such/folder.html"], "output file: got 'no/such/folder.html'"),
        (
            ["study", "--out", "study"],
            "output file: got 'study'; expected a file that can be written",
        ),
        (["study", "--out", "/proc/page.html"], "output folder: got '/proc'"),
        (["study", "--images", "13"], "--images out of range"),
        (["study", "--images", "many"], "--images: got 'many'; expected a whole number"),
    ],
)
def test_what_cannot_be_done_is_one_line(study: Path, capsys: Capture, words: list[str], said: str) -> None:
    assert main(["report", *words]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1


def test_a_page_without_images_is_better_than_none(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr("search.report.images.samples_of", full)
    assert main(["report", "study"]) == 0
    assert "without adversarial images: out of memory" in capsys.readouterr().err
    assert main(["report", "study", "--images", "2"]) == 2
    assert capsys.readouterr().err.startswith("bitfront: error: out of memory; hint: try fewer --images")


def test_no_page_takes_the_place_of_a_pipe_or_a_device(study: Path, capsys: Capture) -> None:
    os.mkfifo("pipe")
    assert main(["report", "study", "--out", "pipe"]) == 2
    assert capsys.readouterr().err == "bitfront: error: output file: got 'pipe'; expected a file, or none yet\n"
    assert Path("pipe").is_fifo()


def test_the_document_has_the_studys_numbers(study: Path, document: dict[str, Any]) -> None:
    opened, front = Study.load(study), json.loads((study / "front.json").read_text())["front"]
    assert [one["number"] for one in document["points"] if one["front"]] == [one["number"] for one in front]
    assert [one["number"] for one in document["points"] if one["chosen"]] == [3]
    records = {record.number: record for record in opened.records() if record.state == "complete"}
    for point in document["points"]:
        measured = records[point["number"]].measurements
        assert point["values"] == {name: measured[name].value for name in ("acc", "pgd", "bops")}
        assert point["intervals"]["pgd"] == list(measured["pgd"].interval)
        assert point["intervals"]["bops"] == [measured["bops"].value] * 2
    assert document["pairs"] == [["bops", "acc"], ["bops", "pgd"], ["acc", "pgd"]]
    trace = hypervolume_trace(opened.records(), opened.config.objectives, opened.bounds, opened.config.terms)  # type: ignore[arg-type]
    assert document["growth"]["data"][0]["y"] == [volume for _, volume in trace]


def test_better_is_up_in_parallel_coordinates(document: dict[str, Any]) -> None:
    names, heights = document["columns"], document["parallel"]["heights"]
    for place, name in enumerate(names):
        ranked = sorted(document["points"], key=lambda one: heights[str(one["number"])][place])
        values = [one["values"][name] * (1 if OBJECTIVES[name].maximize else -1) for one in ranked]
        assert values == sorted(values)
        assert {heights[str(one["number"])][place] for one in (ranked[0], ranked[-1])} == {0.0, 1.0}


def test_layers_add_up_to_the_candidates_cost(document: dict[str, Any]) -> None:
    """The table's own costs are of no real network: there is no figure then, but the command that prints the layers."""
    assert all(one["figures"] == [] for one in document["details"])
    commands = [lack["command"] for one in document["details"] for lack in one["lacking"]]
    assert f"python -m search cost {document['details'][0]['candidate']} --network mnistconv" in commands


def test_layers_of_a_real_network_are_drawn(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search.report.figures import layers_figure

    report = cost_report(Candidate.parse("fp+mbn3x1"), "mnistconv")
    figure = layers_figure(report)
    assert len(figure["data"]) == 2
    assert sum(value for one in figure["data"] for value in one["x"]) == report.total("bops")
    names = [layer.name for layer in report.members[0].layers]
    assert [text.partition(" ")[0] for text in figure["data"][1]["y"]] == names


def test_diagnostics_are_read_where_their_command_leaves_them(study: Path) -> None:
    folder = study / "diagnostics" / "3"
    folder.mkdir(parents=True)
    rows = ["pgd,0.1,45,100,0.45,0.35,0.55", "pgd,0.2,20,100,0.2,0.13,0.29"]
    (folder / "epsilon.csv").write_text("\n".join([",".join(DIAGNOSTICS["epsilon"].columns), *rows]))
    (folder / "steps.csv").write_text("nonsense\n1,2\n")
    (folder / "confusion.csv").write_text("attack,true,predicted,images\nclean,0,0,nan\n")
    [page] = [one for one in document_of(Study.load(study))["details"] if one["number"] == 3]
    [shown] = page["figures"]
    assert shown["title"] == DIAGNOSTICS["epsilon"].label
    assert shown["figure"]["data"][0]["y"] == [0.45, 0.2]
    assert shown["figure"]["data"][0]["error_y"]["array"] == pytest.approx([0.1, 0.09])
    [lacking] = [one for one in page["lacking"] if "diagnostics" in one["what"]]
    assert "steps" in lacking["what"]
    assert "epsilon" not in lacking["what"]
    words = shlex.split(lacking["command"])[3:]
    assert Path(words[words.index("--out") + 1]) == folder


def test_bars_of_a_candidates_curves_are_95_percent_intervals() -> None:
    """Of a mean as of a share: a table has standard errors of the one and intervals of the other."""
    from search.report.diagnosed import figures_of

    table = Table(name="activations", columns=DIAGNOSTICS["activations"].columns, rows=((1, 0.0, 900, 10.0, 0, 0.0),))
    [(_, shown)] = figures_of(table)
    assert shown["data"][0]["error_y"]["array"] == pytest.approx([19.6], abs=0.001)


@pytest.mark.parametrize("name", DIAGNOSTICS)
def test_every_diagnostic_has_a_figure(name: str) -> None:
    from test_diagnostic_pictures import made

    from search.report.diagnosed import figures_of

    table = made(name, members=2)
    figures = list(figures_of(table))
    assert len(figures) == (2 if name == "confusion" else 1)
    json.dumps(figures, allow_nan=False)
    drawn = [cell for _, one in figures for trace in one["data"] for cell in np.ravel(trace.get("z", trace.get("x")))]
    assert len(drawn) in (len(table.rows), 2 * len(table.rows))


PROTOCOLS = [
    (Protocol(dataset="mnist5k", checksum="0", network="mnistconv", epsilon=0.2), Budget()),
    (
        Protocol(
            dataset="my photos.npz", checksum="0", network="resnet20", epsilon=8 / 255, threat="discretised", seed=7
        ),
        Budget(epochs=1, train_images=600, images=30, steps=3, restarts=2),
    ),
]


@pytest.mark.parametrize(("protocol", "budget"), PROTOCOLS)
def test_the_command_for_diagnostics_means_the_studys_protocol(
    protocol: Protocol, budget: Budget, tmp_path: Path
) -> None:
    words = shlex.split(diagnose_command("in2:fp+xnor:majority", protocol, budget, tmp_path / "a b"))
    args: Namespace = parse(words[3:])
    assert (args.candidate, args.out, budget_of(args)) == ("in2:fp+xnor:majority", tmp_path / "a b", budget)
    for name in ("dataset", "network", "epsilon", "threat", "seed"):
        assert getattr(args, name) == getattr(protocol, name)


def test_an_audit_of_the_same_candidate_is_shown(study: Path) -> None:
    candidate = Study.load(study).records()[3].candidate
    one = Measurement.fraction(40, 200).to_json()
    entry = {"number": 3, "candidate": candidate, "verdict": "ok", "clean": one, "worst": one}
    entries = [entry, entry | {"number": 4, "candidate": "another"}]
    (study / "audit.json").write_text(json.dumps({"entries": entries}))
    audits = {page["number"]: page["audit"] for page in document_of(Study.load(study))["details"]}
    assert audits[3] == {"images": 200, "verdict": "ok", "clean": "20.0 % [15.0, 26.1]", "worst": "20.0 % [15.0, 26.1]"}
    assert [number for number, found in audits.items() if found] == [3]
    for damaged in ("{", "[1]", json.dumps({"entries": [entry | {"clean": []}]})):
        (study / "audit.json").write_text(damaged)
        assert not any(page["audit"] for page in document_of(Study.load(study))["details"])


def confirmed(study: Study) -> Confirmation:
    """The front, of which the first lost half of its robust accuracy."""
    rows = []
    for place, record in enumerate(study.front()):
        hits = round(record.measurements["pgd"].value * (50 if place == 0 else 100))
        again = {**record.measurements, "pgd": Measurement.fraction(hits, 100)}
        rows.append(
            ConfirmedRow(
                number=record.number,
                candidate=record.candidate,
                proxy=record.measurements,
                on_front=True,
                proxy_probability=0.9,
                seeds=(SeedResult(seed=5, measurements=again),),
                measurements=again,
                front_probability=0.8,
                reason="" if place else "another one beats it",
            )
        )
    config = study.config
    return Confirmation(
        study=study.folder.name,
        objectives=config.objectives,
        terms=config.terms,
        protocol=config.protocol,
        budget=config.budget,
        verification={},
        near=0.1,
        seeds=(5,),
        rows=tuple(rows),
        versions={},
    )


def test_a_confirmed_front_is_shown_beside_the_searchs(study: Path, document: dict[str, Any]) -> None:
    assert document["confirmation"] is None
    assert "python -m search confirm " in Tags(page_of(document)).text
    found = confirmed(Study.load(study))
    (study / "confirmed.json").write_text(json.dumps(found.to_json()))
    again = document_of(Study.load(study))
    shown = again["confirmation"]
    assert shown["numbers"] == [row.number for row in found.rows]
    assert [row[-1] for row in shown["rows"]] == ["fell", *["front"] * (len(found.rows) - 1)]
    pgd = shown["figures"][1]["figure"]["data"][0]
    assert pgd["x"] == [row.proxy["pgd"].value for row in found.rows]
    assert pgd["y"] == [row.measurements["pgd"].value for row in found.rows]
    assert pgd["cliponaxis"] is False, "what nothing stands lies in the corner of both axes"
    assert shown["how"].startswith("Trained again by 1 fresh seed, 4 epochs each")
    text = Tags(page_of(again)).text
    assert f"#{found.rows[0].number} {found.rows[0].candidate} fell: another one beats it" in text
    assert "search confirm" not in text


def test_importance_agrees_with_an_analysis_of_variance() -> None:
    rng = np.random.default_rng(3)
    designs = [
        {"method": rng.choice(["fp", "mbn", "xnor"]), "bits": int(rng.integers(1, 3)), "same": 1} for _ in range(60)
    ]
    sure = [0.8 * (one["method"] == "mbn") + 0.2 * float(rng.random()) for one in designs]
    found = {one.choice: one for one in importances(designs, sure, seed=0)}
    assert list(found) == ["method", "bits"]
    for name, one in found.items():
        groups = [
            [p for p, design in zip(sure, designs, strict=True) if design[name] == group.value] for group in one.groups
        ]
        assert [group.candidates for group in one.groups] == [len(group) for group in groups]
        assert [group.mean for group in one.groups] == pytest.approx([np.mean(group) for group in groups])
        k, n = len(groups), len(sure)
        ratio = one.share / (k - 1) / ((1 - one.share) / (n - k))
        oracle = stats.f_oneway(*groups)
        assert ratio == pytest.approx(oracle.statistic)
        assert one.chance == pytest.approx((k - 1) / (n - 1), abs=0.01)  # the mean of η² over all shuffles, exactly
        assert one.p == pytest.approx(max(oracle.pvalue, 1 / 1001), abs=0.05)
    assert found["method"].beyond_chance > 0.5 > 0.1 > found["bits"].beyond_chance


def test_shuffles_that_explain_as_much_count_as_in_an_exact_test() -> None:
    """Of probabilities 0 and 1, how many ones fall to a choice by chance is hypergeometric, and ties are common."""
    designs = [{"method": "fp" if place < 12 else "xnor"} for place in range(30)]
    [found] = importances(designs, [1.0] * 8 + [0.0] * 16 + [1.0] * 6, seed=0)
    ones = np.arange(13)
    as_far = abs(ones - 12 * 14 / 30) >= abs(8 - 12 * 14 / 30) - 1e-9
    chances = stats.hypergeom(30, 14, 12).pmf(ones)
    assert chances[8] > 0.05
    assert found.p == pytest.approx(chances[as_far].sum(), abs=0.03)
    [alike] = importances(designs, [0.0, 1.0] * 15, seed=0)
    assert (alike.share, alike.p) == (pytest.approx(0.0), 1.0)


def test_importance_is_not_told_of_few_candidates_or_of_equals(document: dict[str, Any]) -> None:
    designs = [chosen_by(text) for text in ("fp", "xnor")] * LEAST
    assert importances(designs[: LEAST - 1], [0.0, 1.0] * LEAST, seed=0) == []
    assert importances(designs, [0.5] * len(designs), seed=0) == []
    assert document["importance"]["figure"] is None
    assert "too few" in document["importance"]["why_not"]


def test_markup_escapes_texts_and_attributes() -> None:
    assert element("p", HOSTILE, title=HOSTILE).count("<") == 2
    assert element("p", element("b", "a&b"), None, "<") == "<p><b>a&amp;b</b>&lt;</p>"


def hostile_document(document: dict[str, Any]) -> dict[str, Any]:
    """Every text of a document made hostile, but for those that name a column or a diagnostic."""
    kept = {"op", "look", "type", "mode", "orientation", "name"}

    def worse(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: worse(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [worse(one, key) for one in value]
        return value + HOSTILE if isinstance(value, str) and key not in kept else value

    return {
        name: one if name in ("pairs", "limits", "growth", "columns") else worse(one) for name, one in document.items()
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_read_back_as_they_were(channels: int) -> None:
    from PIL import Image

    levels = np.random.default_rng(0).integers(0, 256, (channels, 5, 7))
    uri = data_uri(levels / 255)
    assert uri.startswith("data:image/png;base64,")
    read = np.asarray(Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))))
    assert (read.reshape(5, 7, channels) == levels.transpose(1, 2, 0)).all()


def test_the_difference_is_grey_where_nothing_changed_and_reaches_both_ends() -> None:
    import torch

    clean = torch.full((1, 1, 3), 0.5)
    sample = Sample(label=3, predicted=5, clean=clean, perturbed=clean + torch.tensor([-0.1, 0.0, 0.1]))
    found = as_json(sample, 0.1)
    assert found["images"]["difference"] == data_uri(np.array([[[0.0, 0.5, 1.0]]]))
    assert found["text"].startswith("class 3, taken for 5; difference times 5,")


def test_hostile_texts_stay_texts(document: dict[str, Any]) -> None:
    honest, hostile = (Tags(page_of(one)) for one in (document, hostile_document(document)))
    assert [tag for tag, _ in honest.tags] == [tag for tag, _ in hostile.tags]
    assert [list(found) for _, found in honest.tags] == [list(found) for _, found in hostile.tags]
    assert hostile.text.count("<img src=x onerror=alert(1)>") > 50


def test_a_study_with_hostile_names_and_reasons_stays_text(study: Path) -> None:
    folder = study.rename(study.parent / "<img src=x onerror=alert(1)>")
    page = page_of(document_of(Study.load(folder)))
    assert "<img" not in page.replace(plotly_js(), "")
    assert "<img src=x onerror=alert(1)>" in Tags(page).text


def plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def test_the_page_names_its_scripts_and_allows_no_others(document: dict[str, Any]) -> None:
    page = Tags(page_of(document))
    [policy] = [found["content"] for tag, found in page.tags if tag == "meta" and found.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "script-src 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert policy.count("'sha256-") == 1 + len(SCRIPTS)
    links = [found.get("href") or found.get("src") or "#" for _, found in page.tags]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_the_front_is_a_table_too(study: Path, document: dict[str, Any]) -> None:
    page = Tags(page_of(document))
    rows = [found["data-number"] for tag, found in page.tags if tag == "tr" and "data-number" in found]
    front = [str(one["number"]) for one in json.loads((study / "front.json").read_text())["front"]]
    assert sorted(rows[: len(front)]) == sorted(front)
    assert len(rows) == len(front) + len(document["points"])
    assert {found["id"] for tag, found in page.tags if tag == "article"} == {
        f"candidate-{one['number']}" for one in document["points"]
    }


def test_equal_documents_give_equal_files(document: dict[str, Any]) -> None:
    assert page_of(document) == page_of(json.loads(json.dumps(document)))


def test_our_scripts_stay_small() -> None:
    lines = [len((REPORT / name).read_text().splitlines()) for name in SCRIPTS]
    assert sum(lines) < 300


def test_the_page_is_packed_with_the_package() -> None:
    import tomllib

    project = tomllib.loads((REPORT.parents[1] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["search"]
    packed = set(itertools.chain.from_iterable((REPORT.parent).glob(pattern) for pattern in patterns))
    assert {path for path in REPORT.iterdir() if path.suffix in (".html", ".css", ".js")} == packed


def test_documentation_lists_the_file() -> None:
    page = (REPORT.parents[1] / "docs" / "files.md").read_text()
    assert re.search(r"^\| `report\.html` \|", page, flags=re.MULTILINE)
