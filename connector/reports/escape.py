"""Text that came from outside, made harmless for a terminal."""

import unicodedata

# Characters that reorder or hide what a person reads.
_DECEIVING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, *, width: int | None = None) -> str:
    """Return text with control, escape and direction characters written out, cut to `width`."""
    plain = text.isascii() and text.isprintable()
    shown = text if plain else "".join(_shown(character) for character in text)
    if width is not None and len(shown) > width:
        shown = shown[: width - 1] + "…"
    return shown


def lines(text: str) -> str:
    """Return a text whose line breaks are ours with all else made printable."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _DECEIVING:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
