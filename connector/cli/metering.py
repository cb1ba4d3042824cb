"""Counts what a command does, and leaves the figures in a file for Prometheus's node exporter."""

import logging
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connector.cli.terminal import tell, told_in
from connector.reports.escape import printable

METERED = frozenset({"nightly", "sync", "apply", "approve", "plan"})
BILLING = METERED - {"plan"}


class Meter(logging.Handler):
    """Listens to the story of one command; the figures are written however it ends."""

    def __init__(self, command: str, path: Path, state: Path) -> None:
        """`path` is the file, `state` the state folder, which knows the last success."""
        from connector.reports.metrics import Tally

        super().__init__()
        self._began = time.monotonic()
        self._command = command
        self._path = path
        self._state = state
        self._tally = Tally()
        self._planned = False

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        line = told_in(record).line
        self._planned = self._planned or (line.event == "run.begin" and line.kind == "plan")
        self._tally.count(line)

    def finish(self, exit_code: int) -> None:
        """Write the figures; what goes wrong with that is one warning."""
        from connector.reports.metrics import Ended, metrics_text

        now = datetime.now(UTC)
        # `sync --dry-run` is a plan as well.
        well = exit_code == 0 and self._command in BILLING and not self._planned
        ended = Ended(
            at=now,
            seconds=time.monotonic() - self._began,
            exit_code=exit_code,
            last_success=now if well else self._last_success(),
        )
        try:
            _put(self._path, metrics_text(ended, self._tally))
        except Exception as error:  # noqa: BLE001  # figures beside the record never change how a run ends
            why = getattr(error, "strerror", None) or type(error).__name__
            tell(f"Warning: The metrics {printable(str(self._path))} cannot be written: {why}.")

    def _last_success(self) -> datetime | None:
        """Return when billing last went well, if there is a ledger that says so."""
        from connector.errors import StateFault
        from connector.ledger import Ledger
        from connector.ledger.journal import last_success
        from connector.ledger.telling import FILE_NAME

        with suppress(StateFault, OSError):
            if (self._state / FILE_NAME).is_file():
                with Ledger(self._state) as ledger:
                    return last_success(ledger)
        return None


def _put(path: Path, data: bytes) -> None:
    """Replace a file in one step by one that everybody may read: the exporter is another user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")  # not *.prom, which the exporter would read
    try:
        partial.write_bytes(data)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
