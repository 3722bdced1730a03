"""Flags that several commands share."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from evaluators.base import THREATS, Budget
from evaluators.objectives import OBJECTIVES
from search import values

NETWORKS = (
    "fcn1, fcn2, mnistconv, mnistcnn, cifarconv, alexnet, resnet20, resnet56 or wrn32; "
    "of 224x224 images: resnet18, resnet18-1x1 or alexnet-imagenet"
)
SPEC = "a candidate, e.g. mbn3x1, in4:pact4:x0.5 or in2:fp+dorefa4-2:majority"
BUDGET = Budget()
PROTOCOL_FLAGS = ("--dataset", "--network", "--epsilon", "--threat", "--source", "--seed")
TRAINING_FLAGS = ("--epochs", "--train-images")
"""Flags that a study has its own answers to."""

PLACE_FLAGS = ("--dataset", "--data-root", "--download", "--device", "--cache", "--json")
"""Flags that say where something runs and where its images lie, but not what it comes to."""


def given_flags(args: argparse.Namespace, allowed: Sequence[str] = ()) -> list[str]:
    """Names of the flags as they were typed, but for the allowed ones; "--from-lock" is what the others are beside."""
    names = [word.split("=", 1)[0] for word in args.words if word.startswith("--")]
    return [name for name in names if name not in (*allowed, "--from-lock")]


def add_objectives(parser: argparse._ActionsContainer, default: tuple[str, ...]) -> None:
    """`--objectives` and `--cost-model`."""
    parser.add_argument(
        "--objectives",
        type=values.objectives,
        default=default,
        metavar="A,B,C",
        help=f"some of {', '.join(OBJECTIVES)}, or {values.EFFICIENCY} (default: {','.join(default)})",
    )
    parser.add_argument(
        "--cost-model",
        type=values.cost_model,
        default="bops",
        metavar="NAME",
        help=f"what {values.EFFICIENCY} stands for, any cost objective (default: bops)",
    )


def add_limits(parser: argparse._ActionsContainer) -> None:
    """`--limit`, which may be given again."""
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="'NAME<=X'",
        help="what a candidate must meet, e.g. 'bops<=2e8' or 'acc>=0.9'; may be given again",
    )


def add_storage(parser: argparse._ActionsContainer) -> None:
    """`--storage`."""
    parser.add_argument(
        "--storage", metavar="URL", help="database of the trials (default: a journal in the study's folder)"
    )


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """What is held fixed: data, network, attack, seed, and where it runs."""
    group = parser.add_argument_group("protocol: what is held fixed")
    group.add_argument(
        "--dataset",
        default="mnist5k",
        metavar="NAME",
        help="mnist5k (offline), mnist, fashion-mnist, cifar10, cifar100, FILE.npz, folder:PATH "
        "or folder:PATH@SIZE, which resizes images, e.g. folder:photos@224",
    )
    group.add_argument(
        "--network",
        metavar="NAME",
        help=f"{NETWORKS} (default: mnistconv for 28x28 images, else resnet20)",
    )
    group.add_argument(
        "--epsilon",
        type=values.epsilon,
        metavar="E",
        help="largest change of a pixel, e.g. 0.2 or 8/255 (default: 0.2 for grey images, else 8/255)",
    )
    group.add_argument(
        "--threat",
        type=values.threat,
        default=THREATS[0],
        metavar="MODEL",
        help="raw: the attack comes before the input discretizer; discretised: after it (default: raw)",
    )
    group.add_argument(
        "--source",
        default="fp",
        metavar="SPEC|STUDY",
        help="what the attack of `transfer` is crafted on: a candidate, or the folder of a run for the candidate "
        "selected there (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=values.whole("--seed"),
        default=0,
        metavar="N",
        help="of everything random (default: 0)",
    )
    add_place(group)


def add_images(parser: argparse._ActionsContainer) -> None:
    """Where the images of a study, or of a lock file, lie now."""
    parser.add_argument(
        "--dataset", default="", metavar="NAME", help="where the images lie now (default: where they were)"
    )


def add_place(parser: argparse._ActionsContainer) -> None:
    """Where it runs, and where trained members are kept."""
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="where torchvision's sets lie")
    parser.add_argument("--download", action="store_true", help="let torchvision fetch a missing set")
    parser.add_argument("--device", type=values.device, default="auto", metavar="D", help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--cache", metavar="DIR|URL", help="where trained members are kept: a folder, s3://… (default: per user)"
    )


def add_training(group: argparse._ActionsContainer) -> None:
    """How long members are trained, on how many images."""
    _add_counts(
        group,
        ("epochs", "passes over the training images, per member", BUDGET.epochs),
        ("train-images", "training images, 0 for all", BUDGET.train_images),
    )


def add_verification(parser: argparse.ArgumentParser, title: str = "effort of the audit") -> None:
    """How hard test images are attacked."""
    group = parser.add_argument_group(title)
    _add_counts(
        group,
        ("images", "test images under attack", 1000),
        ("steps", "gradient steps of one start", 100),
        ("restarts", "random starts of our own attacks", 5),
        ("queries", "of pyautoattack's Square, per image", 5000),
        ("binarized", "test images of the binarization test, per member", 128),
    )
    text = "of full-precision networks whose adversaries are tried, trained where they lack (default: %(default)s)"
    default = "standard,warm,fastat"
    group.add_argument("--twins", type=values.names, default=default, metavar="RECIPES", help=f"recipes {text}")


def add_budget(parser: argparse.ArgumentParser) -> None:
    """What one evaluation may spend."""
    group = parser.add_argument_group("budget: what one evaluation may spend")
    add_training(group)
    _add_counts(
        group,
        ("images", "validation images under attack", BUDGET.images),
        ("steps", "gradient steps of BIM, MIM and PGD; 0 switches every attack off", BUDGET.steps),
        ("restarts", "random starts of PGD", BUDGET.restarts),
    )


def _add_counts(group: argparse._ActionsContainer, *counts: tuple[str, str, int]) -> None:
    """Flags of whole numbers: name, help and default of each."""
    for name, text, default in counts:
        kind = values.whole(f"--{name}")
        group.add_argument(f"--{name}", type=kind, default=default, metavar="N", help=f"{text} (default: {default})")
