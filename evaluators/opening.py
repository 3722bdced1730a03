"""From what a person names to an evaluator, with defaults where they named nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from evaluators.allocator import keep_freed_memory
from evaluators.base import Budget, Protocol, Threat
from evaluators.data.dataset import DataSet, load
from evaluators.evaluator import Evaluator
from evaluators.fitting import ran_out_of_memory
from evaluators.members import MemberPool
from evaluators.networks.catalogue import check_fits, find_network
from evaluators.remote import open_store
from space import Candidate, UserError

GREY_EPSILON, COLOUR_EPSILON = 0.2, 8 / 255
"""Usual l∞ radii: Panda et al. (2019) use 0.1 to 0.3 on MNIST; 8 grey levels are the field's habit on CIFAR."""


def open_evaluator(
    *,
    dataset: str,
    network: str | None = None,
    epsilon: float | None = None,
    threat: Threat = "raw",
    source: str = "fp",
    seed: int = 0,
    budget: Budget | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    data_root: Path | None = None,
    download: bool = False,
) -> Evaluator:
    """Load the data, and check that network, data and device go together.

    Args:
        dataset: a name, `folder:PATH`, `folder:PATH@SIZE` or `FILE.npz`.
        network: a name; MNISTconv for grey 28×28 images, ResNet-20 for others where left out.
        epsilon: radius of the attacks in [0, 1]; 0.2 for grey images, 8/255 for colour where left out.
        threat: where the attacker stands.
        source: candidate that the objective `transfer` crafts on; the full-precision network where left out.
        seed: of splits, trainings and attacks.
        budget: what one evaluation may spend.
        device: "auto", "cpu", "cuda" or "cuda:N".
        cache: folder of trained members, or URL of one; the user's cache folder where left out.
        data_root, download: where torchvision's data sets are, and whether to fetch them.
    Raises: UserError for everything that is wrong with these.
    """
    keep_freed_memory()
    compute_in_float32()
    where = find_device(device)
    if network is not None:
        find_network(network)
    with _room_for(dataset, where):
        data = load(dataset, root=data_root, download=download, seed=seed, device=where)
    topology = network or _usual_network(data)
    check_fits(find_network(topology), data.shape)
    protocol = Protocol(
        dataset=dataset,
        checksum=data.checksum,
        network=topology,
        epsilon=_usual_epsilon(data) if epsilon is None else epsilon,
        threat=threat,
        source=source,
        seed=seed,
        autocast=faster_dtype(where),
    )
    evaluator = Evaluator(protocol, budget or Budget(), MemberPool(open_store(cache), data))
    evaluator.cost(Candidate.parse(source))  # says what does not fit
    return evaluator


def find_device(name: str) -> torch.device:
    """The device of this name; "auto" is a CUDA device if there is one, else the CPU. Raises UserError."""
    count = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    kind, _, number = name.partition(":")
    if name != "cpu" and not (kind == "cuda" and (name == "cuda" or number.isdecimal())):
        raise UserError("unknown device", got=name, expected="auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(number or 0) >= count:
        raise UserError(
            "no such device",
            got=name,
            expected=f"cpu, or one of the {count} CUDA devices that PyTorch sees",
            hint="auto takes what there is",
        )
    return torch.device(name)


def faster_dtype(device: torch.device) -> str:
    """Dtype that training convolutions are faster in: bfloat16 where a GPU has it, float32 on processors.

    On a processor with bfloat16 instructions (AMX masked) these small convolutions took 1.05 to 1.3 times as long in
    bfloat16 (benchmarks/number_formats.py), and some virtual machines announce instructions that then crash. GPUs
    before compute capability 8.0 only emulate it.
    """
    if device.type != "cuda":
        return "float32"
    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"


def compute_in_float32() -> None:
    """Keep GPUs from rounding float32 to TF32's 10 bits of mantissa, as PyTorch has them do in convolutions.

    Attacks are float32. No training is slower for it: a GPU that has TF32 has bfloat16, which trainings take.
    """
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def _room_for(dataset: str, device: torch.device) -> Iterator[None]:
    """Say in one line that a device has too little memory for the images, which lie there as a whole."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        elsewhere = ", or --device cpu" if device.type == "cuda" else ""
        raise UserError(
            "images too large for the memory",
            got=dataset,
            expected=f"what fits on {device.type}",
            hint=f"take fewer images, or a smaller SIZE in folder:PATH@SIZE{elsewhere}",
        ) from error


def _usual_network(data: DataSet) -> str:
    return "mnistconv" if data.shape == (1, 28, 28) else "resnet20"


def _usual_epsilon(data: DataSet) -> float:
    return GREY_EPSILON if data.shape[0] == 1 else COLOUR_EPSILON
