"""A text as it reads, however JSON, HTML, URLs or a program's own notation spell it; and where it stands."""

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


def _octets(mark: str) -> str:
    """Return a pattern for one letter in UTF-8, each octet with a mark before its two digits."""
    more = rf"{mark}[89ab][0-9a-f]"
    return (
        rf"{mark}[cd][0-9a-f]{more}|{mark}e[0-9a-f](?:{more}){{2}}|{mark}f[0-7](?:{more}){{3}}"
        rf"|{mark}[0-9a-f]{{2}}"
    )


_BACKSLASH = r"(?<!\\)\\{1,64}"
_OCTET = r"\\{1,64}x"
_SPELLED = re.compile(
    rf"{_BACKSLASH}(?-i:U)[0-9a-f]{{8}}"
    rf"|{_BACKSLASH}ud[89ab][0-9a-f]{{2}}\\{{1,64}}ud[c-f][0-9a-f]{{2}}|{_BACKSLASH}u[0-9a-f]{{4}}"
    rf"|(?:{_octets(_OCTET)})"
    rf"|{_BACKSLASH}[\"'/nrtfb]?"
    r"|&(?:amp;){0,9}(?:#0{0,9}[0-9]{1,7}|#x0{0,9}[0-9a-f]{1,6}|[a-z]{2,8}[0-9]?);"
    rf"|(?:{_octets('%(?:25){0,9}')})|\s{{2,}}|[^\S ]",
    re.IGNORECASE,
)
_WHITE = frozenset("nrtf")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it reads, in lower case.

    It is made of pieces: each begins at one of `marks` in `read`, and stands in the text as written from
    one of `starts`; where it has an end, it is one spelling, else letter for letter.
    """

    read: str
    marks: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where what reads from `start` to `end` stands as written."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, place: int) -> tuple[int, int]:
        piece = bisect_right(self.marks, place) - 1
        if self.ends[piece]:
            return self.starts[piece], self.ends[piece]
        start = self.starts[piece] + place - self.marks[piece]
        return start, start + 1


def spelt_otherwise(text: str) -> bool:
    """Whether a text may read otherwise than it is written."""
    return _SPELLED.search(text) is not None


def as_written(text: str) -> Reading:
    """Return a text as it stands, in lower case only."""
    return _reading(_letter_by_letter(text, 0))


def as_read(text: str) -> Reading:
    """Return a text as a person reads it: escapes undone, and white space as one blank."""
    return _reading(_pieces(text))


def _reading(pieces: Iterator[tuple[str, int, int]]) -> Reading:
    read, marks, starts, ends = [], [], [], []
    length = 0
    for letters, start, end in pieces:
        marks.append(length)
        starts.append(start)
        ends.append(end)
        read.append(letters)
        length += len(letters)
    return Reading("".join(read), tuple(marks), tuple(starts), tuple(ends))


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    done = 0
    for found in _SPELLED.finditer(text):
        yield from _letter_by_letter(text[done : found.start()], done)
        yield _letters(found[0]).casefold(), found.start(), found.end()
        done = found.end()
    yield from _letter_by_letter(text[done:], done)


def _letter_by_letter(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield a text as one piece, unless a letter of it is several in lower case."""
    folded = text.casefold()
    if len(folded) == len(text):
        if text:
            yield folded, start, 0
        return
    for place, letter in enumerate(text, start):
        yield letter.casefold(), place, place + 1


def _letters(spelling: str) -> str:
    """Return what one spelling stands for; itself where it is none after all."""
    if spelling.isspace():
        return " "
    if spelling[0] == "&":
        letters = html.unescape(re.sub(r"^&(?:amp;)*", "&", spelling, flags=re.IGNORECASE))
        return " " if letters.isspace() else letters
    if spelling[0] == "%":
        return _of_octets(unquote_to_bytes(re.sub(r"%(?:25)*", "%", spelling)), spelling)
    rest = spelling.lstrip("\\")
    if not rest:
        return "\\"
    kind, digits = rest[0], rest[1:]
    if not digits:
        return " " if kind.lower() in _WHITE else kind
    if kind in "xX":
        return _of_octets(bytes.fromhex(re.sub(r"[\\xX]", "", rest)), spelling)
    units = re.sub(r"[\\uU]", "", rest)
    if kind == "U" and len(digits) == 8:
        return chr(int(units, 16)) if int(units, 16) <= sys.maxunicode else spelling
    return bytes.fromhex(units).decode("utf-16-be", "surrogatepass")


def _of_octets(octets: bytes, spelling: str) -> str:
    try:
        letters = octets.decode("utf-8")
    except UnicodeDecodeError:
        letters = octets.decode("latin-1") if spelling[0] == "\\" else spelling
    return " " if letters.isspace() else letters
