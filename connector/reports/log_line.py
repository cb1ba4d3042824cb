"""One line of the story that programs read: a short stable event, its message, and whatever it is about."""

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Literal

from connector.errors import ConnectorError, NotPublished, VendorError
from connector.reports.escape import printable

Level = Literal["debug", "info", "warning", "error"]

_FIRST_WORDS: dict[str, Level] = {"Warning": "warning", "Error": "error"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """What happened; all but the first two is there where it is known.

    `count` is how many changes it tells of at once. `money` is what Sophos charges for it: currencies with
    their amounts.
    """

    event: str
    message: str
    level: Level = "info"
    run: int | None = None
    period: str | None = None
    tenant: str | None = None
    agreement: int | None = None
    addition: int | None = None
    item: int | None = None
    code: str | None = None
    kind: str | None = None
    before: str | None = None
    after: str | None = None
    outcome: str | None = None
    count: int | None = None
    money: tuple[tuple[str, str], ...] = ()
    exit_code: int | None = None
    vendor: str | None = None
    method: str | None = None
    status: int | None = None
    request_id: str | None = None
    next: str | None = None


_SAID_APART = {"event", "message", "level", "money"}
_ABOUT = tuple(each.name for each in fields(LogLine) if each.name not in _SAID_APART)


def json_line(line: LogLine, at: datetime) -> str:
    """Return it as one JSON object on one line of plain ASCII, whatever somebody has named a customer."""
    said: dict[str, object] = {
        "time": _stamp(at),
        "level": line.level,
        "event": line.event,
        "message": line.message,
        **_about(line),
    }
    if line.money:
        said["money"] = dict(line.money)
    return json.dumps(said).replace("\x7f", "\\u007f")


def text_line(line: LogLine, at: datetime) -> str:
    """Return it as one line for people, as a log file keeps it."""
    about = " ".join(f"{name}={value}" for name, value in _about(line).items() if name != "next")
    told = f"{line.event}: {line.message}"
    if line.next:
        told = f"{told.rstrip('.')}. Next: {line.next}"
    if about:
        told = f"{told} [{about}]"
    return f"{_stamp(at)} {line.level:7} {printable(' '.join(told.split()))}"


def spoken_line(text: str) -> LogLine:
    """Return what a sentence to people comes to; its first word says whether it is a warning."""
    word, colon, rest = text.strip().partition(": ")
    if colon and word in _FIRST_WORDS:
        return LogLine(word.lower(), rest, _FIRST_WORDS[word])
    return LogLine("note", text.strip())


def error_line(error: ConnectorError, event: str = "error") -> LogLine:
    """Return what ended a command or a run; a month that is not published yet is no error of anybody."""
    return LogLine(
        event,
        error.message,
        "warning" if isinstance(error, NotPublished) else "error",
        code=error.code,
        exit_code=error.exit_code,
        request_id=error.request_id if isinstance(error, VendorError) else None,
        next=error.next_step or None,
    )


def _about(line: LogLine) -> dict[str, object]:
    return {name: value for name in _ABOUT if (value := getattr(line, name)) is not None}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
