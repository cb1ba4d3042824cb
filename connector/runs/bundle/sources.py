"""What a support bundle is made of: each source adds its part, or raises what it could not have."""

import os
import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from connector import __version__
from connector.errors import MappingsFault
from connector.ledger.care import check_file
from connector.ledger.ticket import ticket_of
from connector.mappings import parse_mappings
from connector.planning.aliases import Sort
from connector.runs.bundle.settings import setting_named, settings_seen
from connector.runs.bundle.text import NoText, end_of, text_of
from connector.settings import Surroundings

MOST_PLANS = 10
MOST_RUNS = 50
MOST_LOGS = 10
LOG_FILE = "CONNECTOR_LOG_FILE"
LARGEST_LOG = 1024 * 1024
LARGEST_MAP = 32 * 1024 * 1024

_MOST_MAPS = 5
LOG_FOLDERS: Sequence[Callable[["Places"], Path]] = (
    lambda places: places.state,
    lambda places: places.state / "logs",
    lambda places: places.state.parent / "logs",
)
"""Where logs are looked for beside the log file that is set: folders of ours alone."""

_LOG = re.compile(r".+\.(?:log|jsonl)(?:[.-].+)?", re.IGNORECASE | re.DOTALL)
_NO_TEXT = (".gz", ".zip", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class Places:
    """Where an installation lives, and who runs it."""

    folder: Path
    state: Path
    mappings: Path
    who: str
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle: a document, the text of mappings.yaml, or other text."""

    name: str
    content: Any
    kind: str = "document"


@dataclass(slots=True)
class Gathered:
    """What the sources found; `names` are for aliases, with what each is of."""

    members: list[Member] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    names: list[tuple[Sort, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """What every source is given."""

    places: Places
    surroundings: Surroundings
    environment: Mapping[str, str]


def _versions(_: Request, found: Gathered) -> None:
    libraries = {}
    for wanted in metadata.requires("connector") or ():
        if "extra ==" in wanted:  # what only its development takes
            continue
        name = re.split(r"[\s;<>=!~\[(]", wanted, maxsplit=1)[0]
        try:
            libraries[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            libraries[name] = "not installed"
    versions = {
        "connector": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "libraries": libraries,
    }
    found.members.append(Member("versions.json", versions))


def _settings(request: Request, found: Gathered) -> None:
    seen = settings_seen(request.surroundings, request.environment, request.places.folder)
    found.members.append(Member("settings.json", {"settings": seen.listed}))
    found.names += seen.names
    found.faults += seen.faults


def _map(request: Request, found: Gathered) -> None:
    path = request.places.mappings
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_MAP)
    except (OSError, ValueError) as error:
        found.faults.append(f"mappings.yaml at {path}: {getattr(error, 'strerror', None) or error}")
        return
    try:
        text = text_of(data)
    except NoText as reason:
        found.faults.append(f"mappings.yaml at {path} was left out: {reason}")
        return
    found.maps.append(text)
    found.members.append(Member("mappings.yaml", text, "map"))
    try:
        parse_mappings(data, path.name)
    except MappingsFault as fault:
        listed = [
            {"line": each.line, "column": each.column, "message": each.message} for each in fault.faults
        ]
        found.members.append(Member("mappings-faults.json", {"faults": listed}, "quoting"))
        found.faults.append(f"mappings.yaml has {len(listed)} faults; see mappings-faults.json")


def _ledger_check(request: Request, found: Gathered) -> None:
    findings = list(check_file(request.places.state))
    found.members.append(Member("ledger-check.json", {"findings": findings}, "quoting"))


def _ledger(request: Request, found: Gathered) -> None:
    with ticket_of(request.places.state) as ticket:
        runs = ticket.runs(MOST_RUNS)
        for run in runs:
            found.names += users_of(str(run.get("who", "")))
        found.members.append(Member("runs.json", {"runs": runs}))
        for number, plan in enumerate(ticket.plans(MOST_PLANS), start=1):
            name = re.sub(r"[^0-9a-f]", "", str(plan.get("digest", "")))[:12]
            found.members.append(Member(f"plans/{number:02}-{name}.json", plan))
        found.members.append(Member("snapshots.json", {"snapshots": ticket.snapshots()}))
        found.maps += ticket.maps(_MOST_MAPS)
        found.names += ticket.names()
        found.kept += ticket.kept()
        found.faults += ticket.faults


def _logs(request: Request, found: Gathered) -> None:
    listed = []
    for number, path in enumerate(_newest_logs(request), start=1):
        member = f"logs/{number:02}.log"  # never the file's own name, which may lead out of the zip
        name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
        try:
            text, size = end_of(path, LARGEST_LOG)
        except (OSError, NoText) as error:
            found.faults.append(f"{name} was left out: {getattr(error, 'strerror', None) or error}")
            continue
        listed.append({"member": member, "name": name, "bytes": size})
        found.members.append(Member(member, text, "log"))
    if listed:
        found.members.append(Member("logs.json", {"logs": listed}))


def _newest_logs(request: Request) -> list[Path]:
    logs: dict[Path, float] = {}
    folders = [(place(request.places), _LOG) for place in LOG_FOLDERS]
    if named := setting_named(LOG_FILE, request.environment, request.places.folder):
        file = request.places.folder / named
        folders.append((file.parent, re.compile(rf"{re.escape(file.name)}(?:[.-].+)?", re.DOTALL)))
    for folder, pattern in folders:
        try:
            listed = [path for path in folder.iterdir() if pattern.fullmatch(path.name) and path.is_file()]
            logs |= {path: path.stat().st_mtime for path in listed if path.suffix.lower() not in _NO_TEXT}
        except (OSError, ValueError):
            continue  # no such folder, so no logs
    return sorted(logs, key=lambda path: (-logs[path], path.name))[:MOST_LOGS]


SOURCES: Sequence[Callable[[Request, Gathered], None]] = (
    _versions,
    _settings,
    _map,
    _ledger_check,
    _ledger,
    _logs,
)
"""What a bundle is made of, in this order; each adds members, or raises what it could not have."""


def users_of(who: str) -> list[tuple[Sort, str]]:
    """Return the user and the host of `user@host`."""
    user, _, host = who.rpartition("@")
    return [("user", user), ("host", host)]
