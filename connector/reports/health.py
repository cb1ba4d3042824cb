"""How the job is doing, as text and as JSON."""

from typing import Any

from connector.planning.health import Health, LastRun
from connector.planning.schedule import told

Document = dict[str, Any]


def health_text(found: Health) -> str:
    """Return the verdict on the first line, as checks of other systems show it, then the facts."""
    known = found.known
    verdict = f"PROBLEM: {'; '.join(found.problems)}" if found.problems else "OK: all is well"
    return "\n".join(
        [
            verdict,
            f"last run      {_run(known.last)}",
            f"last success  {_run(known.last_success)}",
            f"last night    {known.last_night:%Y-%m-%d %H:%M} UTC"
            if known.last_night
            else "last night    never",
            f"billed        {', '.join(map(str, known.history.billed[:3])) or 'no month yet'}",
            f"tonight       {told(found.tonight)}",
            f"next due      {found.next_due}",
            f"held          {known.held}",
            f"unresolved    {known.unresolved}",
            f"credentials   {f'until {known.expires}' if known.expires else 'nobody has said until when'}",
        ]
    )


def health_document(found: Health) -> Document:
    """Return it as `connector.status/1`."""
    known = found.known
    return {
        "schema": "connector.status/1",
        "problems": list(found.problems),
        "last_run": _document(known.last),
        "last_success": _document(known.last_success),
        "last_night": known.last_night.isoformat() if known.last_night else None,
        "billed": [str(period) for period in known.history.billed],
        "tonight": told(found.tonight),
        "next_due": str(found.next_due),
        "held": known.held,
        "unresolved": known.unresolved,
        "credentials_expire": str(known.expires) if known.expires else None,
        "exit_code": found.exit_code,
    }


def _run(run: LastRun | None) -> str:
    if run is None:
        return "none"
    of = f" of {run.period}" if run.period else ""
    ended = "not ended" if run.exit_code is None else f"exit code {run.exit_code}"
    why = f", {run.error}" if run.error else ""
    return f"run {run.number} ({run.kind}{of}), {run.started:%Y-%m-%d %H:%M} UTC, {ended}{why}"


def _document(run: LastRun | None) -> Document | None:
    if run is None:
        return None
    return {
        "run": run.number,
        "kind": run.kind,
        "period": str(run.period) if run.period else None,
        "started": run.started.isoformat(),
        "exit_code": run.exit_code,
        "error": run.error,
    }
