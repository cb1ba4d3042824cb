"""One run at a time for each state folder (contract rule 24)."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from connector.errors import RunInProgress, StateFault

LOCK_NAME = "connector.lock"
HOLDER_NAME = "connector.lock.json"


@contextmanager
def one_run_at_a_time(folder: Path, *, who: str, pid: int, command: str, now: datetime) -> Iterator[None]:
    """Hold the state folder while the block runs; raises RunInProgress at once if another run holds it.

    The system frees the lock when its process dies, so a killed run needs nobody to tidy up. Who holds it
    stands in a file of its own, because Windows lets nobody read a locked one.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        raise RunInProgress(
            f"Another run holds the state folder {folder}: {_holder(folder)}.",
            "Wait until it has ended, and run the same command again.",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path that no system has, with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise StateFault(
            f"The state folder {folder} cannot be used: {reason}.",
            "Give the connector a folder it may write to: --state DIR or CONNECTOR_STATE.",
        ) from error
    try:
        since = now.astimezone(UTC).isoformat(timespec="seconds")
        # The lock protects; this only explains it, so a full disk must not stop the run here.
        with suppress(OSError):
            note = {"who": who, "pid": pid, "command": command, "since": since}
            with open(folder / HOLDER_NAME, "w", encoding="utf-8", opener=_owners_alone) as file:
                json.dump(note, file)
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER_NAME).unlink()
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a run holds the state folder this moment; looks without waiting, and makes no file."""
    if not (folder / LOCK_NAME).exists():
        return False
    lock = FileLock(folder / LOCK_NAME, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:  # a folder that is another user's: whoever may not look cannot say that nobody is there
        return True
    lock.release()
    return False


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _holder(folder: Path) -> str:
    try:
        held = json.loads((folder / HOLDER_NAME).read_text(encoding="utf-8"))
        return f"{held['who']}, process {held['pid']}, `{held['command']}`, since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said who it is"
