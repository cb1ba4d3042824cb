"""The splices of an edit -> a unified diff for people.

Told from the splices: to search for what differs takes minutes when a file of 10,000 tenants changes in as
many places.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.mappings.layout import Layout, Splice
from connector.mappings.splicing import spliced
from connector.reports.escape import lines as printable_lines
from connector.reports.escape import printable

_CONTEXT = 3
_BREAK = re.compile(r"\r\n|\r|\n")
_NO_END = "\n\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class _Hunk:
    """The lines that go from line `at` on, counted from 0, and those that come in their place."""

    at: int
    gone: list[str]
    come: list[str]

    @property
    def end(self) -> int:
        return self.at + len(self.gone)


def unified_diff(before: Layout, splices: Sequence[Splice], name: str) -> str:
    """Return what the splices change; there is at least one."""
    return _written(printable(name), printable(name), _lines(before.text), list(_hunks(before, splices)))


def new_file_diff(text: str, name: str) -> str:
    """Return the diff that makes a file which was not there."""
    return _written("/dev/null", printable(name), [], [_Hunk(0, [], _lines(text))])


def _written(old_name: str, new_name: str, old: list[str], hunks: list[_Hunk]) -> str:
    out = [f"--- {old_name}", f"+++ {new_name}"]
    shift = 0
    for group in _groups(hunks):
        out += _group(group, old, shift)
        shift += sum(len(hunk.come) - len(hunk.gone) for hunk in group)
    return "".join(f"{_harmless(line)}\n" for line in out)


def _hunks(before: Layout, splices: Sequence[Splice]) -> Iterator[_Hunk]:
    """Yield what changes, by place: the splices that share lines together."""
    shared: list[Splice] = []
    last = -1
    for splice in splices:
        if shared and before.number(splice[0]) > last:
            yield _hunk(before, shared, last)
            shared = []
        shared.append(splice)
        last = max(last, before.number(splice[1]))
    yield _hunk(before, shared, last)


def _hunk(before: Layout, splices: list[Splice], last: int) -> _Hunk:
    first = before.number(splices[0][0])
    start, end = before.lines_span(first, last)
    within = [(piece_start - start, piece_end - start, new) for piece_start, piece_end, new in splices]
    old = before.text[start:end]
    gone, come = _lines(old), _lines(spliced(old, within))
    while gone and come and gone[0] == come[0]:
        del gone[0], come[0]
        first += 1
    while gone and come and gone[-1] == come[-1]:
        del gone[-1], come[-1]
    return _Hunk(first, gone, come)


def _groups(hunks: list[_Hunk]) -> Iterator[list[_Hunk]]:
    group = hunks[:1]
    for hunk in hunks[1:]:
        if hunk.at - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(hunk)
    yield group


def _group(group: list[_Hunk], old: list[str], shift: int) -> Iterator[str]:
    start, end = max(0, group[0].at - _CONTEXT), min(len(old), group[-1].end + _CONTEXT)
    length = end - start
    new_length = length + sum(len(hunk.come) - len(hunk.gone) for hunk in group)
    yield f"@@ -{_range(start, length)} +{_range(start + shift, new_length)} @@"
    done = start
    for hunk in group:
        yield from (f" {line}" for line in old[done : hunk.at])
        yield from (f"-{line}" for line in hunk.gone)
        yield from (f"+{line}" for line in hunk.come)
        done = hunk.end
    yield from (f" {line}" for line in old[done:end])


def _range(start: int, length: int) -> str:
    return f"{start + 1 if length else start},{length}"


def _lines(text: str) -> list[str]:
    """Return the lines without their ends; one that has none says so."""
    lines = _BREAK.split(text)
    last = lines.pop()
    return [*lines, last + _NO_END] if last else lines


def _harmless(line: str) -> str:
    return line if line.isascii() and line.isprintable() else printable_lines(line)
