"""What one scalar of mappings.yaml means: YAML 1.2 core, decimal numbers only.

`NO`, `yes` and `on` are text, as are `2026-10-01`, `12:30:00`, `1_000`, `0x1F` and `0o17`: a product code or
a serial that happens to look like something else stays what the person typed.
"""

import re
from decimal import Decimal
from types import NoneType
from typing import Self

Scalar = str | int | Decimal | bool | None

_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAY_START_A_NUMBER = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOST_DIGITS = 40
_CORE = "tag:yaml.org,2002:"

_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\u2060\ud800-\udfff\ufeff]")


class Number(Decimal):
    """A number that is not whole, exact, with the `source` it was written as; `.inf` and `.nan` are NaN."""

    source: str

    def __new__(cls, source: str) -> Self:
        """Take the digits as they stand: never through a float."""
        number = super().__new__(cls, "NaN" if _NOT_FINITE.fullmatch(source) else source)
        number.source = source
        return number


_TYPES: dict[str, type] = {"bool": bool, "float": Number, "int": int, "null": NoneType, "str": str}


def plain(text: str) -> Scalar:
    """Return what an unquoted scalar means; raises ValueError for a number of absurd size."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _MAY_START_A_NUMBER:
        return text
    if _NOT_FINITE.fullmatch(text):
        return Number(text)
    if not _FLOAT.fullmatch(text):
        return text
    if len(text) > _MOST_DIGITS:
        raise ValueError("too long for a number; if it is text, put it in quotes")
    if _INT.fullmatch(text):
        return int(text)
    # Exponents are bounded before Decimal sees them: it has limits of its own, far beyond any use of ours.
    if len(text.lower().partition("e")[2].lstrip("+-0")) > 2:
        raise ValueError("too large or too small for a number; if it is text, put it in quotes")
    return Number(text)


def tagged(tag: str, text: str) -> Scalar:
    """Return what a scalar with a tag means; raises ValueError unless it is a core tag that fits."""
    kind = tag.removeprefix(_CORE)
    if kind not in _TYPES or kind == tag:
        raise ValueError("a tag that is not allowed here; write plain text or a number")
    if kind == "str":
        return text
    value = plain(text)
    if kind == "float" and type(value) is int:
        return Number(text)
    if type(value) is not _TYPES[kind]:
        raise ValueError(f"a tag that does not fit: {text[:_MOST_DIGITS]!a} is no {kind}")
    return value


def is_core_tag(tag: str | None, kind: str) -> bool:
    """Whether a collection may carry `tag`: none, or the core one for its kind (`map`, `seq`)."""
    return tag is None or tag == _CORE + kind


def flaw(text: str) -> str:
    """Return why `text`, already trimmed, cannot name anything, or an empty string where it can."""
    if not text:
        return "is empty"
    hidden = None if text.isprintable() else _HIDDEN.search(text)
    if hidden is None:
        return ""
    return f"holds a character that cannot be seen (U+{ord(hidden[0]):04X}); type it anew"
