"""EMPIR: Sen, Ravindran and Raghunathan (2020). Its AlexNet on ImageNet is out of reach here.

In the authors' code, CW and BIM climb the gradient of the full-precision member alone: the published figures of these
two columns are of a transfer attack. So EMPIR has a row as published, and one with every attack on the vote.
"""

from evaluators.attacks.spec import AttackSpec
from studies.papers.table import CLEAN, Column, Row, Table, figures

PAPER = "Sen, Ravindran, Raghunathan 2020"
COLUMNS = (CLEAN, "CW", "FGSM", "BIM", "PGD")
CRAFTED_ON_FP = {"CW": "fp", "BIM": "fp"}
NAMED = "fp+dorefa4-2+dorefa4-4:majority"
MNIST_CODE = "fp+dorefa2-4+dorefa2-4:majority"
CIFAR_CODE = "fp+dorefa2-2+dorefa4-2:majority"
AS_PUBLISHED = "CW and BIM crafted on the full-precision member alone, as the authors' code does."
ON_VOTE = "Every attack on the vote, as an attacker would."
INPUT = (
    "The first convolution stays 8/8 here, in every member; the authors' code quantises it in low-precision members, "
    "and so cuts their input to 2 or 4 bits."
)
NORMS = "The networks here have batch norm, which the paper's lack."


def _columns(epsilon: float) -> tuple[Column, ...]:
    fgsm = Column(name="FGSM", attack=AttackSpec(name="fgsm", epsilon=epsilon))
    bim, pgd = (
        Column(name=name.upper(), attack=AttackSpec(name=name, epsilon=epsilon, step_size=0.01, steps=40))
        for name in ("bim", "pgd")
    )
    return (Column(name=CLEAN), Column(name="CW", attack=AttackSpec(name="cw", steps=50)), fgsm, bim, pgd)


def _empir(suffix: str, candidate: str, printed: str, members: str) -> tuple[Row, Row]:
    """As published, and attacked as a whole: clean accuracy, FGSM and PGD are one protocol in both."""
    known = figures(COLUMNS, printed)
    attacked = {name: figure for name, figure in known.items() if name not in CRAFTED_ON_FP}
    return (
        Row(
            name=f"EMPIR{suffix} as published",
            candidate=candidate,
            figures=known,
            sources=CRAFTED_ON_FP,
            note=f"{members} {AS_PUBLISHED}",
        ),
        Row(name=f"EMPIR{suffix} on the vote", candidate=candidate, figures=attacked, note=f"{members} {ON_VOTE}"),
    )


def _row(name: str, candidate: str, printed: str = "– – – – –") -> Row:
    return Row(name=name, candidate=candidate, figures=figures(COLUMNS, printed))


MNIST = Table(
    name="D2-mnist",
    title="MNIST, MNISTconv: EMPIR and other defences (ε = 0.3, α = 0.01, 40 steps; CW 50 steps)",
    paper=PAPER,
    dataset="mnist",
    network="mnistconv",
    epochs=15,
    epsilon=0.3,
    columns=_columns(0.3),
    rows=(
        _row("FP", "fp", "98.87 3.69 14.32 0.9 0.77"),
        *_empir("", NAMED, "98.96 89.44 67.66 18.60 18.34", "Members as the paper names them."),
        *_empir(
            " (members of the code)",
            MNIST_CODE,
            "98.89 86.73 67.06 18.61 17.51",
            "Members, and figures, of the authors' code.",
        ),
        _row("Distillation", "fp:distill", "98.12 2.34 40.22 7.61 3.28"),
        _row("Gradient reg.", "fp:gradreg", "99.01 6.83 30.15 1.14 1.20"),
        _row("FGSM training", "fp:fgsm", "99.06 3.09 76.56 0.87 0.39"),
    ),
    notes=(INPUT, NORMS),
)

CIFAR = Table(
    name="D2-cifar",
    title="CIFAR-10, CIFARconv: EMPIR and other defences (ε = 0.1, α = 0.01, 40 steps; CW 50 steps)",
    paper=PAPER,
    dataset="cifar10",
    network="cifarconv",
    epochs=6,
    epsilon=0.1,
    columns=_columns(0.1),
    rows=(
        _row("FP", "fp", "74.53 13.37 10.00 11.97 10.69"),
        *_empir("", CIFAR_CODE, "72.56 48.51 20.61 24.59 13.34", "Members of the authors' code."),
        _row("Distillation", "fp:distill"),
        _row("Gradient reg.", "fp:gradreg"),
        _row("FGSM training", "fp:fgsm"),
    ),
    notes=(
        INPUT,
        NORMS,
        "Epochs are the default of the authors' code.",
        "The paper's figures of the other defences on CIFAR-10 are not known here.",
    ),
)

TABLES = (MNIST, CIFAR)
