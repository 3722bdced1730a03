"""What a candidate is worth under a protocol: cost first, then training, then attacks."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, get_args

from evaluators.answers import Answer, Answers
from evaluators.attacks.spec import AttackSpec
from evaluators.base import Budget, Measurement, Protocol, check_range
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.data.dataset import DataSet, Split
from evaluators.ensemble import Ensemble
from evaluators.identity import Identity, fingerprint
from evaluators.judge import Judge
from evaluators.members import MemberPool, MemberSpec, Rung, code_version
from evaluators.networks.plan import Plan
from evaluators.objectives import OBJECTIVES, find_objectives
from evaluators.prices import Prices
from evaluators.seeds import number
from evaluators.training.recipes import RECIPES
from evaluators.votes import Vote, vote_named
from space import Candidate, Member, UnknownName

Part = Literal["validation", "test"]
"""What images may be judged on; the search never sees the test images."""


class Evaluator:
    """Measures candidates; the same candidate gives the same values in any order and any process.

    Attributes:
        protocol: what is held fixed.
        budget: what one evaluation may spend.
        pool: the trained members.
        answers: of the members to the validation images, kept.
        data: the images.
    """

    def __init__(self, protocol: Protocol, budget: Budget, pool: MemberPool) -> None:
        self.protocol, self.budget, self.pool = protocol, budget, pool
        self.answers = Answers(pool)

    @property
    def data(self) -> DataSet:
        """The images."""
        return self.pool.data

    def repeated(self, run: int) -> "Evaluator":
        """The same, with members that were initialised and trained by other seeds, and attacks that start elsewhere.

        Images and their splits stay; what was trained for a run is found again.

        Args:
            run: which repetition, from 2 on: the first is this evaluator's own. The same run has the same seeds.
        """
        check_range("run", run, 2, 10**6)
        seed = number(self.protocol.seed, "repeated", str(run)) % 2**31
        return self.under(replace(self.protocol, seed=seed), self.budget)

    def under(self, protocol: Protocol, budget: Budget) -> "Evaluator":
        """The same images, split as they are, and members kept in the same place, under another protocol and budget.

        Args:
            protocol: of these images.
            budget: what one evaluation may spend.
        """
        return Evaluator(protocol, budget, self.pool)

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """Every cost objective; milliseconds.

        Raises: UserError when the candidate does not fit the network.
        """
        return cost_measurements(cost_report(candidate, self.protocol.network, self._plan(candidate)))

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield the named objectives from cheap to dear; a consumer may stop at any of them.

        With the worst case come, for nothing, the accuracy under plain PGD before it, the certified accuracy, and BOUND
        in between, once and again: what stands so far, which the worst case can only lower.

        Raises: UnknownName, UserError when the candidate does not fit, FloatingPointError when training diverges.
        """
        wanted = {objective.name for objective in find_objectives(names)}
        costs = self.cost(candidate)
        yield from ((name, costs[name]) for name in OBJECTIVES if name in wanted & costs.keys())
        rest = [name for name in OBJECTIVES if name in wanted - costs.keys()]
        if not rest:
            return
        began = time.perf_counter()
        if "acc" in rest:
            rest.remove("acc")
            answers = [self.answers.obtain(spec, candidate.mapping) for spec in self.specs(candidate)]
            yield "acc", self._clean(candidate, answers, time.perf_counter() - began)
            began = time.perf_counter()
        if not rest:
            return
        yield from self._judge.objectives(self.ensemble(candidate), rest, began)

    @property
    def prices(self) -> Prices:
        """What trainings and attacks cost, in passes."""
        return Prices.of(self.budget, len(self.data.train.head(self.budget.train_images)))

    def known(self, candidate: Candidate) -> bool:
        """Whether every member is trained and kept: then measuring it trains nothing."""
        return all(self.answers.known(spec) for spec in self.specs(candidate))

    @property
    def code(self) -> str:
        """Digest of the sources that decide what a training yields."""
        return code_version()

    def identities(self, candidate: Candidate) -> tuple[Identity, ...]:
        """Which trained networks the candidate consists of, in the order of its canonical form; trains nothing."""
        return tuple(self._identity(spec) for spec in self.specs(candidate))

    def _identity(self, spec: MemberSpec) -> Identity:
        key, store = spec.key(), self.pool.store
        with store.lock(key):
            entry = store.load(key)
        return Identity(key, None if entry is None else fingerprint(entry.tensors))

    def free_accuracy(self, candidates: Sequence[Candidate]) -> list[Measurement | None]:
        """What `measure` would give as `acc`, without any training or attack; None where a member is not trained.

        A member's answers under a mapping are computed once, in one pass over the validation images, and looked up
        ever after.

        Args:
            candidates: that fit the network.
        """
        return [self._free(candidate) for candidate in candidates]

    def rung_accuracy(self, candidate: Candidate, epochs: int) -> Measurement | None:
        """The clean accuracy of members that have trained only so far, on the course of all their epochs.

        They are trained no further, and go on from there when they are asked for in full. What a member starts or
        learns from is trained to its end.

        Args:
            candidate: its members may be known, in part or all.
            epochs: 1 to one less than the budget's.
        Returns: as `acc`; None, and nothing is trained, where a member has gone further without a stop there.
        Raises: as `measure`.
        """
        check_range("epochs of a rung", epochs, 1, self.budget.epochs - 1, "a rung comes before the last epoch")
        self.cost(candidate)  # says what does not fit, before any training
        began, mapping = time.perf_counter(), candidate.mapping
        rungs = [Rung(spec, epochs) for spec in self.specs(candidate)]
        if not all(self.answers.reaches(rung, mapping) for rung in rungs):
            return None
        answers = [answer for rung in rungs if (answer := self.answers.at(rung, mapping)) is not None]
        return self._clean(candidate, answers, time.perf_counter() - began) if len(answers) == len(rungs) else None

    def judge(
        self,
        candidate: Candidate,
        specs: Sequence[AttackSpec | None],
        *,
        part: Part = "validation",
        images: int = 0,
    ) -> Iterator[Measurement]:
        """Yield, specification by specification, the accuracy of the candidate under it.

        Args:
            candidate: is trained, or fetched, at first.
            specs: attacks; None for none. Neighbours that differ in their ε alone share one pass where they can.
            part: of the images.
            images: how many of them, 0 for all.
        Raises: UserError when the candidate does not fit or the images are out of range, FloatingPointError when
            training diverges.
        """
        if part not in get_args(Part):
            raise UnknownName("part of the images", part, get_args(Part))
        check_range("judged images", images, 0, 10**9, "0 means all")
        for one in (candidate, *(spec.source for spec in specs if spec and spec.source)):
            self.cost(one)  # says what does not fit, before any training
        began = time.perf_counter()
        split: Split = getattr(self.data, part)
        yield from self._judge.accuracies(self.ensemble(candidate), specs, split.head(images), began)

    def ensemble(self, candidate: Candidate) -> Ensemble:
        """The candidate as a model: members trained or fetched, weights mapped, joined by the vote."""
        networks = [self.pool.obtain(spec) for spec in self.specs(candidate)]
        if candidate.mapping is not None:
            for network in networks:
                network.map_weights(candidate.mapping.mu, candidate.mapping.layers)
        return Ensemble(networks, _vote(candidate))

    @cached_property
    def _judge(self) -> Judge:
        """Kept, since it remembers what it crafted."""
        return Judge(self.protocol, self.budget, self.data, self.ensemble)

    def _free(self, candidate: Candidate) -> Measurement | None:
        specs = self.specs(candidate)
        if not all(map(self.answers.known, specs)):
            return None
        answers = [answer for spec in specs if (answer := self.answers.find(spec, candidate.mapping)) is not None]
        return self._clean(candidate, answers) if len(answers) == len(specs) else None

    def _clean(self, candidate: Candidate, answers: Sequence[Answer], seconds: float = 0.0) -> Measurement:
        """The clean accuracy on all validation images, by the vote over the members' answers."""
        return Measurement.fraction(*self.answers.hits(answers, _vote(candidate)), seconds=seconds)

    def specs(self, candidate: Candidate) -> list[MemberSpec]:
        """What names the members, in the order of the canonical form, which tells equal ones apart by their index."""
        candidate = candidate.canonical()
        return [self._spec(candidate, member) for member in candidate.members]

    def _plan(self, candidate: Candidate) -> Plan:
        return Plan(shape=self.data.shape, classes=self.data.classes, width=candidate.width)

    def _spec(self, candidate: Candidate, member: Member) -> MemberSpec:
        return MemberSpec(
            precision=str(member.precision),
            index=member.index,
            network=self.protocol.network,
            plan=self._plan(candidate),
            input_bits=candidate.input_bits,
            recipe=candidate.recipe,
            epochs=self.budget.epochs,
            train_images=self.budget.train_images,
            dataset=self.protocol.checksum,
            seed=self.protocol.seed,
            autocast=self.protocol.autocast,
            epsilon=self.protocol.epsilon if RECIPES[candidate.recipe].crafting else 0.0,
        )


def _vote(candidate: Candidate) -> Vote:
    candidate = candidate.canonical()
    return vote_named(candidate.vote, [member.precision.float for member in candidate.members])
