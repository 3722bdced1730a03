"""What a candidate is worth under a protocol: cost first, then training, then attacks."""

import time
from collections.abc import Iterator, Sequence

import torch

from evaluators.attacks.base import ThreatModel
from evaluators.attacks.catalogue import attacks
from evaluators.base import Budget, Measurement, Protocol
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.data.batches import evaluation_batches
from evaluators.data.dataset import DataSet
from evaluators.ensemble import Ensemble, vote_named
from evaluators.members import MemberPool, MemberSpec
from evaluators.networks.plan import Plan
from evaluators.objectives import OBJECTIVES, find_objectives
from evaluators.seeds import stream
from evaluators.training.recipes import RECIPES
from space import Candidate, Member

BATCH = 256
"""Images that are evaluated or attacked at once."""


class Evaluator:
    """Measures candidates; the same candidate gives the same values in any order and any process.

    Attributes:
        protocol: what is held fixed.
        budget: what one evaluation may spend.
        pool: the trained members.
        data: the images.
    """

    def __init__(self, protocol: Protocol, budget: Budget, pool: MemberPool) -> None:
        self.protocol, self.budget, self.pool = protocol, budget, pool

    @property
    def data(self) -> DataSet:
        """The images."""
        return self.pool.data

    def cost(self, candidate: Candidate) -> dict[str, Measurement]:
        """Every cost objective; milliseconds.

        Raises: UserError when the candidate does not fit the network.
        """
        return cost_measurements(cost_report(candidate, self.protocol.network, self._plan(candidate)))

    def measure(self, candidate: Candidate, names: Sequence[str]) -> Iterator[tuple[str, Measurement]]:
        """Yield the named objectives from cheap to dear; a consumer may stop at any of them.

        Raises: UnknownName, UserError when the candidate does not fit, FloatingPointError when training diverges.
        """
        wanted = {objective.name for objective in find_objectives(names)}
        costs = self.cost(candidate)
        yield from ((name, costs[name]) for name in OBJECTIVES if name in wanted & costs.keys())
        rest = [name for name in OBJECTIVES if name in wanted - costs.keys()]
        if not rest:
            return
        began = time.perf_counter()
        model = self.ensemble(candidate)
        for name in rest:
            measurement = self._clean(model, began) if name == "acc" else self._attacked(model, name, began)
            yield name, measurement
            began = time.perf_counter()

    def ensemble(self, candidate: Candidate) -> Ensemble:
        """The candidate as a model: members trained or fetched, weights mapped, joined by the vote."""
        candidate = candidate.canonical()  # equal members are told apart by their index
        networks = [self.pool.obtain(self._spec(candidate, member)) for member in candidate.members]
        if candidate.mapping is not None:
            for network in networks:
                network.map_weights(candidate.mapping.mu, candidate.mapping.layers)
        return Ensemble(networks, vote_named(candidate.vote, [member.precision.float for member in candidate.members]))

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

    def _clean(self, model: Ensemble, began: float) -> Measurement:
        split = self.data.validation
        hits = sum((model(images) == labels).sum() for images, labels in evaluation_batches(split, BATCH))
        return Measurement.fraction(int(hits), len(split), seconds=time.perf_counter() - began)

    def _attacked(self, model: Ensemble, name: str, began: float) -> Measurement:
        attack = attacks(steps=self.budget.steps, restarts=self.budget.restarts)[name]
        threat = ThreatModel(epsilon=self.protocol.epsilon, where=self.protocol.threat)
        split = self.data.validation.head(self.budget.images)
        standing = torch.zeros((), dtype=torch.int64, device=split.labels.device)
        for batch, (images, labels) in enumerate(evaluation_batches(split, BATCH)):
            noise = stream(self.protocol.seed, "attack", name, str(batch), device=images.device)
            standing += (~attack(model, images, labels, threat, noise).broken).sum()
        return Measurement.fraction(int(standing), len(split), seconds=time.perf_counter() - began)
