"""What may be chosen: candidates, their text form and key, and the spaces they are drawn from."""

from space.candidate import Candidate, Member, MuLaw
from space.errors import UnknownName, UserError
from space.precision import Precision
from space.text import RECIPES

__all__ = ["RECIPES", "Candidate", "Member", "MuLaw", "Precision", "UnknownName", "UserError"]
