"""Consumption files on disk: read whole, and their failed rows beside them; nothing is ever overwritten."""

import secrets
from contextlib import suppress
from itertools import count
from pathlib import Path

from connector.consumption import LARGEST
from connector.errors import CommandFault

_SUFFIX = "-failed"


def read_usage_file(path: Path) -> bytes:
    """Return the content of a file, cut a little above the largest one allowed; raises CommandFault."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise CommandFault(
            f"{path} could not be read: {_reason(error)}. Nothing was imported.",
            "Check the path; if the file is open in Excel, close it there.",
        ) from error


def failed_path(path: Path, named: Path | None, content: bytes) -> Path:
    """Return where failed rows go: a file that is not there yet, or that says exactly this already.

    Somebody may be mending the one that an earlier import wrote, so it stays. Raises CommandFault where a
    person names one that is there.
    """
    if named is not None:
        if _free(named, content):
            return named
        raise CommandFault(
            f"{named} is there already; it was left as it is. Nothing was imported.", "Name another file."
        )
    stem, found, number = path.stem.rpartition(_SUFFIX)
    base = stem if found and (not number or number.removeprefix("-").isdigit()) else path.stem
    for at in count(1):
        candidate = path.with_name(f"{base}{_SUFFIX}{'' if at == 1 else f'-{at}'}.csv")
        if _free(candidate, content):
            return candidate
    raise AssertionError  # count() does not end


def write_failed_file(path: Path, content: bytes) -> None:
    """Write failed rows whole, or nothing; raises CommandFault."""
    try:
        if path.exists():
            return  # it says exactly this
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unsaved")
        try:
            made.write_bytes(content)
            made.replace(path)
        except BaseException:
            with suppress(OSError):
                made.unlink()
            raise
    except (OSError, ValueError) as error:
        raise CommandFault(
            f"The failed rows could not be written to {path}: {_reason(error)}. Nothing was imported.",
            "Name a file that can be written: --failed FILE.",
        ) from error


def _free(path: Path, content: bytes) -> bool:
    try:
        return not path.exists() or (path.is_file() and path.read_bytes() == content)
    except (OSError, ValueError):
        return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
