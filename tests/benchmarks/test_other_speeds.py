"""What is timed is also right: attacks that agree, and members that are not trained again."""

import argparse
from pathlib import Path

import pytest
import torch
from attack_speed import RESTARTS, STEPS, Bench, measured
from reuse import MADE_OF_THEM, MEMBERS, compared

from evaluators import Budget
from evaluators.ensemble import Ensemble
from evaluators.votes import MeanVote
from space import Candidate


class Linear(torch.nn.Module):
    """Two classes told apart by the mean pixel; a move of every pixel by ε moves it by ε."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        lead = images.flatten(1).mean(1) - 0.5
        return torch.stack([-lead, lead], dim=1)


@pytest.fixture
def bench() -> Bench:
    """Images whose means are 0.05 … 0.45 above and below a half; those within 0.1 must fall."""
    means = torch.tensor([0.05, 0.15, 0.25, 0.45, 0.55, 0.65, 0.85, 0.95])
    images = means.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous()
    return Bench(
        model=Ensemble([Linear()], MeanVote()),
        batches=[(images[:4], torch.zeros(4, dtype=torch.int64)), (images[4:], torch.ones(4, dtype=torch.int64))],
        epsilon=0.1,
    )


def test_both_attacks_break_what_can_be_broken(bench):
    expected = [True, True, True, False, False, True, True, True]
    assert bench.ours().tolist() == bench.plain().tolist() == expected
    row = measured(bench, turns=1)
    assert row["clean"] == 8 and row["images"] == 8
    assert row["only ours breaks"] == row["only the whole batch breaks"] == 0


def test_passes_are_those_of_the_closed_form(bench):
    """The whole batch: a clean look, then for every start a look at its end and a gradient, three passes, a step."""
    passes = bench.passes()
    assert passes["whole batch"] == 1 + RESTARTS * (1 + 3 * STEPS)
    fallen = 2 / 8
    assert passes["ours"] <= 1 + (1 - fallen) * RESTARTS * (1 + 3 * STEPS) + fallen * 3 * STEPS
    assert passes["ours"] > (1 - fallen) * RESTARTS * 3 * STEPS


def test_known_members_cost_no_training_step(tmp_path):
    args = argparse.Namespace(dataset="mnist5k", network="mnistconv", width="x0.125")
    rows = compared(args, Budget(epochs=1, train_images=128), Path(tmp_path))
    steps_a_member = 2
    for name, texts in MADE_OF_THEM.items():
        members = sum(len(Candidate.parse(text).members) for text in texts)
        assert rows[name]["reused"]["steps"] == 0
        assert rows[name]["retrained"]["steps"] == members * steps_a_member
        assert {token for text in texts for token in text.split(":")[0].split("+")} <= {*MEMBERS}
