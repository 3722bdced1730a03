"""Input discretization: Panda, Chakraborty and Roy (2019). Its ImageNet AlexNet is out of reach here.

The paper attacks the image behind the discretizer; columns of ours attack the raw image through it.
"""

from dataclasses import replace

from evaluators.attacks.spec import AttackSpec
from studies.papers.table import CLEAN, Column, Row, Table, figures

PAPER = "Panda, Chakraborty, Roy 2019"
MNIST_EPSILON, CIFAR_EPSILON = 0.3, 8 / 255
BITS = (2, 4, 8)
STANDS = "FGSM ε is after the discretizer, as in the paper; raw ε is the same attack on the image before it (ours)."
OWN_TRAINING = "Trained by this project's recipes (Adam, a cosine rate), not by the paper's, which it does not give."
CENTRES = "Discretized pixels are bin centres; the printed equation is damaged."


def _attacked(strengths: dict[str, float]) -> tuple[Column, ...]:
    """Clean accuracy, FGSM behind the discretizer, and FGSM before it."""
    theirs = [
        Column(name=f"FGSM {text}", attack=AttackSpec(name="fgsm", epsilon=epsilon, threat="discretised"))
        for text, epsilon in strengths.items()
    ]
    raw = [
        replace(one, name=one.name.replace("FGSM", "raw"), attack=replace(one.attack, threat="raw"), ours=True)
        for one in theirs
        if one.attack
    ]
    return (Column(name=CLEAN), *theirs, *raw)


MNIST_COLUMNS = _attacked({"0.1": 0.1, "0.2": 0.2, "0.3": 0.3})
CIFAR_COLUMNS = _attacked({"8": 8 / 255, "16": 16 / 255, "32": 32 / 255})


def _row(name: str, bits: int, member: str, columns: tuple[Column, ...], printed: str = "– – – –") -> Row:
    names = [column.name for column in columns if not column.ours]
    candidate = member if bits == 8 else f"in{bits}:{member}"
    return Row(name=f"{name}-{bits}b", candidate=candidate, figures=figures(names, printed))


def _both(columns: tuple[Column, ...], printed: dict[str, str]) -> tuple[Row, ...]:
    """BNN and full precision at each number of input bits."""
    members = {"BNN": "bnn", "Full": "fp"}
    return tuple(
        _row(name, bits, member, columns, printed.get(f"{name}-{bits}b", "– – – –"))
        for bits in BITS
        for name, member in members.items()
    )


A1 = Table(
    name="A1",
    title="CIFAR-10, AlexNet, 20 epochs: clean accuracy by input bits",
    paper=PAPER,
    dataset="cifar10",
    network="alexnet",
    epochs=20,
    epsilon=CIFAR_EPSILON,
    columns=(Column(name=CLEAN),),
    rows=tuple(
        Row(name=f"{bits}b", candidate="fp" if bits == 8 else f"in{bits}:fp", figures={CLEAN: figure})
        for bits, figure in {2: 82.0, 3: 86.64, 4: 87.1, 8: 88.9}.items()
    ),
    notes=(CENTRES, OWN_TRAINING),
)

A2 = Table(
    name="A2",
    title="MNIST, FCN1, 20 epochs: binary and full-precision networks on discretized input, FGSM",
    paper=PAPER,
    dataset="mnist",
    network="fcn1",
    epochs=20,
    epsilon=MNIST_EPSILON,
    columns=MNIST_COLUMNS,
    rows=_both(
        MNIST_COLUMNS,
        {
            "BNN-2b": "96.4 96.4 60.7 62.3",
            "Full-2b": "97.8 97.4 35.4 35.3",
            "BNN-4b": "96.4 88.9 76.7 58.7",
            "Full-4b": "98.1 71.1 50.9 33.7",
            "BNN-8b": "97.1 89.4 56.1 33.6",
            "Full-8b": "98.2 75.9 38.5 26.4",
        },
    ),
    notes=(STANDS, CENTRES, OWN_TRAINING),
)

A3 = Table(
    name="A3",
    title="MNIST, FCN1, trained with R-FGSM (ε = 0.3): FGSM",
    paper=PAPER,
    dataset="mnist",
    network="fcn1",
    epochs=20,
    epsilon=MNIST_EPSILON,
    columns=MNIST_COLUMNS,
    rows=(
        _row("R-FGSM", 2, "fp:rfgsm", MNIST_COLUMNS, "98.5 98.5 84.7 85.4"),
        _row("R-FGSM", 8, "fp:rfgsm", MNIST_COLUMNS, "98 84.8 74.5 65.9"),
    ),
    notes=(STANDS, "Taken to be of full precision, and to train for as long as A2.", CENTRES, OWN_TRAINING),
)

A4 = Table(
    name="A4",
    title="CIFAR-10, AlexNet, 40 epochs: binary and full-precision networks on discretized input, FGSM (ε in 1/255)",
    paper=PAPER,
    dataset="cifar10",
    network="alexnet",
    epochs=40,
    epsilon=CIFAR_EPSILON,
    columns=CIFAR_COLUMNS,
    rows=_both(
        CIFAR_COLUMNS,
        {
            "BNN-2b": "81 80 80 36.7",
            "Full-2b": "82 79.1 79.3 39.6",
            "BNN-4b": "81.9 58.3 52.3 36.8",
            "Full-4b": "81.1 53.8 45.1 37.3",
            "BNN-8b": "81.5 55.1 45.9 38.6",
            "Full-8b": "86.5 61.1 55.2 47.1",
        },
    ),
    notes=(STANDS, CENTRES, OWN_TRAINING),
)

A5 = Table(
    name="A5",
    title="CIFAR-10, AlexNet, trained with R-FGSM (ε = 8/255): FGSM (ε in 1/255)",
    paper=PAPER,
    dataset="cifar10",
    network="alexnet",
    epochs=40,
    epsilon=CIFAR_EPSILON,
    columns=CIFAR_COLUMNS,
    rows=(
        _row("R-FGSM", 2, "fp:rfgsm", CIFAR_COLUMNS, "83.1 82.7 82.7 43.9"),
        _row("R-FGSM", 8, "fp:rfgsm", CIFAR_COLUMNS, "84.3 62.2 53.6 45.5"),
    ),
    notes=(STANDS, "Taken to be of full precision, and to train for as long as A4.", CENTRES, OWN_TRAINING),
)

A6 = Table(
    name="A6",
    title="CIFAR-100, ResNet-20: binary and full-precision networks on discretized input, FGSM (ε in 1/255)",
    paper=PAPER,
    dataset="cifar100",
    network="resnet20",
    epochs=40,
    epsilon=CIFAR_EPSILON,
    columns=CIFAR_COLUMNS,
    rows=_both(CIFAR_COLUMNS, {}),
    notes=(STANDS, "The paper's figures are not known here; epochs are chosen, as many as in A4.", OWN_TRAINING),
)

TABLES = (A1, A2, A3, A4, A5, A6)
