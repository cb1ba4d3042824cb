"""stdout is the answer, stderr the story: a progress bar on a terminal, nothing when piped."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from connector.reports.escape import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def make_safe() -> None:
    """Let no character that the console lacks (cp1252, say) end a run with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def answer(text: str) -> None:
    """Print the answer; a reader that has gone away (`| head`) is no error."""
    _write(sys.stdout, f"{text}\n")


def tell(text: str) -> None:
    """Print a line of the story."""
    _write(sys.stderr, f"{text}\n")


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


class Terminal:
    """Shows a run's stages: as a bar on a terminal, as lines with --verbose, else not at all."""

    def __init__(self, *, verbose: bool) -> None:
        """Draw a bar only where somebody watches and nothing else is told."""
        self._verbose = verbose
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator["Terminal"]:
        """Draw while the block runs, and leave the terminal as it was."""
        if self._verbose or sys.stderr is None or not sys.stderr.isatty():
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as self._bar:
            yield self
        self._bar = self._task = None

    def stage(self, what: str) -> None:
        """Show that a stage begins."""
        if self._verbose:
            tell(f"{what} ...")
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=None)

    def progress(self, done: int, total: int | None) -> None:
        """Show how far the stage is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def trace(self, line: str) -> None:
        """Tell one redacted line of the wire story."""
        tell(f"  {printable(line)}")
