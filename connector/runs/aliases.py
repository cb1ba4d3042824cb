"""The key of an installation's aliases, and mappings.yaml with aliases in place of names."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from connector.planning.aliases import Aliases, Sort

KEY_NAME = "alias.key"

_KEY_BYTES = 32
_DEEPEST = 50
_PLAIN = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS: dict[tuple[str, ...], Sort] = {
    ("tenants", "*"): "id",
    ("firewalls", "*"): "serial",
    ("import", "tenants", "*"): "tenant",
}
_VALUES: dict[tuple[str, ...], Sort] = {
    ("tenants", "*", "name"): "tenant",
    ("tenants", "*", "company"): "company",
    ("tenants", "*", "agreement"): "agreement",
    ("tenants", "*", "products", "*", "agreement"): "agreement",
    ("firewalls", "*"): "id",
    ("import", "tenants", "*"): "id",
}
_FIRST: tuple[Sort, ...] = ("id", "tenant", "company", "agreement", "serial", "name")
_NO_NAMES = frozenset({"item", "pricing"})
_OPEN = ("tenants", "firewalls", "import")
"""Below these, keys are ids and names; everywhere else a key is ours."""


def alias_key(state: Path) -> tuple[bytes, str]:
    """Return the key that aliases are made with, and why they will not be the same next time, if so.

    It is kept in the state folder for its owner alone; it never makes that folder.
    """
    path = state / KEY_NAME
    once = secrets.token_bytes(_KEY_BYTES)
    try:
        if not state.is_dir():
            return once, f"there is no state folder {state}, so the next bundle has other aliases"
        try:
            with open(path, "x", encoding="ascii", opener=_owners_alone) as file:
                file.write(once.hex())
            kept = once
        except FileExistsError:
            kept = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no key"
        return once, f"{path} cannot be used ({reason}), so the next bundle has other aliases"
    if len(kept) != _KEY_BYTES:
        return once, f"{path} cannot be used (it holds no key), so the next bundle has other aliases"
    return kept, ""


def learn_map(aliases: Aliases, text: str) -> bool:
    """Know every name in mappings.yaml; returns False where it is no YAML, so that nobody knows its names."""
    try:
        found = list(_scalars(text))
    except yaml.YAMLError:
        return False
    named = [(_sort_of(path, is_key=is_key), node) for path, is_key, node in found]
    for wanted in _FIRST:  # a company that is called as its tenant gets the tenant's alias, always
        for sort, node in named:
            if sort != wanted or _number(node):
                continue
            if sort == "id":
                aliases.learn_tenant_id(node.value)
            else:
                aliases.learn(sort, node.value)
    aliases.keep(path[1] for path, is_key, _ in found if is_key and len(path) == 2 and path[0] == "products")
    aliases.keep(node.value for path, is_key, node in found if not is_key and path[-1:] == ("item",))
    return True


def aliased_map(aliases: Aliases, text: str) -> str:
    """Return mappings.yaml with every known name replaced, in values and comments; it stays valid YAML."""
    made, done = [], 0
    for path, is_key, node in sorted(_scalars(text), key=lambda found: found[2].start_mark.index):
        start, end = node.start_mark.index, node.end_mark.index
        written = text[start:end]
        tail = written[len(written.rstrip()) :]
        ours = _number(node) or (is_key and path[0] not in _OPEN)
        said = node.value if ours else str(aliases.document(node.value))
        made.append(aliases.text(text[done:start]))
        made.append(written if said == node.value else _scalar(said) + tail)
        done = end
    return "".join([*made, aliases.text(text[done:])])


def _scalar(text: str) -> str:
    """Write text as a YAML scalar that reads the same everywhere."""
    if _PLAIN.fullmatch(text) and "-" in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = (letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in escaped)
    return f'"{"".join(shown)}"'


def _scalars(text: str) -> Iterator[tuple[tuple[str, ...], bool, Any]]:
    """Yield every scalar with the keys above it, and whether it is a key itself (then its path ends in it).

    One that stands at several places, as an alias of YAML does, comes once.
    """
    _must_be_shallow(text)
    root = yaml.compose(text, Loader=_Loader)
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)] if root is not None else []
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else "?"
                below = (*path, name)
                if isinstance(key, yaml.ScalarNode):
                    yield below, True, key
                waiting.append((below, value))
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(path, each) for each in node.value]
        else:
            yield path, False, node


def _must_be_shallow(text: str) -> None:
    """Raise YAMLError where lists lie so deep in each other that composing them would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deep")


def _sort_of(path: tuple[str, ...], *, is_key: bool) -> Sort | None:
    """Return what a scalar names; at a place of a tenant that nobody knows it may name anything."""
    if is_key:
        return _KEYS.get(_shape(path))
    unknown = path[:1] in {("tenants",), ("firewalls",)} and not _NO_NAMES.intersection(path)
    return _VALUES.get(_shape(path), "name" if unknown else None)


def _shape(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path with `*` for what is a name in it."""
    shape = list(path)
    first = 2 if path[:2] == ("import", "tenants") else 1
    if len(shape) > first and shape[0] in _OPEN:
        shape[first] = "*"
    if len(shape) > 3 and shape[2] == "products":
        shape[3] = "*"
    return tuple(shape)


def _number(node: Any) -> bool:
    return not node.style and node.tag.endswith((":int", ":float", ":bool", ":null"))


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
