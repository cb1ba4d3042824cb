"""What became of each partner of a fleet, as text and as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from connector.reports.checkup import EXIT_ORDER
from connector.reports.escape import printable
from connector.reports.table import Column, table

BROKEN = 1
"""A process that was killed or never ended is our fault until somebody knows better."""
INTERRUPTED = 130
REFUSED, PARTLY_APPLIED = 4, 6
_ENDED_BY_ITSELF = frozenset({0, 3})

_COLUMNS = (
    Column("Profile"),
    Column("Exit", right=True),
    Column("Seconds", right=True),
    Column("What", cut=True),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One partner's process: its exit code (None: it was killed), its answer, or what it said last.

    `warnings` are what it told people beside its answer. `cut` says how far it came when the fleet was
    interrupted.
    """

    profile: str
    exit_code: int | None
    seconds: float
    document: Mapping[str, Any] | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()
    cut: Literal["", "broken off", "not begun"] = ""

    def broken_off(self) -> Self:
        """Return it as one that ran when the fleet was interrupted, unless it had come to its end."""
        return self if self.exit_code in _ENDED_BY_ITSELF else replace(self, cut="broken off")

    @property
    def code(self) -> int:
        """The exit code that counts."""
        return BROKEN if self.exit_code is None else self.exit_code

    @property
    def told(self) -> str:
        """What came of it, in a line."""
        if self.cut:
            return self.cut
        if self.document is None:
            return self.message
        error = self.document.get("error")
        if isinstance(error, dict):
            return f"{error.get('code')}: {error.get('message')}"
        if "problems" in self.document:
            return "; ".join(self.document["problems"]) or "all is well"
        steps = [_step(step) for step in self.document.get("steps", ())]
        return "; ".join(part for part in (self.document.get("note") or "", *steps) if part)


def interrupted(members: Sequence[Member]) -> bool:
    """Whether somebody broke the fleet off before all were done."""
    return any(member.cut for member in members)


def fleet_exit_code(members: Sequence[Member]) -> int:
    """Return the exit code that counts among all."""
    if interrupted(members):
        return INTERRUPTED
    codes = {member.code for member in members}
    return next((code for code in EXIT_ORDER if code in codes), max(codes, default=0))


def fleet_text(members: Sequence[Member], width: int | None) -> str:
    """Return one line for each partner, those that need somebody first, and a summary as the last line."""
    ordered = sorted(members, key=lambda member: (member.code == 0, member.profile))
    rows = [(member.profile, str(member.code), f"{member.seconds:.1f}", member.told) for member in ordered]
    return f"{table(_COLUMNS, rows, width)}\n{fleet_summary(members)}"


def fleet_summary(members: Sequence[Member]) -> str:
    """Say how many partners ended how."""
    codes = Counter(member.code for member in members if not member.cut)
    cut = Counter(member.cut for member in members if member.cut)
    told = [f"{count} with exit code {code}" for code, count in sorted(codes.items())]
    told += [f"{count} {how}" for how, count in sorted(cut.items())]
    profiles = "profile" if len(members) == 1 else "profiles"
    return f"{len(members)} {profiles}: {', '.join(told) or 'nothing to do'}."


def fleet_document(members: Sequence[Member], skipped: Sequence[str] = ()) -> dict[str, Any]:
    """Return it as `connector.fleet/1`; `skipped` are folders that are no profile."""
    return {
        "schema": "connector.fleet/1",
        "profiles": [
            {
                "profile": member.profile,
                "exit_code": member.code,
                "killed": member.exit_code is None and member.cut != "not begun",
                "interrupted": member.cut or None,
                "message": member.told,
                "warnings": list(member.warnings),
                "answer": member.document,
            }
            for member in members
        ],
        "skipped": list(skipped),
        "exit_code": fleet_exit_code(members),
    }


def _step(step: Mapping[str, Any]) -> str:
    period = printable(str(step.get("period")))
    if step.get("error"):
        return f"{period} {step['error'].get('code')}"
    if step.get("run"):
        return f"{period} {_run(step['run'])}"
    if step.get("restated"):
        return f"{period} restated"
    return f"{period} {step.get('note')}"


def _run(run: Mapping[str, Any]) -> str:
    if run.get("exit_code") == REFUSED:
        guards = ", ".join(printable(str(guard.get("name"))) for guard in run.get("guards", ()))
        return f"refused by {guards}"
    outcomes = Counter(str(each.get("outcome")).replace("_", " ") for each in run.get("outcomes", ()))
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    billed = "partly billed" if run.get("exit_code") == PARTLY_APPLIED else "billed"
    return f"{billed} ({told or 'nothing to write'})"
