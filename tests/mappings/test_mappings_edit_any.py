"""Whatever the file says and however it is laid out, an edit does what it says and nothing else."""

import difflib
import random
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.errors import CommandFault, MappingsFault
from connector.mappings import Drop, Edit, Put, edited
from connector.mappings.document import read_document
from connector.mappings.splicing import same
from connector.mappings.text import Unreadable, readable_text

CODES = ["A-MSP", "B-MSP", "1E5", "no", "C: D", "É 🎄"]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=30)
NAMES = st.sampled_from(["x", "12", "NO", "it's", '"q"', "a: b", "a #b", "1.5", "{}", "Ä"]) | TEXT
REFERENCES = st.integers(1, 10**9) | NAMES.filter(str.isprintable).filter(str.strip)
ENTRY = st.fixed_dictionaries({}, optional={"name": NAMES, "item": REFERENCES, "sync": st.booleans()})
PRODUCTS = st.dictionaries(st.sampled_from(CODES), ENTRY, max_size=4)
COMMENTS = st.sampled_from(["", "", "  # c: {d}", " # 'e"])
BETWEEN: st.SearchStrategy[list[str]] = st.sampled_from([[], [], [""], ["# f"], ["      # g: h", ""]])


def quoted(draw: st.DrawFn, value: object) -> str:
    """Return a value in a style of somebody's."""
    if isinstance(value, bool) or (isinstance(value, int) and draw(st.booleans())):
        return str(value).lower()
    if isinstance(value, int):
        return f"!!int {value}"
    text = str(value)
    if draw(st.booleans()) and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    inner = "".join(
        {"\\": "\\\\", '"': '\\"'}.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text
    )
    return f'"{inner}"'


def braces(draw: st.DrawFn, entry: Mapping[str, object]) -> str:
    pairs = [f"{key}: {quoted(draw, value)}" for key, value in entry.items()]
    comma = "," if draw(st.booleans()) and pairs else ""
    return "{" + ", ".join(pairs) + comma + "}"


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file with products, as somebody may have laid it out."""
    products = draw(PRODUCTS)
    indent, step = draw(st.sampled_from([(2, 2), (4, 4), (1, 3)]))
    lines = ["version: 1" + draw(COMMENTS), *draw(BETWEEN)]
    head = draw(st.sampled_from(["products:", '"products" :']))
    if not products:
        lines += draw(st.sampled_from([[], [head], [f"{head} {{}} # z"], [f"{head} ~"]]))
    else:
        lines.append(head + draw(COMMENTS))
        for code, entry in products.items():
            lines += draw(BETWEEN)
            key = " " * indent + quoted(draw, code)
            if draw(st.booleans()):
                lines.append(f"{key}: {braces(draw, entry)}" + draw(COMMENTS))
                continue
            lines.append(f"{key}:" + draw(COMMENTS))
            for name, value in entry.items():
                lines += draw(BETWEEN)
                lines.append(" " * (indent + step) + f"{name}: {quoted(draw, value)}" + draw(COMMENTS))
    lines += draw(BETWEEN)
    text = draw(st.sampled_from(["\n", "\r\n"])).join([*lines, *([""] if draw(st.booleans()) else [])])
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


PATHS = st.tuples(st.just("products"), st.sampled_from(CODES), st.sampled_from(["name", "item", "sync"]))


def puts(path: tuple[str, ...]) -> st.SearchStrategy[Edit]:
    values: st.SearchStrategy[str | int | bool] = (
        NAMES if path[-1] == "name" else REFERENCES if path[-1] == "item" else st.booleans()
    )
    return values.map(lambda value: Put(path, value))


EDITS = st.lists(
    PATHS.flatmap(puts) | PATHS.map(Drop) | PATHS.map(lambda path: Drop(path[:2])), min_size=1, max_size=6
)


def read(data: bytes) -> dict[str, dict[str, dict[str, object]]]:
    """Return what the products say, what is empty left out."""
    root = read_document(readable_text(data), [])
    assert isinstance(root, dict)
    return {code: dict(entry or {}) for code, entry in (root.get("products") or {}).items()}


def done(products: dict[str, dict[str, dict[str, object]]], edits: list[Edit]) -> object:
    """Do the edits in the plainest way."""
    for edit in edits:
        if isinstance(edit, Put):
            old = products.setdefault(edit.path[1], {}).get(edit.path[2])
            same_text = (
                isinstance(old, str) and isinstance(edit.value, str) and old.strip() == edit.value.strip()
            )
            products[edit.path[1]][edit.path[2]] = old if same_text else edit.value  # type: ignore[assignment]
        elif len(edit.path) == 2:
            products.pop(edit.path[1], None)
        else:
            products.get(edit.path[1], {}).pop(edit.path[2], None)
    return products


def comments(data: bytes) -> list[str]:
    return [line.strip() for line in data.decode("utf-8-sig").splitlines() if line.strip().startswith("#")]


@settings(max_examples=300)
@given(files(), EDITS)
def test_an_edit_does_what_it_says_in_any_layout(data: bytes, edits: list[Edit]) -> None:
    result = edited(data, edits)

    assert same(read(result), done(read(data), edits))
    assert edited(result, edits) == result or any(isinstance(edit, Drop) for edit in edits)
    assert result.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
    assert (b"\r\n" in data) == (b"\r\n" in result) or b"\n" not in data


@settings(max_examples=200)
@given(files(), PATHS.flatmap(puts))
def test_setting_one_value_leaves_every_line_but_its_own(data: bytes, edit: Put) -> None:
    before, result = data.splitlines(keepends=True), edited(data, [edit]).splitlines(keepends=True)
    before[-1] = before[-1].rstrip(b"\r\n") + b"\n"  # what had no line end may have got one
    result[-1] = result[-1].rstrip(b"\r\n") + b"\n"

    matches = difflib.SequenceMatcher(None, [b.strip() for b in before], [b.strip() for b in result], False)
    gone = sum(end - start for tag, start, end, _, _ in matches.get_opcodes() if tag in {"delete", "replace"})

    assert gone <= 1
    assert comments(b"".join(before)) == comments(b"".join(result))


@settings(max_examples=200)
@given(files().filter(read), REFERENCES, NAMES)
def test_taking_out_a_new_entry_gives_back_every_byte(data: bytes, item: int | str, name: str) -> None:
    entry = ("products", "NEW-MSP")
    added = edited(data, [Put((*entry, "item"), item), Put((*entry, "name"), name)])

    assert added != data
    assert edited(added, [Drop(entry)]) == data


@settings(max_examples=100)
@given(files(), EDITS)
def test_another_reader_of_yaml_agrees(data: bytes, edits: list[Edit]) -> None:
    result = edited(data, edits)
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)

    theirs = yaml.load(result.decode("utf-8-sig"))["products"] if b"products" in result else {}

    assert {str(code): entry or {} for code, entry in (theirs or {}).items()} == read(result)


@given(st.text("{}:#?|>'\"- \n,ab!&", max_size=40), EDITS)
def test_the_oddest_layout_is_edited_rightly_or_refused(odd: str, edits: list[Edit]) -> None:
    data = f"version: 1\nproducts:\n  A-MSP:\n    item: {odd}\n".encode()
    try:
        expected = done(read(data), edits)
        result = edited(data, edits)
    except (CommandFault, MappingsFault, Unreadable):
        return
    assert same(read(result), expected)


def test_ten_thousand_tenants_are_mapped_at_once() -> None:
    random.seed(0)
    ids = [f"{random.getrandbits(128):032x}" for _ in range(20_000)]
    entries = "".join(f"  {tenant_id}:\n    company: C # c\n    agreement: A\n" for tenant_id in ids[:10_000])
    before = f"version: 1\ntenants:\n{entries}".encode()
    edits = [
        Put(("tenants", tenant_id, key), value)
        for tenant_id in ids[10_000:]
        for key, value in (("company", "D"), ("agreement", 5))
    ]
    edits += [Put(("tenants", tenant_id, "company"), "E") for tenant_id in ids[:10_000]]

    result = edited(before, edits)

    new = "".join(f"  {tenant_id}:\n    company: D\n    agreement: 5\n" for tenant_id in ids[10_000:])
    assert result == before.replace(b"company: C", b"company: E") + new.encode()
