"""Where lines and entries begin and end in the text of mappings.yaml, told from the nodes of PyYAML."""

import re
from bisect import bisect_right
from typing import Any

import yaml

_BREAK = re.compile(r"\r\n|\r|\n")
_COLON = re.compile(r"(?:\s|(?<=\s)#[^\r\n]*)*:")
_COMMA = re.compile(r"(?:\s|(?<=\s)#[^\r\n]*)*,")
_USUAL_STEP = 2

Pair = tuple[Any, Any]
"""The nodes of a key and of its value; PyYAML's, so no type of ours."""

Splice = tuple[int, int, str]
"""From, to, and the text to stand there instead."""


class NotEditable(Exception):
    """The text is laid out in a way that nothing here knows how to change."""


class Layout:
    """The text of the file, and how it is laid out."""

    def __init__(self, text: str) -> None:
        """Find every line once: searching backwards for line ends would read the file for each entry anew."""
        breaks = [found.span() for found in _BREAK.finditer(text)]
        self.text = text
        self.newline = text[slice(*breaks[0])] if breaks else "\n"
        self._starts = [0, *(end for _, end in breaks)]
        self._ends = [*(start for start, _ in breaks), len(text)]

    def lines_span(self, first: int, last: int) -> tuple[int, int]:
        """Return where the lines with these numbers begin and end, the last line end with them."""
        return self._starts[first], self._after(last)

    def number(self, index: int) -> int:
        """Return the number of the line, counted from 0, in which `index` lies."""
        return bisect_right(self._starts, index) - 1

    def start(self, index: int) -> int:
        """Return where the line of `index` begins."""
        return self._starts[self.number(index)]

    def end(self, index: int) -> int:
        """Return where the line of `index` ends, its line end left out."""
        return self._ends[self.number(index)]

    def before(self, index: int) -> str:
        """Return what stands in the line of `index` before it."""
        return self.text[self.start(index) : index]

    def without_lines(self, start: int, end: int) -> Splice:
        """Return what takes out the lines from that of `start` to that of `end`.

        The line end before them goes with them, not the one after: a file that ends without one stays so.
        """
        first = self.number(start)
        if first:
            return self._ends[first - 1], self.end(end), ""
        return 0, self._after(self.number(end)), ""

    def _after(self, number: int) -> int:
        return self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)

    def after_colon(self, pair: Pair) -> int | None:
        """Return where the colon between key and value ends, None where there is no colon."""
        key, value = pair
        found = _COLON.match(self.text, key.end_mark.index)
        return found.end() if found and found.end() <= value.start_mark.index else None

    def after_comma(self, pair: Pair) -> int | None:
        """Return where the comma that follows an entry between braces ends, None where none follows."""
        found = _COMMA.match(self.text, self.own_end(pair))
        return found.end() if found else None

    def own_end(self, pair: Pair) -> int:
        """Return where an entry ends, before the comments and blank lines that follow it."""
        key, value = pair
        if is_block(value):
            return self.own_end(value.value[-1])
        start, end = value.start_mark.index, value.end_mark.index
        if start == end:
            colon = self.after_colon(pair)
            return int(key.end_mark.index) if colon is None else colon
        if is_literal(value):
            end = start + len(self.text[start:end].rstrip())
        return int(end)

    def column(self, pair: Pair) -> int:
        """Return how far an entry is indented."""
        before = self.before(pair[0].start_mark.index)
        mark = before.rfind("?")
        return len(before) if mark < 0 else mark


def is_block(node: Any) -> bool:
    """Whether a node is a mapping written as indented lines."""
    return isinstance(node, yaml.MappingNode) and not node.flow_style


def is_braces(node: Any) -> bool:
    """Whether a node is a mapping written between braces."""
    return isinstance(node, yaml.MappingNode) and bool(node.flow_style)


def is_literal(node: Any) -> bool:
    """Whether a node is text written in lines below `|` or `>`."""
    return isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}


def step_of(layout: Layout, node: Any) -> int | None:
    """Return by how much lines below the keys of a block are indented deeper, told from the last ones."""
    for pair in reversed(node.value):
        if is_block(pair[1]):
            step = layout.column(pair[1].value[0]) - layout.column(pair)
            return step if step > 0 else _USUAL_STEP
    return None


def usual_step(layout: Layout, root: Any) -> int:
    """Return the indentation of the file: that of its last section with entries in lines, else 2."""
    return (step_of(layout, root) if is_block(root) else None) or _USUAL_STEP
