"""What the first trial of a run need not wait for."""

import subprocess
import sys

SCRIPT = """
import sys
from evaluators.networks.plan import Plan
from evaluators.networks.trace import trace
from space import Precision
for token in ("fp", "pact2", "dorefa2-4", "xnor", "bnn", "mbn3x2", "ptq4", "fp~w50"):
    for name, shape in (("mnistconv", (1, 28, 28)), ("resnet20", (3, 32, 32)), ("cifarconv", (3, 32, 32))):
        trace(name, Precision.parse(token), Plan(shape=shape, classes=10))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_tracing_shapes_loads_no_compiler():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
