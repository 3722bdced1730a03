"""What every cost model promises: a sum over layers, one number, no training."""

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.cost.models import COST_MODELS, activations, baskin, bops, layer_bops, macs, memory, ops64, weight_bits
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from evaluators.networks.trace import LayerShape, trace
from evaluators.objectives import OBJECTIVES
from space import Candidate, Precision, UnknownName, UserError

counts = st.integers(1, 10**6)
bits = st.integers(1, 8)


@st.composite
def layer_shapes(draw: st.DrawFn) -> LayerShape:
    outputs, depth = draw(counts), draw(counts)
    return LayerShape(
        name="layer",
        kind=draw(st.sampled_from(["conv", "linear"])),
        macs=outputs * depth,
        weights=draw(counts),
        inputs=draw(counts),
        outputs=outputs,
        weight_bits=draw(bits),
        activation_bits=draw(bits),
        bases=draw(st.booleans()),
    )


layers = layer_shapes()
lists = st.lists(layers, max_size=6)
every_model = pytest.mark.parametrize("name", COST_MODELS)


def test_every_cost_objective_has_its_model_and_no_model_lacks_an_objective():
    assert COST_MODELS.keys() == {name for name, objective in OBJECTIVES.items() if objective.stage == "cost"}


@every_model
@given(first=lists, second=lists)
def test_layers_add_up_in_any_order(name, first, second):
    model = COST_MODELS[name]
    assert model([]) == 0
    assert isinstance(model(first), float)
    assert model(first + second) == pytest.approx(model(second + first), rel=1e-12)
    assert model(first + second) == pytest.approx(model(first) + model(second), rel=1e-12)


@every_model
@given(one=layers)
def test_more_bits_and_more_work_never_cost_less(name, one):
    model = COST_MODELS[name]
    assert model([one]) > 0
    for field in ("macs", "weights", "inputs", "weight_bits", "activation_bits"):
        assert model([replace(one, **{field: getattr(one, field) + 1})]) >= model([one])


@given(lists)
def test_the_models_are_their_formulas(some):
    assert bops(some) == sum(one.macs * one.weight_bits * one.activation_bits for one in some)
    assert weight_bits(some) == sum(one.weights * one.weight_bits for one in some)
    assert memory(some) == weight_bits(some) / 8
    assert macs(some) == sum(one.macs for one in some)
    assert bops(some) == sum(map(layer_bops, some))
    assert activations(some) == sum(one.inputs * one.activation_bits for one in some) / 8
    assert ops64(some) == bops(some) / 64


@given(layers)
def test_accumulators_are_counted_in_every_binary_convolution_of_a_multi_bit_layer(one):
    plain = replace(one, bases=False)
    m, n, depth = one.weight_bits, one.activation_bits, math.log2(one.macs / one.outputs)
    assert baskin([plain]) == pytest.approx(one.macs * (m * n + m + n + depth))
    binary = baskin([replace(one, bases=True, weight_bits=1, activation_bits=1)])
    assert baskin([replace(one, bases=True)]) == pytest.approx(m * n * binary)


def test_a_sum_of_less_than_a_product_has_the_bits_of_one():
    [first, *_] = trace("resnet20", Precision.parse("fp~w99"), Plan(shape=(3, 32, 32), classes=10))
    assert first.macs < first.outputs
    assert baskin([first]) == first.macs * (8 * 8 + 8 + 8)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("token", ["fp", "pact4", "dorefa2-6", "bnn", "xnor", "mbn3x2"])
def test_a_trace_names_bits_and_layers_in_order(network, token):
    precision = Precision.parse(token)
    info = NETWORKS[network]
    found = trace(network, precision, Plan(shape=info.shape, classes=10, width=0.5))
    assert len({layer.name for layer in found}) == len(found)
    pairs = [(layer.weight_bits, layer.activation_bits) for layer in found]
    assert pairs == [(8, 8), *[(precision.weight, precision.activation)] * (len(found) - 2), (8, 8)]


def test_a_cost_takes_no_memory_for_weights_or_activations():
    plan = Plan(shape=(3, 2048, 2048), classes=10)
    began = time.perf_counter()
    report = cost_report(Candidate.parse("mbn8x8:x8"), "fcn2", plan)
    assert time.perf_counter() - began < 5
    assert report.total("memory") == 3 * 2048**2 * 4800 + 3 * 4800**2 + 10 * 4800  # 60 GB


def test_sizes_are_those_of_the_paper_unless_given():
    def macs_of(plan: Plan | None) -> float:
        return cost_report(Candidate.parse("fp"), "fcn2", plan).macs

    assert macs_of(None) == macs_of(Plan(shape=(1, 28, 28), classes=10))
    assert macs_of(Plan(shape=(1, 28, 28), classes=11)) == macs_of(None) + 600


def test_the_candidate_decides_the_width():
    plan = Plan(shape=(1, 28, 28), classes=10, width=4.0)
    assert cost_report(Candidate.parse("fp:x0.5"), "fcn2", plan) == cost_report(Candidate.parse("fp:x0.5"), "fcn2")


@pytest.mark.parametrize(("network", "most"), [("fcn2", 5), ("mnistconv", 4), ("cifarconv", 5), ("resnet20", 20)])
def test_mapping_more_layers_than_there_are_is_refused(network, most):
    cost_report(Candidate.parse(f"fp:mu255@{most}"), network)
    with pytest.raises(UserError) as raised:
        cost_report(Candidate.parse(f"fp:mu255@{most + 1}"), network)
    expected = f"fp:mu255@{most + 1} maps more layers than {network} has: got {most + 1}; expected at most {most}"
    assert str(raised.value) == expected


def test_unknown_networks_and_small_images_are_refused():
    with pytest.raises(UnknownName, match=r"unknown network: got 'resnet2'; .*did you mean 'resnet20'\?"):
        cost_report(Candidate.parse("fp"), "resnet2")
    with pytest.raises(UserError, match="the network mnistconv does not fit the images: got '8x8 pixels'"):
        cost_report(Candidate.parse("fp"), "mnistconv", Plan(shape=(1, 8, 8), classes=10))


def test_measurements_are_exact_and_carry_the_unit_of_their_objective():
    report = cost_report(Candidate.parse("fp+mbn3x1"), "resnet20")
    found = cost_measurements(report)
    assert found.keys() == COST_MODELS.keys()
    for name, measurement in found.items():
        assert measurement.value == report.total(name)
        assert (measurement.unit, measurement.stderr, measurement.n) == (OBJECTIVES[name].unit, 0, 0)


def test_the_json_lists_every_layer_of_every_member_with_its_share():
    report = cost_report(Candidate.parse("fp+mbn3x1:x0.25"), "cifarconv")
    data = report.to_json()
    assert (data["candidate"], data["network"]) == ("fp+mbn3x1:x0.25", "cifarconv")
    assert [layer["member"] for layer in data["layers"]] == ["fp"] * 5 + ["mbn3x1"] * 5
    assert sum(layer["bops"] for layer in data["layers"]) == data["bops"] == report.total("bops")
    assert sum(layer["macs"] for layer in data["layers"]) == data["macs"] == report.macs
    assert sum(layer["weights"] * layer["weight_bits"] for layer in data["layers"]) == data["weight_bits"]
    assert data["memory"] == data["weight_bits"] / 8
    assert all(isinstance(data[name], int) for name in ("macs", "weight_bits", "bops"))


def test_fractions_of_a_byte_are_not_rounded_away():
    data = cost_report(Candidate.parse("xnor:x0.125"), "fcn2", Plan(shape=(1, 3, 3), classes=3)).to_json()
    assert data["weight_bits"] % 8
    assert data["memory"] == data["weight_bits"] / 8
