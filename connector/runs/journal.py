"""Listens to a run for the ledger, and passes all of it on to whoever listens besides."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.errors import StateFault
from connector.ledger import Ledger
from connector.ledger.journal import forget_old_lines, record_lines
from connector.reports.log_line import LogLine
from connector.runs.story import Story

TOGETHER = 500
"""So many lines go into one transaction: each costs a wait for the disk, and a run may say thousands."""


@dataclass(slots=True)
class Journal:
    """A run's story with its number on every line.

    It is a record beside the record: where it cannot be written the run goes on, with one warning.
    """

    ledger: Ledger
    run: int
    story: Story
    now: Callable[[], datetime]
    _waiting: list[tuple[datetime, LogLine]] = field(default_factory=list)
    _broken: bool = False

    def begin(self, kind: str, who: str) -> None:
        """Say that the run begins, and let go of what was said too long ago."""
        self._written(lambda: forget_old_lines(self.ledger, self.now()))
        self.said(LogLine("run.begin", f"Run {self.run} ({kind}) begins, for {who}.", kind=kind))

    def stage(self, what: str) -> None:
        """Hear that a stage begins."""
        self._keep(LogLine("stage", what))
        self.story.stage(what)

    def progress(self, done: int, total: int | None) -> None:
        """Pass on how far the stage is."""
        self.story.progress(done, total)

    def said(self, line: LogLine) -> None:
        """Hear what happened."""
        line = replace(line, run=self.run)
        self._keep(line)
        self.story.said(line)

    def close(self) -> None:
        """Write down what was not yet."""
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._written(lambda: record_lines(self.ledger, self.run, lines))

    def _keep(self, line: LogLine) -> None:
        self._waiting.append((self.now(), line))
        if len(self._waiting) >= TOGETHER:
            self.close()

    def _written(self, write: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            write()
        except StateFault as fault:
            self._broken = True
            message = f"What run {self.run} says is not kept: {fault.message}"
            self.story.said(LogLine("warning", message, "warning", run=self.run, next=fault.next_step))
