"""Settings as a support bundle may show them: which are set and where; of a secret never the value."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from connector.errors import SettingsFault
from connector.planning.aliases import Sort
from connector.settings import SECRETS, Surroundings

SHOWN: Mapping[str, Sort | None] = {
    "SOPHOS_AUTH_URL": "host",
    "SOPHOS_API_URL": "host",
    "CONNECTWISE_URL": "host",
    "CONNECTWISE_COMPANY": "company",
    "CONNECTOR_MAPPINGS": "path",
    "CONNECTOR_STATE": "path",
    "CONNECTOR_TODAY": None,
    "CONNECTOR_TIMEOUT": None,
    "CONNECTOR_LOG_FILE": "path",
    "REQUESTS_CA_BUNDLE": "path",
}
"""Settings whose value is shown, and what it names."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
UNSHOWN = (*sorted(SECRETS), *PROXIES, "NO_PROXY")

_PUBLIC_HOSTS = (".sophos.com", ".myconnectwise.net")
_FEWEST = 4
"""A shorter password is no text to look for anywhere: it would take half the bundle with it."""
_LENIENT = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*$", re.MULTILINE)


@dataclass(slots=True)
class SettingsSeen:
    """Every setting for a document, the names in their values, and what of them cannot be read."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    names: list[tuple[Sort, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def settings_seen(surroundings: Surroundings, environment: Mapping[str, str], folder: Path) -> SettingsSeen:
    """Return which settings are set, and where."""
    seen = SettingsSeen()
    file = _env_file(folder)
    for name in (*SHOWN, *UNSHOWN):
        where = _where(name, environment, file)
        value: str | None = None
        try:
            value = surroundings.get(name)  # a secret's too: what cannot be read is a fault
        except SettingsFault as fault:
            seen.faults.append(fault.message)
        sort = SHOWN.get(name)
        shown = None
        if value is not None and name in SHOWN:
            shown, named = _without_user(value) if sort == "host" else (value, value)
            if sort is not None and not named.endswith(_PUBLIC_HOSTS):
                seen.names.append((sort, named))
        for proxy in _proxies(environment, file) if name in PROXIES else ():
            seen.names += [("host", proxy.hostname or ""), ("user", unquote(proxy.username or ""))]
        seen.listed.append({"setting": name, "set": where is not None, "where": where, "value": shown})
    return seen


def setting_named(name: str, environment: Mapping[str, str], folder: Path) -> str:
    """Return what a setting is, also where `.env` is at fault; empty where it is not set."""
    return environment.get(name, "").strip() or _env_file(folder).get(name, "").strip()


def secrets_of(surroundings: Surroundings, environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield every secret that is known, also from a `.env` that is at fault, and what is made of them."""
    file = _env_file(folder)
    yield from (value for name, value in file.items() if name in SECRETS)
    for proxy in _proxies(environment, file):
        password = unquote(proxy.password or "")
        yield from (each for each in (password, proxy.password or "") if len(each) >= _FEWEST)
    known: dict[str, str] = {}
    for name in (*sorted(SECRETS), "CONNECTWISE_COMPANY"):
        try:
            known[name] = surroundings.get(name) or ""
        except SettingsFault:
            known[name] = ""
    yield from (known[name] for name in sorted(SECRETS))
    if known["CONNECTWISE_PRIVATE_KEY"]:
        user = f"{known['CONNECTWISE_COMPANY']}+{known['CONNECTWISE_PUBLIC_KEY']}"
        yield base64.b64encode(f"{user}:{known['CONNECTWISE_PRIVATE_KEY']}".encode()).decode()


def _env_file(folder: Path) -> dict[str, str]:
    """Return what `.env` says, line by line, also where it is at fault."""
    try:
        text = (folder / ".env").read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return {}
    return {name: value.strip("\"'") for name, value in _LENIENT.findall(text)}


def _where(name: str, environment: Mapping[str, str], file: Mapping[str, str]) -> str | None:
    """Return what sets a setting, in the order in which it is looked for."""
    options = (name, f"{name}_FILE") if name in SECRETS else (name,)
    if name in UNSHOWN and name not in SECRETS:
        options = (name, name.lower())  # as every program reads these
    for place, source in (("the environment", environment), (".env", file)):
        for option in options:
            if source.get(option, "").strip():
                return f"{option} in {place}"
    return None


def _proxies(environment: Mapping[str, str], file: Mapping[str, str]) -> Iterator[SplitResult]:
    """Yield every proxy that is set, in whatever case its name is written."""
    for name, value in (*environment.items(), *file.items()):
        if name.upper() in PROXIES and value.strip():
            try:
                yield urlsplit(value if "://" in value else f"//{value}")
            except ValueError:
                continue  # no URL; what looks like one with a password is redacted anyway


def _without_user(url: str) -> tuple[str, str]:
    """Return a URL without user, password, query and fragment, for any may be a secret; and its host."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no URL)", ""
    host = parts.hostname or ""
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{f'[{host}]' if ':' in host else host}{port}{parts.path}", host
