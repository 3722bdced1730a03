"""μ-law mapping and feedback learning: Song, Fallon and Li."""

from dataclasses import replace

from evaluators.attacks.spec import AttackSpec
from studies.papers.table import CLEAN, Column, Row, Table, figures

PAPER = "Song, Fallon, Li"
SOURCE = "fp:warm"
"""What black-box attacks are crafted on: full precision, from another initialisation."""

ROWS = {
    "Orig.": "fp",
    "Orig. (Q)": "ptq3",
    "Adv.": "fp:pgd",
    "Adv. (Q)": "ptq3:pgd",
    "F.L.": "fp:feedback",
    "F.L. (Q)": "ptq3:feedback",
    "F.L.+mu": "fp:{mu}:feedback",
    "F.L.+mu (Q)": "ptq3:{mu}:feedback",
}
"""Candidate of each row; the paper quantises weights to 3 bits after training."""


def _columns(fgsm: dict[str, float], epsilon: float, step_size: float, steps: int) -> tuple[Column, ...]:
    weak = [
        Column(name=f"FGSM {name}", attack=AttackSpec(name="fgsm", epsilon=strength)) for name, strength in fgsm.items()
    ]
    climbs = [
        Column(name=name.upper(), attack=AttackSpec(name=name, epsilon=epsilon, step_size=step_size, steps=steps))
        for name in ("pgd", "bim", "mim")
    ]
    return (Column(name=CLEAN), Column(name="CW-L2", attack=AttackSpec(name="cw", steps=50)), *weak, *climbs)


MNIST_COLUMNS = _columns({"weak": 0.1, "medium": 0.2, "strong": 0.3}, 0.3, 0.01, 40)
CIFAR_COLUMNS = _columns({"weak": 4 / 255, "strong": 16 / 255}, 8 / 255, 2 / 255, 20)
MNIST_STRENGTHS = (
    "Strengths are chosen: FGSM ε 0.1, 0.2, 0.3; PGD, BIM, MIM ε 0.3, α 0.01, 40 steps; CW 50 steps, c = 10."
)
CIFAR_STRENGTHS = (
    "Strengths are chosen: FGSM ε 4/255 and 16/255; PGD, BIM, MIM ε 8/255, α 2/255, 20 steps; CW 50 steps, c = 10."
)
EPOCHS = "Epochs are chosen; Adv. is PGD training (Madry et al. 2018), F.L. retrains a trained network."
MASKING = (
    "The mapping saturates the softmax, so that attacks on the cross-entropy lose their gradient: "
    "read PGD, BIM and MIM of the +mu rows beside CW."
)
TRANSFER = (
    f"Black box: attacks are crafted on {SOURCE}, full precision from another initialisation and order of images, "
    "trained twice as long; the paper's figures are not known here."
)


def _rows(mapping: str, columns: tuple[Column, ...], printed: dict[str, str]) -> tuple[Row, ...]:
    names = [column.name for column in columns]
    return tuple(
        Row(name=name, candidate=text.format(mu=mapping), figures=figures(names, printed[name]) if printed else {})
        for name, text in ROWS.items()
    )


def _black_box(name: str, white: Table) -> Table:
    """The same rows, every attack crafted on a separately trained network."""
    sources = {column.name: SOURCE for column in white.columns if column.attack}
    rows = tuple(replace(row, figures={}, sources=sources) for row in white.rows)
    title = white.title.replace("white box", "black box")
    return replace(white, name=name, title=title, rows=rows, notes=(TRANSFER, *white.notes))


C1 = Table(
    name="C1",
    title="MNIST, four-layer CNN, white box",
    paper=PAPER,
    dataset="mnist",
    network="mnistcnn",
    epochs=20,
    epsilon=0.3,
    columns=MNIST_COLUMNS,
    rows=_rows(
        "mu255@1",
        MNIST_COLUMNS,
        {
            "Orig.": "99.17 – – – – 4.38 – –",
            "Orig. (Q)": "– – – – – – – –",
            "Adv.": "98.40 – – – – 97.77 – –",
            "Adv. (Q)": "42.69 – – – – 33.78 – –",
            "F.L.": "99.17 – – – – 39.92 – –",
            "F.L. (Q)": "– – – – – – – –",
            "F.L.+mu": "– – – – – – – –",
            "F.L.+mu (Q)": "98.93 – – – – 55.24 – –",
        },
    ),
    notes=(MNIST_STRENGTHS, EPOCHS, MASKING),
)

C3 = Table(
    name="C3",
    title="CIFAR-10, wide ResNet-32, white box",
    paper=PAPER,
    dataset="cifar10",
    network="wrn32",
    epochs=200,
    epsilon=8 / 255,
    columns=CIFAR_COLUMNS,
    rows=_rows(
        "mu255@3",
        CIFAR_COLUMNS,
        {
            "Orig.": "95.00 9.30 20.90 10.60 2.20 2.60 2.50",
            "Orig. (Q)": "47.92 13.60 16.80 11.90 11.10 17.80 17.70",
            "Adv.": "87.27 54.20 74.70 36.80 66.80 57.60 59.70",
            "Adv. (Q)": "19.84 15.80 17.50 10.90 17.90 18.20 17.70",
            "F.L.": "93.77 20.30 39.70 27.50 4.00 4.00 4.00",
            "F.L. (Q)": "90.14 21.30 42.60 28.70 5.90 5.90 5.80",
            "F.L.+mu": "93.80 20.70 92.80 92.30 89.50 92.80 92.80",
            "F.L.+mu (Q)": "92.20 23.10 90.80 90.70 86.90 90.80 90.80",
        },
    ),
    notes=(CIFAR_STRENGTHS, EPOCHS, MASKING),
)

C2 = _black_box("C2", C1)
C4 = _black_box("C4", C3)
TABLES = (C1, C2, C3, C4)
