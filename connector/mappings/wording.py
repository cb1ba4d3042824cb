"""How faults speak of what stands in the file: short, quoted, and harmless to a terminal."""

import difflib
import re
from collections.abc import Iterable

from connector.mappings.scalars import Number

_LONGEST = 60
_SIMPLE_KEY = re.compile(r"[\w<>-]{1,60}")


def quoted(text: str) -> str:
    """Return `text` in double quotes, cut to 60 characters, what cannot be seen written as an escape."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return '"' + visible(cut.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def visible(text: str) -> str:
    """Return `text` with all that a terminal would not print, or would obey, written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def dotted(path: Iterable[str]) -> str:
    """Return the keys that lead to a place as `tenants.223c98b5.company`, odd ones in quotes."""
    return ".".join(key if _SIMPLE_KEY.fullmatch(key) else quoted(key) for key in path)


def shown(value: object) -> str:
    """Return how a message calls a value read from the file: text in quotes, numbers as written."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Number):
        return value.source
    if isinstance(value, int):
        return str(value)
    return "a mapping" if isinstance(value, dict) else "a list"


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean "item"?`, or what is allowed where nothing is near."""
    words = list(allowed)
    near = difflib.get_close_matches(word.strip().lower()[:_LONGEST], words, n=1)
    return f"; did you mean {quoted(near[0])}?" if near else f"; allowed: {', '.join(words)}"
