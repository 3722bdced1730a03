"""docs/search_quality.md says what the files of results hold, row by row; and the searches behind it can be run."""

import math
import re
from pathlib import Path
from statistics import median

import pytest
from contestants import CONTESTANTS, Job
from early_stop import searched
from front_truth import FRESH, noisy, share_true, truth_of
from known_tables import known
from quality_page import TABLES, result_of
from search_quality import events, seconds_to

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "search_quality.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_the_page_is_what_was_measured(name):
    rows = [*TABLES[name](result_of(name))]
    assert len(rows) >= 4
    for row in rows:
        assert row in PAGE


def test_the_page_says_what_a_confirmation_brings():
    found = result_of("front_truth")
    three, five, ten = (f"{found[f'confirmed {seeds}']['true at 0.9']:.3f}" for seeds in FRESH)
    assert f"({three}), about half of the front; five seeds give {five}, ten {ten}" in PAGE
    row, page = found["confirmed 3"], (ROOT / "docs" / "confirm.md").read_text(encoding="utf-8")
    assert f"{found['repeats 1']['true at 0.0']:.0%}".replace("%", " %") + " of the searches' fronts" in page
    assert f"and {row['true at 0.9']:.0%}".replace("%", " %") + " of\nwhat three fresh seeds put there" in page
    assert f"here {row['measured']:.0f} candidates for a front of {found['repeats 1']['size']:.0f}" in PAGE
    assert 0.4 < row["size at 0.9"] / row["size at 0.0"] < 0.6


def test_the_readme_says_how_soon():
    found = result_of("search_quality")["searches"]
    reached = {
        name: median([one["reached"] or math.inf for one in found if one["contestant"] == name])
        for name in ("ours", "Optuna TPE", "Optuna TPE, no store")
    }
    said = re.search(
        r"after (\d+) s \(median of (\d+) searches\),\nwhere Optuna's default sampler takes (\d+) s .*? (\d+) s", README
    )
    ours, *theirs = (f"{one:.0f}" for one in reached.values())
    assert said and said.groups() == (ours, str(sum(one["contestant"] == "ours" for one in found)), *theirs)


def test_the_program_of_the_page_runs(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert re.fullmatch(r"\d+ on the front after \d+ virtual seconds\n", capsys.readouterr().out)


@pytest.mark.parametrize("contestant", ["ours", "Optuna TPE", "Optuna random, no store"])
def test_a_search_grows_by_the_table_s_clock_and_never_beyond_its_hypervolume(contestant):
    trace = CONTESTANTS[contestant](Job("mnist5k", contestant, 1, 12))
    counts, seconds, volumes = zip(*trace, strict=True)
    assert counts == tuple(range(1, 13))
    assert [*seconds] == sorted(seconds) and [*volumes] == sorted(volumes)
    assert 0 < volumes[-1] <= known("mnist5k").best[1]
    assert seconds_to(trace, volumes[-1]) <= seconds[-1] and seconds_to(trace, 2.0) == float("inf")
    assert events(trace)[-1][0] == 12


@pytest.mark.parametrize("name", ["mnist5k", "cifar5k"])
def test_every_member_of_a_table_was_trained_when_it_was_timed(name):
    for members in known(name).table.members:
        found = [*members.values()]
        assert min(found) > max(found) / 10  # one that was found in a cache takes milliseconds


def test_without_a_store_the_same_search_takes_longer():
    with_store, without = (
        CONTESTANTS[name](Job("mnist5k", name, 0, 20)) for name in ("Optuna TPE", "Optuna TPE, no store")
    )
    assert [volume for *_, volume in with_store] == [volume for *_, volume in without]
    assert without[-1][1] > with_store[-1][1]


def test_early_ends_lose_nothing_and_take_no_longer():
    full, short, shorter = (searched("mnist5k", 0, 60, margin) for margin in (None, 0.0, 0.001))
    assert full["stopped"] == 0 < short["stopped"] < shorter["stopped"]
    assert short["volume"] == pytest.approx(full["volume"])
    assert 0.99 * full["volume"] < shorter["volume"] < full["volume"]
    assert shorter["seconds"] < short["seconds"] < full["seconds"]


def test_a_true_front_is_all_true_and_noise_has_the_spread_it_was_given():
    table = known("mnist5k").table
    truth, spread = truth_of(table)
    drawn = noisy(table, truth, spread, 0)
    off = [next(drawn.rows[0][text].measured())[1].value - truth[text][0] for text in truth]
    assert sum(one**2 for one in off) / len(off) == pytest.approx(spread[0] ** 2, rel=0.2)
    points = {"a": (0.9, 0.5, 1.0), "b": (0.8, 0.4, 2.0), "c": (0.95, 0.1, 3.0)}
    assert share_true(points, ["a", "c"], ["b"]) == 1.0
    assert share_true(points, ["a", "b", "c"], []) == pytest.approx(2 / 3)
    assert share_true(points, ["b"], ["a"]) == 0.0
