"""What a run tells while it works: stages, how far they are, and what happened."""

from typing import Protocol

from connector.reports.log_line import LogLine


class Story(Protocol):
    """Listens to a run; never answers."""

    def stage(self, what: str) -> None:
        """Hear that a stage begins."""
        ...

    def progress(self, done: int, total: int | None) -> None:
        """Hear how far the stage is; `total` is None where nobody knows."""
        ...

    def said(self, line: LogLine) -> None:
        """Hear what happened, for a log."""
        ...


class Silence:
    """A story that nobody listens to."""

    def stage(self, what: str) -> None:
        """Hear nothing."""

    def progress(self, done: int, total: int | None) -> None:
        """Hear nothing."""

    def said(self, line: LogLine) -> None:
        """Hear nothing."""
