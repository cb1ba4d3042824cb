"""The log as a file that only its owner reads, and that is moved aside when it has grown."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from connector.cli.terminal import for_a_log, time_of, told_in
from connector.reports.escape import printable
from connector.reports.log_line import json_line, text_line

LARGEST = 10 * 1024 * 1024
KEPT = 10


class LogFile(RotatingFileHandler):
    """Writes each line of the story as one line; a file that cannot be written is one warning."""

    def __init__(
        self, path: Path, warn: Callable[[str], None], *, as_json: bool, largest: int = LARGEST
    ) -> None:
        """Name the file; it is made when there is something to write."""
        super().__init__(path, maxBytes=largest, backupCount=KEPT, encoding="utf-8", delay=True)
        self.addFilter(for_a_log)
        self._warn = warn
        self._as_json = as_json
        self._broken = False

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as the file keeps it."""
        told = told_in(record)
        return (json_line if self._as_json else text_line)(told.line, time_of(record))

    def doRollover(self) -> None:  # noqa: N802  (the library's name)
        """Move the file aside and begin a new one.

        Windows refuses that while another program holds the file, an editor or another run: then it grows
        on. The older ones are moved only after it, so that none is lost to trying again.
        """
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        base = Path(self.baseFilename)
        with suppress(OSError):
            base.replace(f"{base}.0")
            for number in range(self.backupCount - 1, -1, -1):
                with suppress(FileNotFoundError):
                    Path(f"{base}.{number}").replace(f"{base}.{number + 1}")
        self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  (the library's)
        """Say once that the log is not written; the run goes on."""
        if not self._broken:
            self._broken = True
            self._warn(f"Warning: The log {printable(self.baseFilename)} cannot be written.")

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return TextIOWrapper(
            os.fdopen(opened, "ab"), encoding="utf-8", errors="backslashreplace", newline="\n"
        )
