"""How texts and counts are shown: harmless for who reads them, a terminal, a spreadsheet, a log that others see."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

SECRET = "***"
"""Stands for a password."""

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a cell may begin with that a spreadsheet runs, in half and full width."""

_LOGIN = re.compile(r"(?<=:/)(/?[^\s:/?#@'\"]*):([^\s'\"]*)@")  # a path has lost one of the slashes
_PARAMETER = re.compile(r"(?i)([?&;](?:[a-z_]*password|passwd|pwd|[a-z_]*token|[a-z_]*secret)=)([^&;\s'\"]*)")


def counted(count: int, noun: str) -> str:
    """A number of things in words.

    >>> counted(1, "candidate"), counted(2000, "candidate")
    ('1 candidate', '2,000 candidates')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def line(text: str) -> str:
    """One printable line without passwords: control characters, escapes and changes of direction become "?".

    >>> line("in4:\\x1b[31mfp\\nof postgresql://me:secret@host/x")
    'in4:?[31mfp of postgresql://me:***@host/x'
    """
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """As `line`, with spaces as they are."""
    return masked("".join(one if one.isprintable() else "?" for one in text))


def masked(text: str) -> str:
    """A text whose URLs have lost their passwords, those with an unescaped @ too.

    >>> masked("sqlite:///x.db, postgresql://me:a@b@host/x?sslpassword=c")
    'sqlite:///x.db, postgresql://me:***@host/x?sslpassword=***'
    """
    return _PARAMETER.sub(rf"\1{SECRET}", _LOGIN.sub(rf"\1:{SECRET}@", text))


def without_secrets(text: str, url: str) -> str:
    """A text that came of a URL, as `line` has it, with the parts of the URL's password masked wherever they stand.

    >>> without_secrets("can't resolve host 'ret@host'", "postgresql://me:sec@ret@host/x")
    "can't resolve host '***@host'"
    """
    secrets = [match[2] for pattern in (_LOGIN, _PARAMETER) for match in pattern.finditer(url)]
    parts = {form for one in secrets for part in (one, *one.split("@")) for form in (part, unquote(part)) if part}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, SECRET)
    return line(text)


def cell(value: object) -> object:
    """A cell of a CSV file: a text stays on its line and is no formula, anything else is as it was.

    >>> cell("=HYPERLINK(A1)"), cell(-1.5)
    ("'=HYPERLINK(A1)", -1.5)
    """
    if not isinstance(value, str):
        return value
    text = line(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_text(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A CSV file's text: every cell goes through `cell`, lines end in a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cell(one) for one in row] for row in (header, *rows))
    return text.getvalue()
