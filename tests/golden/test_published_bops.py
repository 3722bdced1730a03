"""Bit operations and weights against published figures, and multiply-accumulates against the closed form."""

import pytest
from closed_forms import CLOSED

from evaluators.cost.report import CostReport, cost_report
from evaluators.networks.catalogue import NETWORKS
from evaluators.networks.plan import Plan
from space import Candidate

PUBLISHED = {
    # Frickenstein et al. 2023, ResNet-20 on CIFAR-10, in 10^8
    "fp": "25.95",
    "fp~w50": "12.98",
    "fp~c50": "12.94",  # printed as 12.98: whole channels come no nearer to half
    "pact4": "6.70",
    "pact2": "1.89",
    "xnor": "0.68",
    "mbn1x1": "0.68",
    "mbn3x1": "1.49",
    "mbn1x3": "1.49",
    "mbn5x1": "2.29",
    "mbn1x5": "2.29",
    "mbn7x1": "3.09",
    "mbn1x7": "3.09",
    "mbn3x3": "3.89",  # printed as 3.98; its own formula, which gives every other row, gives 3.89
    "mbn5x5": "10.31",
}

WEIGHT_KIB = {"fp": 262, "pact4": 132, "pact2": 66, "xnor": 34, "mbn1x1": 34, "mbn3x1": 99, "mbn3x3": 99}

BASKIN = {"fp": "35.70", "pact4": "13.24", "pact2": "6.83", "xnor": "4.82", "mbn3x1": "13.71", "mbn3x3": "40.38"}
"""In 10^8, from the formula of UNIQ by a calculation of its own; accumulators turn the order of mbn3x1 and pact2."""

OPS64 = {"fp": 40.6, "pact4": 10.5, "pact2": 2.95, "xnor": 1.07, "mbn3x1": 2.32, "mbn3x3": 6.08}
"""In 10^6, to the digits given."""

EMPIR = {
    # time and storage: the wider bits of weight and activation, and those of the weights, by 32
    "fp": (1.0, 1.0),
    "fp~w50": (0.5, 0.5),
    "fp+ptq3+fp~w50": (2.5, 1 + 3 / 32 + 0.5),
    "fp+dorefa4-2+dorefa4-4": (1.25, 1.25),
    "fp+dorefa2-4+dorefa2-4": (1.25, 1.125),
    "fp+dorefa4-2+dorefa2-2": (1.1875, 1.1875),
}

CONV, FC = "conv", "linear"


def report(text: str, network: str = "resnet20", **sizes: object) -> CostReport:
    plan = Plan(**({"shape": NETWORKS[network].shape, "classes": 10} | sizes)) if sizes else None
    return cost_report(Candidate.parse(text), network, plan)


@pytest.mark.parametrize(("token", "printed"), PUBLISHED.items())
def test_bops_of_resnet20_come_out_to_the_printed_digits(token, printed):
    assert f"{report(token).total('bops') / 1e8:.2f}" == printed


def test_macs_of_resnet20_are_those_that_the_column_was_made_with():
    macs = [layer.macs for layer in report("fp").members[0].layers]
    assert (macs[0], macs[-1]) == (442_368, 640)
    assert f"{sum(macs) / 1e6:.2f}" == "40.55"
    assert report("fp").macs == sum(macs)


@pytest.mark.parametrize(("token", "kib"), WEIGHT_KIB.items())
def test_weights_of_resnet20_take_the_known_space(token, kib):
    assert round(report(token).total("memory") / 1024) == kib


@pytest.mark.parametrize(("token", "printed"), BASKIN.items())
def test_bops_with_accumulators_are_the_known_ones(token, printed):
    assert f"{report(token).total('baskin') / 1e8:.2f}" == printed


@pytest.mark.parametrize(("token", "known"), OPS64.items())
def test_operations_of_binary_networks_are_the_known_ones(token, known):
    assert report(token).total("ops64") / 1e6 == pytest.approx(known, rel=5e-3)


@pytest.mark.parametrize(("text", "overheads"), EMPIR.items())
def test_an_ensemble_takes_the_time_that_halved_bits_give(text, overheads):
    """The paper claims overheads below a quarter for two members of at most four bits."""
    found = report(text, "mnistconv").to_json()
    assert (found["empir_time"], found["empir_storage"]) == overheads


def test_of_a_network_without_some_channels_time_counts_what_is_computed_and_storage_what_is_kept():
    """44, 88 and 88 channels are left of 64, 128 and 128; the image before the kernels stays as large as it was."""

    def sizes(one: int, two: int, three: int) -> tuple[int, int]:
        weights = (8**2 * one, 6**2 * one * two, 5**2 * two * three, 10 * three)
        return sum(weights), sum(pixels * count for pixels, count in zip((14**2, 5**2, 1, 1), weights, strict=True))

    found = report("fp~c50", "mnistconv").to_json()
    (weights, macs), (all_weights, all_macs) = sizes(44, 88, 88), sizes(64, 128, 128)
    assert found["empir_storage"] == pytest.approx(weights / all_weights)
    assert found["empir_time"] == pytest.approx(macs / all_macs)


@pytest.mark.parametrize(("weight", "activation"), [(1, 1), (3, 1), (1, 3), (2, 2), (5, 5), (7, 7)])
def test_a_multi_bit_network_takes_the_time_of_all_its_binary_convolutions(weight, activation):
    """As many passes of a network of one bit, though it stores but one bit a weight base."""
    found, once = (report(text).to_json() for text in (f"mbn{weight}x{activation}", "xnor"))
    assert found["empir_time"] == weight * activation * once["empir_time"]
    assert found["empir_storage"] == weight * once["empir_storage"]


@pytest.mark.parametrize("text", ["pact4/fp/fp", "fp/pact4/pact4", "mbn3x1/bnn/fp"])
def test_a_stage_in_full_precision_stores_float32_as_a_whole_network_does(text):
    found = report(text).to_json()
    assert found["empir_storage"] == found["empir_time"] == report("fp").to_json()["empir_storage"] == 1


def test_the_widest_stage_speaks_for_a_mixed_network():
    found = report("mbn3x1/mbn1x1/pact4").to_json()
    assert (found["empir_storage"], found["empir_time"]) == (4 / 32, 4 / 32)


def test_activations_are_the_inputs_of_all_layers_at_their_bits():
    inputs = [3 * 32**2, *[16 * 32**2] * 7, *[32 * 16**2] * 6, *[64 * 8**2] * 5, 64]
    bits = [8, *[2] * 18, 8]
    expected = sum(count * wide for count, wide in zip(inputs, bits, strict=True)) / 8
    assert report("pact2").total("activations") == expected


def test_every_network_has_a_closed_form():
    assert CLOSED.keys() == NETWORKS.keys()


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize(("width", "colours", "classes"), [(1, 1, 10), (1, 3, 10), (0.5, 1, 100), (0.3, 3, 2)])
def test_macs_of_every_layer_are_the_closed_form(name, width, colours, classes):
    shape = (colours, *NETWORKS[name].shape[1:])
    found = report(f"mbn2x3:x{width}", name, shape=shape, classes=classes)
    macs = CLOSED[name](width, shape, classes)
    layers = found.members[0].layers
    assert [layer.macs for layer in layers] == macs
    assert found.macs == sum(macs)
    counted = [8 * 8 * macs[0], *(2 * 3 * one for one in macs[1:-1]), 8 * 8 * macs[-1]]
    assert found.total("bops") == sum(counted)


@pytest.mark.parametrize("name", CLOSED)
def test_weights_are_macs_by_pixel(name):
    for layer in report("pact3-5", name).members[0].layers:
        assert layer.kind in (CONV, FC)
        pixels = layer.macs // layer.weights
        assert layer.macs == layer.weights * pixels
        assert (pixels == 1) or layer.kind == CONV
        assert layer.outputs % pixels == 0


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("model", ["bops", "memory"])
@pytest.mark.parametrize("members", [("fp", "fp"), ("fp", "dorefa4-2", "xnor"), ("mbn3x1", "mbn1x3"), ("pact2",) * 4])
def test_an_ensemble_costs_the_sum_of_its_members(name, model, members):
    together = report("+".join(members) + ":x0.5", name).total(model)
    assert together == sum(report(f"{member}:x0.5", name).total(model) for member in members)


@pytest.mark.parametrize("text", ["in2:mbn3x1", "mbn3x1:mu255@2", "in1:mbn3x1:mu9@1"])
def test_neither_input_bits_nor_mapping_cost_anything(text):
    for model in ("bops", "memory"):
        assert report(text).total(model) == report("mbn3x1").total(model)


def test_the_vote_costs_nothing():
    assert report("fp+xnor:majority").total("bops") == report("fp+xnor:mean").total("bops")
