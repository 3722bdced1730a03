import sys
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from evaluators.base import Measurement
from search.progress import Tally, _picture, progress
from studies import Event, Measured, Record, RunStarted, TrialFinished, TrialStarted

OBJECTIVES = ("acc", "pgd", "bops")


def record(number: int, **change: object) -> Record:
    measurements = {
        "bops": Measurement(value=1e7 * (number + 1), unit="bit-ops"),
        "acc": Measurement.fraction(90, 100),
        "pgd_naive": Measurement.fraction(47, 100),
        "pgd": replace(Measurement.fraction(40, 100), flags=("suspect:gap",)),
    }
    fields = {"number": number, "candidate": "in2:fp+xnor:majority", "key": f"k{number}", "state": "complete"}
    return Record(**{**fields, "measurements": measurements, **change})  # type: ignore[arg-type]


def finished(number: int, evaluated: int, front: int = 1, **change: object) -> TrialFinished:
    one = record(number, **change)
    members = tuple(record(i) for i in range(front))
    return TrialFinished(record=one, evaluated=evaluated, front=members, on_front=one.state == "complete")


def tally(*events: tuple[float, Event]) -> tuple[Tally, list[float]]:
    """A tally that took the events at their times, and its clock."""
    clock = [0.0]
    made = Tally(OBJECTIVES, now=lambda: clock[0])
    for at, event in events:
        clock[0] = at
        made.take(event)
    return made, clock


def started(trials: int = 10, seconds: float | None = None, evaluated: int = 0) -> RunStarted:
    return RunStarted(records=evaluated, evaluated=evaluated, trials=trials, seconds=seconds)


def test_time_left_follows_from_the_pace_of_this_run() -> None:
    made, clock = tally((100.0, started(evaluated=4)), (120.0, finished(4, 5)))
    assert (made.elapsed, made.left, made.share) == (20.0, 100.0, 0.5)
    clock[0] = 130.0
    assert made.left == 150.0


def test_a_time_limit_that_comes_first_decides() -> None:
    made, clock = tally((0.0, started(trials=100, seconds=60.0)))
    assert (made.left, made.share) == (60.0, 0.0)
    made.take(finished(0, 1))
    clock[0] = 45.0
    assert (made.left, made.share) == (15.0, 0.75)
    clock[0] = 80.0
    assert (made.left, made.share) == (0.0, 1.0)


def test_nothing_is_promised_before_the_first_candidate() -> None:
    made, _ = tally((5.0, started()))
    assert made.left is None
    assert made.line == "0/10 candidates, 0s"


def test_nothing_is_promised_while_the_front_is_measured_again() -> None:
    made, _ = tally((0.0, started(trials=1)), (10.0, finished(0, 1)), (15.0, finished(1, 1, origin="repeat")))
    assert made.left is None
    assert made.line == "1/1 candidates, 15s"


def test_before_the_run_begins_it_gets_ready() -> None:
    made, clock = tally()
    clock[0] = 3.0
    assert (made.line, made.left, made.share) == ("getting ready, 3s", None, 0.0)


def test_the_trial_under_way_shows_what_is_known() -> None:
    measured = Measured(number=3, name="bops", measurement=Measurement(value=1.49e8, unit="bit-ops"))
    made, _ = tally((0, started()), (1, TrialStarted(number=3, candidate="mbn3x1")), (2, measured))
    assert made.current == "#3 mbn3x1  bops 1.49e8"


@pytest.mark.parametrize(("height", "shown"), [(40, 12), (15, 6), (5, 1)])
def test_the_live_picture_fits_the_terminal(height: int, shown: int) -> None:
    made, _ = tally((0, started()), (1, finished(0, 1, front=12)))
    screen = Console(width=80, height=height, record=True, file=sys.stderr, force_terminal=True)
    with screen.capture() as capture:
        screen.print(_picture(made, screen))
    lines = [line.rstrip() for line in Text.from_ansi(capture.get()).plain.splitlines()]
    assert max(map(len, lines)) <= 80
    assert sum(line.endswith("suspect") for line in lines) == shown
    assert sum("90.0 ± 3.0 %" in line for line in lines) == shown
    assert len(lines) <= max(height, 9)


def test_without_a_terminal_there_is_a_line_per_paid_trial(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(OBJECTIVES) as show:
        show(started(trials=3))
        show(TrialStarted(number=0, candidate="fp"))
        show(finished(0, 1))
        show(finished(1, 1, state="duplicate", reason="same as #0"))
        show(finished(2, 2, state="failed", reason="MemoryError", measurements={}))
        show(finished(3, 2, origin="repeat", reason="run 2 of #0"))
    printed = capsys.readouterr()
    assert printed.out == ""
    [first, second, third] = printed.err.splitlines()
    assert first.startswith("[1/3 candidates, 0s, 0s left] #0 in2:fp+xnor:majority  acc 90.0 ± 3.0 %")
    assert first.endswith("pgd 40.0 ± 4.9 %  bops 1.00e7  pgd_naive 47.0 %  gap 7.0 points  suspect: gap  on the front")
    assert second.endswith("MemoryError")
    assert third.startswith("[2/3 candidates")
    assert third.endswith("suspect: gap  run 2 of #0  on the front")
