"""The `conditions` language of ConnectWise lists (reference/connectwise-api.md, section 3)."""

import fnmatch
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Path = tuple[str, ...]
Lookup = Callable[[Path], Any]
"""Gives the value at a path of one record; raises ConditionError where there is no such property."""
Test = Callable[[Lookup], bool]
DEEPEST = 50
"""Parentheses within parentheses that are still followed."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')
      | (?P<moment>\[[^\[\]]*\])
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<operator><=|>=|!=|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*)
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class ConditionError(ValueError):
    """A condition that the server cannot read or apply: answered with 400."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse(text: str, *, lists_allowed: bool = True) -> Test:
    """Turn a condition into a test of one record; `in` is refused where lists are not allowed."""
    reader = _Reader(_tokens(text), lists_allowed=lists_allowed)
    test = reader.either()
    if reader.next is not None:
        raise ConditionError(f"unexpected {reader.next.text!r}")
    return test


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(f"cannot read {text[position:]!r}")
        tokens.append(_Token(match.lastgroup or "", match.group(match.lastgroup or 0)))
        position = match.end()
    return tokens


class _Reader:
    """Recursive descent over the tokens; AND binds before OR, which is not documented."""

    def __init__(self, tokens: list[_Token], *, lists_allowed: bool) -> None:
        self._tokens = tokens
        self._position = 0
        self._lists_allowed = lists_allowed
        self._depth = 0

    @property
    def next(self) -> _Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _take(self) -> _Token:
        token = self.next
        if token is None:
            raise ConditionError("unexpected end")
        self._position += 1
        return token

    def _word(self, *words: str) -> str | None:
        """Take the next token if it is one of these words, in any case."""
        token = self.next
        if (
            token is not None
            and token.text.casefold() in words
            and token.kind in {"word", "operator", "mark"}
        ):
            self._position += 1
            return token.text.casefold()
        return None

    def _expect(self, mark: str) -> None:
        if self._word(mark) is None:
            raise ConditionError(f"{mark!r} is missing")

    def either(self) -> Test:
        tests = [self._both()]
        while self._word("or"):
            tests.append(self._both())
        # All are always looked at, so that an unknown property is refused whatever the data.
        return tests[0] if len(tests) == 1 else lambda lookup: True in {test(lookup) for test in tests}

    def _both(self) -> Test:
        tests = [self._term()]
        while self._word("and"):
            tests.append(self._term())
        return tests[0] if len(tests) == 1 else lambda lookup: False not in {test(lookup) for test in tests}

    def _term(self) -> Test:
        if self._word("("):
            self._depth += 1
            if self._depth > DEEPEST:
                raise ConditionError("too many parentheses")
            test = self.either()
            self._expect(")")
            self._depth -= 1
            return test
        token = self._take()
        if token.kind != "word":
            raise ConditionError(f"{token.text!r} is no property")
        return self._comparison(tuple(token.text.split("/")))

    def _comparison(self, path: Path) -> Test:
        negated = self._word("not") is not None
        word = self._word("in", "like", "contains") or ("" if negated else self._word(*_COMPARISONS))
        if not word:
            raise ConditionError(f"no operator after {'/'.join(path)!r}")
        test = self._listed(path) if word == "in" else _compared(path, word, self._value())
        return _negated(path, test) if negated else test

    def _listed(self, path: Path) -> Test:
        if not self._lists_allowed:
            raise ConditionError("'in' is not supported here")
        self._expect("(")
        wanted = [self._value()]
        while self._word(","):
            wanted.append(self._value())
        self._expect(")")
        quick = _is_one_of(path, wanted)
        if quick is not None:
            return quick
        tests = [_compared(path, "=", value) for value in wanted]
        return lambda lookup: True in {test(lookup) for test in tests}

    def _value(self) -> Any:
        token = self._take()
        if token.kind == "text":
            quote = token.text[0]
            # A literal [ inside text is written [[]; doubled quotes are undocumented but used.
            return token.text[1:-1].replace(quote * 2, quote).replace("[[]", "[")
        if token.kind == "number":
            return Decimal(token.text)
        if token.kind == "moment":
            return _moment(token.text[1:-1])
        if token.kind == "word" and token.text.casefold() in _CONSTANTS:
            return _CONSTANTS[token.text.casefold()]
        raise ConditionError(f"{token.text!r} is no value: text needs quotes")


def _negated(path: Path, test: Test) -> Test:
    # As in SQL, what is null is neither like nor unlike anything.
    return lambda lookup: not test(lookup) and lookup(path) is not None


def _compared(path: Path, word: str, wanted: Any) -> Test:
    def test(lookup: Lookup) -> bool:
        value = lookup(path)
        if wanted is None:
            if word not in {"=", "!="}:
                raise ConditionError("null can only be equal or not")
            return (value is None) == (word == "=")
        if value is None:
            return False
        if word in {"like", "contains"}:
            return _resembles(value, word, wanted)
        return _COMPARISONS[word](*_comparable(value, wanted))

    return test


def _is_one_of(path: Path, wanted: list[Any]) -> Test | None:
    """Return a test that looks once at a list all of text or all of numbers; None for other lists."""
    if not all(isinstance(each, str) for each in wanted) and not all(
        isinstance(each, Decimal) for each in wanted
    ):
        return None
    known = frozenset(each.casefold() if isinstance(each, str) else each for each in wanted)

    def test(lookup: Lookup) -> bool:
        value = lookup(path)
        return value is not None and _comparable(value, wanted[0])[0] in known

    return test


def _resembles(value: Any, word: str, wanted: Any) -> bool:
    """Compare text without regard to case; `*` and `%` stand for anything."""
    if not isinstance(value, str) or not isinstance(wanted, str):
        raise ConditionError(f"{word} needs text")
    if word == "contains":
        return wanted.casefold() in value.casefold()
    pattern = "*".join(_literal(part) for part in re.split(r"[*%]", wanted.casefold()))
    return fnmatch.fnmatchcase(value.casefold(), pattern)


def _literal(text: str) -> str:
    return text.replace("[", "[[]").replace("?", "[?]")


def _comparable(value: Any, wanted: Any) -> tuple[Any, Any]:
    """Bring both sides to one type; a server that cannot do so answers 400."""
    if isinstance(wanted, datetime):
        return _moment(str(value)), wanted
    if isinstance(value, bool) or isinstance(wanted, bool):
        if isinstance(value, bool) and isinstance(wanted, bool):
            return value, wanted
    elif isinstance(value, str) and isinstance(wanted, str):
        return value.casefold(), wanted.casefold()
    elif isinstance(value, int | Decimal) and isinstance(wanted, int | Decimal):
        return Decimal(value), wanted
    raise ConditionError(f"cannot compare {value!r} with {wanted!r}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConditionError(f"{text!r} is no date-time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
