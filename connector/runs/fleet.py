"""Many partners on one machine: the same command for each profile, each in a process of its own.

A process cannot take another one down, whatever happens in it; and each has its own lock, map and state.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from connector.reports.fleet import Member

LONGEST_SECONDS = 6 * 3600.0
TO_HEAR_SECONDS = 2.0
"""So long the processes have to end by themselves: a Ctrl-C in a terminal reaches them as well."""
TO_END_SECONDS = 30.0
_LONGEST_ANSWER = 64 * 1024 * 1024
_MOST_WARNINGS, _LONGEST_WARNING = 20, 500
_TOLD_TO_PEOPLE = frozenset({"warning", "retry", "note"})
_NEVER_BEGUN = "was not begun"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Runs a command for many profiles, `jobs` at a time; each is killed after `seconds`.

    `options` come before the command, for all of them alike.
    """

    folder: Path
    environment: Mapping[str, str]
    jobs: int = 4
    seconds: float = LONGEST_SECONDS
    options: Sequence[str] = ()

    def run(
        self, profiles: Sequence[str], command: Sequence[str], ended: Callable[[Member], None]
    ) -> tuple[Member, ...]:
        """Return what came of each, in the order of `profiles`; tells `ended` as each one ends.

        Interrupted, it begins no other, lets those end that run, and returns what has come of all; at a
        second time they are killed.
        """
        crew = _Crew()

        def one(profile: str) -> Member:
            member = self._one(crew, profile, command)
            ended(member)
            return member

        found: list[Future[Member]] = []
        with ThreadPoolExecutor(max(self.jobs, 1)) as workers:
            try:
                found += [workers.submit(one, profile) for profile in profiles]
                _all_ended(found)
            except KeyboardInterrupt:
                crew.stop()
                with suppress(KeyboardInterrupt):
                    if not _all_ended(found, TO_HEAR_SECONDS):
                        crew.ask()
                        _all_ended(found, TO_END_SECONDS)
                crew.kill()
        members = [each.result() for each in found]
        return (*members, *(_not_begun(profile) for profile in profiles[len(members) :]))

    def _one(self, crew: "_Crew", profile: str, command: Sequence[str]) -> Member:
        began = time.monotonic()
        words = ["--profile", profile, "--json", *self.options, *command]
        try:
            process = crew.begin(words, self.folder, self.environment)
        except OSError as error:
            return Member(
                profile, None, time.monotonic() - began, message=f"could not be started: {error.strerror}"
            )
        if process is None:
            return _not_begun(profile)
        try:
            stdout, stderr = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            message = f"was stopped after {self.seconds:g} seconds without an end"
            return Member(profile, None, time.monotonic() - began, message=message)
        finally:
            crew.ended(process)
        answer = _document(stdout)
        member = Member(
            profile,
            process.returncode if process.returncode >= 0 else None,
            time.monotonic() - began,
            document=answer,
            message=_last_line(stderr) if answer is None else "",
            warnings=_warnings(stderr),
        )
        return member.broken_off() if crew.over else member


@dataclass(slots=True)
class _Crew:
    """The processes that run now; once it is over, no other begins."""

    over: bool = False
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self.over:
                return None
            process = subprocess.Popen(  # noqa: S603  # our own command, for a folder that is there
                [sys.executable, "-m", "connector", *words],
                cwd=folder,
                env={**environment, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._running.append(process)
            return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.remove(process)

    def stop(self) -> None:
        with self._lock:
            self.over = True

    def ask(self) -> None:
        """Ask all to end as Ctrl-C does, so that each writes down how far it came."""
        with self._lock:
            for process in self._running:
                with suppress(OSError, ValueError):  # Windows knows no such signal: there it was Ctrl-C
                    process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        with self._lock:
            for process in self._running:
                process.kill()


def _all_ended(found: Sequence[Future[Member]], seconds: float = float("inf")) -> bool:
    """Wait in small steps: Windows tells nobody of a Ctrl-C who waits in one."""
    until = time.monotonic() + seconds
    while wait(found, timeout=0.5).not_done:
        if time.monotonic() > until:
            return False
    return True


def _not_begun(profile: str) -> Member:
    return Member(profile, None, 0.0, message=_NEVER_BEGUN, cut="not begun")


def _document(answer: bytes) -> Mapping[str, object] | None:
    if len(answer) > _LONGEST_ANSWER:
        return None
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _last_line(told: bytes) -> str:
    lines = told.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:500] if lines else "ended without a word"


def _warnings(told: bytes) -> tuple[str, ...]:
    """Return what a process told people beside its answer, the last lines of it."""
    found: list[str] = []
    error = False
    for line in told.decode("utf-8", "replace").splitlines():
        said = _spoken(line)
        # The error itself is in the answer.
        error = said.startswith("Error: ") or (error and not said.startswith("Warning: "))
        if said.strip() and not error:
            found.append(said[:_LONGEST_WARNING])
    return tuple(found[-_MOST_WARNINGS:])


def _spoken(line: str) -> str:
    """Return a line as people are told it, also where the log is for programs."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict) or "event" not in said:
        return line
    if said["event"] not in _TOLD_TO_PEOPLE:
        return ""
    message = str(said.get("message"))
    return f"Warning: {message}" if said["event"] == "warning" else message
