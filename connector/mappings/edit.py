"""Edits of mappings.yaml that leave every byte as it is which need not change, each proved before it counts.

The text is spliced, never written anew: what a person laid out stays laid out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from connector.errors import CommandFault, Fault, MappingsFault
from connector.mappings.document import read_document
from connector.mappings.layout import Layout, NotEditable, Splice
from connector.mappings.load import parse_mappings
from connector.mappings.splicing import same, spliced, splices
from connector.mappings.text import Unreadable, readable_text
from connector.mappings.wording import dotted
from connector.mappings.writing import block_lines
from connector.model import Mappings, serial_of, tenant_id_of

_MARK = b"\xef\xbb\xbf"
_MOST_LINES = 40

Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Put:
    """Set this key to this value; what is missing above it is made.

    A mapping sets each of its keys; others that are there stay.
    """

    path: tuple[str, ...]
    value: Scalar | Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Drop:
    """Take this entry out; nothing happens where it is not there.

    A tenant's exception goes with its last key, for an empty one would be a fault.
    """

    path: tuple[str, ...]


Edit = Put | Drop


@dataclass(frozen=True, slots=True)
class Change:
    """What edits make of a file: its layout before, the splices, and the outcome, which is proved."""

    before: Layout
    splices: Sequence[Splice]
    data: bytes
    mappings: Mappings


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the content of mappings.yaml with all edits made, in their order.

    Raises MappingsFault where it is at fault before, CommandFault where an edit would put it at fault, or
    where it is laid out in a way that cannot be edited safely.
    """
    return change(data, edits, "mappings.yaml").data


def change(data: bytes, edits: Sequence[Edit], path: str) -> Change:
    """Return what `edited` does, and how; `path` names the file in messages."""
    try:
        layout, pieces, new = _proved(data, edits)
    except UnicodeEncodeError:
        raise CommandFault("What is to be written holds half a character; type it anew.") from None
    except (NotEditable, Unreadable, yaml.YAMLError):
        parse_mappings(data, path)  # a file that was at fault before is told so
        raise _by_hand(path, edits) from None
    try:
        return Change(layout, pieces, new, parse_mappings(new, path))
    except MappingsFault as refused:
        parse_mappings(data, path)
        listed = "".join(f"\n  {fault.message}" for fault in refused.faults)
        raise CommandFault(f"This would put {path} at fault, so it was left as it is.\n{listed}") from None


def _proved(data: bytes, edits: Sequence[Edit]) -> tuple[Layout, list[Splice], bytes]:
    """Splice the text, and read it again: it has to say what the edits make of plain values."""
    text = readable_text(data)
    faults: list[Fault] = []
    before = read_document(text, faults)
    if faults or not isinstance(before, dict):
        raise NotEditable
    after = _with_edits(before, edits)
    layout = Layout(text)
    pieces = splices(layout, before, after)
    new = (_MARK if data.startswith(_MARK) else b"") + spliced(text, pieces).encode()
    if not same(read_document(readable_text(new), []), after):
        raise NotEditable
    return layout, pieces, new


# Edits on plain values ---------------------------------------------------------------------------


def _with_edits(before: Mapping[str, object], edits: Iterable[Edit]) -> dict[str, object]:
    after = _copy(before)
    keys = _Keys()
    for edit in edits:
        if isinstance(edit, Put):
            _put(after, keys, edit)
        else:
            _drop(after, keys, edit.path)
    return after


def _put(root: dict[str, object], keys: "_Keys", edit: Put) -> None:
    *above, last = edit.path
    values: Mapping[str, Scalar] = {last: edit.value} if not isinstance(edit.value, Mapping) else edit.value
    path = edit.path if isinstance(edit.value, Mapping) else tuple(above)
    table = root
    for depth, key in enumerate(path):
        name = keys.find(table, path[:depth], key)
        below = table.get(name)
        if below is None:
            below = table[name] = {}
        elif not isinstance(below, dict):
            raise NotEditable
        table = below
    for key, value in values.items():
        name = keys.find(table, path, key)
        if name not in table or not _means(path, table[name], value):
            table[name] = value


def _drop(root: dict[str, object], keys: "_Keys", path: tuple[str, ...]) -> None:
    *above, last = path
    table = root
    for depth, key in enumerate(above):
        below = table.get(keys.find(table, path[:depth], key))
        if not isinstance(below, dict):
            return
        table = below
    gone = table.pop(keys.find(table, tuple(above), last), None)
    match path:
        case ("tenants", _, "products", _, _) if gone is not None and not table:
            _drop(root, keys, path[:-1])


def _means(path: tuple[str, ...], old: object, new: object) -> bool:
    """Whether a value would be read as the same, however it is spelled."""
    normal = tenant_id_of if path == ("firewalls",) else str.strip
    return normal(old) == normal(new) if isinstance(old, str) and isinstance(new, str) else same(old, new)


def _copy(table: Mapping[str, object]) -> dict[str, object]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


class _Keys:
    """Finds keys as the file spells them, compared in the form the model gives them."""

    def __init__(self) -> None:
        # The table is kept beside its index, for its id is its own only as long as it lives. What is put in
        # later is spelled in the normal form, and what is taken out and put in again as it was.
        self._known: dict[int, tuple[dict[str, object], dict[str, str]]] = {}

    def find(self, table: dict[str, object], path: tuple[str, ...], key: str) -> str:
        """Return the key as it is spelled in the table at `path`, or as it is to be written there."""
        normal = _form(path)
        if normal is None:
            return key
        if id(table) not in self._known:
            self._known[id(table)] = (table, {normal(name): name for name in table})
        return self._known[id(table)][1].get(normal(key), normal(key))


def _form(path: tuple[str, ...]) -> Callable[[str], str] | None:
    match path:
        case ("products",) | ("tenants", _, "products"):
            return str.strip
        case ("tenants",):
            return tenant_id_of
        case ("firewalls",):
            return serial_of
        case _:
            return None


# When it cannot be done --------------------------------------------------------------------------


def _by_hand(path: str, edits: Sequence[Edit]) -> CommandFault:
    wanted = _with_edits({}, [edit for edit in edits if isinstance(edit, Put)])
    lines = [line for key, value in wanted.items() for line in block_lines(key, value, 0, 2)]
    lines += [f"take out {dotted(edit.path)}" for edit in edits if isinstance(edit, Drop)]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"... and {len(lines) - _MOST_LINES} more lines"]
    shown = "".join(f"\n  {line}" for line in lines)
    return CommandFault(
        f"{path} is laid out in a way that cannot be edited safely, so it was left as it is.\n{shown}",
        "Please edit the file by hand: these lines are what it should say.",
    )
