"""Environment and `.env` -> Settings; a missing value says where it was looked for (contract section 1)."""

import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from connector.errors import SettingsFault

MAX_FILE_BYTES = 64 * 1024
SECRETS = frozenset(
    {
        "SOPHOS_CLIENT_ID",
        "SOPHOS_CLIENT_SECRET",
        "CONNECTWISE_PUBLIC_KEY",
        "CONNECTWISE_PRIVATE_KEY",
        "CONNECTWISE_CLIENT_ID",
        "CONNECTOR_NOTIFY",
        "CONNECTOR_HEARTBEAT_URL",
    }
)
_NEXT_ADDRESS = re.compile(r"\s+|,(?=\s*[A-Za-z][A-Za-z0-9_+.-]*://)")

SHARED = frozenset(
    {
        "CONNECTOR_TODAY",
        "CONNECTOR_TIMEOUT",
        "CONNECTOR_LOG_FORMAT",
        "CONNECTOR_NOTIFY",
        "CONNECTOR_NOTIFY_FILE",
    }
)
"""What the environment may say for all profiles alike."""


@dataclass(frozen=True, slots=True)
class SophosSettings:
    """How to reach Sophos Central Partner."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    auth_url: str
    api_url: str


@dataclass(frozen=True, slots=True)
class ConnectWiseSettings:
    """How to reach ConnectWise PSA."""

    url: str
    company: str
    public_key: str = field(repr=False)
    private_key: str = field(repr=False)
    client_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Where people are told, as addresses of apprise, and what is called when a night went well.

    Both hold passwords and tokens, so neither is ever shown. Their form is checked where they are used:
    a wrong one must not stop a run.
    """

    addresses: tuple[str, ...] = field(default=(), repr=False)
    heartbeat: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that comes from outside mappings.yaml and the command line."""

    sophos: SophosSettings
    connectwise: ConnectWiseSettings
    today: date | None
    timeout_seconds: float
    notify: NotifySettings = field(default_factory=NotifySettings)


class Surroundings:
    """The environment, with what a `.env` in the working directory adds to it."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, alone: bool = False) -> None:
        """Read `.env` in `folder` if there is one; raises SettingsFault when it is malformed.

        `alone` takes from the environment only what may be the same for every partner, so that no
        partner's usage is ever billed with another one's credentials.
        """
        self.env_file = folder / ".env"
        self._environment = (
            {name: value for name, value in environment.items() if name in SHARED} if alone else environment
        )
        self._file = _read_env_file(self.env_file)
        self.warnings = tuple(_open_to_others(self.env_file))
        """What a person should know of these places; nothing is wrong enough to stop a run."""

    def get(self, name: str) -> str | None:
        """Return a value, from the environment first; a blank one counts as missing."""
        for source in (self._environment, self._file):
            value = source.get(name, "").strip()
            if value:
                return value
            file_name = source.get(f"{name}_FILE", "").strip() if name in SECRETS else ""
            if file_name:
                return self._secret_in(name, self.env_file.parent / file_name)
        return None

    def need(self, *names: str) -> dict[str, str]:
        """Return values by name, or raise SettingsFault naming what is missing and the places looked in."""
        found = {name: self.get(name) for name in names}
        missing = [name for name, value in found.items() if value is None]
        if missing:
            files = ", ".join(f"{name}_FILE" for name in missing if name in SECRETS)
            also = f" (also {files})" if files else ""
            state = "" if self._file else " (which is not there or is empty)"
            raise SettingsFault(
                f"{'A setting is' if len(missing) == 1 else 'Settings are'} missing: {', '.join(missing)}. "
                f"Looked in: the environment{also}, and {self.env_file}{state}.",
                "Set what is missing, or try everything first without any setting: connector demo",
            )
        return {name: value for name, value in found.items() if value is not None}

    @staticmethod
    def _secret_in(name: str, path: Path) -> str:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_FILE_BYTES).decode("utf-8-sig").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text, or no path"
            raise SettingsFault(
                f"{name}_FILE names {path}, which cannot be read: {reason}.", "Correct the path or the file."
            ) from error
        if not text:
            raise SettingsFault(
                f"{name}_FILE names {path}, which is empty.", "Put the value into the file, and nothing else."
            )
        return text


def read_settings(surroundings: Surroundings, *, sophos: bool = True) -> Settings:
    """Return all settings; raises SettingsFault for those that are missing.

    Without `sophos` its credentials may be missing: an MSP that imports files need not have any. The form
    of all of them is checked by the clients, which know it.
    """
    credentials = ("SOPHOS_CLIENT_ID", "SOPHOS_CLIENT_SECRET")
    said = surroundings.need(
        *(credentials if sophos else ()),
        "CONNECTWISE_URL",
        "CONNECTWISE_COMPANY",
        "CONNECTWISE_PUBLIC_KEY",
        "CONNECTWISE_PRIVATE_KEY",
        "CONNECTWISE_CLIENT_ID",
    )
    return Settings(
        sophos=SophosSettings(
            client_id=said.get("SOPHOS_CLIENT_ID", ""),
            client_secret=said.get("SOPHOS_CLIENT_SECRET", ""),
            auth_url=surroundings.get("SOPHOS_AUTH_URL") or "https://id.sophos.com/api/v2/oauth2/token",
            api_url=surroundings.get("SOPHOS_API_URL") or "https://api.central.sophos.com",
        ),
        connectwise=ConnectWiseSettings(
            url=said["CONNECTWISE_URL"],
            company=said["CONNECTWISE_COMPANY"],
            public_key=said["CONNECTWISE_PUBLIC_KEY"],
            private_key=said["CONNECTWISE_PRIVATE_KEY"],
            client_id=said["CONNECTWISE_CLIENT_ID"],
        ),
        today=read_today(surroundings),
        timeout_seconds=_seconds(surroundings, "CONNECTOR_TIMEOUT", 30.0),
        notify=read_notify(surroundings),
    )


def read_notify(surroundings: Surroundings) -> NotifySettings:
    """Return where people are told; they have to be also when other settings are missing."""
    said = surroundings.get("CONNECTOR_NOTIFY") or ""
    parts = (part.strip(" \t,") for part in _NEXT_ADDRESS.split(said))
    return NotifySettings(
        addresses=tuple(dict.fromkeys(part for part in parts if part)),
        heartbeat=surroundings.get("CONNECTOR_HEARTBEAT_URL") or "",
    )


def read_today(surroundings: Surroundings) -> date | None:
    """Return the date to take for today in a test or rehearsal, or None for the real one."""
    return read_day(surroundings, "CONNECTOR_TODAY", "take the real date")


def read_day(surroundings: Surroundings, name: str, without: str) -> date | None:
    """Return a date that a setting names, or None; `without` says what leaving it out does."""
    text = surroundings.get(name)
    if text is None:
        return None
    try:
        # strptime alone would take 2026-1-5, and fromisoformat 20260105.
        return date.fromisoformat(text if re.fullmatch(r"[\d-]{10}", text, re.ASCII) else "")
    except ValueError:
        raise SettingsFault(
            f"{name} is {text!r}, which is no date.",
            f"Write it as YYYY-MM-DD, or leave it out to {without}.",
        ) from None


def _seconds(surroundings: Surroundings, name: str, default: float) -> float:
    text = surroundings.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) or float(text) <= 0:
        raise SettingsFault(f"{name} is {text!r}, which is no number of seconds.", "Leave it out to take 30.")
    return float(text)


def _open_to_others(path: Path) -> Iterator[str]:
    """Say that a file with secrets can be read by more people than its owner.

    On Windows a file's mode says nothing about that.
    """
    if os.name != "posix":
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        yield (
            f"{path} can be read by other users of this machine. Keep it to yourself: "
            f"chmod 600 {shlex.quote(str(path))}"
        )


def _read_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines: comments, quotes, `export`, CRLF and a byte order mark are understood."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsFault(f"{path} cannot be read: {reason}.", "Correct it or move it away.") from error
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip(), re.ASCII):
            # The line may hold a secret, so it is not quoted.
            raise SettingsFault(f"{path}, line {number}, is no NAME=value line.", "Correct it or remove it.")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    quoted = re.match(r"""(["'])(.*?)\1\s*(#.*)?$""", value)
    if quoted is not None:
        return quoted[2]
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()
