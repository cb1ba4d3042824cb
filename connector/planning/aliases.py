"""Names replaced by aliases that stay the same: in documents, in free text, and in mappings.yaml's scalars.

Pure. An alias is a keyed hash of the name, so nobody without the key can try names out on it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Sort = Literal[
    "tenant", "company", "agreement", "serial", "id", "user", "host", "file", "path", "mail", "name"
]

_DIGITS = 10
_FEWEST_DIGITS = 6
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ALIAS = r"(?:tenant|company|agreement|serial|id|user|host|file|path|mail|name)-[0-9a-f]{10}"
_UUID = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F-])")
_MAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PATHS = (
    re.compile(r"(?<![\w/:.>-])/(?:[\w.@+~%-]+/)+[\w.@+~%-]*"),
    re.compile(r"(?<!\w)[A-Za-z]:\\[^\s\"'<>|*?:;,]+"),
    re.compile(r"(?<![\w\\])\\\\[\w.$-]+(?:\\[^\s\"'<>|*?:;,]+)+"),
)
_QUOTED = re.compile(r'"([^"\n]+)"')

# What our own sentences call ConnectWise's records (planning/wording.py, planning/directory.py).
_KEYS = re.compile(r' on "(.+?)" \(\d+\) of (.+?)(?=: |; | now(?:;|$)|$)')
_NAMED = re.compile(r'\b(company|agreement) "([^"\n]+)"')
_OF_COMPANY = re.compile(r"\bthose of company (.+?)(?=;|$)")
_RENAMED = re.compile(r'is called "([^"\n]+)"')

_OURS = frozenset(
    {
        "schema", "digest", "code", "class", "kind", "outcome", "held", "source", "period", "version",
        "product_code", "effective", "before", "after", "quantity", "writes", "mark", "item", "setting",
        "where",
    }
)  # fmt: skip
"""Fields that hold our own words or a product's, whatever a customer is called."""

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
        self._by_word: dict[str, list[tuple[str, int, str]]] = {}
        self._unspaced: dict[str, str] = {}
        self._kept: set[str] = set()
        self._replaced: dict[str, str] = {}
        self._sorted = True

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
        if _UNSPACED.search(name):
            self._unspaced[name] = made
        elif (word := _WORD.search(name)) is not None:
            self._by_word.setdefault(word[0].casefold(), []).append((name, word.start(), made))
            self._sorted = False
        return made

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

    def document(self, value: Any, field: str = "") -> Any:
        """Return a document with every known name replaced; numbers stay."""
        if isinstance(value, Mapping):
            return {name: self.document(each, str(name)) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(each, field) for each in value]
        if not isinstance(value, str) or field in _OURS:
            return value
        exact = self._known.get(value.strip().casefold())
        if exact is None:
            exact = self._replaced.get(value)
        if exact is None:
            exact = self._replaced[value] = self.text(value)
        return exact

    def text(self, text: str) -> str:
        """Return free text with every known name replaced, and what looks like an id, address or path."""
        for name, alias in sorted(self._unspaced.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(name, alias)
        text = self._words_replaced(text)
        text = _UUID.sub(lambda found: self._alias("id", found[0].casefold()), text)
        text = _MAIL.sub(lambda found: self._alias("mail", found[0].casefold()), text)
        for path in _PATHS:
            text = path.sub(lambda found: self._alias("path", found[0].casefold()), text)
        return text

    def sentence(self, text: str) -> str:
        """Return free text in which also all that stands in double quotes is a name, unless it is kept."""
        return _QUOTED.sub(self._quoted, self.text(text))

    def _quoted(self, found: re.Match[str]) -> str:
        inside = found[1]
        if inside.casefold() in self._kept or re.search(_ALIAS, inside):
            return found[0]
        return f'"{self._alias("name", inside.casefold())}"'

    def _words_replaced(self, text: str) -> str:
        if not self._sorted:
            for names in self._by_word.values():
                names.sort(key=lambda name: (-len(name[0]), name))
            self._sorted = True
        made, done = [], 0
        for word in _WORD.finditer(text):
            if word.start() < done:
                continue
            for name, offset, alias in self._by_word.get(word[0].casefold(), ()):
                start, end = word.start() - offset, word.start() - offset + len(name)
                if start < done or text[start:end].casefold() != name.casefold():
                    continue
                if _within_word(text, end):
                    continue
                made += [text[done:start], alias]
                done = end
                break
        return "".join([*made, text[done:]])

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
    return end < len(text) and bool(_WORD.match(text[end])) and bool(_WORD.match(text[end - 1]))
