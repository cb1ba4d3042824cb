"""What Sophos calls a product, less what changes from month to month."""

import re

_BAND = re.compile(
    r"(?<![\w.,])\d[\d.,]{0,11}\s?(?:\+|(?:-|\u2013|to)\s?\d[\d.,]{0,11})\s?"
    r"(?:users?|servers?|devices?|endpoints?|units?|mailbox(?:es)?|seats?|firewalls?|licen[cs]es?)\b",
    re.IGNORECASE,
)
_TERM = re.compile(r"\b(?:msp[ -]?)?monthly\b|\bmsp$", re.IGNORECASE)


def product_name(description: str) -> str:
    """Return what Sophos calls a product without its price band and term, which are not the product."""
    text = _TERM.sub("", _BAND.sub("", description).strip(" -"))
    return " - ".join(part for part in (each.strip(" -") for each in text.split(" - ")) if part)
