"""The topologies by name, with the images each is meant for; no torch here, so that help texts are quick."""

from dataclasses import dataclass

from space import AnyPrecision, Staged
from space.errors import UnknownName, UserError


@dataclass(frozen=True, kw_only=True)
class NetworkInfo:
    """A topology as a person chooses it.

    Attributes:
        name: what it is called on the command line.
        builder: "module:function", imported on use; takes (Plan, Precision) and gives logits from images in [-2, 2].
        shape: channels, height, width of the images of its paper.
        smallest: least height and width that leave every layer something to see.
        source: where it comes from.
        classes: of the data set of its paper.
        stages: how many parts may each have a precision of their own.
    """

    name: str
    builder: str
    shape: tuple[int, int, int]
    smallest: int
    source: str
    classes: int = 10
    stages: int = 1


NETWORKS: dict[str, NetworkInfo] = {
    info.name: info
    for info in (
        NetworkInfo(
            name="fcn1",
            builder="evaluators.networks.fcn:fcn1",
            shape=(1, 28, 28),
            smallest=1,
            source="Panda et al. 2019",
        ),
        NetworkInfo(
            name="fcn2",
            builder="evaluators.networks.fcn:fcn2",
            shape=(1, 28, 28),
            smallest=1,
            source="Panda et al. 2019",
        ),
        NetworkInfo(
            name="mnistconv",
            builder="evaluators.networks.convnets:mnistconv",
            shape=(1, 28, 28),
            smallest=28,
            source="EMPIR 2020",
        ),
        NetworkInfo(
            name="mnistcnn",
            builder="evaluators.networks.convnets:mnistcnn",
            shape=(1, 28, 28),
            smallest=4,
            source="Song, Fallon, Li; Madry et al. 2018",
        ),
        NetworkInfo(
            name="cifarconv",
            builder="evaluators.networks.convnets:cifarconv",
            shape=(3, 32, 32),
            smallest=8,
            source="EMPIR 2020",
        ),
        NetworkInfo(
            name="alexnet",
            builder="evaluators.networks.alexnet:alexnet",
            shape=(3, 32, 32),
            smallest=15,
            source="Panda et al. 2019",
        ),
        NetworkInfo(
            name="alexnet-imagenet",
            builder="evaluators.networks.alexnet:alexnet_imagenet",
            shape=(3, 224, 224),
            smallest=63,
            source="Krizhevsky 2014",
            classes=1000,
        ),
        NetworkInfo(
            name="resnet20",
            builder="evaluators.networks.resnet:resnet20",
            shape=(3, 32, 32),
            smallest=8,
            source="He et al. 2016",
            stages=3,
        ),
        NetworkInfo(
            name="resnet56",
            builder="evaluators.networks.resnet:resnet56",
            shape=(3, 32, 32),
            smallest=8,
            source="He et al. 2016",
            stages=3,
        ),
        NetworkInfo(
            name="wrn32",
            builder="evaluators.networks.resnet:wrn32",
            shape=(3, 32, 32),
            smallest=8,
            source="Song, Fallon, Li; Madry et al. 2018",
            stages=3,
        ),
        NetworkInfo(
            name="resnet18",
            builder="evaluators.networks.resnet:resnet18",
            shape=(3, 224, 224),
            smallest=32,
            source="Frickenstein et al. 2023",
            stages=4,
            classes=1000,
        ),
        NetworkInfo(
            name="resnet18-1x1",
            builder="evaluators.networks.resnet:resnet18_1x1",
            shape=(3, 224, 224),
            smallest=32,
            source="He et al. 2016",
            stages=4,
            classes=1000,
        ),
    )
}
"""Every network by name; a new one is one more entry and its builder."""


def find_network(name: str) -> NetworkInfo:
    """Look a network up; raises UnknownName with the nearest known name."""
    if name not in NETWORKS:
        raise UnknownName("network", name, NETWORKS)
    return NETWORKS[name]


def check_fits(info: NetworkInfo, shape: tuple[int, int, int]) -> None:
    """Raise UserError when images of this shape (C, H, W) are too small for the network."""
    if min(shape[1:]) < info.smallest:
        size = "x".join(map(str, shape[1:]))
        raise UserError(
            f"the network {info.name} does not fit the images",
            got=f"{size} pixels",
            expected=f"at least {info.smallest}x{info.smallest}",
            hint="choose another --network, such as fcn2",
        )


def check_stages(info: NetworkInfo, precision: AnyPrecision) -> None:
    """Raise UserError when a precision by stage does not name each stage of the network."""
    if isinstance(precision, Staged) and len(precision.stages) != info.stages:
        staged = [name for name, one in NETWORKS.items() if one.stages == len(precision.stages)]
        raise UserError(
            f"{info.name} takes other precisions by stage",
            got=str(precision),
            expected=f"one for each of its {info.stages} stages" if info.stages > 1 else "one precision: no stages",
            hint=f"networks of {len(precision.stages)} stages: {', '.join(staged) or 'none'}",
        )
