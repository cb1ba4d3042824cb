"""Runs as a table, as text and as JSON; how one ended, in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connector.planning.undo.past import PastRun
from connector.reports.document import Document
from connector.reports.table import Column

EXITS: Mapping[int, str] = {
    0: "done",
    1: "a bug in the connector",
    2: "command, settings or map at fault",
    3: "a person must decide",
    4: "refused",
    5: "a vendor failed",
    6: "partly applied",
    7: "changes to make",
    8: "not published",
    130: "interrupted",
}
"""What each exit code says, in a few words."""


def runs_document(runs: Iterable[PastRun], total: int) -> Document:
    """Return runs as `connector.runs/1`; `total` is how many are on record."""
    return {"schema": "connector.runs/1", "total": total, "runs": [run_entry(run) for run in runs]}


def run_entry(run: PastRun) -> Document:
    """Return one run, without its changes."""
    return {
        "run": run.number,
        "kind": run.kind,
        "period": run.period,
        "source": run.source,
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat() if run.finished and not run.killed else None,
        "seconds": _seconds(run),
        "who": run.who,
        "version": run.version,
        "exit_code": run.exit_code,
        "error": run.error,
        "ended": ended(run),
        "applied": run.applied,
        "outcomes": dict(run.outcomes),
        "digest": run.digest,
        "options": dict(run.options),
        "undoes": run.undoes,
    }


def runs_table(runs: Iterable[PastRun]) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return runs as a table; times are UTC."""
    columns = (
        Column("Run", right=True),
        Column("Kind"),
        Column("Period"),
        Column("Source"),
        Column("Started (UTC)"),
        Column("Took", right=True),
        Column("Who", cut=True),
        Column("Version"),
        Column("Ended", cut=True),
        Column("Changes", cut=True),
        Column("Plan"),
        Column("Options", cut=True),
    )
    return columns, [
        (
            str(run.number),
            run.kind,
            run.period or "",
            run.source or "",
            minute(run.started),
            took(run),
            run.who,
            run.version,
            ended(run),
            counted(run.outcomes),
            run.digest or "",
            options_text(run.options),
        )
        for run in runs
    ]


def ended(run: PastRun) -> str:
    """Say how a run ended, with its code where it has one."""
    if run.killed:
        return "killed"
    if run.exit_code is None:
        return "not ended: it still runs, or was killed"
    said = EXITS.get(run.exit_code, "ended")
    why = f": {run.error}" if run.error and run.error != "INTERRUPTED" else ""
    return f"{said} ({run.exit_code}{why})" if run.exit_code else said


def took(run: PastRun) -> str:
    """Say how long a run took, "" where nobody knows."""
    seconds = _seconds(run)
    if seconds is None:
        return ""
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def counted(outcomes: Mapping[str, int]) -> str:
    """Count what became of changes: `3 done, 1 failed`."""
    return ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))


def options_text(options: Mapping[str, Any]) -> str:
    """Return the options that a run was given, as a person types them."""
    said: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if name == "undo":
            said.insert(0, f"undo {value}")
        elif value is True:
            said.append(option)
        elif isinstance(value, list):
            said += [f"{option} {each}" for each in value]
        elif value:
            said.append(f"{option} {value}")
    return " ".join(said)


def _seconds(run: PastRun) -> int | None:
    if run.finished is None or run.killed:
        return None
    return int((run.finished - run.started).total_seconds())


def minute(when: datetime) -> str:
    """Write a time to the minute."""
    return when.strftime("%Y-%m-%d %H:%M")
