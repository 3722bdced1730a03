"""Multi-bit networks: Frickenstein et al. (2023). Its ResNet-18 on ImageNet is out of reach here."""

from evaluators.attacks.spec import AttackSpec
from studies.papers.table import CLEAN, Column, Row, Table, figures

PAPER = "Frickenstein et al. 2023"
RUNS = 5
"""Runs of PGD that the paper averages."""


def _pgd(steps: int, epsilon: float, step_size: float) -> Column:
    attack = AttackSpec(name="pgd", epsilon=epsilon / 255, step_size=step_size / 255, steps=steps, runs=RUNS)
    return Column(name=f"PGD-{steps}", attack=attack)


def _rows(columns: tuple[Column, ...], printed: dict[str, tuple[str, str]], notes: dict[str, str]) -> tuple[Row, ...]:
    """Rows from name -> candidate, figures."""
    names = [column.name for column in columns]
    return tuple(
        Row(name=name, candidate=candidate, figures=figures(names, text), note=notes.get(name, ""))
        for name, (candidate, text) in printed.items()
    )


INHERENT = (Column(name="BOPS", cost="bops"), Column(name=CLEAN), _pgd(20, 2, 0.5), _pgd(50, 2, 0.5))
TRAINED = (Column(name=CLEAN), _pgd(20, 8, 2))

B2 = Table(
    name="B2",
    title="CIFAR-10, ResNet-20: inherent robustness, PGD (ε = 2/255, α = 0.5/255, five runs)",
    paper=PAPER,
    dataset="cifar10",
    network="resnet20",
    epochs=200,
    epsilon=2 / 255,
    columns=INHERENT,
    rows=_rows(
        INHERENT,
        {
            "Full precision": ("fp", "25.95 92.49 1.02 0.81"),
            "AMC weights 50 %": ("fp~w50", "12.98 88.71 0.82 0.69"),
            "AMC channels 50 %": ("fp~c50", "12.98 89.71 0.77 0.62"),
            "PACT-4": ("pact4", "6.70 92.21 1.49 1.27"),
            "PACT-2": ("pact2", "1.89 89.63 3.94 3.33"),
            "XNOR-Net": ("xnor", "0.68 83.98 9.93 8.28"),
            "MBN 1×1": ("mbn1x1", "0.68 84.44 11.10 9.59"),
            "MBN 3×1": ("mbn3x1", "1.49 87.19 14.28 12.54"),
            "MBN 1×3": ("mbn1x3", "1.49 87.54 9.09 7.96"),
            "MBN 5×1": ("mbn5x1", "2.29 87.01 14.13 12.55"),
            "MBN 1×5": ("mbn1x5", "2.29 89.02 8.68 7.71"),
            "MBN 7×1": ("mbn7x1", "3.09 86.88 14.29 12.80"),
            "MBN 1×7": ("mbn1x7", "3.09 89.49 6.49 5.74"),
            "MBN 3×3": ("mbn3x3", "3.98 89.03 10.00 8.78"),
            "MBN 5×5": ("mbn5x5", "10.31 90.86 7.60 6.57"),
        },
        {"MBN 3×3": "BOPS: a misprint, two digits swapped; the paper's own formula gives 3.89."},
    ),
    notes=(
        "BOPS are computed at the paper's full width and image size, whatever was trained.",
        "Pruning is by magnitude, at a fixed share; AMC chooses the share of each layer by reinforcement learning.",
        "Epochs are chosen: 200, the field's habit.",
    ),
)

B3 = Table(
    name="B3",
    title="CIFAR-10, ResNet-56 trained with FastAT (ε = 8/255): PGD-20 (α = 2/255)",
    paper=PAPER,
    dataset="cifar10",
    network="resnet56",
    epochs=30,
    epsilon=8 / 255,
    columns=TRAINED,
    rows=_rows(
        TRAINED,
        {
            "Full precision": ("fp:fastat", "84.03 38.45"),
            "PACT-4": ("pact4:fastat", "85.56 40.48"),
            "PACT-2": ("pact2:fastat", "81.80 45.98"),
            "XNOR-Net": ("xnor:fastat", "75.64 44.15"),
            "MBN 3×1": ("mbn3x1:fastat", "77.01 51.98"),
            "MBN 1×3": ("mbn1x3:fastat", "79.42 51.00"),
            "MBN 3×3": ("mbn3x3:fastat", "81.65 52.02"),
            "MBN 5×5": ("mbn5x5:fastat", "82.01 50.71"),
        },
        {},
    ),
    notes=("Epochs are chosen: 30, as FastAT's authors train for CIFAR-10 at most.",),
)

TABLES = (B2, B3)
