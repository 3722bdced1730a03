"""A study from Python, with the same parts that the command line uses: about 20 seconds on 2 cores."""

from evaluators import Budget, open_evaluator
from space import SearchSpace
from studies import Limit, Stop, Study, StudyConfig, write_outputs

SPACE = """
input_bits = [1, 2, 8]
precisions = ["fp", "xnor", "mbn3x1"]
members = [1, 2]
full_precision = [1]
votes = ["mean", "majority"]
widths = [0.25]
"""

budget = Budget(epochs=1, train_images=800, images=100, steps=10)
evaluator = open_evaluator(dataset="mnist5k", epsilon=0.2, budget=budget)
config = StudyConfig(
    objectives=("acc", "pgd", "bops"),
    space=SearchSpace.from_toml(SPACE),
    protocol=evaluator.protocol,
    budget=evaluator.budget,
    limits=(Limit.parse("bops<=1e8"),),
)
study = Study.open("runs/from_python", config)
study.run(evaluator, Stop(trials=6))
for record in study.front():
    values = {name: measurement.value for name, measurement in record.measurements.items()}
    print(f"{record.candidate:24} acc {values['acc']:.3f}  pgd {values['pgd']:.3f}  bops {values['bops']:.2e}")
if selection := write_outputs(study):
    print(f"selected: {selection.chosen.candidate}, {selection.rule}")
