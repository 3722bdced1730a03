"""Whether a run fails again and again for one reason."""

import pytest

from studies.failures import FailureWatch
from studies.records import Record


def reached(*ended):
    watch = FailureWatch()
    for number, (state, reason) in enumerate(ended):
        watch.add(Record(number=number, candidate="fp", key=str(number), state=state, reason=reason))
    return watch.reached


FULL = [("failed", f"tried {size} MiB") for size in (20, 300, 4000)]


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        ([], ""),
        (FULL[:2], ""),
        (FULL, "tried 4000 MiB"),
        ([("complete", ""), *FULL], "tried 4000 MiB"),
        ([*FULL[:2], ("duplicate", "same as #1"), ("vetoed", "bops"), FULL[2]], "tried 4000 MiB"),
        ([*FULL[:2], ("complete", ""), FULL[2]], ""),
        ([*FULL[:2], ("failed", "diverged")], ""),
        ([("failed", "diverged"), *FULL], "tried 4000 MiB"),
        ([*FULL, ("complete", "")], ""),
    ],
)
def test_the_latest_evaluations_failed_alike_but_for_their_numbers_and_free_trials_between_them(ended, reason):
    assert reached(*ended) == reason
