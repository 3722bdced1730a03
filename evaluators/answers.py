"""What trained members answer to the validation images: computed once, kept in memory and beside them in the store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import torch
from torch import Tensor

from evaluators.data.batches import evaluation_batches
from evaluators.members import MemberPool, MemberSpec, Rung
from evaluators.networks.build import Network
from evaluators.votes import Vote, opinions
from space.candidate import MuLaw

BATCH = 256
"""Images that are answered at once; part of an entry's address, since rounding may follow from it."""

MOST_KEPT = 2**29
"""Bytes of answers that stay in memory; the store has the others."""

FORMAT = "logits 1"
"""Names how answers are computed, beyond what the address of a member covers."""

Trained = MemberSpec | Rung
"""What answers: a member, or one whose training has gone only so far."""

Load = Callable[[], Network | None]
"""Gives a trained network, or None where that would take a training that nobody asked for."""


class _UntrainedError(Exception):
    """A member is not in the store, and nobody asked for it to be trained."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """One member's answer to every validation image, on the CPU.

    Attributes:
        probabilities: N × classes, float32.
        classes: N, int64, the most likely ones.
        leads: N, float32, of their logits over the next.
    """

    probabilities: Tensor
    classes: Tensor
    leads: Tensor

    @classmethod
    def of(cls, logits: Tensor) -> "Answer":
        """From logits, N × classes."""
        probabilities, classes, leads = opinions(logits)
        return cls(probabilities=probabilities, classes=classes, leads=leads)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.probabilities.nbytes + self.classes.nbytes + self.leads.nbytes


class Answers:
    """The answers of all members that a pool has trained or can train.

    Attributes:
        pool: of members; answers lie in its store, and are about its validation images.
        passes: how many passes over the images were made here.
    """

    def __init__(self, pool: MemberPool) -> None:
        self.pool, self.passes = pool, 0
        self._kept: dict[tuple[Trained, MuLaw | None], Answer] = {}
        self._members: dict[Trained, str] = {}

    def obtain(self, spec: MemberSpec, mapping: MuLaw | None = None) -> Answer:
        """The answer of a member under a mapping; it is trained if need be.

        Raises: FloatingPointError when the training diverges.
        """
        return self._answer(spec, mapping, lambda: self.pool.obtain(spec))

    def known(self, spec: MemberSpec) -> bool:
        """Whether the trained member is in the store."""
        return self.pool.store.holds(self._member(spec))

    def find(self, spec: MemberSpec, mapping: MuLaw | None = None) -> Answer | None:
        """The answer of a member that was trained, at the price of one pass at most; None where it was not."""
        try:
            return self._answer(spec, mapping, lambda: self.pool.find(spec))
        except _UntrainedError:
            return None

    def at(self, rung: Rung, mapping: MuLaw | None = None) -> Answer | None:
        """The answer of a member whose training has gone so far, and goes so far if need be; None where it cannot.

        Raises: FloatingPointError when the training diverges.
        """
        try:
            return self._answer(rung, mapping, lambda: self.pool.rung(rung))
        except _UntrainedError:
            return None

    def reaches(self, rung: Rung, mapping: MuLaw | None = None) -> bool:
        """Whether `at` has an answer: it is kept, or the training can give it."""
        return self.pool.store.holds(self._key(rung, mapping)) or self.pool.reaches(rung)

    def hits(self, answers: Sequence[Answer], vote: Vote) -> tuple[int, int]:
        """How many validation images these members together get right, and of how many."""
        parts = ((answer.probabilities, answer.classes, answer.leads) for answer in answers)
        decided = vote.decide(*map(torch.stack, zip(*parts, strict=True)))
        return int((decided == self._labels).sum()), len(decided)

    def _answer(self, trained: Trained, mapping: MuLaw | None, load: Load) -> Answer:
        if (trained, mapping) not in self._kept:
            self._keep(trained, mapping, Answer.of(self._logits(trained, mapping, load)))
        return self._kept[trained, mapping]

    def _logits(self, trained: Trained, mapping: MuLaw | None, load: Load) -> Tensor:
        """Read the logits, or compute and save them, also where the entry is damaged."""
        store, key = self.pool.store, self._key(trained, mapping)
        with store.lock(key):
            if (entry := store.load(key)) is None:
                if (network := load()) is None:
                    raise _UntrainedError
                meta = {"member": self._member(trained), "mapping": str(mapping or ""), "split": self._split}
                entry = store.save(key, {"logits": self._pass(network, mapping)}, meta)
        return entry.tensors["logits"]

    @torch.no_grad()
    def _pass(self, network: Network, mapping: MuLaw | None) -> Tensor:
        """Logits of every validation image: N × classes."""
        self.passes += 1
        if mapping is not None:
            network.map_weights(mapping.mu, mapping.layers)
        parts = [network(images) for images, _ in evaluation_batches(self.pool.data.validation, BATCH)]
        return torch.cat(parts).float()

    def _keep(self, trained: Trained, mapping: MuLaw | None, answer: Answer) -> None:
        """Remember an answer, and forget the oldest where there are too many."""
        while self._kept and (len(self._kept) + 1) * answer.size > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[trained, mapping] = answer

    def _member(self, trained: Trained) -> str:
        """The member's address; deriving it takes longer than looking it up."""
        if trained not in self._members:
            self._members[trained] = trained.key()
        return self._members[trained]

    def _key(self, trained: Trained, mapping: MuLaw | None) -> str:
        text = json.dumps([FORMAT, BATCH, self._member(trained), self._split, str(mapping or "")])
        return sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def _labels(self) -> Tensor:
        return self.pool.data.validation.labels.cpu()

    @cached_property
    def _split(self) -> str:
        """Identity of the validation images and their order."""
        split = self.pool.data.validation
        digest = sha256(split.images.cpu().numpy().tobytes())
        digest.update(split.labels.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]
