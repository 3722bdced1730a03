"""What a choice is worth: cost, accuracy and robustness of a candidate, measured under a protocol.

Names load their module on first use, so that help texts and cost-free checks need no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluators.attacks.spec import AttackSpec
    from evaluators.base import Budget, Measurement, Protocol
    from evaluators.cost.report import CostReport, cost_report
    from evaluators.diagnostics.catalogue import DIAGNOSTICS, Diagnostic, find_diagnostics
    from evaluators.diagnostics.diagnose import diagnose
    from evaluators.diagnostics.table import Table
    from evaluators.evaluator import Evaluator
    from evaluators.identity import Identity
    from evaluators.networks.catalogue import NETWORKS
    from evaluators.objectives import OBJECTIVES, Objective
    from evaluators.opening import open_evaluator
    from evaluators.verdict import VERDICTS, Verdict, gap_of, rules_in, verdict_of

_HOMES = {
    "AttackSpec": "attacks.spec",
    "Budget": "base",
    "CostReport": "cost.report",
    "DIAGNOSTICS": "diagnostics.catalogue",
    "Diagnostic": "diagnostics.catalogue",
    "Evaluator": "evaluator",
    "Identity": "identity",
    "Measurement": "base",
    "NETWORKS": "networks.catalogue",
    "OBJECTIVES": "objectives",
    "Objective": "objectives",
    "Protocol": "base",
    "Table": "diagnostics.table",
    "VERDICTS": "verdict",
    "Verdict": "verdict",
    "cost_report": "cost.report",
    "diagnose": "diagnostics.diagnose",
    "find_diagnostics": "diagnostics.catalogue",
    "gap_of": "verdict",
    "open_evaluator": "opening",
    "rules_in": "verdict",
    "verdict_of": "verdict",
}

__all__ = [
    "DIAGNOSTICS",
    "NETWORKS",
    "OBJECTIVES",
    "VERDICTS",
    "AttackSpec",
    "Budget",
    "CostReport",
    "Diagnostic",
    "Evaluator",
    "Identity",
    "Measurement",
    "Objective",
    "Protocol",
    "Table",
    "Verdict",
    "cost_report",
    "diagnose",
    "find_diagnostics",
    "gap_of",
    "open_evaluator",
    "rules_in",
    "verdict_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evaluators' has no attribute {name!r}")
    return getattr(import_module(f"evaluators.{_HOMES[name]}"), name)
