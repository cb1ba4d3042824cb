"""The doctor's findings, as text and as JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from connector.reports.escape import lines

# Contract section 5: where several hold, the first of these counts.
EXIT_ORDER = (1, 2, 5, 8, 4, 6, 3, 7, 0)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, what to do about it, and the exit code it is worth."""

    name: str
    status: Literal["ok", "warning", "fault", "skipped"]
    message: str
    next_step: str = ""
    exit_code: int = 0


def checkup_exit_code(checks: Iterable[Check]) -> int:
    """Return the exit code that counts among all."""
    return min((check.exit_code for check in checks), key=EXIT_ORDER.index, default=0)


def check_text(check: Check) -> str:
    """Return one finding as a line, with its remedy on the next."""
    told = f"{check.status:<8} {check.name}: {lines(check.message)}"
    return f"{told}\n         do: {lines(check.next_step)}" if check.next_step else told


def checkup_document(checks: Iterable[Check]) -> dict[str, Any]:
    """Return the findings as `connector.doctor/1`."""
    found = list(checks)
    return {
        "schema": "connector.doctor/1",
        "checks": [
            {"name": each.name, "status": each.status, "message": each.message, "next": each.next_step}
            for each in found
        ],
        "exit_code": checkup_exit_code(found),
    }
