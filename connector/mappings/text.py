"""The bytes of mappings.yaml -> text that is safe to parse, or the places where it is not."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from connector.errors import Fault

LARGEST = 16 * 1024 * 1024
"""Bytes; ten times what 10,000 tenants take."""

MOST_FAULTS = 100
"""So many are reported; the rest is counted."""

_BREAK = re.compile(r"\r\n|\r|\n")
# Beside what YAML 1.2 forbids: the line ends of YAML 1.1, and below, tabs outside comments. The two readers
# (PyYAML here, those of editors) do not agree on them.
_FORBIDDEN = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAB_OR_COMMENT = re.compile(r"\t|(?:^|(?<=[ \t\r\n]))#[^\r\n]*")
_TAG_DIRECTIVE = re.compile(r"(?:^|[\r\n])(?=%TAG)")


class Unreadable(Exception):
    """The file cannot be read to its end; `faults` says where and why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


def readable_text(data: bytes) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark; raises Unreadable for any other."""
    if len(data) > LARGEST:
        raise Unreadable(Fault(1, 1, f"the file is larger than {LARGEST // 1024**2} MiB and was not read"))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise Unreadable(Fault(1, 1, "the file is UTF-16 or no text at all; save it as UTF-8"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        message = f"the byte 0x{error.object[error.start]:02X} is not UTF-8; save the file as UTF-8"
        raise Unreadable(*_faults_at(before, [(len(before), message)])) from None
    refused = sorted(_refused(text))[: MOST_FAULTS + 1]
    if refused:
        found = list(_faults_at(text, refused))
        if len(found) > MOST_FAULTS:
            found[-1] = replace(found[-1], message="more such characters from here on")
        raise Unreadable(*found)
    return text


def _refused(text: str) -> Iterator[tuple[int, str]]:
    """Yield where in `text` something must not reach the parser, and what to say: the first of each kind."""
    directive = _TAG_DIRECTIVE.search(text) if "%TAG" in text else None
    if directive:  # of no use here, and libyaml's time grows with the square of their number
        yield directive.end(), "%TAG is not allowed; write plain text and numbers"
    for found in islice(_FORBIDDEN.finditer(text), MOST_FAULTS + 1):
        yield found.start(), f"the character U+{ord(found[0]):04X} is not allowed; take it out"
    if "\t" in text:
        tabs = (found.start() for found in _TAB_OR_COMMENT.finditer(text) if found[0] == "\t")
        for start in islice(tabs, MOST_FAULTS + 1):
            yield start, "a tab is not allowed here; write spaces"


def _faults_at(text: str, found: Iterable[tuple[int, str]]) -> Iterator[Fault]:
    line, line_start, seen = 1, 0, 0
    for offset, message in found:
        for line_end in _BREAK.finditer(text, seen, offset):
            line, line_start = line + 1, line_end.end()
        seen = offset
        yield Fault(line, offset - line_start + 1, message)
