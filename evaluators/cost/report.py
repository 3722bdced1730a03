"""A candidate's cost in full: every layer of every member, and every cost model."""

from dataclasses import asdict, dataclass
from typing import Any

from evaluators.base import Measurement
from evaluators.cost.models import COST_MODELS, layer_bops, macs, stored, weight_bits
from evaluators.networks.build import FULL_PRECISION
from evaluators.networks.catalogue import find_network
from evaluators.networks.plan import Plan
from evaluators.networks.trace import LayerShape, trace
from evaluators.objectives import OBJECTIVES
from space import AnyPrecision, Candidate, Precision, Staged, UserError

FLOAT_BITS = 32


@dataclass(frozen=True, kw_only=True)
class MemberCost:
    """One member's precision and layers, and the layers of the network in full precision."""

    precision: AnyPrecision
    layers: tuple[LayerShape, ...]
    full: tuple[LayerShape, ...]

    @property
    def member(self) -> str:
        """The token of the precision."""
        return str(self.precision)


@dataclass(frozen=True, kw_only=True)
class CostReport:
    """What a candidate costs on a network, for one image."""

    candidate: str
    network: str
    members: tuple[MemberCost, ...]

    def total(self, model: str) -> float:
        """The sum of a cost model over the members."""
        return sum(COST_MODELS[model](member.layers) for member in self.members)

    @property
    def macs(self) -> float:
        """Multiply-accumulates of all members."""
        return sum(macs(member.layers) for member in self.members)

    @property
    def weight_bits(self) -> float:
        """Bits of the weights of all members."""
        return sum(weight_bits(member.layers) for member in self.members)

    def overhead(self, *, by_time: bool) -> float:
        """Time or storage against one float32 model: 1 for a full-precision member, k/32 for others (EMPIR, §3.3).

        The paper takes times from a platform's table; here throughput doubles when bits halve. k is a weight's bits
        for storage, the wider of weight and activation for time, M·N of a multi-bit network, which is as many binary
        ones; float32 is 32 bits here, where `bops` has it 8.
        A pruned member counts as the share of multiply-accumulates, or of weights, that is left; of a member whose
        stages differ, the widest counts.
        """
        return sum(_overhead(member, by_time=by_time) for member in self.members)

    def to_json(self) -> dict[str, Any]:
        """Totals, every cost model under its own name, and a list of layers that names their member."""
        layers = [
            {"member": member.member, **asdict(layer), "bops": layer_bops(layer)}
            for member in self.members
            for layer in member.layers
        ]
        totals = {name: self.total(name) for name in COST_MODELS}
        return {
            "candidate": self.candidate,
            "network": self.network,
            "macs": int(self.macs),
            "weight_bits": int(self.weight_bits),
            **{name: int(value) if value.is_integer() else value for name, value in totals.items()},
            "empir_time": self.overhead(by_time=True),
            "empir_storage": self.overhead(by_time=False),
            "layers": layers,
        }


def cost_report(candidate: Candidate, network: str, plan: Plan | None = None) -> CostReport:
    """Cost of a candidate; milliseconds.

    Args:
        candidate: its width multiplies that of `plan`.
        network: a name of NETWORKS.
        plan: image shape and classes; those of the network's paper where left out.
    Raises: UnknownName for the network, UserError where the candidate or the images do not fit it.
    """
    info = find_network(network)
    sizes = plan or Plan(shape=info.shape, classes=info.classes)
    sizes = Plan(shape=sizes.shape, classes=sizes.classes, width=candidate.width)
    members = tuple(
        MemberCost(
            precision=member.precision,
            layers=trace(network, member.precision, sizes),
            full=trace(network, FULL_PRECISION, sizes),
        )
        for member in candidate.members
    )
    _check_mapping(candidate, network, len(members[0].layers))
    return CostReport(candidate=str(candidate), network=network, members=members)


def cost_measurements(report: CostReport) -> dict[str, Measurement]:
    """The cost objectives as measurements: exact, free. UserError where a model or an objective lacks the other."""
    priced = {name for name, one in OBJECTIVES.items() if one.stage == "cost"}
    if lone := sorted(priced ^ COST_MODELS.keys()):
        expected = "a cost objective in OBJECTIVES and its model in COST_MODELS, under one name"
        raise UserError("cost without its other half", got=", ".join(lone), expected=expected)
    return {name: Measurement(value=report.total(name), unit=OBJECTIVES[name].unit) for name in COST_MODELS}


def _overhead(member: MemberCost, *, by_time: bool) -> float:
    precision, count = member.precision, macs if by_time else stored
    stages = precision.stages if isinstance(precision, Staged) else (precision,)
    bits = max(map(_bits_of_time if by_time else _bits_of_storage, stages))
    return bits / FLOAT_BITS * count(member.layers) / count(member.full)


def _bits_of_storage(precision: Precision) -> int:
    return FLOAT_BITS if precision.method == "fp" else precision.weight


def _bits_of_time(precision: Precision) -> int:
    if precision.method == "mbn":  # so many binary convolutions, one after the other
        return precision.weight * precision.activation
    return max(_bits_of_storage(precision), FLOAT_BITS if precision.real else precision.activation)


def _check_mapping(candidate: Candidate, network: str, layers: int) -> None:
    if candidate.mapping is not None and candidate.mapping.layers > layers:
        raise UserError(
            f"{candidate} maps more layers than {network} has",
            got=candidate.mapping.layers,
            expected=f"at most {layers}",
        )
