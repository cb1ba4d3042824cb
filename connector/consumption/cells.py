"""A sheet as cells, whatever file it came in, and the fault of a file that is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connector.errors import CommandFault

MOST_ROWS = 200_000
MOST_COLUMNS = 200
LARGEST = 64 * 1024 * 1024

Cell = str | Decimal | date
"""Text is trimmed; a workbook also has numbers and dates."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that is not empty; `number` counts as a spreadsheet does."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one sheet; `since_1904` says how its file counts days."""

    name: str
    lines: Sequence[Line]
    since_1904: bool = False


class FileFault(CommandFault):
    """A file cannot be taken as a consumption file."""

    code = "FILE"

    def __init__(self, message: str, next_step: str = "") -> None:
        """Say that nothing was stored, whatever is wrong."""
        super().__init__(f"{message} Nothing was imported.", next_step)
