"""stdout is the answer, stderr the story: lines for people or for programs, and a bar on a terminal."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO, cast

from connector.reports.escape import lines, printable
from connector.reports.log_line import LogLine, error_line, json_line, spoken_line
from connector.reports.remaining import Milestones, Remaining, time_left

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from connector.errors import ConnectorError
    from connector.vendors.transport import Exchange

STORY = "connector.story"
"""The logger that a command's story goes through; its handlers come and go with the command."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a record of the story holds: a line for programs, and what people are shown of it, if anything."""

    line: LogLine
    shown: str | None

    def __str__(self) -> str:
        return self.line.message


def make_safe() -> None:
    """Let no character that the console lacks (cp1252, say) end a run with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def answer(text: str) -> None:
    """Print the answer; a reader that has gone away (`| head`) is no error."""
    _write(sys.stdout, f"{text}\n")


def tell(text: str, line: LogLine | None = None) -> None:
    """Tell people a line of the story, and programs the same; `line` says more than the sentence does."""
    _log(line or spoken_line(text), text)


def tell_error(error: "ConnectorError") -> None:
    """Tell what ended a command, and what to do about it."""
    text = f"Error: {lines(error.message)}"
    if error.next_step:
        text += f"\nNext: {lines(error.next_step)}"
    _log(error_line(error), text)


def note(line: LogLine) -> None:
    """Tell programs what people are shown elsewhere, or need not be shown."""
    _log(line, None)


def _log(line: LogLine, shown: str | None) -> None:
    logger = logging.getLogger(STORY)
    if logger.handlers:
        logger.log(_LEVELS[line.level], Told(line, shown))
    elif shown is not None:
        _write(sys.stderr, f"{shown}\n")


def _write(stream: TextIO | None, text: str) -> None:
    """Write if there is anywhere to write to: what was done stays done, and the exit code says it."""
    if stream is None:  # closed by whoever started us
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        # Python would try once more to flush at its own exit, and complain.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Console(logging.Handler):
    """Shows the story on stderr: to people the lines that are for them, to programs every line as JSON."""

    as_json = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show one line."""
        told = told_in(record)
        if not self.as_json:
            if told.shown is not None:
                self.show(told.shown)
        elif for_a_log(record):
            self.show(json_line(told.line, time_of(record)))

    @staticmethod
    def show(text: str) -> None:
        """Write to stderr as it is now."""
        _write(sys.stderr, f"{text}\n")


def told_in(record: logging.LogRecord) -> Told:
    """Return what a record of the story's logger holds."""
    return cast("Told", record.msg)


def for_a_log(record: logging.LogRecord) -> bool:
    """Whether a log keeps a line: single requests only where somebody asked for them."""
    told = told_in(record)
    return record.levelno > logging.DEBUG or told.shown is not None


def time_of(record: logging.LogRecord) -> datetime:
    """Return when a line was told."""
    return datetime.fromtimestamp(record.created, UTC)


class Terminal:
    """Shows a run's stages: as a bar on a terminal, as lines with --verbose, else not at all."""

    def __init__(self, *, verbose: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Draw a bar only where somebody watches and nothing else is told."""
        self._verbose = verbose
        self._clock = clock
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._begin("Working")

    @contextmanager
    def shown(self) -> Iterator["Terminal"]:
        """Draw while the block runs, and leave the terminal as it was."""
        if self._verbose or sys.stderr is None or not sys.stderr.isatty() or _programs_read():
            yield self
            return
        from rich.console import Console as Screen
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(*columns, console=Screen(stderr=True), transient=True) as self._bar:
            yield self
        self._bar = self._task = None

    def stage(self, what: str) -> None:
        """Show that a stage begins."""
        self._begin(what)
        _log(LogLine("stage", what), f"{what} ..." if self._verbose else None)
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=None, left="")

    def progress(self, done: int, total: int | None) -> None:
        """Show how far the stage is, and how long the rest takes once there is something to judge by."""
        now = self._clock()
        self._remaining.heard(done, total, now)
        seconds = self._remaining.seconds(now)
        left = "" if seconds is None else time_left(seconds)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, left=left)
        if self._milestones.due(done, total, now):
            line = f"{self._stage}: {done} of {total}{left and f', {left}'}"
            _log(LogLine("progress", line), line if self._verbose else None)

    def _begin(self, what: str) -> None:
        now = self._clock()
        self._stage, self._remaining, self._milestones = what, Remaining(), Milestones(now)

    def said(self, line: LogLine) -> None:
        """Log what happened; of that, people are shown only what goes wrong with the telling itself."""
        _log(line, f"Warning: {printable(line.message)}" if line.event == "warning" else None)

    def trace(self, request: "Exchange") -> None:
        """Tell one redacted line of the wire story."""
        line = LogLine(
            "request",
            str(request),
            "debug",
            vendor=request.vendor,
            method=request.method,
            status=request.status,
            request_id=request.request_id,
        )
        _log(line, f"  {printable(request)}" if self._verbose else None)


def _programs_read() -> bool:
    return any(
        isinstance(handler, Console) and handler.as_json for handler in logging.getLogger(STORY).handlers
    )
