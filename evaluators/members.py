"""Members: what names a trained network, and the pool that trains it once and finds it ever after."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from evaluators.cache import Entry, Store
from evaluators.data.dataset import DataSet
from evaluators.networks.build import Network, build
from evaluators.networks.plan import Plan
from evaluators.networks.trace import trace
from evaluators.seeds import stream
from evaluators.training.footprint import check_fits_memory
from evaluators.training.inheritance import inherit
from evaluators.training.loop import Course, Training
from evaluators.training.recipes import RECIPES
from space import Precision, read_precision
from space.candidate import MAX_MEMBERS

CODE = ("data", "networks", "quantizers", "training", "members.py", "seeds.py")
"""What a trained member depends on, beside its specification."""


@dataclass(frozen=True, kw_only=True)
class MemberSpec:
    """Everything a trained member is determined by.

    Attributes:
        precision: token of the precision.
        index: which initialisation; twins count from MAX_MEMBERS on, teachers from twice that.
        network, plan, input_bits, recipe: what is trained, and how.
        epochs, train_images: for how long, on how many images.
        dataset: checksum of the images.
        seed: of the splits and all streams.
        autocast: dtype of the convolutions in training.
        epsilon: largest change of a pixel where the recipe attacks what it trains on, else 0.
    """

    precision: str
    index: int
    network: str
    plan: Plan
    input_bits: int
    recipe: str
    epochs: int
    train_images: int
    dataset: str
    seed: int
    autocast: str
    epsilon: float = 0.0

    @property
    def name(self) -> str:
        """Names the random streams: neither a longer training nor newer code draws other numbers."""
        width = f"x{self.plan.width:g}"
        return f"{self.network} {self.precision}/{self.index} in{self.input_bits} {width} {self.recipe}"

    def key(self) -> str:
        """Address in the store; new code has new addresses."""
        text = json.dumps([asdict(self), code_version()], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32]

    def origin(self) -> "MemberSpec | None":
        """The trained network that this one takes its weights from; none where it starts from random ones.

        What is quantized after training is the full-precision member of the same index. Other networks start from a
        twin that is no member of any ensemble, lest low-precision members start from the very network they are to
        differ from; members of one index share it.
        """
        precision, twin = read_precision(self.precision), MAX_MEMBERS + self.index
        if _is_quantized_only(self.precision):
            return replace(self, precision="fp")
        if RECIPES[self.recipe].retrains:
            return replace(self, recipe=RECIPES[self.recipe].retrains, epsilon=0.0)
        if isinstance(precision, Precision) and precision.pruning is not None:
            return replace(self, precision="fp", index=twin)
        if RECIPES[self.recipe].starts_from_twin and not precision.float:
            return replace(self, precision="fp", index=twin, input_bits=8)
        return None

    def teacher(self) -> "MemberSpec | None":
        """The full-precision network whose probabilities this one learns; none for the teacher itself."""
        recipe = RECIPES[self.recipe]
        if not recipe.teacher_share or self.index >= 2 * MAX_MEMBERS:
            return None
        if recipe.starts_from_twin:
            return self.origin()
        return replace(self, precision="fp", index=2 * MAX_MEMBERS + self.index)


@dataclass(frozen=True)
class Rung:
    """A member whose training has gone only so far: on the course of all its epochs, paused after some of them.

    Attributes:
        spec: the member.
        epochs: of its own, 1 to spec.epochs - 1; what it starts or learns from is trained to its end first.
    """

    spec: MemberSpec
    epochs: int

    def key(self) -> str:
        """Address in the store."""
        return sha256(f"{self.spec.key()} rung {self.epochs}".encode()).hexdigest()[:32]

    def origin(self) -> "Rung | None":
        """The rung that this one is quantized from, where nothing is trained; none where it is trained itself."""
        origin = self.spec.origin()
        return Rung(origin, self.epochs) if origin and _is_quantized_only(self.spec.precision) else None


@cache
def code_version() -> str:
    """Digest of the sources that decide what a training yields."""
    digest = sha256()
    for path in _sources(Path(__file__).parent):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(folder: Path) -> Iterator[Path]:
    for name in CODE:
        path = folder / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


class MemberPool:
    """Trains members that the store lacks.

    Attributes:
        store: where they are kept.
        data: what they are trained on.
        trained: how many trainings this pool has brought to their end.
        epochs: how many passes over the training images it has made.
    """

    def __init__(self, store: Store, data: DataSet) -> None:
        self.store, self.data = store, data
        self.trained = self.epochs = 0

    def obtain(self, spec: MemberSpec) -> Network:
        """The trained network, in eval mode on the device of the data; a training that was paused goes on.

        Raises: FloatingPointError when the training diverges, MemoryError when it cannot fit into memory.
        """
        return self._loaded(spec, self.store.fetch(spec.key(), lambda: (self._train(spec).state_dict(), _meta(spec))))

    def rung(self, rung: Rung) -> Network | None:
        """The network after so many epochs of its training, in eval mode; None where that went on without a stop there.

        Its training is paused there, and its state kept, so that it goes on to the very network it would have become.

        Raises: as `obtain`.
        """
        if origin := rung.origin():
            full = self.rung(origin)
            return None if full is None else self._quantized(rung.spec, full)
        with self.store.lock(rung.spec.key()):
            if not self.reaches(rung):
                return None
            network = self._advanced(rung.spec, rung.epochs).network
        network.zero_grad()
        return network.eval()

    def reaches(self, rung: Rung) -> bool:
        """Whether `rung` gives a network: the training was paused there, or has not gone so far."""
        if origin := rung.origin():
            return self.reaches(origin)
        spec, holds = rung.spec, self.store.holds
        later = (Rung(spec, epochs) for epochs in range(rung.epochs + 1, spec.epochs))
        return holds(rung.key()) or not (holds(spec.key()) or any(holds(one.key()) for one in later))

    def find(self, spec: MemberSpec) -> Network | None:
        """The network as `obtain` gives it, if it was trained before; None where it was not, or is damaged."""
        with self.store.lock(spec.key()):
            entry = self.store.load(spec.key())
        return None if entry is None else self._loaded(spec, entry)

    def _loaded(self, spec: MemberSpec, entry: Entry) -> Network:
        network = _blank(spec)
        network.load_state_dict(entry.tensors)
        return network.to(self.data.train.images.device).eval()

    def _train(self, spec: MemberSpec) -> Network:
        origin = spec.origin()
        if origin is not None and _is_quantized_only(spec.precision):
            return self._quantized(spec, self.obtain(origin))
        training = self._advanced(spec, spec.epochs)
        self.trained += 1
        return training.network

    def _quantized(self, spec: MemberSpec, trained: Network) -> Network:
        network = _blank(spec).to(self.data.train.images.device)
        inherit(network, trained)
        return network.eval()

    def _advanced(self, spec: MemberSpec, epochs: int) -> Training:
        """The training after so many epochs, from where it was last paused; kept where it is not over then."""
        training, done = self._latest(spec, epochs)
        if done < epochs:
            self._check_fits(spec)
            before = training.epoch
            training.advance(epochs * _passes(spec))
            self.epochs += training.epoch - before
        if done < epochs < spec.epochs:
            self.store.save(Rung(spec, epochs).key(), training.state(), _meta(spec) | {"rung": epochs})
        return training

    def _latest(self, spec: MemberSpec, epochs: int) -> tuple[Training, int]:
        """The training as it was last paused after at most so many epochs, and how many those were."""
        for done in range(min(epochs, spec.epochs - 1), 0, -1):
            if entry := self.store.load(Rung(spec, done).key()):
                training = self._training(spec, _blank(spec).to(self.data.train.images.device))
                if training.follows(entry.tensors):
                    training.resume(entry.tensors)
                    return training, done
        return self._training(spec, self._started(spec)), 0

    def _started(self, spec: MemberSpec) -> Network:
        """The network before its first step."""
        network, origin = _blank(spec).to(self.data.train.images.device), spec.origin()
        if origin is None:
            network.reset(stream(spec.seed, spec.name, "weights"))
        else:
            inherit(network, self.obtain(origin))
        return network

    def _training(self, spec: MemberSpec, network: Network) -> Training:
        teacher = spec.teacher()
        course = self._course(spec, None if teacher is None else self.obtain(teacher))
        return Training(network, read_precision(spec.precision), course)

    def _check_fits(self, spec: MemberSpec) -> None:
        """Raise MemoryError before a training that cannot fit, rather than lose what it had learnt until then."""
        layers = trace(spec.network, read_precision(spec.precision), spec.plan)
        check_fits_memory(layers, RECIPES[spec.recipe].batch, self.data.train.images.device)

    def _course(self, spec: MemberSpec, teacher: Network | None) -> Course:
        recipe, device = RECIPES[spec.recipe], self.data.train.images.device
        return Course(
            split=self.data.train.head(spec.train_images),
            recipe=recipe,
            epochs=spec.epochs * _passes(spec),
            generator=stream(spec.seed, spec.name, "order", device=device),
            autocast=getattr(torch, spec.autocast),
            teacher=teacher,
            epsilon=spec.epsilon,
        )


def _is_quantized_only(token: str) -> bool:
    """Whether nothing is trained in this precision: a trained network is quantized as it stands."""
    precision = read_precision(token)
    return isinstance(precision, Precision) and precision.method == "ptq"


def _passes(spec: MemberSpec) -> int:
    """Passes over the training images that count as one epoch of this member."""
    return RECIPES[spec.recipe].float_epochs if spec.origin() is None else 1


def _blank(spec: MemberSpec) -> Network:
    return build(spec.network, read_precision(spec.precision), spec.plan, input_bits=spec.input_bits)


def _meta(spec: MemberSpec) -> dict[str, Any]:
    return {"spec": asdict(spec), "code": code_version()}
