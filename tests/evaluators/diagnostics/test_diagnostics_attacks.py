"""Diagnostics that attack: they agree with evaluations, and with attacks run one by one."""

import numpy as np
import pytest
import torch
from diagnosed import accuracies, subject, table
from scipy.stats import binomtest

from evaluators.attacks.ascent import Ascent
from evaluators.diagnostics.confusion import confusion, count_pairs
from evaluators.diagnostics.epsilon import epsilon
from evaluators.diagnostics.statistics import accuracy_cells, mean_and_error
from evaluators.diagnostics.steps import checkpoints, steps, worst_alpha
from evaluators.diagnostics.subject import Settings
from space.errors import UserError

SPECS = ["fp", "mbn3x1", "in2:fp+pact2+bnn:majority"]
every_spec = pytest.mark.parametrize("spec", SPECS)


@every_spec
def test_the_middle_radius_is_an_evaluation(spec):
    found, middle = accuracies(spec, "fgsm", "pgd_naive", "uniform"), table(spec, "epsilon").where(epsilon=0.1)
    found["pgd"] = found.pop("pgd_naive")
    assert {row[0]: row[4] for row in middle.rows} == found
    assert len(set(found.values())) > 1


@every_spec
def test_radius_zero_is_the_clean_accuracy(spec):
    one = subject(spec)
    clean = int((one.model(one.images) == one.labels).sum())
    assert {row[2:4] for row in table(spec, "epsilon").where(epsilon=0.0).rows} == {(clean, 300)}


def test_radii_reach_from_zero_to_twice_epsilon_and_stay_in_the_pixel_range():
    radii = table("fp", "epsilon").distinct("epsilon")
    assert radii == pytest.approx([0.025 * i for i in range(9)])
    assert 0.1 in radii
    beyond = epsilon(subject("fp", epsilon=0.9, steps=1)).distinct("epsilon")
    assert beyond == sorted(set(beyond))
    assert (beyond[0], beyond[-1]) == (0, 1)


def test_a_radius_of_zero_is_one_row_per_attack():
    found = epsilon(subject("fp", epsilon=0.0))
    assert [row[:2] for row in found.rows] == [("fgsm", 0.0), ("pgd", 0.0), ("uniform", 0.0)]
    assert len(set(found.numbers("accuracy"))) == 1


def test_no_steps_are_no_attack_at_any_radius():
    found = epsilon(subject("fp", steps=0))
    assert len(found.rows) == 27
    assert len(set(found.numbers("standing"))) == 1


@every_spec
def test_every_checkpoint_is_a_run_of_so_many_steps(spec):
    """Two routes: one watched run, and a run of its own per number of steps."""
    one, found = subject(spec), table(spec, "steps")
    for alpha in (0.1, 0.25, 0.7):
        rows = found.where(alpha=alpha)
        for mark, standing in zip(rows.numbers("steps"), rows.numbers("standing"), strict=True):
            if mark:
                attack = Ascent(steps=int(mark), step_size=alpha, start="uniform")
                assert standing == sum(int((~outcome.broken).sum()) for outcome in one.attacked("pgd", attack))


@every_spec
def test_no_curve_over_steps_rises(spec):
    found = table(spec, "steps")
    assert found.distinct("alpha") == [0.1, 0.25, 0.7]
    assert found.distinct("steps") == [0, 1, 2, 5, 6]
    for alpha in found.distinct("alpha"):
        curve = found.where(alpha=alpha).numbers("standing")
        assert curve == sorted(curve, reverse=True)
        assert curve[-1] < curve[0]


@every_spec
def test_the_usual_step_size_ends_where_an_evaluation_does(spec):
    assert table(spec, "steps").where(alpha=0.25).numbers("accuracy")[-1] == accuracies(spec, "pgd_naive")["pgd_naive"]


@every_spec
def test_one_step_size_is_the_worst(spec):
    found = table(spec, "steps")
    [worst] = found.where(worst=1).distinct("alpha")
    last = {alpha: found.where(alpha=alpha).numbers("accuracy")[-1] for alpha in found.distinct("alpha")}
    assert last[worst] == min(last.values())
    assert len(found.where(worst=0).distinct("alpha")) == 2


def test_of_equally_bad_step_sizes_the_quicker_is_the_worst():
    assert worst_alpha({0.05: [9, 5, 1], 0.25: [9, 2, 1], 0.5: [9, 1, 2]}) == 0.25
    assert worst_alpha({0.5: [9, 2], 0.25: [9, 2]}) == 0.25


def test_no_steps_leave_what_is_right():
    found = steps(subject("fp", steps=0, alphas=(0.5,)))
    one = subject("fp")
    assert found.distinct("steps") == [0]
    assert found.numbers("standing") == [int((one.model(one.images) == one.labels).sum())]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (0, [0]),
        (1, [0, 1]),
        (7, [0, 1, 2, 5, 7]),
        (10, [0, 1, 2, 5, 10]),
        (300, [0, 1, 2, 5, 10, 20, 50, 100, 200, 300]),
    ],
)
def test_checkpoints(last, expected):
    assert checkpoints(last) == expected


@pytest.mark.parametrize("alphas", [(), (0.0,), (0.1, 2.5), (float("nan"),)])
def test_step_sizes_out_of_range_are_refused(alphas):
    with pytest.raises(UserError, match="step size"):
        Settings(epsilon=0.1, alphas=alphas)


@every_spec
def test_confusion_counts_every_image_once_and_agrees_with_evaluations(spec):
    found, one = table(spec, "confusion"), subject(spec)
    for attack, right in (
        ("clean", float((one.model(one.images) == one.labels).float().mean())),
        ("pgd", accuracies(spec, "pgd_naive")["pgd_naive"]),
    ):
        matrix = np.array(found.where(attack=attack).numbers("images")).reshape(10, 10)
        assert (matrix.sum(1) == np.bincount(one.labels.numpy())).all()
        assert matrix.trace() / 300 == pytest.approx(right)
        assert matrix.trace() < 300


def test_confusion_rows_are_the_true_class():
    """A model is a list of answers here: two routes to the counts."""
    labels, answers = torch.tensor([0, 0, 1, 2, 2, 2]), torch.tensor([0, 2, 1, 0, 2, 2])
    expected = np.zeros((4, 4), int)
    np.add.at(expected, (labels.numpy(), answers.numpy()), 1)
    assert count_pairs(labels, answers, 4) == expected.tolist()
    assert expected[0, 2] == 1


def test_the_clean_matrix_is_that_of_the_discretised_image_where_the_attacker_starts_there():
    raw, behind = (
        confusion(subject("in2:fp", threat=threat)).where(attack="clean") for threat in ("raw", "discretised")
    )
    assert raw.rows == behind.rows


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (20, 20), (7, 20), (391, 400), (1, 1)])
def test_intervals_are_wilsons(hits, n):
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    *counted, share, low, high = accuracy_cells(hits, n)
    assert (*counted, share) == (hits, n, hits / n)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (low == 0) == (hits == 0)
    assert (high == 1) == (hits == n)


def test_a_mean_has_its_standard_error():
    values = torch.tensor([1.0, 2.0, 4.0, 9.0])
    assert mean_and_error(values) == pytest.approx((4.0, np.std(values.numpy(), ddof=1) / 2))
    assert mean_and_error(values[:1]) == (1.0, 0.0)
