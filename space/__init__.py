"""What may be chosen: candidates, their text form and key, and the spaces they are drawn from."""

from space.candidate import Candidate, Member, MuLaw
from space.encoding import Conditional, Encoding
from space.errors import OutOfSpace, UnknownName, UserError
from space.flat import Flat
from space.precision import Precision
from space.sources import PRESETS
from space.space import SearchSpace, load_space
from space.stages import AnyPrecision, Staged, read_precision
from space.text import RECIPES

__all__ = [
    "PRESETS",
    "RECIPES",
    "AnyPrecision",
    "Candidate",
    "Conditional",
    "Encoding",
    "Flat",
    "Member",
    "MuLaw",
    "OutOfSpace",
    "Precision",
    "SearchSpace",
    "Staged",
    "UnknownName",
    "UserError",
    "load_space",
    "read_precision",
]
