"""What an import of a consumption file comes to, row by row; nothing of it is stored yet.

A row is known by its number in the file that the month began with: two lines that say the same count twice,
and one line, mended or imported once more, counts once.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from connector.errors import Refused
from connector.ledger.imports import FailedRow, Import
from connector.model import Period, UsageRow
from connector.runs.usage_names import TenantCandidate

State = Literal["ready", "off", "failed", "before"]
STATES: tuple[State, ...] = ("ready", "off", "failed", "before")

TOKEN = 8
SINCE = "(adds up from row)"
"""A key among the cells of a total that failed: no file has a column of this name."""


class FileMoved(Refused):
    """A file of failed rows belongs to an import that another one has replaced."""

    code = "IMPORT_MOVED"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one row; a row is `before` where an earlier import has it already."""

    number: int
    state: State
    usage: UsageRow | None = None
    failed: FailedRow | None = None
    next_step: str = ""
    candidates: tuple[TenantCandidate, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A tenant (or a serial number) and a product whose usage differs from what was imported before."""

    who: str
    product_code: str
    rows_before: int
    rows_now: int
    before: Decimal
    now: Decimal


@dataclass(slots=True)
class UsageImport:
    """What an import comes to; nothing is stored yet. `labels` are the columns of the file."""

    period: Period
    file: str
    sheet: str
    origin: str
    mended: bool
    taken: list[Taken]
    rows: dict[int, UsageRow]
    failed: dict[int, FailedRow]
    labels: list[str]
    before: Import | None = None
    differences: list[Difference] = field(default_factory=list)
    replaces: bool = False
    unchanged: bool = False

    def count(self, state: State) -> int:
        """Return how many rows of the file ended so."""
        return sum(each.state == state for each in self.taken)

    @property
    def unassigned(self) -> int:
        """How many rows no customer or tenant decides, so that a plan has to place them by serial."""
        return sum(row.account_id is None for row in self.rows.values())


def reason_cell(made: UsageImport, failed: FailedRow) -> str:
    """Return why a row failed, with what its mended line is known by."""
    return f"row {failed.number}: {failed.code}: {failed.reason} (import {made.period}/{made.origin[:TOKEN]})"


def failed_cells(failed: FailedRow) -> dict[str, str]:
    """Return the cells of a failed row, by column."""
    said = json.loads(failed.received)
    return {label: text for label, text in said.items() if label != SINCE}
