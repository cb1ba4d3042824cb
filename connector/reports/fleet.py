"""What became of each partner of a fleet, as text and as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.reports.checkup import EXIT_ORDER
from connector.reports.escape import printable
from connector.reports.table import Column, table

BROKEN = 1
"""A process that was killed or never ended is our fault until somebody knows better."""

_COLUMNS = (
    Column("Profile"),
    Column("Exit", right=True),
    Column("Seconds", right=True),
    Column("What", cut=True),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One partner's process: its exit code (None: it was killed), its answer, or what it said last."""

    profile: str
    exit_code: int | None
    seconds: float
    document: Mapping[str, Any] | None = None
    message: str = ""

    @property
    def code(self) -> int:
        """The exit code that counts."""
        return BROKEN if self.exit_code is None else self.exit_code

    @property
    def told(self) -> str:
        """What came of it, in a line."""
        if self.document is None:
            return self.message
        error = self.document.get("error")
        if isinstance(error, dict):
            return f"{error.get('code')}: {error.get('message')}"
        if "problems" in self.document:
            return "; ".join(self.document["problems"]) or "all is well"
        steps = [_step(step) for step in self.document.get("steps", ())]
        return "; ".join(part for part in (self.document.get("note") or "", *steps) if part)


def fleet_exit_code(members: Sequence[Member]) -> int:
    """Return the exit code that counts among all."""
    codes = {member.code for member in members}
    return next((code for code in EXIT_ORDER if code in codes), max(codes, default=0))


def fleet_text(members: Sequence[Member], width: int | None) -> str:
    """Return one line for each partner, those that need somebody first, and a summary as the last line."""
    ordered = sorted(members, key=lambda member: (member.code == 0, member.profile))
    rows = [(member.profile, str(member.code), f"{member.seconds:.1f}", member.told) for member in ordered]
    return f"{table(_COLUMNS, rows, width)}\n{fleet_summary(members)}"


def fleet_summary(members: Sequence[Member]) -> str:
    """Say how many partners ended how."""
    codes = Counter(member.code for member in members)
    told = ", ".join(f"{count} with exit code {code}" for code, count in sorted(codes.items()))
    return f"{len(members)} {'profile' if len(members) == 1 else 'profiles'}: {told or 'nothing to do'}."


def fleet_document(members: Sequence[Member]) -> dict[str, Any]:
    """Return it as `connector.fleet/1`."""
    return {
        "schema": "connector.fleet/1",
        "profiles": [
            {
                "profile": member.profile,
                "exit_code": member.code,
                "killed": member.exit_code is None,
                "message": member.told,
                "answer": member.document,
            }
            for member in members
        ],
        "exit_code": fleet_exit_code(members),
    }


def _step(step: Mapping[str, Any]) -> str:
    period = printable(str(step.get("period")))
    if step.get("error"):
        return f"{period} {step['error'].get('code')}"
    if step.get("run"):
        outcomes = Counter(str(each.get("outcome")) for each in step["run"].get("outcomes", ()))
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        return f"{period} billed ({told or 'nothing to write'})"
    if step.get("restated"):
        return f"{period} restated"
    return f"{period} {step.get('note')}"
