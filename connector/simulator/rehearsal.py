"""What happened in a world before a person looks at it, and what its author knows to be wrong with it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Act:
    """A day of the story and the command that its MSP runs then, if any, with the map of that day."""

    day: date
    command: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Where:
    """Where one thing is wrong: whatever of these has a part in it, by id, code or serial number."""

    tenants: tuple[str, ...] = ()
    product_codes: tuple[str, ...] = ()
    serial: str | None = None
    agreement_id: int | None = None
    item_id: int | None = None
    additions: tuple[int, ...] = ()
