"""Make foreign text fit to be shown: no secrets, no control characters, not too long."""

import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# Sign-in headers and tokens that some server may quote back, whether we know them or not.
_BEARER = re.compile(r"\b(bearer)(\s+|%20|\+)[A-Za-z0-9\-._~+/%]{6,}=*", re.IGNORECASE)
_BASIC = re.compile(r"\b(basic)(\s+|%20|\+)[A-Za-z0-9+/%]{12,}=*", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")


class Redactor:
    """Replaces every secret it was told of, in any of its spellings on the wire, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._spellings: tuple[str, ...] = ()
        self.hide(*secrets)

    def hide(self, *secrets: str) -> None:
        """Redact these from now on."""
        spellings = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
        with self._lock:
            # Longest first: a secret that holds another one must not be left half readable.
            self._spellings = tuple(sorted({*self._spellings, *spellings}, key=lambda s: (-len(s), s)))

    def __call__(self, text: str) -> str:
        """Return the text without any secret."""
        for spelling in self._spellings:
            text = text.replace(spelling, "***")
        text = _BEARER.sub(r"\1 ***", text)
        text = _BASIC.sub(r"\1 ***", text)
        return _JWT.sub("***", text)


def _spellings(secret: str) -> set[str]:
    """Return a secret as it may be quoted back: as it is, in a URL or form, in JSON, in JSON within JSON."""
    spellings = {secret}
    for _ in range(2):
        spellings |= {
            encode(spelling) for spelling in spellings for encode in (_in_url, quote_plus, _in_json)
        }
    return spellings


def _in_url(text: str) -> str:
    return quote(text, safe="")


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def shown(text: str, limit: int = 300) -> str:
    """Return foreign text on one line, unprintable characters escaped, cut to `limit`."""
    line = " ".join(re.split(r"[ \t\r\n]+", text)).strip()
    line = "".join(letter if letter.isprintable() else _escaped(letter) for letter in line[: limit + 1])
    return line if len(line) <= limit else line[:limit] + "…"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
