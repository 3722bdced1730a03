"""HTML from values: every text is escaped, because nothing but `element` makes markup."""

from html import escape


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *content: str | Markup | None, **attributes: str | bool | None) -> Markup:
    """One element with its content; texts are escaped, None is left out.

    Args:
        name: of the element.
        content: texts and elements.
        attributes: "_" stands for "-", `class_` for class; True writes the bare name, False and None nothing.

    >>> element("p", "1 < 2", class_="fact")
    '<p class="fact">1 &lt; 2</p>'
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    return Markup(f"<{name}{given}>{joined(*content)}" + ("" if name in VOID else f"</{name}>"))


def joined(*content: str | Markup | None) -> Markup:
    """Texts and elements, one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else escape(one) for one in content if one is not None))


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


VOID = ("img", "input", "br")
"""Elements without an end."""
