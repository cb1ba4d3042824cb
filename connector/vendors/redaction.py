"""Make foreign text fit to be shown: no secrets, no control characters, not too long."""

import re
import threading
from collections.abc import Iterable
from html.entities import codepoint2name

# Sign-in headers and tokens that some server may quote back, whether we know them or not.
_BEARER = re.compile(r"\b(bearer)(\s+|%20|\+)[A-Za-z0-9\-._~+/%]{6,}=*", re.IGNORECASE)
_BASIC = re.compile(r"\b(basic)(\s+|%20|\+)[A-Za-z0-9+/%]{12,}=*", re.IGNORECASE)
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_PERCENT = r"(?:%|\\+u0025|&#37;)"
_NOTHING = re.compile(r"(?!)")


class Redactor:
    """Replaces every secret it was told of, however it is spelled on the wire, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self._known = _NOTHING
        self.hide(*secrets)

    def hide(self, *secrets: str) -> None:
        """Redact these from now on."""
        with self._lock:
            self._secrets |= {secret for secret in secrets if secret}
            # Longest first: a secret that holds another one must not be left half readable.
            ordered = sorted(self._secrets, key=lambda secret: (-len(secret), secret))
            patterns = ("".join(map(_however_written, secret)) for secret in ordered)
            self._known = re.compile("|".join(patterns), re.IGNORECASE) if ordered else _NOTHING

    def __call__(self, text: str) -> str:
        """Return the text without any secret."""
        text = self._known.sub("***", text)
        text = _BEARER.sub(r"\1 ***", text)
        text = _BASIC.sub(r"\1 ***", text)
        return _JWT.sub("***", text)


def _however_written(letter: str) -> str:
    """Return a pattern for a letter as URLs, forms, JSON and HTML may write it, also one within another."""
    if letter.isascii() and letter.isalnum():
        return letter
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    forms = [
        re.escape(letter),
        "".join(f"{_PERCENT}(?:25)*{octet:02x}" for octet in letter.encode("utf-8", "surrogatepass")),
        "".join(rf"\\+u{units[at : at + 4]}" for at in range(0, len(units), 4)),
        rf"\\+{re.escape(letter)}",
        rf"&(?:amp;)*#0*{ord(letter)};",
        rf"&(?:amp;)*#x0*{ord(letter):x};",
    ]
    if ord(letter) in codepoint2name:
        forms.append(f"&(?:amp;)*{codepoint2name[ord(letter)]};")
    if letter == " ":
        forms.append(_however_written("+"))
    return f"(?:{'|'.join(forms)})"


def shown(text: str, limit: int = 300) -> str:
    """Return foreign text on one line, unprintable characters escaped, cut to `limit`."""
    line = " ".join(re.split(r"[ \t\r\n]+", text)).strip()
    line = "".join(letter if letter.isprintable() else _escaped(letter) for letter in line[: limit + 1])
    return line if len(line) <= limit else line[:limit] + "…"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
