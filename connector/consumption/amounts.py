"""Quantities and money as people write them, with either decimal mark, exact from the text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Mark = Literal["point", "comma"]

_LONGEST = 40
_DASHES = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-"})
_SPACES = " \u00a0\u202f\u2009'\u2019"
_MONEY = re.compile(
    r"(?P<before>[A-Z]{3}|[$€£¥]|US\$)?\s*(?P<number>[^A-Z$€£¥]+?)\s*(?P<after>[A-Z]{3}|[$€£¥]|US\$)?"
)
_SYMBOLS = {"€": "EUR", "£": "GBP", "US$": "USD"}


def _pattern(group: str, point: str) -> re.Pattern[str]:
    grouped = rf"[1-9]\d{{0,2}}(?P<split>[{group}{_SPACES}])\d{{3}}(?:(?P=split)\d{{3}})*"
    return re.compile(rf"(?:{grouped}|\d+)(?:[{point}]\d+)?|[{point}]\d+", re.ASCII)


_PATTERNS: dict[Mark, re.Pattern[str]] = {"point": _pattern(",", "."), "comma": _pattern(".", ",")}


class Ambiguous(Exception):
    """A text that means one number with a decimal comma and another with a decimal point."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Which decimal mark a file uses: `declared` by a person, or `proven` by all its numbers together."""

    declared: Mark | None = None
    proven: Mark | None = None

    def number(self, text: str) -> Decimal | None:
        """Return what a text means, None for no number at all; raises Ambiguous."""
        found = readings(text)
        if self.declared is not None:
            return found.get(self.declared)
        if len(set(found.values())) > 1:
            if self.proven is None:
                raise Ambiguous(text)
            return found[self.proven]
        return next(iter(found.values()), None)


def marks_of(texts: Iterable[str], declared: Mark | None) -> Marks:
    """Return how numbers are read in a file that holds these texts."""
    if declared is not None:
        return Marks(declared)
    proofs: set[Mark] = set()
    for text in texts:
        found = readings(text)
        if len(found) == 1:
            proofs |= found.keys()
            if len(proofs) > 1:
                return Marks()
    return Marks(None, next(iter(proofs), None))


def readings(text: str) -> dict[Mark, Decimal]:
    """Return what a number means with each decimal mark that it can have been written with."""
    text = text.translate(_DASHES).strip()
    if len(text) > _LONGEST:
        return {}
    negative = text.startswith("-")
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    else:
        text = text.removeprefix("-").strip() if negative else text.removeprefix("+").strip()
    found: dict[Mark, Decimal] = {}
    for mark, pattern in _PATTERNS.items():
        if pattern.fullmatch(text):
            whole, _, part = text.rpartition("." if mark == "point" else ",")
            if not whole and not text.startswith((".", ",")):
                whole, part = part, ""
            digits = re.sub(r"\D", "", whole, flags=re.ASCII)
            number = Decimal(f"{digits or 0}.{part or 0}")
            found[mark] = -number if negative and number else number
    return found


def number_text(text: str) -> tuple[str, str]:
    """Return a sum of money as its number and the currency it names, or an empty one."""
    found = _MONEY.fullmatch(text.strip()[: _LONGEST + 8])
    if found is None or (found["before"] and found["after"]):
        return text, ""
    said = found["before"] or found["after"] or ""
    return found["number"], _SYMBOLS.get(said, said if said.isalpha() else "")


def written(number: Decimal, declared: Mark | None) -> str:
    """Write a number so that it is read as the same one, whatever else is in the file."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
        if len(text.partition(".")[2]) == 3:
            text += "0"  # three digits behind a mark may be thousands, four cannot
    return text.replace(".", ",") if declared == "comma" else text
