"""What mappings.yaml says and what it is to say -> the pieces of its text to write anew; all else stays."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from connector.mappings.braces import braces_splices, quotes_of
from connector.mappings.layout import (
    Layout,
    NotEditable,
    Pair,
    Splice,
    is_braces,
    is_literal,
    step_of,
    usual_step,
)
from connector.mappings.scalars import Number
from connector.mappings.shape import allowed_keys
from connector.mappings.writing import block_lines, braces_text, scalar_text

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTES = {"'", '"'}

Data = Mapping[str, object]


def same(one: object, other: object) -> bool:
    """Whether two values say the same: 1 is not true, and nothing is as good as an empty mapping.

    Line ends at the end of text say nothing; those below `|` come and go with the lines around them.
    """
    one, other = ({} if value is None else value for value in (one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, str) and isinstance(other, str):
        return one.rstrip("\n") == other.rstrip("\n")
    if isinstance(one, Number) and isinstance(other, Number):
        return one.source == other.source
    return type(one) is type(other) and one == other


def splices(layout: Layout, before: Data, after: Data) -> list[Splice]:
    """Return what to splice into the text, which says `before`, so that it says `after`; by place.

    Raises NotEditable, or an error of PyYAML, where the text is laid out too oddly.
    """
    root = yaml.compose(layout.text, Loader=_Loader)
    found = _Splicer(layout, root)
    found.mapping((), root, before, after, "")
    # Of those at one place the deeper ones were found first, and the order of the rest is that of the edits.
    return sorted(found.splices, key=lambda splice: splice[0])


def spliced(text: str, pieces: Iterable[Splice]) -> str:
    """Return the text with all splices made, which come by place."""
    out: list[str] = []
    done = 0
    for start, end, new in pieces:
        out += (text[done : max(start, done)], new)
        done = max(done, end)
    return "".join((*out, text[done:]))


class _Splicer:
    """Walks down the nodes beside both values, and notes a splice wherever they differ."""

    def __init__(self, layout: Layout, root: Any) -> None:
        self.splices: list[Splice] = []
        self._layout = layout
        self._root = root
        self._step = usual_step(layout, root)

    def mapping(self, path: tuple[str, ...], node: Any, before: Data, after: Data, quotes: str) -> None:
        braces = is_braces(node)
        if braces:
            quotes = quotes_of(node.value, quotes)
        dropped = []
        for pair in node.value:
            name = pair[0].value
            if name not in after:
                dropped.append(pair)
            elif (before[name] and isinstance(before[name], dict)) or not same(before[name], after[name]):
                self._value((*path, name), pair, before[name], after[name], quotes if braces else None)
        new = {name: value for name, value in after.items() if name not in before}
        if braces and (dropped or new):
            self.splices += braces_splices(self._layout, node, dropped, new, quotes)
        elif not braces:
            self.splices += map(self._without, dropped)
            self._insert(path, node, new)

    def _value(self, path: tuple[str, ...], pair: Pair, old: object, new: object, braces: str | None) -> None:
        """Note what makes one value another; between braces, `braces` are the quotes to use."""
        value = pair[1]
        if isinstance(new, dict):
            if isinstance(old, dict) and old:
                self.mapping(path, value, old, new, braces or "")
            elif braces is None and self._nested(pair, new):
                return
            elif is_braces(value):
                self.mapping(path, value, {}, new, braces or "")
            else:
                self._replace(pair, braces_text(new, quotes=braces or ""))
        else:
            own = value.style if isinstance(value, yaml.ScalarNode) and value.style in _QUOTES else braces
            self._replace(pair, scalar_text(new, quotes=own or "", braces=braces is not None))

    def _replace(self, pair: Pair, text: str) -> None:
        layout, value = self._layout, pair[1]
        start, end = value.start_mark.index, layout.own_end(pair)
        if start != value.end_mark.index:
            if is_literal(value):  # the comment beside `|` stays
                header = layout.text[start : layout.end(start)]
                text += header[header.index(" #") :] if " #" in header else ""
            self.splices.append((start, end, text))
        elif layout.after_colon(pair) is not None:
            self.splices.append((end, end, f" {text}"))
        elif layout.before(pair[0].start_mark.index).strip() == "?":
            self._lines(layout.end(end), [" " * layout.column(pair) + f": {text}"])
        else:
            self.splices.append((end, end, f": {text}"))

    def _nested(self, pair: Pair, new: Data) -> bool:
        """Note the lines of a mapping below a key that has no value, or `null` or `{}` beside it."""
        layout = self._layout
        colon, end = layout.after_colon(pair), layout.own_end(pair)
        if colon is None or layout.number(colon) != layout.number(end):
            return False
        column = layout.column(pair) + self._step
        if end > colon:
            self.splices.append((colon, end, ""))
        self._lines(layout.end(end), self._entries(new, column, self._step))
        return True

    def _insert(self, path: tuple[str, ...], node: Any, new: Data) -> None:
        """Note new entries of a block, each behind the one it belongs behind."""
        if not new:
            return
        column = self._layout.column(node.value[0])
        step = step_of(self._layout, node) or self._step
        for name, value in new.items():
            lines = list(block_lines(name, value, column, step))
            if path:
                anchor = _anchor(path, node.value, name)
                self._lines(self._layout.end(self._layout.own_end(anchor)), lines)
            else:
                self._lines(self._end_of_root(), ["", *lines])

    def _end_of_root(self) -> int:
        """Return the end of the last line that says something, comments included, of the document."""
        text = self._layout.text[: self._root.end_mark.index].rstrip()
        return self._layout.end(len(text))

    def _without(self, pair: Pair) -> Splice:
        key = pair[0]
        if self._layout.before(key.start_mark.index).strip() not in {"", "?"}:
            raise NotEditable
        return self._layout.without_lines(key.start_mark.index, self._layout.own_end(pair))

    def _entries(self, new: Data, column: int, step: int) -> Iterator[str]:
        for name, value in new.items():
            yield from block_lines(name, value, column, step)

    def _lines(self, end: int, lines: Iterable[str]) -> None:
        """Note lines to stand below the one that ends at `end`."""
        self.splices.append((end, end, "".join(self._layout.newline + line for line in lines)))


def _anchor(path: tuple[str, ...], pairs: list[Pair], name: str) -> Pair:
    """Return the entry behind which a new one goes: the last that the contract has before it, or of all."""
    order = allowed_keys(path)
    if name not in order:
        return pairs[-1]
    earlier = order[: order.index(name)]
    return next((pair for pair in reversed(pairs) if pair[0].value in earlier), pairs[-1])
