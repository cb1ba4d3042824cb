"""The bytes of a log or of mappings.yaml as text, whoever wrote it: no name or secret may hide in them."""

import codecs
import re
from pathlib import Path

_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NARROW_RUN = re.compile(rb"[\x20-\x7e]{8}")
_FEWEST_NULS = 0.3
"""UTF-16 without a byte order mark is told by its zeros: at least so many of the octets on one side."""


class NoText(ValueError):
    """What this is nobody knows, so nobody knows what stands in it; says why."""


def text_of(data: bytes, *, begins: bytes = b"") -> str:
    """Return bytes as text; raises NoText. `begins` are the first bytes of the file, if these are not."""
    start = begins or data[:4]
    mark = next((mark for mark in _WIDE if start.startswith(mark)), b"")
    if mark:
        text = _wide(data.removeprefix(mark) if not begins else data, _WIDE[mark])
    elif b"\0" in data:
        text = _wide(data, _side_of_zeros(data))
    else:
        text = "".join(map(_line, data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)))
    if "\0" in text:
        raise NoText("it holds zero bytes, so it is no text")
    return text


def end_of(path: Path, most: int) -> tuple[str, int]:
    """Return the last whole lines of a file, and how large it is; raises OSError or NoText."""
    with path.open("rb") as file:
        begins = file.read(4)
        size = file.seek(0, 2)
        start = max(0, size - most)
        file.seek(start + start % 2)
        data = file.read(most)
    if not start:
        return text_of(data), size
    text = text_of(data, begins=begins)
    _, line_end, whole = text.partition("\n")  # the first line is cut, and what it held with it
    if not line_end:
        raise NoText(f"its last line is longer than {most} bytes")
    return whole, size


def _line(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _wide(data: bytes, encoding: str) -> str:
    if _NARROW_RUN.search(data):
        raise NoText("it is written partly in UTF-16 and partly not")
    return data.decode(encoding, "replace").removeprefix("\ufeff")


def _side_of_zeros(data: bytes) -> str:
    """Return which UTF-16 bytes are, by the side on which their zeros stand; raises NoText."""
    before, after = data[::2].count(0), data[1::2].count(0)
    if min(before, after) or max(before, after) < _FEWEST_NULS * len(data) / 2:
        raise NoText("it holds zero bytes, so it is no text")
    return "utf-16-be" if before else "utf-16-le"
