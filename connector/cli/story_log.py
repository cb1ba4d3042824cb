"""Where the story of one command goes: set up when it begins, taken down when it ends."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.metering import METERED, Meter
from connector.cli.terminal import STORY, Console, told_in

if TYPE_CHECKING:
    from connector.cli.log_file import LogFile

BUG = 1
_DOES_NOTHING = {"--help", "--explain"}


class StoryLog:
    """The handlers of one command; `given` are its words."""

    def __init__(self, given: Sequence[str]) -> None:
        """Begin with lines for people on stderr, as long as nobody has asked for anything else."""
        self._given = given
        self._logger = logging.getLogger(STORY)
        self._console = Console()
        self._file: LogFile | None = None
        self._meter: Meter | None = None
        self.exit_code = BUG
        """What a command that breaks off leaves behind; whoever knows better says so."""

    @contextmanager
    def listening(self) -> Iterator["StoryLog"]:
        """Listen while the block runs; then write the metrics and leave logging as it was."""
        before = (self._logger.level, self._logger.propagate)
        about = _About()
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        self._logger.addFilter(about)
        self._logger.addHandler(self._console)
        try:
            yield self
        finally:
            if self._meter is not None:
                self._meter.finish(self.exit_code)
            for handler in (self._meter, self._file, self._console):
                self._drop(handler)
            self._logger.removeFilter(about)
            self._logger.level, self._logger.propagate = before

    @property
    def metered(self) -> bool:
        """Whether requests are counted."""
        return self._meter is not None

    def write(self, path: Path | None, *, as_json: bool) -> None:
        """Log as JSON or as text, to a file or, where there is none, to stderr."""
        self._console.as_json = as_json and path is None
        self._drop(self._file)
        self._file = None
        if path is not None:
            from connector.cli.log_file import LogFile

            self._file = LogFile(path, self._console.show, as_json=as_json)
            self._logger.addHandler(self._file)

    def meter(self, command: str, path: Path | None, state: Path) -> None:
        """Count what a command does for the metrics, if it is one that does anything."""
        self._drop(self._meter)
        self._meter = None
        if path is not None and command in METERED and not _DOES_NOTHING & set(self._given):
            self._meter = Meter(command, path, state)
            self._logger.addHandler(self._meter)

    def _drop(self, handler: logging.Handler | None) -> None:
        if handler is not None:
            self._logger.removeHandler(handler)
            handler.close()


class _About(logging.Filter):
    """Puts the run and its month on the lines that come between its begin and its end."""

    def __init__(self) -> None:
        super().__init__()
        self._run: int | None = None
        self._period: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, with what is known."""
        told = told_in(record)
        line = told.line
        self._run, self._period = line.run or self._run, line.period or self._period
        record.msg = replace(told, line=replace(line, run=self._run, period=self._period))
        if line.event == "run.end":
            self._run = self._period = None
        return True
