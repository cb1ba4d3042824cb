"""The key of an installation's aliases, and mappings.yaml with aliases in place of names."""

import os
import re
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from connector.mappings.import_shape import ColumnsShape
from connector.mappings.shape import mappings_schema
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
_CODES = frozenset({("products", "*"), ("tenants", "*", "products", "*"), ("import", "product_codes", "*")})
"""Below these stand product codes or what a distributor calls a product."""
_TEXTS = frozenset(
    {
        ("products", "*", "item"),
        ("tenants", "*", "products", "*", "item"),
        ("import", "product_codes", "*"),
        *(("import", "columns", name) for name in ColumnsShape.model_fields),
    }
)
"""Values that name no customer, unless they hold a name which is known from elsewhere."""
_PRODUCT_NAME = ("products", "*", "name")
_OPEN = ("tenants", "firewalls", "import")
_CODE = re.compile(r"[\w.+-]+")
_RATE = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})? ?%?")
_SHORT = 5
"""A longer number at a place that nobody knows may be an account or a telephone."""


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
            with open(path, "x", encoding="ascii", opener=owners_alone) as file:
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
    """Know every name in mappings.yaml; returns False where it is no mapping, so that nobody knows them."""
    try:
        found = list(_scalars(text))
    except yaml.YAMLError:
        return False
    named = [(_sort_of(path, node, is_key=is_key), node) for path, is_key, node in found]
    for wanted in _FIRST:  # a company that is called as its tenant gets the tenant's alias, always
        for sort, node in named:
            if sort == "id" == wanted:
                aliases.learn_tenant_id(node.value)
            elif sort == wanted:
                aliases.learn(sort, node.value)
    aliases.keep(
        path[1]
        for path, is_key, _ in found
        if is_key and len(path) == 2 and path[0] == "products" and _CODE.fullmatch(path[1])
    )
    aliases.keep(node.value for path, is_key, node in found if not is_key and path[-1:] == ("item",))
    return True


def aliased_map(aliases: Aliases, text: str) -> str:
    """Return mappings.yaml with an alias for all that is not ours: keys, values, comments, anchors, tags.

    It stays YAML of as many lines; raises YAMLError should it not.
    """
    begins, marked = {}, []
    for token in yaml.scan(text, Loader=_Loader):
        if isinstance(token, yaml.ScalarToken):
            begins[token.end_mark.index] = token.start_mark.index  # a node begins with its anchor and tag
        elif isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
            marked.append((token.start_mark.index, token.end_mark.index, _marked(aliases, token)))
    said: dict[int, tuple[int, int, str]] = {}  # by where it begins: a node may stand at several places
    for path, is_key, node in _scalars(text):
        end = node.end_mark.index
        if end not in begins or node.start_mark.index == end:
            continue  # nothing is written there
        start = begins[end]
        value = _said(aliases, path, node, is_key=is_key)
        if value != node.value:
            written = text[start:end]
            core = start + len(written.rstrip())
            said[start] = (start, core, _scalar(value))
        else:
            said[start] = (start, end, text[start:end])
    made: list[str] = []
    done = lost = 0
    for start, end, instead in (*sorted([*said.values(), *marked]), (len(text), len(text), "")):
        between = aliases.text(text[done:start])
        if lost and "\n" in between:  # so that the line of a fault is the same line here
            between = between.replace("\n", "\n" * (lost + 1), 1)
            lost = 0
        made += [between, instead]
        lost += text.count("\n", start, end) - instead.count("\n")
        done = end
    whole = "".join(made)
    yaml.compose(whole, Loader=_Loader)
    return whole


def _marked(aliases: Aliases, token: Any) -> str:
    """Return an anchor or tag, with an alias unless it is one of YAML's own."""
    if isinstance(token, yaml.TagToken):
        handle, suffix = token.value
        return f"!!{suffix}" if handle == "!!" else f"!{aliases.alias('name', suffix)}"
    sign = "&" if isinstance(token, yaml.AnchorToken) else "*"
    return sign + aliases.alias("name", token.value)


def _said(aliases: Aliases, path: tuple[str, ...], node: Any, *, is_key: bool) -> str:
    """Return what stands in place of a scalar: itself where it is ours, else an alias."""
    value, shape = str(node.value), _shape(path)
    if not is_key and shape == _PRODUCT_NAME:
        return value if aliases.keeps(value) else aliases.alias("name", value)
    if shape in (_CODES if is_key else _TEXTS):
        if is_key and path[0] != "import":
            return value if _CODE.fullmatch(value) else aliases.alias("name", value)
        return str(aliases.document(value))
    if _ours(path, node, is_key=is_key) or not value.strip():
        return value
    return aliases.alias(_sort_of(path, node, is_key=is_key) or "name", value)


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
    if not isinstance(root, yaml.MappingNode):
        raise yaml.YAMLError("it is no mapping of keys")
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
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


def _sort_of(path: tuple[str, ...], node: Any, *, is_key: bool) -> Sort | None:
    """Return what a scalar names, None where it is ours; where nobody knows the place it may be anything."""
    shape = _shape(path)
    sort = (_KEYS if is_key else _VALUES).get(shape)
    if sort is not None:
        numbered = not is_key and sort in {"company", "agreement"} and _number(node)
        return None if numbered else sort  # ConnectWise's own numbers
    known = shape in (_CODES if is_key else _TEXTS) or (is_key and len(path) == 1)
    ours_above = path[0] in _words()[0] and path[0] not in _OPEN
    return None if known or ours_above or _ours(path, node, is_key=is_key) else "name"


def _ours(path: tuple[str, ...], node: Any, *, is_key: bool) -> bool:
    """Whether a scalar is a word of ours, or a number, and stands where no name does."""
    keys, values = _words()
    value = str(node.value)
    if (_KEYS if is_key else _VALUES).get(_shape(path)) is not None:
        return _sort_of(path, node, is_key=is_key) is None
    if _number(node) or _NUMBER.fullmatch(value):
        return path[0] in keys or sum(map(str.isdigit, value)) <= _SHORT
    if "rates" in path[:-1] and _RATE.fullmatch(value):
        return True
    return value in (keys if is_key else values)


@cache
def _words() -> tuple[frozenset[str], frozenset[str]]:
    """Return every key of mappings.yaml, and every word that a value may be."""
    keys: set[str] = set()
    values: set[str] = set()
    waiting: list[Any] = [mappings_schema()]
    while waiting:
        said = waiting.pop()
        if isinstance(said, dict):
            keys.update(said.get("properties", ()))
            values.update(each for each in said.get("enum", ()) if isinstance(each, str))
        waiting += said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return frozenset(keys), frozenset(values)


def _shape(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path with `*` for what is a name in it."""
    shape = list(path)
    first = 2 if path[:2] in {("import", "tenants"), ("import", "product_codes")} else 1
    if len(shape) > first and (first == 2 or shape[0] in {"tenants", "firewalls", "products"}):
        shape[first] = "*"
    if len(shape) > 3 and shape[0] == "tenants" and shape[2] == "products":
        shape[3] = "*"
    return tuple(shape)


def _number(node: Any) -> bool:
    return not node.style and node.tag.endswith((":int", ":float", ":bool", ":null"))


def owners_alone(path: str, flags: int) -> int:
    """Open a file that nobody else may read; for `open`."""
    return os.open(path, flags, 0o600)
