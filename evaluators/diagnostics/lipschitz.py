"""How much the quantization error of each layer can amplify (Song, Fallon, Li)."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from evaluators.diagnostics.catalogue import DIAGNOSTICS
from evaluators.diagnostics.operators import Shape, infinity_norm, operator_of, two_norm
from evaluators.diagnostics.subject import Subject
from evaluators.diagnostics.table import Table
from evaluators.networks.build import Network
from evaluators.quantizers.layers import QuantConv2d, QuantLayer
from evaluators.seeds import stream


def lipschitz(subject: Subject) -> Table:
    """Lipschitz constants of x -> ΔW x, layer by layer; above 1 it amplifies.

    ΔW is the effective weight, μ-law included, less the float weight behind it; a convolution is the operator that it
    is on its real input, zeros around it. The constants are ‖ΔW‖₂, the largest singular value, and ‖ΔW‖_∞, the largest
    row 1-norm. Batch norm, which may undo a mere change of scale, is left out.
    """
    rows = []
    for number, network in enumerate(subject.model.members, start=1):
        for name, layer, seen in sized_layers(network, subject.images[:1]):  # type: ignore[arg-type]
            error = operator_of(layer, layer.effective_weight() - layer.weight.float_weight(), seen)
            start = stream(subject.settings.seed, "lipschitz", str(number), name)
            kind = "conv" if isinstance(layer, QuantConv2d) else "linear"
            rows.append((number, name, kind, two_norm(error, start), infinity_norm(error)))
    return Table(name="lipschitz", columns=DIAGNOSTICS["lipschitz"].columns, rows=tuple(rows))


@torch.no_grad()
def sized_layers(network: Network, images: Tensor) -> Iterator[tuple[str, QuantLayer, Shape]]:
    """Every layer with the shape of its input for one image, in the order of the computation."""
    seen: dict[nn.Module, Shape] = {}
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: seen.update({layer: tuple(inputs[0].shape[1:])}))
        for _, layer in network.layers()
    ]
    network(images[:1])
    for hook in hooks:
        hook.remove()
    names = {layer: name for name, layer in network.layers()}
    return ((names[layer], layer, shape) for layer, shape in seen.items())  # type: ignore[index,misc]
