"""Many partners on one machine: the same command for each profile, each in a process of its own.

A process cannot take another one down, whatever happens in it; and each has its own lock, map and state.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from connector.reports.fleet import Member

LONGEST_SECONDS = 6 * 3600.0
_LONGEST_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fleet:
    """Runs a command for many profiles, `jobs` at a time; each is killed after `seconds`."""

    folder: Path
    environment: Mapping[str, str]
    jobs: int = 4
    seconds: float = LONGEST_SECONDS

    def run(
        self, profiles: Sequence[str], command: Sequence[str], ended: Callable[[Member], None]
    ) -> tuple[Member, ...]:
        """Return what came of each, in the order of `profiles`; tells `ended` as each one ends."""

        def one(profile: str) -> Member:
            member = self._one(profile, command)
            ended(member)
            return member

        with ThreadPoolExecutor(max(self.jobs, 1)) as workers:
            return tuple(workers.map(one, profiles))

    def _one(self, profile: str, command: Sequence[str]) -> Member:
        began = time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603  # our own command, for a folder that is there
                [sys.executable, "-m", "connector", "--profile", profile, "--json", *command],
                cwd=self.folder,
                env={**self.environment, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"was stopped after {self.seconds:g} seconds without an end"
            return Member(profile, None, time.monotonic() - began, message=message)
        except OSError as error:
            return Member(
                profile, None, time.monotonic() - began, message=f"could not be started: {error.strerror}"
            )
        answer = _document(done.stdout)
        return Member(
            profile,
            done.returncode if done.returncode >= 0 else None,
            time.monotonic() - began,
            document=answer,
            message=_last_line(done.stderr) if answer is None else "",
        )


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
