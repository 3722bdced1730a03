"""The attacks behind the objectives of their names."""

from evaluators.attacks.ascent import Ascent
from evaluators.attacks.base import Attack
from evaluators.attacks.carlini import CarliniWagner
from evaluators.attacks.noise import Noise

DRAWS = 8
"""Noisy copies of each image."""


def attacks(*, steps: int, restarts: int) -> dict[str, Attack]:
    """Every attack at this strength; none does anything in no steps.

    FGSM: Goodfellow et al. 2015. R-FGSM: Panda et al. 2019, ε/2 at random, then ε/2 along the gradient's sign.
    BIM: Kurakin et al. 2017. MIM: Dong et al. 2018, step ε/steps, decay 1. PGD: Madry et al. 2018, step ε/4 as in
    Frickenstein et al. (2023: ε = 2/255, α = 0.5/255). CW: Carlini and Wagner 2017, at the budget of EMPIR (Sen et
    al. 2020) whatever `steps` is: 50 steps at rate 0.1, c = 10 without a search, any distance.
    """
    once = 1 if steps else 0
    return {
        "fgsm": Ascent(steps=once, step_size=1.0),
        "rfgsm": Ascent(steps=once, step_size=0.5, start="signs"),
        "uniform": Noise(kind="uniform", draws=DRAWS * once),
        "gaussian": Noise(kind="gaussian", draws=DRAWS * once),
        "bim": Ascent(steps=steps),
        "mim": Ascent(steps=steps, step_size=1 / max(steps, 1), decay=1.0),
        "pgd": Ascent(steps=steps, start="uniform", restarts=restarts),
        "cw": CarliniWagner(steps=50 * once, search_steps=1, constant=10.0, rate=0.1),
    }
