"""ConnectWise's `conditions` language: the one place that quotes values into it."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote_plus

_Value = TypeVar("_Value", str, int)

# A server may read these as a pattern, and not every one reads the same.
_PATTERN = re.compile(r"[\[\]*%\\]")


def quoted(text: str) -> str:
    """Return text as a literal; raises ValueError where none is known to be safe.

    How to escape a quote inside of one is not documented, so text with both kinds is refused.
    """
    if not text.isprintable():
        raise ValueError("text with control characters cannot be part of a condition")
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    raise ValueError("text with both kinds of quotes cannot be part of a condition")


def equal(path: str, text: str) -> str:
    """Return `path = "text"`; raises ValueError for text that a server may read as something else."""
    return f"{path} = {_plain(text)}"


def containing(paths: Sequence[str], text: str) -> str:
    """Return `(path contains "text") or ...`; raises ValueError as `equal` does."""
    literal = _plain(text)
    return " or ".join(f"({path} contains {literal})" for path in paths)


def _plain(text: str) -> str:
    if not text or _PATTERN.search(text):
        raise ValueError("nothing, or a pattern, cannot be looked for by a condition")
    return quoted(text)


def one_of(path: str, values: Sequence[str] | Sequence[int]) -> str:
    """Return `path in (...)`."""
    return f"{path} in ({','.join(_literal(value) for value in values)})"


def chunks(
    values: Sequence[_Value], limit_chars: int = 1700, limit: int = 150
) -> Iterator[tuple[_Value, ...]]:
    """Yield the values in groups whose condition fits into a URL, counted as it will be encoded."""
    chunk: list[_Value] = []
    length = 0
    for value in values:
        added = len(quote_plus(_literal(value) + ","))
        if chunk and (len(chunk) >= limit or length + added > limit_chars):
            yield tuple(chunk)
            chunk, length = [], 0
        chunk.append(value)
        length += added
    if chunk:
        yield tuple(chunk)


def _literal(value: str | int) -> str:
    return quoted(value) if isinstance(value, str) else f"{value}"
