"""What Sophos calls a product, less what changes from month to month."""

import re
from dataclasses import dataclass
from decimal import Decimal

_BAND = re.compile(
    r"(?<![\w.,])(?P<least>\d[\d.,]{0,11})\s?(?:\+|(?:-|\u2013|to)\s?(?P<most>\d[\d.,]{0,11}))\s?"
    r"(?:users?|servers?|devices?|endpoints?|units?|mailbox(?:es)?|seats?|firewalls?|licen[cs]es?)\b",
    re.IGNORECASE,
)
_TERM = re.compile(r"\b(?:msp[ -]?)?monthly\b|\bmsp$", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})*|\d+")


@dataclass(frozen=True, slots=True, order=True)
class Band:
    """A price band as a description writes it: `500-999 DEVICES`; the limits are None where unreadable."""

    text: str
    least: int | None = None
    most: int | None = None

    def holds(self, quantity: Decimal) -> bool | None:
        """Whether a quantity lies in it; None where its limits cannot be read. `500+` has no upper one."""
        if self.least is None:
            return None
        return self.least <= quantity and (self.most is None or quantity < self.most + 1)


def band_of(description: str) -> Band | None:
    """Return the first price band that a description names, or None."""
    found = _BAND.search(description)
    if found is None:
        return None
    least, most = found["least"], found["most"]
    if not all(_GROUPED.fullmatch(limit) for limit in (least, most) if limit is not None):
        return Band(found[0])
    return Band(found[0], _count(least), _count(most) if most is not None else None)


def _count(text: str) -> int:
    """Return a whole number, with or without marks between thousands."""
    return int(re.sub("[.,]", "", text))


def product_name(description: str) -> str:
    """Return what Sophos calls a product without its price band and term, which are not the product."""
    text = _TERM.sub("", _BAND.sub("", description).strip(" -"))
    return " - ".join(part for part in (each.strip(" -") for each in text.split(" - ")) if part)
