"""Text, ids and flags -> how mappings.yaml writes them: plain, unless it could be read as another thing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from connector.mappings.scalars import plain

# Indicators of YAML at the start, and what would end plain text early.
_NOT_PLAIN = re.compile(r"""[-?:,\[\]{}#&*!|>'"%@`\s]|\.\.\.|.*(?:: |:$| \#|\s$)""")
_NOT_PLAIN_IN_BRACES = re.compile(r"[,\[\]{}?:]")
_LOOKS_LIKE = re.compile(r"0o[0-7]+|[yn]|yes|no|on|off|true|false|null", re.IGNORECASE)
# What readers of YAML 1.1 take for a number, a date or a flag; ours does not, an editor may.
_OLD_READERS: dict[str, list[tuple[str, re.Pattern[str]]]] = cast(
    "Any", yaml.SafeLoader
).yaml_implicit_resolvers
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def scalar_text(value: object, *, quotes: str = "", braces: bool = False) -> str:
    """Return text, a whole number or a flag as YAML on one line.

    `quotes` are the ones to use, as far as the text can be written in them; `braces` says that it goes
    between `{` and `}`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, int) or (not quotes and _may_be_plain(text, braces=braces)):
        return text
    single = quotes == "'" or (not quotes and "'" not in text and ('"' in text or "\\" in text))
    if single and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def block_lines(key: str, value: object, indent: int, step: int) -> Iterator[str]:
    """Yield the lines of a new entry, each level `step` deeper than the last one."""
    margin = " " * indent
    if isinstance(value, Mapping) and value:
        yield f"{margin}{scalar_text(key)}:"
        for name, below in value.items():
            yield from block_lines(name, below, indent + step, step)
    else:
        yield f"{margin}{scalar_text(key)}: {braces_text(value)}"


def braces_text(value: object, *, quotes: str = "", braces: bool = False) -> str:
    """Return a value on one line, a mapping as `{key: value}`."""
    if not isinstance(value, Mapping):
        return scalar_text(value, quotes=quotes, braces=braces)
    return "{" + ", ".join(pair_text(key, below, quotes=quotes) for key, below in value.items()) + "}"


def pair_text(key: str, value: object, *, quotes: str = "") -> str:
    """Return an entry as it goes between braces."""
    name = scalar_text(key, quotes=quotes, braces=True)
    return f"{name}: {braces_text(value, quotes=quotes, braces=True)}"


def _may_be_plain(text: str, *, braces: bool) -> bool:
    if not text.isprintable() or _NOT_PLAIN.match(text) or _LOOKS_LIKE.fullmatch(text):
        return False
    if braces and _NOT_PLAIN_IN_BRACES.search(text):
        return False
    resolvers = [*_OLD_READERS.get(text[:1], ()), *_OLD_READERS.get("*", ())]
    if any(pattern.match(text) for _, pattern in resolvers):
        return False
    try:
        return plain(text) == text and isinstance(plain(text), str)
    except ValueError:  # digits without end
        return False


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    character.encode()  # half a character cannot be written, in no way
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
