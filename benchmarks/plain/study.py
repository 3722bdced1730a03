"""The search: Optuna's default sampler, one objective function, nothing kept between trials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators import cost_report
from evaluators.data.dataset import DataSet, Split
from evaluators.networks.plan import Plan
from plain.attack import Ensemble, pgd
from plain.data import judging_loader, training_loader
from plain.networks import Network
from plain.train import accuracy, train
from space import Candidate, Precision, SearchSpace

Values = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Task:
    """The same images, protocol and budget as the project's."""

    data: DataSet
    network: str
    epsilon: float
    epochs: int
    train_images: int
    images: int
    steps: int
    restarts: int

    def values(self, candidate: Candidate) -> Values:
        """Accuracy, accuracy under PGD, and bit operations of one candidate, trained from scratch."""
        model = self.ensemble(candidate)
        judged = judging_loader(*as_arrays(self.data.validation))
        attacked = judging_loader(*as_arrays(self.data.validation.head(self.images)))
        standing = torch.cat([self.standing(model, images, labels) for images, labels in attacked])
        plan = Plan(shape=self.data.shape, classes=self.data.classes)
        bops = cost_report(candidate, self.network, plan).total("bops")
        return {"acc": accuracy(model, judged), "pgd_naive": float(standing.float().mean()), "bops": bops}

    def standing(self, model: Ensemble, images: Tensor, labels: Tensor) -> Tensor:
        """Which images stand under PGD."""
        return pgd(model, images, labels, epsilon=self.epsilon, steps=self.steps, restarts=self.restarts)

    def ensemble(self, candidate: Candidate) -> Ensemble:
        """Train every member, map its weights, join them by the vote."""
        loader = training_loader(*as_arrays(self.data.train.head(self.train_images)))
        networks = []
        for member in candidate.members:
            if not isinstance(member.precision, Precision):
                raise ValueError(f"not written: {member.precision}")
            network = Network(self.network, member.precision, width=candidate.width, input_bits=candidate.input_bits)
            networks.append(train(network, member.precision, loader, self.epochs))
            if candidate.mapping:
                networks[-1].map_weights(candidate.mapping.mu, candidate.mapping.layers)
        floats = [member.precision.float for member in candidate.members]
        return Ensemble(networks, candidate.vote == "majority", floats)


def as_arrays(split: Split) -> tuple[NDArray[Any], NDArray[Any]]:
    """uint8 images N×H×W×C and labels, as an npz file holds them."""
    return split.images.permute(0, 2, 3, 1).numpy(), split.labels.numpy()


def search(task: Task, space: SearchSpace, trials: int, seed: int, told: Callable[[Candidate, Values], None]) -> None:
    """Run a study; `told` hears of every trial when it is done."""

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        candidate = space.sample(trial)
        values = task.values(candidate)
        told(candidate, values)
        return tuple(values.values())

    torch.manual_seed(seed)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)  # the default one, seeded
    study = optuna.create_study(directions=["maximize", "maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=trials)
