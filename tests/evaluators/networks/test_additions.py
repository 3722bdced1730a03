"""Wrong entries in the catalogues, as a script may add them, are one line that names them."""

from dataclasses import replace

import pytest

from evaluators.cost.models import COST_MODELS
from evaluators.cost.report import cost_measurements, cost_report
from evaluators.networks.catalogue import NETWORKS
from evaluators.objectives import OBJECTIVES
from space import Candidate
from space.errors import UserError

FP = Candidate.parse("fp")


@pytest.mark.parametrize(
    ("builder", "hint"),
    [
        ("no_such_module:mine", "No module named 'no_such_module'"),
        ("evaluators.networks.fcn:mine", "has no attribute 'mine'"),
        ("evaluators.networks.fcn", "has no attribute ''"),
        (":mine", "Empty module name"),
    ],
)
def test_a_builder_that_is_not_there(builder, hint, monkeypatch):
    monkeypatch.setitem(NETWORKS, "mine", replace(NETWORKS["fcn2"], name="mine", builder=builder))
    said = f"builder of the network mine: got '{builder}'; expected module:function; hint: .*{hint}"
    with pytest.raises(UserError, match=said):
        cost_report(FP, "mine")


def test_a_cost_objective_has_a_model_and_a_model_an_objective(monkeypatch):
    report = cost_report(FP, "fcn2")
    with monkeypatch.context() as patch:
        patch.setitem(OBJECTIVES, "mine", replace(OBJECTIVES["memory"], name="mine"))
        with pytest.raises(UserError, match="cost without its other half: got 'mine'"):
            cost_measurements(report)
    monkeypatch.setitem(COST_MODELS, "mine", lambda layers: 1.0)
    with pytest.raises(UserError, match="under one name"):
        cost_measurements(report)
