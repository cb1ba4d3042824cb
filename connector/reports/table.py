"""Plain tables for a terminal or a pipe: a header, two spaces between columns, nothing drawn."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from connector.reports.escape import printable

_GAP = "  "
_LEAST = 6


@dataclass(frozen=True, slots=True)
class Column:
    """One column; numbers stand on the `right`, and only text that may be `cut` ever is."""

    title: str
    right: bool = False
    cut: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """Return a table, no wider than `width` (None: as wide as it comes) where cutting its texts allows it.

    The widest texts are cut first; numbers, codes and ids are whole in any case.
    """
    titles = [column.title for column in columns]
    shown = [[printable(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(map(columns_of, cells)) for cells in zip(*shown, strict=True)]
    if width is not None:
        widths = _narrowed(columns, widths, width)
    return "\n".join(_line(columns, row, widths) for row in shown)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for wide characters, none for accents."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def cut_to(text: str, width: int) -> str:
    """Return a text that takes `width` columns at most, and shows with an ellipsis that it was cut."""
    if columns_of(text) <= width:
        return text
    kept, room = 0, width - 1
    while (room := room - _columns_of(text[kept])) >= 0:
        kept += 1
    return text[:kept].rstrip() + "…"


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _narrowed(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Return the widths that fit: the widest column that may be cut gives way, one step after the other."""
    room = max(width, 1) - len(_GAP) * (len(columns) - 1)
    least = [max(columns_of(printable(column.title)), _LEAST) for column in columns]
    narrowed = [
        min(each, max(room, least[at])) if columns[at].cut else each for at, each in enumerate(widths)
    ]
    while sum(narrowed) > room:
        may = [at for at, column in enumerate(columns) if column.cut and narrowed[at] > least[at]]
        if not may:
            break
        narrowed[max(may, key=lambda at: (narrowed[at], at))] -= 1
    return narrowed


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for column, text, width in zip(columns, cells, widths, strict=True):
        fits = cut_to(text, width)
        space = " " * (width - columns_of(fits))
        padded.append(space + fits if column.right else fits + space)
    return _GAP.join(padded).rstrip()
