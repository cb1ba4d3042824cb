"""Entries between braces, `{item: X, sync: false}` or JSON: what to splice to take out and to put in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector.mappings.layout import Layout, Pair, Splice
from connector.mappings.writing import pair_text

_REST = re.compile(r"[ \t]*(?:,[ \t]*)?(?:(?<=[ \t])#[^\r\n]*)?")


def quotes_of(pairs: list[Pair], otherwise: str) -> str:
    """Return the quotes for new keys and text: double ones where the last key has them, as in JSON."""
    return otherwise if not pairs else '"' if pairs[-1][0].style == '"' else ""


def braces_splices(
    layout: Layout, node: Any, dropped: list[Pair], new: Mapping[str, object], quotes: str
) -> Iterator[Splice]:
    """Yield what takes the `dropped` entries out of `node` and puts the `new` ones behind those that stay."""
    gone = set(map(id, dropped))
    kept = [pair for pair in node.value if id(pair) not in gone]
    texts = [pair_text(key, value, quotes=quotes) for key, value in new.items()]
    if not kept:
        yield from _all_anew(layout, node, texts)
        return
    open_end = node.value[-1] is not kept[-1] and layout.after_comma(node.value[-1]) is None
    for pair in dropped:
        yield _without(layout, pair)
    comma = layout.after_comma(kept[-1])
    if open_end and comma is not None:
        same_line = layout.number(node.value[-1][0].start_mark.index) == layout.number(comma)
        yield comma - 1, _after_spaces(layout, comma) if same_line else comma, ""
        comma = None
    if texts:
        yield from _behind(layout, kept[-1], comma, texts)


def _behind(layout: Layout, last: Pair, comma: int | None, texts: list[str]) -> Iterator[Splice]:
    margin, end = layout.before(last[0].start_mark.index), layout.own_end(last)
    line_end = layout.end(end)
    own_line = not margin.strip() and layout.number(end) > 0
    if own_line and _ends_line(layout, end):
        if comma is None:
            yield end, end, ","
        between = f",{layout.newline}{margin}"
        yield line_end, line_end, f"{layout.newline}{margin}{between.join(texts)}{',' if comma else ''}"
    elif comma is None:
        yield end, end, "".join(f", {text}" for text in texts)
    else:
        yield comma, comma, " " + ", ".join(texts) + ","


def _all_anew(layout: Layout, node: Any, texts: list[str]) -> Iterator[Splice]:
    start = layout.text.index("{", node.start_mark.index)
    end = node.end_mark.index - 1
    inside = layout.text[start + 1 : end]
    if node.value and "#" not in inside:
        yield start + 1, end, ", ".join(texts)
        return
    for pair in node.value:  # the comments stay
        yield pair[0].start_mark.index, layout.after_comma(pair) or layout.own_end(pair), ""
    yield start + 1, start + 1, ", ".join(texts)


def _without(layout: Layout, pair: Pair) -> Splice:
    """Return what takes out an entry with the comma behind it, and its lines where it has them for itself."""
    start, end = pair[0].start_mark.index, layout.own_end(pair)
    before = layout.before(start)
    if not before.strip() and layout.number(start) > 0 and _ends_line(layout, end):
        return layout.without_lines(start, end)
    comma = layout.after_comma(pair)
    return start, end if comma is None else _after_spaces(layout, comma), ""


def _after_spaces(layout: Layout, index: int) -> int:
    end = layout.end(index)
    return end - len(layout.text[index:end].lstrip(" "))


def _ends_line(layout: Layout, end: int) -> bool:
    """Whether nothing follows in the line but a comma and a comment."""
    return _REST.fullmatch(layout.text, end, layout.end(end)) is not None
