"""The text of mappings.yaml -> plain values, each mapping with the places of its keys.

One pass over the parser's events: composing nodes first takes four times as long, and by then aliases,
duplicate keys and depth can no longer be told apart or stopped.
"""

from typing import Any

import yaml
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from connector.errors import Fault
from connector.mappings.scalars import is_core_tag, plain, tagged
from connector.mappings.text import Unreadable
from connector.mappings.wording import dotted, quoted

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
_MOST_VALUES = 500_000

BROKEN = object()
"""Stands where a value is at fault already, so that it is not reported twice."""

Place = tuple[int, int]
"""Line and column, counted from 1."""


class Table(dict[str, object]):
    """A mapping as written, which knows where each key and each value begins."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        super().__init__()
        # Four numbers, for the garbage collector passes them over: marks or pairs take half as long again.
        self._places: dict[str, tuple[int, int, int, int]] = {}

    def put(self, key: str, value: object, key_mark: Any, value_mark: Any) -> None:
        """Enter what the parser read, with its marks."""
        self[key] = value
        self._places[key] = (key_mark.line, key_mark.column, value_mark.line, value_mark.column)

    def key_place(self, key: str) -> Place:
        """Return where `key` begins."""
        line, column, _, _ = self._places[key]
        return line + 1, column + 1

    def value_place(self, key: str) -> Place:
        """Return where the value of `key` begins; for one that is left out, where the key does."""
        _, _, line, column = self._places[key]
        return self.key_place(key) if self[key] is None else (line + 1, column + 1)


def read_document(text: str, faults: list[Fault]) -> object:
    """Return the one document in `text`: Tables, lists, text, int, Number, bool, None, or BROKEN.

    Keys are always text, as written. What is wrong goes to `faults`; raises Unreadable where reading has
    to stop.
    """
    try:
        return _Reader(text, faults).document()
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax_fault(error, text)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # without libyaml, at an impossible escape
        raise Unreadable(Fault(1, 1, f"this is not YAML: {quoted(str(error))}")) from None


class _Reader:
    """Builds values from the parser's events; an event is what PyYAML makes it, so no type of ours."""

    def __init__(self, text: str, faults: list[Fault]) -> None:
        self._next = _Loader(text).get_event
        self._faults = faults
        self._left = _MOST_VALUES

    def document(self) -> object:
        self._next()  # the stream's start
        start = self._next()
        if not isinstance(start, DocumentStartEvent):
            return None
        if start.version not in {None, (1, 2)}:
            raise _stop(start, "only %YAML 1.2 is read; take this line out")
        root = self._value(self._next(), ())
        self._next()  # the document's end
        after = self._next()
        if not isinstance(after, StreamEndEvent):
            raise _stop(after, "a second document begins here; the file may hold only one")
        return root

    def _value(self, event: Any, path: tuple[str, ...]) -> object:
        self._left -= 1
        if self._left < 0:
            raise _stop(event, f"the file holds more than {_MOST_VALUES} values and was not read further")
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event, path)
        if kind is MappingStartEvent:
            return self._table(event, path)
        if kind is SequenceStartEvent:
            return self._list(event, path)
        return self._broken(event, path, "an alias (*) is not allowed; write the value out")

    def _scalar(self, event: Any, path: tuple[str, ...]) -> object:
        if event.tag is None and not event.implicit[0]:
            return event.value
        try:
            return plain(event.value) if event.tag is None else tagged(event.tag, event.value)
        except ValueError as error:
            what = event.value if event.tag is None else event.tag
            return self._broken(event, path, f"{quoted(what)} is {error}")

    def _list(self, start: Any, path: tuple[str, ...]) -> list[object]:
        self._check_collection(start, path, "seq")
        values: list[object] = []
        while type(event := self._next()) is not SequenceEndEvent:
            values.append(self._value(event, (*path, str(len(values) + 1))))
        return values

    def _table(self, start: Any, path: tuple[str, ...]) -> Table:
        self._check_collection(start, path, "map")
        table = Table()
        while type(event := self._next()) is not MappingEndEvent:
            key = self._key(event, path)
            value_event = self._next()
            value = self._value(value_event, path if key is None else (*path, key))
            if key is None:
                continue
            if key in table:
                line, _ = table.key_place(key)
                self._broken(event, (*path, key), f"is given twice, first in line {line}")
            else:
                table.put(key, value, event.start_mark, value_event.start_mark)
        return table

    def _key(self, event: Any, path: tuple[str, ...]) -> str | None:
        if type(event) is not ScalarEvent:
            self._value(event, (*path, "?"))  # one deeper, so that keys within keys come to an end
            self._broken(event, path, "a key must be plain text")
            return None
        if event.value == "<<" and event.implicit[0]:
            self._broken(event, path, "merging (<<) is not allowed; write the entries out")
            return None
        if event.tag is not None:
            self._scalar(event, path)  # for its faults: a key is text whatever its tag says
        return event.value

    def _check_collection(self, event: Any, path: tuple[str, ...], kind: str) -> None:
        if len(path) >= _DEEPEST:
            raise _stop(event, f"nested deeper than {_DEEPEST} levels")
        if not is_core_tag(event.tag, kind):
            self._broken(event, path, f"{quoted(event.tag)} is a tag that is not allowed here; take it out")

    def _broken(self, event: Any, path: tuple[str, ...], message: str) -> object:
        where = f"{dotted(path)}: " if path else ""
        self._faults.append(Fault(*_place(event.start_mark), where + message))
        return BROKEN


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def _stop(event: Any, message: str) -> Unreadable:
    return Unreadable(Fault(*_place(event.start_mark), message))


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark: Any = error.problem_mark
    began = error.context_mark
    where = f", {error.context} that began in line {began.line + 1}" if error.context and began else ""
    return Fault(*_place(mark), f"this is not YAML: {error.problem}{where}{_advice(text[mark.index :])}")


def _advice(rest: str) -> str:
    if rest.startswith(":"):
        return '; text with ": " in it has to stand in quotes'
    if rest[:1] in set("@`%&*!|>{[\"'"):
        return "; text that begins with such a sign has to stand in quotes"
    return ""
