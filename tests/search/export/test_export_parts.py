"""What an export says of itself: checks against their limits, the card against names that would break out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators.base import Budget, Measurement, Protocol
from search.export.card import card, code, plain
from search.export.checks import MOST_FLIPS, agreement, failures, readable, small_enough, within
from search.export.exams import Tally, attacked_batches, clean_batches, examined
from search.export.folders import check_free, whole
from search.export.latency import Latency
from search.export.licences import UNKNOWN, licence_of
from search.export.verification import ATTACKED, CLAIMED, FLOAT32, TEST, Outcome
from space import UserError
from studies import Listed, Lock

CLAIM = Measurement.fraction(60, 100)


@pytest.mark.parametrize(("flips", "passed"), [(0, True), (5, True), (6, False), (1000, False)])
def test_flips_are_few(flips, passed):
    assert MOST_FLIPS == 0.005
    found = agreement("model.onnx", flips, 1000)
    assert found.passed is passed
    assert (found.found, found.expected) == (f"{flips} of 1000 images decided otherwise", "at most 0.5 %")


@pytest.mark.parametrize(("hits", "passed"), [(60, True), (51, True), (69, True), (49, False), (70, False)])
def test_a_share_lies_in_the_interval_of_the_claim(hits, passed):
    low, high = CLAIM.interval
    assert (low <= hits / 100 <= high) is passed
    assert within("accuracy", "model.onnx", hits, 100, CLAIM).passed is passed


def test_failures_name_file_check_and_both_values():
    checks = (readable("model.pt2", ""), readable("model.onnx", "no graph"), small_enough("packed.npz", 9, 8))
    assert failures(checks) == [
        "model.onnx: can be read and run: no graph (expected yes)",
        "packed.npz: bytes of the weights: 9 bytes (expected at most 8 bytes, 64 bits)",
    ]


def test_a_tally_counts_against_network_and_label():
    import torch

    tally = Tally()
    tally.count(torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, 2]))
    tally.count(torch.tensor([5]), torch.tensor([5]), torch.tensor([5]))
    # the network is wrong on the second and the fourth, and the file with it; the third the file alone gets wrong
    assert tally == Tally(images=5, hits=2, flips=2, wrong=2, fooled=2)
    assert tally.own.value == pytest.approx(3 / 5)
    assert tally.to_json()["flip_rate"] == pytest.approx(0.4)


def test_every_file_is_judged_on_every_image_beside_its_network():
    """The network is wrong on every tenth image, one file on every fourth; both on every twentieth."""
    import torch

    from evaluators.data.dataset import Split
    from evaluators.deployment.adversaries import Adversaries

    class Numbered(torch.nn.Module):
        """Reads an image's number from its first two pixels; its own class is the last digit but for every tenth."""

        def __init__(self):
            super().__init__()
            self.register_buffer("somewhere", torch.zeros(1))

        def forward(self, images):
            number = (images[:, 0, 0, 0] * 255 + 256 * (images[:, 0, 0, 1] * 255)).round().long()
            return number % 10 + (number % 10 == 0)

    def another(images):
        number = np.rint(images[:, 0, 0, 0] * 255 + 256 * (images[:, 0, 0, 1] * 255)).astype(np.int64)
        return number % 10 + 2 * (number % 4 == 0)

    numbers = torch.arange(600)
    greys = torch.stack([numbers % 256, numbers // 256], 1).to(torch.uint8).view(600, 1, 1, 2)
    split = Split(images=greys, labels=numbers % 10)
    attacked = Adversaries(images=greys.float() / 255, labels=numbers % 10, worst=CLAIM)
    for batches in (clean_batches(split), attacked_batches(attacked)):
        [tally] = examined(Numbered(), {"file": another}, batches).values()
        assert tally == Tally(images=600, hits=600 - 150, flips=60 + 150 - 30, wrong=60, fooled=30)


def lock(**changes: object) -> Lock:
    measurements = {
        "bops": Measurement(value=1e6, unit="bit-ops"),
        "acc": Measurement.fraction(90, 100),
        "pgd_naive": Measurement.fraction(70, 100),
        "pgd": Measurement(value=0.6, unit="fraction", stderr=0.05, n=100, flags=("suspect:gap",)),
    }
    protocol = Protocol(dataset="mnist5k", checksum="0", network="fcn2", epsilon=0.1)
    values = {
        "study": "a study",
        "chosen": Listed(number=3, candidate="in4:xnor:x0.5", measurements=measurements, front_probability=0.8),
        "protocol": protocol,
        "split_seed": 0,
        "budget": Budget(),
        "measurements": measurements,
        "rule": "the highest worst-case accuracy",
        "reason": "it is the best",
        "versions": {},
    }
    return Lock(**{**values, **changes})


def outcome(*, passed: bool = True) -> Outcome:
    tallies = {"model.onnx": Tally(images=100, hits=90, flips=1, wrong=10, fooled=9)}
    return Outcome(
        checks=(readable("model.onnx", "" if passed else "it is <b>broken</b>"),),
        exams={TEST: tallies, CLAIMED: tallies, ATTACKED: tallies},
        sizes={"model.onnx": 2000, FLOAT32: 1000},
        latency=(Latency(batch=1, exported=0.002, float32=0.001),),
        digests={},
    )


def test_the_card_states_threat_verdict_and_what_the_files_are_worth():
    text = card(lock(), outcome())
    for part in (
        "# `in4:xnor:x0.5` on `mnist5k`",
        "this export is **deployable**",
        "at most 0.1 (l-infinity",
        "verdict: **suspect**",
        "plain PGD alone would have said 10.0 points more",
        "1 of 100 test images",
        "| `model.onnx` | 2.0 kB | 2.000 |",
        "2 ms an image, 2.00 times that of the float32 network",
        "probability that nothing beats it: 0.80",
        "The numbers are of validation images",
    ):
        assert part in text


def test_the_card_tells_means_of_several_trainings_from_what_one_network_is_worth():
    means = {"acc": Measurement(value=0.8, unit="fraction", stderr=0.2, n=100)}
    several = Listed(number=4, candidate="pact4", measurements=means, runs=3)
    chosen = Listed(number=3, candidate="in4:xnor:x0.5", measurements=means, runs=3)
    text = card(lock(chosen=chosen, runners_up=(several,)), outcome())
    assert "- runner-up: `pact4`, means of 3 trainings, acc 80.0 %" in text
    assert "- chosen by: `in4:xnor:x0.5`, means of 3 trainings, acc 80.0 %" in text
    assert "| clean accuracy (`acc`) | 90.0 %" in text
    assert "what another training would give is in those of means alone" in text
    assert "- chosen by" not in card(lock(), outcome())


def test_the_card_compares_with_no_attacker_of_another_kind():
    """Behind the discretizer plain PGD may move what no attacker of the image can, and less is left of it."""
    behind = replace(lock().protocol, threat="discretised")
    assert "would have said" not in card(lock(protocol=behind), outcome())


def test_the_card_of_a_failed_export_says_so_and_claims_nothing_unmeasured():
    measured = {"acc": Measurement.fraction(90, 100)}
    text = card(lock(measurements=measured, confirmed=True, part="test"), outcome(passed=False))
    assert "this export is **not deployable**" in text
    assert "**deployable**" not in text
    assert "- failed: `model.onnx: can be read and run: it is <b>broken</b> (expected yes)`" in text
    assert "nothing is claimed about its robustness" in text
    assert "The numbers are of validation images" not in text


@pytest.mark.parametrize(
    "name", ["`; <script>alert(1)</script>", "a\n# heading", "a | b", "[link](http://x)", "<img src=x>"]
)
def test_names_do_not_leave_their_place_in_the_card(name):
    text = card(lock(study=name, reason=name, rule=name), outcome())
    assert text.count("\n# ") == 0
    for line in text.splitlines():
        outside = "".join(line.replace("\\`", "").split("`")[::2])
        assert "<script" not in outside.replace("\\<", "")
        assert "<img" not in outside.replace("\\<", "")
        assert "](" not in outside.replace("\\]", "")


def test_what_stands_for_names():
    assert code("a`b\n c|d") == "`a'b c¦d`"
    assert plain("a_b <c> [d](e)\n#f") == r"a\_b \<c\> \[d\](e) \#f"


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ("mnist5k", "ShareAlike 3.0"),
        ("mnist", "ShareAlike 3.0"),
        ("fashion-mnist", "MIT"),
        ("cifar10", "state no licence"),
        ("cifar100", "technical report, University of Toronto, 2009"),
        ("mine.npz", "not known here"),
        ("folder:photos@32", "not known here"),
    ],
)
def test_licences_are_those_of_the_makers_or_unknown(dataset, said):
    protocol = Protocol(dataset=dataset, checksum="0", network="fcn2", epsilon=0.1)
    assert said in licence_of(lock(protocol=protocol))
    assert "not known" in UNKNOWN


def test_a_folder_is_whole_or_not_there(tmp_path):
    out = tmp_path / "deep" / "out"
    with pytest.raises(RuntimeError), whole(out) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == [tmp_path / "deep"]
    with whole(out) as folder:
        (folder / "config.json").write_text(json.dumps({"format": 1, "made_by": "bitfront export"}))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config.json", "deep", "out"]
    check_free(out)
    (out / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="--out is taken"):
        check_free(out)


def test_what_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="output folder: got"), whole(Path(tmp_path, "file", "out")):
        pass


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "out").mkdir()
    check_free(tmp_path / "out")
    with whole(tmp_path / "out") as folder:
        (folder / "config.json").write_text("{}")
    assert (tmp_path / "out" / "config.json").is_file()


def test_the_current_folder_and_a_mount_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"--out: got '\.'; expected .* hint: choose a folder in it, such as export"):
        check_free(Path())
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "volume")
    with pytest.raises(UserError, match="choose a folder in it, such as volume/export"):
        check_free(Path("volume"))
    check_free(Path("volume/export"))
