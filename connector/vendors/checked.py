"""Check what the settings give, before anything is sent anywhere."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from connector.errors import SettingsFault

_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]+", re.ASCII)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this very machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_base_url(name: str, url: str) -> str:
    """Return the address in setting `name` without a final slash; raises SettingsFault.

    https, or http to this machine only (contract section 1). The message never repeats the
    address: somebody may have put a password into it.
    """
    parts = _split(name, url.strip())
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise SettingsFault(
            f"{name} is no web address: it must begin with https:// and name a host.",
            f"Set {name} to an address such as https://example.com.",
        )
    if parts.username is not None or parts.password is not None:
        raise SettingsFault(
            f"{name} holds a user name or password.", f"Take everything up to the @ out of {name}."
        )
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise SettingsFault(f"{name} goes on after its path, with ? or #.", f"Take that part out of {name}.")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsFault(
            f"{name} is plain http to another machine, which would show our keys to everyone between.",
            f"Write https:// in {name}; http:// is accepted for 127.0.0.1, ::1 and localhost only.",
        )
    return parts.geturl().rstrip("/")


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for a port that is none
        labels = (parts.hostname or "").split(".")
    except ValueError:
        labels = None
    if (
        labels is None
        or any(len(label) > 63 for label in labels)
        or any(letter.isspace() or not letter.isprintable() or letter == "\\" for letter in url)
        or (parts.hostname and not _HOST.fullmatch(parts.hostname))
    ):
        raise SettingsFault(
            f"{name} is no web address that can be understood.",
            f"Set {name} to an address such as https://example.com.",
        )
    return parts


def checked_key(name: str, text: str, *, ascii_only: bool = False) -> str:
    """Return the key in setting `name`; raises SettingsFault, without repeating it, if it cannot be one."""
    if not text.strip():
        raise SettingsFault(f"{name} is empty.", f"Set {name}.")
    if not text.isprintable() or (ascii_only and not text.isascii()):
        raise SettingsFault(
            f"{name} holds characters that no key has, such as a line break.", f"Copy {name} afresh."
        )
    return text
