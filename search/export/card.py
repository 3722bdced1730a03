"""The model card: what a network is, how far its numbers carry, and what speaks against using it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evaluators.base import Measurement
from evaluators.objectives import OBJECTIVES
from evaluators.verdict import JUDGED
from search.export.folders import FILES, VERIFIED
from search.export.licences import licence_of
from search.export.programs import IR, ONNX, OPSET
from search.export.running import PACKED
from search.export.verification import ATTACKED, CLAIMED, FLOAT32, TEST, Outcome
from search.formats import bounded, number, points, probability, radius, size
from search.tables.verdicts import RULES
from space.shown import counted

if TYPE_CHECKING:
    from studies import Listed, Lock

VERDICTS = {
    "unchecked": "nobody looked whether the number hides gradients: read it as an upper bound",
    "ok": "no rule that tells hidden gradients triggered",
    "suspect": "something hides gradients, or an attack had not settled; the number has seen through it as far as "
    "is known",
    "masked": "the number is known to be too high: an attack that does not need gradients, or better ones, break more",
    "invalid": "no attack can be run against it: the number means nothing",
}


def card(lock: Lock, outcome: Outcome) -> str:
    """The whole card, Markdown; names that others chose stand between backquotes."""
    parts = (
        _what(lock, outcome),
        _training(lock),
        _front(lock),
        _robustness(lock),
        _files(lock, outcome),
        _limits(lock),
        ["## Licence of the data", "", licence_of(lock)],
    )
    return "\n".join(line for part in parts for line in (*part, ""))


def _what(lock: Lock, outcome: Outcome) -> Iterator[str]:
    protocol, verdict = lock.protocol, "**deployable**" if outcome.deployable else "**not deployable**"
    yield f"# {code(str(lock.candidate))} on {code(protocol.dataset)}"
    yield ""
    yield f"Measured again from its files, this export is {verdict}."
    yield from (f"- failed: {code(one)}" for one in outcome.failures)
    yield ""
    yield (
        f"A network that decides what an image shows: topology {code(protocol.network)}, candidate "
        f"{code(str(lock.candidate))} (chosen in study {code(lock.study)}, trial {lock.number}). Input discretization, "
        "all members, their quantized weights and the vote are inside the graph."
    )
    yield ""
    yield from _measurements(lock.measurements)


def _measurements(measurements: Mapping[str, Measurement]) -> Iterator[str]:
    yield "| | measured | images |"
    yield "|---|---|---|"
    for name, one in measurements.items():
        label = OBJECTIVES[name].label if name in OBJECTIVES else name
        yield f"| {label} (`{name}`) | {bounded(one)} | {one.n or ''} |"


def _training(lock: Lock) -> Iterator[str]:
    candidate, budget, protocol = lock.candidate, lock.budget, lock.protocol
    images = budget.train_images or "all"
    yield "## How it was trained"
    yield ""
    yield f"- recipe {code(candidate.recipe)}, {counted(budget.epochs, 'epoch')}, {images} training images"
    yield f"- members: {', '.join(code(str(member)) for member in candidate.canonical().members)}"
    yield f"- width {candidate.width:g} of the topology's channels; seed {protocol.seed}"
    yield f"- images: {code(protocol.dataset)}, checksum {code(protocol.checksum)}; split by seed {lock.split_seed}"
    confirmed = (
        "trained again with fresh seeds at the full budget and measured on test images that no search has seen"
        if lock.confirmed
        else "not confirmed: its numbers are those of the search, on images that it was chosen by, and so flattering"
    )
    yield f"- {confirmed}"


def _front(lock: Lock) -> Iterator[str]:
    yield "## Position on the front"
    yield ""
    yield f"- rule: {plain(lock.rule)}; limits: {', '.join(code(str(one)) for one in lock.limits) or 'none'}"
    yield f"- reason: {plain(lock.reason)}"
    if lock.warning:
        yield f"- warning: {plain(lock.warning)}"
    if lock.chosen.front_probability is not None:
        yield f"- probability that nothing beats it: {probability(lock.chosen.front_probability)}"
    yield from _others("chosen by", [lock.chosen] if lock.chosen.runs > 1 else [])
    yield from _others("runner-up", lock.runners_up)
    yield from _others("best trade-off", [lock.knee] if lock.knee else [])


def _others(what: str, listed: Sequence[Listed]) -> Iterator[str]:
    for one in listed:
        values = ", ".join(f"{name} {bounded(found)}" for name, found in one.measurements.items())
        means = f"means of {one.runs} trainings, " if one.runs > 1 else ""
        yield f"- {what}: {code(one.candidate)}, {means}{values}"


def _robustness(lock: Lock) -> Iterator[str]:
    protocol, gap = lock.protocol, lock.network.gap
    yield "## Robustness"
    yield ""
    yield (
        f"Threat model: an attacker who knows everything (weights, discretizer, vote) moves each pixel by at most "
        f"{radius(protocol.epsilon)} (l-infinity, pixels in [0, 1]), before the input is discretized."
    )
    yield ""
    if JUDGED not in lock.measurements:
        yield "Its accuracy under attack was not measured: **nothing is claimed about its robustness**."
        return
    worst = lock.measurements[JUDGED]
    yield f"- accuracy under the worst of an adaptive set of attacks: {bounded(worst)}, {worst.n} {lock.part} images"
    if gap is not None and protocol.threat == "raw":  # else plain PGD is of another attacker
        yield f"- plain PGD alone would have said {points(gap)} points more"
    rules = f" (rules: {', '.join(lock.rules)}; see {RULES})" if lock.rules else ""
    yield f"- verdict: **{lock.verdict}**, {VERDICTS[lock.verdict]}{rules}"


def _files(lock: Lock, outcome: Outcome) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield f"`{ONNX}` has opset {OPSET}, IR version {IR}; `{VERIFIED}` has all of the following, and checksums."
    yield ""
    yield from _sizes(outcome)
    yield ""
    yield from _agreement(outcome, lock.part)
    yield ""
    for one in outcome.latency:
        yield (
            f"- latency at batch {one.batch}, onnxruntime, one thread: {1000 * one.exported:.3g} ms an image, "
            f"{one.ratio:.2f} times that of the float32 network"
        )
    yield (
        "- the graphs compute in float32 whatever the weights' bits: they are as quick as float operations are here; "
        f"what low precision saves shows in `{PACKED}` and on hardware that computes in bits"
    )


def _sizes(outcome: Outcome) -> Iterator[str]:
    float32 = outcome.sizes[FLOAT32]
    yield "| file | size | against float32 weights |"
    yield "|---|---|---|"
    for name in FILES:
        if name in outcome.sizes:
            yield f"| `{name}` | {size(outcome.sizes[name])} | {outcome.sizes[name] / float32:.3f} |"
    yield f"| {FLOAT32} | {size(float32)} | 1 |"


def _agreement(outcome: Outcome, part: str) -> Iterator[str]:
    yield f"| file | decided otherwise than PyTorch | accuracy, {part} images | accuracy, attacked {part} images |"
    yield "|---|---|---|---|"
    for name, test in outcome.exams[TEST].items():
        clean, attacked = (outcome.exams[exam][name] for exam in (CLAIMED, ATTACKED))
        shares = (number(one.hits / one.images, "fraction") for one in (clean, attacked))
        yield f"| `{name}` | {test.flips} of {test.images} test images | {' | '.join(shares)} |"


def _limits(lock: Lock) -> Iterator[str]:
    yield "## Limits of the claim"
    yield ""
    yield "- Robust accuracy is what the attacks tried here did not break; it is no proof, unless `certified` says so."
    yield (
        f"- Nothing is claimed for larger changes than {radius(lock.protocol.epsilon)}, for other norms, rotations, "
        "blur or weather, for physical attacks, or for images from elsewhere than the data set."
    )
    yield (
        "- Intervals are those of drawing images (95 %); what another training would give is in those of means alone."
    )
    if lock.part == "validation":
        yield "- The numbers are of validation images, which the search chose by: expect less on new ones."
    yield "- Low precision is not robustness: compare with a float network as small before you conclude that it is."


def code(text: str) -> str:
    """A name between backquotes, on one line, whatever is in it."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return f"`{flat}`"


def plain(text: str) -> str:
    """A sentence of ours that may hold names: nothing in it is Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
