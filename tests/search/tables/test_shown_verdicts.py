"""Masks and gaps as a person sees them: in tables, lines, files and pictures."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from journals import unchecked
from matplotlib.colors import to_hex
from rich.console import Console
from rich.text import Text

from evaluators.base import Measurement
from search.cli import main
from search.console import front_table, summary
from search.formats import interval
from search.pictures import scene_of
from search.plots import Point, Scene, draw_front
from search.plots.style import ENSEMBLE, GREY, SINGLE
from search.tables.verdicts import RULES
from space import Candidate
from studies import Record, Study

Use = Callable[..., None]
Make = Callable[..., Scene]
Capture = pytest.CaptureFixture[str]
OBJECTIVES = ("acc", "pgd", "bops")


def coarse_is_masked(candidate: Candidate) -> tuple[str, ...]:
    """Two bits of input are masked, ensembles of full precision suspect."""
    if candidate.input_bits == 2:
        return ("suspect:gap", "masked:black-box")
    return ("suspect:saturation",) if "fp" in str(candidate) else ()


@pytest.fixture
def run(use_table: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Run a study of the whole small space, some of it masked; `run("--allow-masked")` is its folder."""
    use_table(flags=coarse_is_masked)
    monkeypatch.chdir(tmp_path)
    space = 'precisions = ["fp", "pact4", "xnor"]\nmembers = [1, 2]\nfull_precision = [0, 1]\ninput_bits = [2, 8]\n'
    (tmp_path / "space.toml").write_text(space)

    def call(*words: str) -> Path:
        assert main(["--space", "space.toml", "--trials", "16", "--sampler", "random", "--out", "study", *words]) == 0
        return tmp_path / "study"

    return call


def record(*flags: str, number: int = 3, naive: int | None = 52) -> Record:
    measured = {
        "acc": Measurement.fraction(90, 100),
        "bops": Measurement(value=1e7, unit="bit-ops"),
        "pgd": replace(Measurement.fraction(40, 100), flags=flags),
    }
    if naive is not None:
        measured["pgd_naive"] = Measurement.fraction(naive, 100)
    return Record(number=number, candidate="in2:fp+xnor:majority", key="k", state="complete", measurements=measured)


def printed(records: list[Record], width: int, objectives: tuple[str, ...] = OBJECTIVES) -> str:
    screen = Console(width=width, force_terminal=True, color_system="standard")
    with screen.capture() as capture:
        screen.print(front_table(screen, records, objectives, title="front"))
    return capture.get()


def verdicts_in(text: str) -> list[str]:
    """The last word of each row of a table."""
    return [line.split()[-1] for line in text.splitlines() if re.match(r"^ [> ] ? *\d+ ", line)]


def test_masked_candidates_are_not_printed_unless_they_are_allowed(run: Callable[..., Path], capsys: Capture) -> None:
    folder = run()
    usual = capsys.readouterr().out
    assert "in2:" not in usual
    assert {*verdicts_in(usual)} == {"ok", "suspect"}
    opened = run("--allow-masked", "--out", "opened")
    assert opened.exists()
    shown = capsys.readouterr().out
    assert "masked" in verdicts_in(shown)
    for text in (usual, shown):
        assert re.search(r"trial +candidate +acc +pgd +bops +P\(front\) +pgd_naive +gap \(points\) +verdict", text)
        assert "\x1b" not in text
    assert json.loads((folder / "study.json").read_text())["config"]["allow_masked"] is False
    assert json.loads(Path("opened/study.json").read_text())["config"]["allow_masked"] is True


def test_a_study_is_not_resumed_on_other_terms(run: Callable[..., Path], capsys: Capture) -> None:
    run()
    capsys.readouterr()
    assert main(["--space", "space.toml", "--sampler", "random", "--out", "study", "--allow-masked"]) == 2
    assert "study with another allow_masked: got 'True'; expected False" in capsys.readouterr().err


def test_a_study_of_nothing_but_masks_says_so(use_table: Use, tmp_path: Path, capsys: Capture) -> None:
    use_table(flags=lambda candidate: ("masked:steps",))
    assert main(["--trials", "3", "--out", str(tmp_path / "study")]) == 2
    assert "no candidate to select: got '3 evaluated, none complete, within the limits and" in capsys.readouterr().err
    assert main(["select", str(tmp_path / "study")]) == 2
    assert "all masked'; hint: a new study with --allow-masked admits them" in capsys.readouterr().err
    assert main(["plot", str(tmp_path / "study")]) == 0


def test_the_choice_warns_of_its_verdict(run: Callable[..., Path], capsys: Capture) -> None:
    run("--allow-masked")
    [warning] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning:")]
    chosen = json.loads(Path("study/selected.json").read_text())
    assert warning.endswith(chosen["warning"])
    assert main(["select", "study", "--rule", "best:acc"]) == 0
    out, chosen = capsys.readouterr().out, json.loads(Path("study/selected.json").read_text())
    assert chosen["verdict"] != "ok"
    assert f"warning: {chosen['warning']}" in out


def test_evaluate_tells_interval_gap_verdict_and_where_each_rule_is_explained(use_table: Use, capsys: Capture) -> None:
    use_table(flags=coarse_is_masked)
    assert main(["evaluate", "in2:xnor", "--objectives", "pgd,bops"]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    low, high = Measurement.fraction(int(float(re.search(r"(\d+)\.0 ±", rows["pgd"])[1])), 100).interval  # type: ignore[index]
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in rows["pgd"]
    assert " to " not in rows["bops"]
    assert {"certified", "pgd_naive"} <= rows.keys()
    assert re.search(r"\d\.\d points", rows["gap"])
    assert rows["verdict"].split()[-1] == "masked"
    assert out.splitlines()[-2:] == [f"black-box: see {RULES}#black-box", f"gap: see {RULES}#gap"]


def test_evaluate_of_anything_else_judges_nothing(use_table: Use, capsys: Capture) -> None:
    use_table(flags=coarse_is_masked)
    assert main(["evaluate", "in2:xnor", "--objectives", "acc,pgd_naive"]) == 0
    out = capsys.readouterr().out
    assert "verdict" not in out
    assert RULES not in out
    assert main(["evaluate", "in2:xnor", "--objectives", "pgd", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["rules"]) == ("masked", ["black-box", "gap"])


@pytest.mark.parametrize(
    ("flags", "verdict", "colour"),
    [((), "ok", "32"), (("suspect:gap",), "suspect", "33"), (("masked:steps",), "masked", "31")],
)
def test_verdicts_are_coloured_on_a_terminal(flags: tuple[str, ...], verdict: str, colour: str) -> None:
    assert re.search(rf"\x1b\[{colour}m *{verdict}\x1b\[0m", printed([record(*flags)], 120))


def test_a_narrow_terminal_keeps_the_candidate_and_the_verdict() -> None:
    wide, narrow = (Text.from_ansi(printed([record("suspect:gap")], width)).plain for width in (140, 80))
    for text in (wide, narrow):
        [row] = [line for line in text.splitlines() if "in2:fp+xnor:majority" in line]
        assert row.split()[-1] == "suspect"
    assert "40.0 % [30.9, 49.8]" in wide and "40.0 ± 4.9 %" in narrow
    assert "52.0 %           12.0" in wide
    assert "gap (points)" not in narrow


@pytest.mark.parametrize("width", [30, 50])
def test_what_no_row_has_room_for_is_a_list_in_which_nothing_lacks(width: int) -> None:
    text = " ".join(Text.from_ansi(printed([record("suspect:gap")], width)).plain.split())
    assert "#3 in2:fp+xnor:majority acc 90.0 ± 3.0 % pgd 40.0 ± 4.9 % bops 1.00e7 verdict suspect" in text


def test_what_an_earlier_version_measured_is_unchecked() -> None:
    text = Text.from_ansi(printed([record(naive=None)], 120)).plain
    assert "unchecked" in text
    assert summary(record(naive=None), ("pgd",)).endswith("pgd 40.0 ± 4.9 %  unchecked")


def test_a_line_names_the_gap_and_the_rules_once() -> None:
    one = record("suspect:gap", "masked:black-box")
    assert summary(one, ("acc", "pgd")) == (
        "in2:fp+xnor:majority  acc 90.0 ± 3.0 %  pgd 40.0 ± 4.9 %  pgd_naive 52.0 %  gap 12.0 points  "
        "masked: black-box, gap"
    )
    rest = summary(one, ("pgd_naive", "bops")).partition("bops ")[2]
    assert rest == "1.00e7  pgd 40.0 %  gap 12.0 points  masked: black-box, gap"


def test_an_interval_belongs_to_fractions() -> None:
    assert interval(Measurement.fraction(0, 400)) == "0.0 to 1.0 %"
    assert interval(Measurement(value=1e7, unit="bit-ops")) == ""


def hollow_marks(figure: object) -> list[tuple[str, str]]:
    """Edge colour and marker of every white mark of the panels."""
    marks = []
    for axes in figure.axes:  # type: ignore[attr-defined]
        for line in axes.lines:
            if axes.get_xlabel() and line.get_markerfacecolor() == "white":
                marks += [(to_hex(line.get_markeredgecolor()), line.get_marker())] * len(line.get_xdata())
    return marks


def with_verdicts(scene: Scene, verdicts: dict[int, str]) -> Scene:
    def judged(point: Point) -> Point:
        return replace(point, verdict=verdicts.get(point.number, "ok"))

    return replace(scene, points=tuple(map(judged, scene.points)))


def test_masked_points_are_hollow_on_the_front_and_off_it(scene: Make) -> None:
    masked = dict.fromkeys((0, 4, 5, 7), "masked")
    made = with_verdicts(scene("acc,bops", count=12), masked | {2: "suspect", 9: "suspect"})
    marks = hollow_marks(draw_front(made))
    expected = [(ENSEMBLE["color"], "D"), (SINGLE["color"], "o"), (GREY["color"], "o"), (GREY["color"], "o")]
    assert sorted(marks) == sorted(expected)


@pytest.mark.parametrize(("verdict", "entries"), [("masked", 1), ("suspect", 0)])
def test_the_legend_explains_hollow_marks_where_there_are_any(scene: Make, verdict: str, entries: int) -> None:
    figure = draw_front(with_verdicts(scene("acc,pgd,bops", count=8), {1: verdict}))
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()].count("hollow: masked") == entries
    assert bool(hollow_marks(figure)) is bool(entries)


def test_the_table_of_a_picture_has_verdicts_where_pgd_was_measured(scene: Make) -> None:
    made = with_verdicts(scene("acc,bops", count=8, chosen=None), {0: "suspect", 2: "unchecked"})
    texts = [text.get_text() for axes in draw_front(made).axes for text in axes.texts]
    assert [texts.count(word) for word in ("verdict", "suspect", "unchecked", "ok")] == [1, 1, 1, 2]
    bare = replace(made, points=tuple(replace(p, measurements=_without_pgd(p)) for p in made.points))
    texts = [text.get_text() for axes in draw_front(bare).axes for text in axes.texts]
    assert "verdict" not in texts


def _without_pgd(point: Point) -> dict[str, Measurement]:
    return {name: one for name, one in point.measurements.items() if name != "pgd"}


def test_bars_are_the_wilson_intervals_of_the_front(scene: Make) -> None:
    made = scene("acc,bops", count=10)
    axes = draw_front(made).axes[0]
    drawn = {
        (round(x, 3), round(low, 6), round(high, 6))
        for bars in axes.collections
        for (x, low), (_, high) in bars.get_segments()  # type: ignore[attr-defined]
    }
    expected = {
        (round(p.measurements["bops"].value, 3), *(round(100 * end, 6) for end in p.measurements["acc"].interval))
        for p in made.front
    }
    assert drawn == expected


def test_a_fraction_without_a_failure_has_a_bar_too(scene: Make) -> None:
    made = scene("acc,bops", count=1, chosen=None)
    measured = {**made.points[0].measurements, "acc": Measurement.fraction(400, 400)}
    axes = draw_front(replace(made, points=(replace(made.points[0], measurements=measured),))).axes[0]
    [[(_, low), (_, high)]] = [segment for bars in axes.collections for segment in bars.get_segments()]  # type: ignore[attr-defined]
    assert low == pytest.approx(100 * 400 / (400 + 1.959963984540054**2))
    assert high == pytest.approx(100)


def test_a_study_of_an_earlier_version_is_plotted_and_selected_from(study: Path, capsys: Capture) -> None:
    journal = study / "journal.log"
    text = re.sub(r'"(certified|pgd_naive)":\{[^}]*\},', "", unchecked(journal))
    text = re.sub(r',"interval":\[[^]]*\]', "", text)
    journal.write_text(text.replace('"format":4', '"format":1').replace(',"allow_masked":false', ""))
    assert {point.verdict for point in scene_of(Study.load(study)).points} == {"unchecked"}
    assert main(["plot", "study"]) == 0
    assert main(["select", "study", "--rule", "best:acc"]) == 0
    assert "unchecked" in capsys.readouterr().out
    assert main(["--space", "space.toml", "--trials", "14", "--out", "study"]) == 2
    assert "earlier version, whose pgd was the plain PGD; hint: choose another --out" in capsys.readouterr().err
