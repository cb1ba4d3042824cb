"""Names replaced by aliases that stay the same: in documents, in free text, and in mappings.yaml's scalars.

Pure. An alias is a keyed hash of the name, so nobody without the key can try names out on it.
"""

import hashlib
import hmac
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from connector.planning.spelling import Reading, as_read, as_written, spelt_otherwise

Sort = Literal[
    "tenant", "company", "agreement", "serial", "id", "user", "host", "file", "path", "mail", "name"
]

_DIGITS = 10
_FEWEST_DIGITS = 6
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ALIAS = r"(?:tenant|company|agreement|serial|id|user|host|file|path|mail|name)-[0-9a-f]{10}"
_UUID = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F-])")
_MAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]++@[\w-]++(?:\.[\w-]++)++")
_PATHS = (
    re.compile(r"(?<![\w/:.>-])/(?:[\w.@+~%-]+/)+[\w.@+~%-]*"),
    re.compile(r"(?<!\w)[A-Za-z]:\\[^\s\"'<>|*?:;,]+"),
    re.compile(r"(?<![\w\\])\\\\[\w.$-]+(?:\\[^\s\"'<>|*?:;,]+)+"),
)
_ALIASED = re.compile(_ALIAS)
_QUOTED = re.compile(r'"([^"\n]+)"')

# What our own sentences call ConnectWise's records (planning/wording.py, planning/directory.py).
_KEYS = re.compile(r' on "(.{1,300}?)" \(\d{1,19}\) of (.{1,300}?)(?=: |; | now(?:;|$)|$)')
_NAMED = re.compile(r'\b(company|agreement) "([^"\n]+)"')
_OF_COMPANY = re.compile(r"\bthose of company (.{1,300}?)(?=;|$)")
_RENAMED = re.compile(r'is called "([^"\n]+)"')

_OURS = frozenset(
    {
        "schema", "digest", "code", "class", "kind", "outcome", "held", "source", "period", "version",
        "product_code", "effective", "before", "after", "quantity", "writes", "mark", "setting", "where",
    }
)  # fmt: skip
"""Fields of our own documents that hold our words or a product's code, whatever a customer is called."""

_FIELDS: Mapping[str, Sort] = {
    "tenant_id": "id",
    "account_id": "id",
    "external_id": "id",
    "tenant": "tenant",
    "company": "company",
    "agreement": "agreement",
    "serial": "serial",
    "serials": "serial",
    "file": "file",
}


class Aliases:
    """Knows names, and replaces each wherever it stands."""

    def __init__(self, key: bytes) -> None:
        """Begin to know names; the same key gives the same aliases."""
        self._key = key
        self._known: dict[str, str] = {}
        self._read: dict[str, str] = {}
        self._shapes: dict[str, set[tuple[int, int]]] = {}
        self._ordered: dict[str, list[tuple[int, int]]] = {}
        self._anywhere: dict[str, str] = {}
        self._begins: dict[str, set[int]] = {}
        self._begin: re.Pattern[str] | None = None
        self._kept: set[str] = set()
        self._replaced: dict[str, str] = {}

    def keep(self, texts: Iterable[str]) -> None:
        """Leave these alone where they stand in quotes: items and product codes are no names."""
        self._kept |= {text.casefold() for text in texts}

    def learn(self, sort: Sort, text: str | None, *, like: str | None = None) -> str:
        """Know a name from now on, and return its alias; with `like` it gets the alias of another one."""
        name = (text or "").strip()
        folded = name.casefold()
        if not name:
            return ""
        if folded in self._known:
            return self._known[folded]
        self._replaced.clear()
        made = self._known[folded] = self.learn(sort, like) if like is not None else self._alias(sort, folded)
        if name.isdigit() and len(name) < _FEWEST_DIGITS:
            return made  # within a text it would be any number
        for form in {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}:
            self._know(as_written(form).read, made)
            self._know(as_read(form).read, made)
        return made

    def _know(self, read: str, made: str) -> None:
        word = _WORD.search(read)
        if _UNSPACED.search(read) or (word is None and not read.isascii()):
            self._anywhere.setdefault(read, made)
            self._begins.setdefault(read[0], set()).add(len(read))
            self._begin = None
        elif word is not None:
            self._read.setdefault(read, made)
            self._shapes.setdefault(word[0], set()).add((word.start(), len(read)))
            self._ordered.pop(word[0], None)

    def learn_tenant_id(self, text: str | None) -> None:
        """Know a tenant's id, and the eight letters of it that people are shown."""
        self.learn("id", text)
        if text and len(text.strip()) > 8:
            self.learn("id", text.strip()[:8], like=text)

    def learn_from(self, value: object, field: str = "") -> None:
        """Know every name that stands in a field of its own in a document, or in a sentence of ours."""
        if isinstance(value, Mapping):
            for name, each in value.items():
                self.learn_from(each, str(name))
        elif isinstance(value, list | tuple):
            for each in value:
                self.learn_from(each, field)
        elif isinstance(value, str):
            sort = _FIELDS.get(field)
            if sort == "id":
                self.learn_tenant_id(value)
            elif sort is not None:
                self.learn(sort, value)
            elif field not in _OURS:
                self._learn_from_sentence(value)

    def document(self, value: Any, field: str = "", *, foreign: bool = False) -> Any:
        """Return a document with every known name replaced; numbers stay.

        In a `foreign` one, which we did not make, any key and any field may hold a name.
        """
        if isinstance(value, Mapping):
            return {
                self._exactly(name) if foreign and isinstance(name, str) else name: self.document(
                    each, str(name), foreign=foreign
                )
                for name, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.document(each, field, foreign=foreign) for each in value]
        if not isinstance(value, str) or (field in _OURS and not foreign):
            return value
        return self._exactly(value)

    def _exactly(self, value: str) -> str:
        known = self._known.get(value.strip().casefold())
        if known is None:
            known = self._replaced.get(value)
        if known is None:
            known = self._replaced[value] = self.text(value)
        return known

    def text(self, text: str) -> str:
        """Return free text with every known name replaced, and what looks like an id, address or path."""
        text = self._names_replaced(text, as_written(text))
        if spelt_otherwise(text):
            text = self._names_replaced(text, as_read(text))
        if "+" in text:  # as a form of a web page writes a blank
            text = self._names_replaced(text, as_read(text.replace("+", " ")))
        text = _UUID.sub(lambda found: self._alias("id", found[0].casefold()), text)
        text = _MAIL.sub(lambda found: self._alias("mail", found[0].casefold()), text)
        for path in _PATHS:
            text = path.sub(lambda found: self._alias("path", found[0].casefold()), text)
        return text

    def alias(self, sort: Sort, text: str) -> str:
        """Return the alias of a name without knowing it from now on."""
        folded = text.strip().casefold()
        return self._known.get(folded) or self._alias(sort, folded)

    def keeps(self, text: str) -> bool:
        """Whether a text is known to be no name."""
        return text.strip().casefold() in self._kept

    def sentence(self, text: str) -> str:
        """Return free text in which also all that stands in double quotes is a name, unless it is kept."""
        return _QUOTED.sub(self._quoted, self.text(text))

    def _quoted(self, found: re.Match[str]) -> str:
        inside = found[1]
        if inside.casefold() in self._kept or re.search(_ALIAS, inside):
            return found[0]
        return f'"{self._alias("name", inside.casefold())}"'

    def _names_replaced(self, text: str, reading: Reading) -> str:
        made, done = [], 0
        for start, end, alias in self._found(reading.read):
            first, last = reading.span(start, end)
            if first < done:  # half of a letter that is written as one
                continue
            made += [text[done:first], alias]
            done = last
        return "".join([*made, text[done:]])

    def _found(self, read: str) -> Iterator[tuple[int, int, str]]:
        """Yield where names stand, from left to right; the longest one wins."""
        anywhere = deque(self._found_anywhere(read))
        done = 0
        for word in _WORD.finditer(read):
            while anywhere and anywhere[0][0] < word.end():
                start, end, alias = anywhere.popleft()
                if start >= done:
                    yield start, end, alias
                    done = end
            if word.start() < done:
                continue
            for offset, length in self._lengths(word[0]):
                start, end = word.start() - offset, word.start() - offset + length
                known = self._read.get(read[start:end]) if start >= done else None
                if known is None or _within_word(read, end) or _ALIASED.match(read, word.start()):
                    continue
                yield start, end, known
                done = end
                break
        yield from (each for each in anywhere if each[0] >= done)

    def _found_anywhere(self, read: str) -> Iterator[tuple[int, int, str]]:
        """Yield where names stand that need no blank beside them."""
        if self._begin is None:
            self._begin = re.compile(
                f"[{''.join(map(re.escape, self._begins))}]" if self._begins else r"(?!)"
            )
        done = 0
        for found in self._begin.finditer(read):
            start = found.start()
            for length in sorted(self._begins[found[0]], reverse=True) if start >= done else ():
                alias = self._anywhere.get(read[start : start + length])
                if alias is not None:
                    done = start + length
                    yield start, done, alias
                    break

    def _lengths(self, word: str) -> Iterable[tuple[int, int]]:
        """Return how far before a word the names begin whose first it is, and how long they are."""
        if word not in self._shapes:
            return ()
        if word not in self._ordered:
            self._ordered[word] = sorted(self._shapes[word], key=lambda shape: (-shape[1], shape[0]))
        return self._ordered[word]

    def _learn_from_sentence(self, text: str) -> None:
        for found in _KEYS.finditer(text):
            self.learn("agreement", found[1])
            self.learn("company", found[2])
        for found in _NAMED.finditer(text):
            self.learn("company" if found[1] == "company" else "agreement", found[2])
        for found in _OF_COMPANY.finditer(text):
            self.learn("company", found[1])
        for found in _RENAMED.finditer(text):
            self.learn("name", found[1])

    def _alias(self, sort: Sort, folded: str) -> str:
        digest = hmac.new(self._key, folded.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{sort}-{digest[:_DIGITS]}"


def _within_word(text: str, end: int) -> bool:
    """Whether a name that ends here is only the beginning of a longer word."""
    return end < len(text) and bool(_WORD.match(text, end)) and bool(_WORD.match(text, end - 1))
