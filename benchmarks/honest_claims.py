"""What the papers say of some candidates: how it is measured again for docs/honest_robustness.md."""

from dataclasses import dataclass

SHORT, TABLE = (6, 10_000), (3, 0)
"""Epochs, and training images: of the networks that are trained for this page, and of those of table B2."""
VOTE = "fp+dorefa4-2+dorefa4-4:majority"
FEW_BITS = ("fp", "pact2", "xnor", "mbn1x1", "mbn3x1", "mbn1x3", "mbn3x3")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one paper says of some candidates.

    Attributes:
        name: one word, for `--only`.
        title: of its part of the picture.
        dataset: "mnist" or "cifar".
        network: name of the topology.
        budget: epochs, and training images, 0 for all.
        width: end of every candidate's text.
        candidates, epsilons: every one with every other is a row.
        attack: column of the paper's own attack.
        beside: objectives that are measured beside clean accuracy and the worst case.
        farthest: objectives without a radius, measured once.
        audited: candidates and radii that are looked at again on test images.
        effort: of an audit, where it is not the usual one.
    """

    name: str
    title: str
    dataset: str = "mnist"
    network: str = "mnistconv"
    budget: tuple[int, int] = SHORT
    width: str = ":x0.5"
    candidates: tuple[str, ...]
    epsilons: tuple[str, ...]
    attack: str
    beside: tuple[str, ...] = ()
    farthest: tuple[str, ...] = ()
    audited: tuple[tuple[str, str], ...] = ()
    effort: tuple[str, ...] = ()


CLAIMS = (
    Claim(
        name="vote",
        title="EMPIR's vote (Sen et al. 2020), MNIST",
        candidates=("fp", VOTE),
        epsilons=("0.1", "0.3"),
        attack="transfer",
        beside=("fgsm", "transfer"),
        farthest=("cw", "cw_on_fp"),
    ),
    Claim(
        name="feedback",
        title="Feedback learning and μ-law (Song et al.), MNIST",
        candidates=(
            *("fp", "fp:mu255@1", "fp:mu255@3"),
            *("fp:feedback", "fp:mu255@1:feedback", "fp:mu255@3:feedback"),
        ),
        epsilons=("0.1", "0.3"),
        attack="fgsm",
        beside=("fgsm",),
        farthest=("cw",),
        audited=(("fp:feedback", "0.1"),),
    ),
    Claim(
        name="input",
        title="2-bit input (Panda et al. 2019), MNIST",
        candidates=("fp", "in4:fp", "in2:fp"),
        epsilons=("0.1", "0.2", "0.3"),
        attack="fgsm_behind",
        beside=("fgsm", "fgsm_behind", "pgd_behind"),
    ),
    Claim(
        name="input-cifar",
        title="2-bit input (Panda et al. 2019), CIFAR-10",
        dataset="cifar",
        candidates=("fp", "in2:fp"),
        epsilons=("8/255", "16/255"),
        attack="fgsm_behind",
        beside=("fgsm", "fgsm_behind", "pgd_behind"),
    ),
    Claim(
        name="binary",
        title="Multi-bit networks (Frickenstein et al. 2023), CIFAR-10",
        dataset="cifar",
        network="resnet20",
        budget=TABLE,
        width="",
        candidates=FEW_BITS,
        epsilons=("2/255",),
        attack="pgd_naive",
        audited=tuple((name, "2/255") for name in FEW_BITS[:5]),
        effort=("--twins=standard", "--binarized=32"),
    ),
)
