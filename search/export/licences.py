"""Under what terms the images of a data set may be used, as far as their makers say; a network learnt from them."""

from studies import Lock

LICENCES = {
    "mnist": "MNIST (Yann LeCun, Corinna Cortes, Christopher Burges): Creative Commons Attribution-ShareAlike 3.0.",
    "fashion-mnist": "Fashion-MNIST (Han Xiao, Kashif Rasul, Roland Vollgraf; Zalando SE 2017): MIT licence.",
    "cifar10": "CIFAR-10: its makers state no licence; they ask to cite Alex Krizhevsky, Learning Multiple Layers of "
    "Features from Tiny Images, technical report, University of Toronto, 2009.",
    "cifar100": "CIFAR-100: its makers state no licence; they ask to cite Alex Krizhevsky, Learning Multiple Layers of "
    "Features from Tiny Images, technical report, University of Toronto, 2009.",
}
"""By the name of the data set."""
SAME = {"mnist5k": "mnist"}
"""Names of parts of another set."""
UNKNOWN = "The licence of these images is not known here: they are your own, or of a file that does not say."


def licence_of(lock: Lock) -> str:
    """One paragraph; UNKNOWN for images that have no name of ours."""
    name = lock.protocol.dataset
    return LICENCES.get(SAME.get(name, name), UNKNOWN)
