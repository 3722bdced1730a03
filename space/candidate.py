"""The values a search chooses: members, how they vote, and what happens to the input and the weights."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self, get_args

from space import text as text_form
from space.canonical import canonical
from space.checks import exact_keys, known_name, whole
from space.errors import UserError
from space.precision import Precision
from space.stages import AnyPrecision, Staged, read_precision
from space.text import RECIPES

Vote = Literal["mean", "majority"]
MAX_MEMBERS = 9
MAX_MU = 65535
MAX_LAYERS = 1000
WIDTHS = (0.125, 8.0)
"""Least and largest width multiplier."""


@dataclass(frozen=True, order=True)
class Member:
    """One trained network: a precision and which of its initialisations (0, 1, …).

    >>> str(Member(Precision.parse("fp"), 1))
    'fp#1'
    """

    precision: AnyPrecision
    index: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.precision, Precision | Staged):
            raise UserError("precision of a member", got=self.precision, expected="a Precision", hint="Precision.parse")
        whole("initialisation index", self.index, 0, MAX_MEMBERS - 1, "0 is the first")

    def __str__(self) -> str:
        return f"{self.precision}#{self.index}"


@dataclass(frozen=True)
class MuLaw:
    """Mu-law compression of the weights of the last layers, after training (Song et al.).

    Attributes:
        mu: strength, 1 to 65535; the papers use 255.
        layers: how many of the last layers are mapped, >= 1.
    """

    mu: int
    layers: int

    def __post_init__(self) -> None:
        whole("mu", self.mu, 1, MAX_MU, "leave mu out for no mapping")
        whole("mapped layers", self.layers, 1, MAX_LAYERS, "1 is the classifier alone")

    def __str__(self) -> str:
        return f"mu{self.mu}@{self.layers}"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Everything that is searched. Equal designs have one canonical form, and so one text and one key.

    Attributes:
        input_bits: bits of a pixel, 1 to 8; 8 is the identity.
        members: 1 to 9 networks.
        vote: how they decide; None for one member (an ensemble's None means "mean").
        mapping: mu-law compression of the weights, or None.
        recipe: how members are trained, one of RECIPES.
        width: multiplier of every hidden width, 0.125 to 8, at most four decimals.

    Raises UserError for values out of range.

    >>> str(Candidate.parse("dorefa4-4+dorefa4-2+fp:x1:majority"))
    'fp+dorefa4-2+dorefa4-4:majority'
    >>> Candidate.parse("in8:pact4-4:mean").key() == Candidate.parse("pact4").key()
    True
    """

    input_bits: int = 8
    members: tuple[Member, ...]
    vote: Vote | None = None
    mapping: MuLaw | None = None
    recipe: str = "standard"
    width: float = 1.0

    def __post_init__(self) -> None:
        whole("input bits", self.input_bits, 1, 8, "8 leaves the input as it is")
        if not isinstance(self.members, tuple) or not all(isinstance(m, Member) for m in self.members):
            raise UserError("members", got=self.members, expected="a tuple of Member", hint="Candidate.parse")
        whole("number of members", len(self.members), 1, MAX_MEMBERS, "e.g. 'fp+xnor' has two")
        if self.vote is not None:
            known_name("vote", self.vote, get_args(Vote))
        if not isinstance(self.mapping, MuLaw | None):
            raise UserError("mapping", got=self.mapping, expected="a MuLaw or None", hint="e.g. MuLaw(255, 1)")
        known_name("recipe", self.recipe, RECIPES)
        check_width(self.width)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form, e.g. `in2:fp+dorefa4-2:majority`; canonical. UserError says what is wrong."""
        return cls.from_json(text_form.read(text))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the object that `to_json` writes; canonical. UserError for other keys, types or values."""
        fields = dict(exact_keys("candidate", data, (*cls.__dataclass_fields__,)))
        fields["members"] = _members(fields["members"])
        fields["mapping"] = _mapping(fields["mapping"])
        return canonical(cls(**fields))

    def to_json(self) -> dict[str, Any]:
        """The canonical form as a JSON object, e.g. {"input_bits": 8, "members": ["fp"], "vote": null, …}."""
        one = self.canonical()
        return {
            "input_bits": one.input_bits,
            "members": [str(member.precision) for member in one.members],
            "vote": one.vote,
            "mapping": one.mapping and {"mu": one.mapping.mu, "layers": one.mapping.layers},
            "recipe": one.recipe,
            "width": one.width,
        }

    def canonical(self) -> Self:
        """The one form of all equal designs; see `space.canonical`."""
        return canonical(self)

    def key(self) -> str:
        """16 hexadecimal digits that equal designs share across runs and machines."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return text_form.write(self.to_json())


def check_width(width: object) -> float:
    """Return a width multiplier as a float; UserError unless it is in WIDTHS with at most four decimals."""
    low, high = WIDTHS
    if isinstance(width, bool) or not isinstance(width, int | float) or not low <= width <= high:
        raise UserError("width out of range", got=width, expected=f"{low:g} to {high:g}", hint="1 is the full width")
    if round(width, 4) != width:
        raise UserError("width too fine", got=width, expected="at most 4 decimals", hint="e.g. 0.5")
    return float(width)


def _members(tokens: object) -> tuple[Member, ...]:
    if not isinstance(tokens, list | tuple):
        raise UserError("members", got=tokens, expected="a list of precisions", hint="e.g. ['fp', 'dorefa4-2']")
    return tuple(Member(read_precision(token)) for token in tokens)


def _mapping(data: object) -> MuLaw | None:
    return None if data is None else MuLaw(**exact_keys("mapping", data, ("mu", "layers")))
