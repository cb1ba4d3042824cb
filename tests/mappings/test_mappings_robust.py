"""Whatever bytes the file holds, reading ends with Mappings or with faults: no traceback, no endless run."""

import random
import re
from pathlib import Path
from typing import cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Fault, MappingsFault
from connector.mappings import document, load_mappings, parse_mappings
from connector.model import Mappings

HERE = Path(__file__).parent
SAMPLES = sorted(HERE.glob("*/*.yaml"))
STRUCTURE = [
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\n  ",
    "\n---\n",
    "\n...\n",
    "version: 1\n",
    "products:\n",
]
SCALARS = ["#", "'", '"', ">-", "|\n", "~", "0", "0x", "1e999", "1.5", "\\UFFFFFFFF", "\\e"]
REFUSED = ["&a ", "*a", "!!int ", "!x ", "<<: ", "%TAG ! x", "%YAML 1.1\n", "\t", "\r", "\0", "\u2028"]
PIECES = st.sampled_from([*STRUCTURE, *SCALARS, *REFUSED])
BYTES = PIECES.map(str.encode) | st.sampled_from([b"\xff", b"\xef\xbb\xbf", b"9" * 5000])


def outcome(data: bytes) -> Mappings | list[Fault]:
    """Return what the bytes say, or their faults."""
    try:
        return parse_mappings(data, "mappings.yaml")
    except MappingsFault as refused:
        return list(refused.faults)


def places(result: Mappings | list[Fault]) -> list[tuple[int, int]]:
    return [(fault.line, fault.column) for fault in cast("list[Fault]", result)]


def assert_sound(data: bytes) -> None:
    result = outcome(data)
    if isinstance(result, list):
        assert result
        assert result == sorted(result)
        assert all(fault.line > 0 and fault.column > 0 and fault.message.isprintable() for fault in result)


@given(st.binary() | st.text().map(str.encode) | st.lists(BYTES).map(b"".join))
def test_any_bytes_give_mappings_or_faults(data: bytes) -> None:
    assert_sound(data)


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_file_gives_mappings_or_faults(path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 12)))
        content = content[:start] + data.draw(BYTES | st.binary(max_size=4)) + content[end:]

    assert_sound(content)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_without_libyaml_a_file_reads_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml = outcome(path.read_bytes())
    monkeypatch.setattr(document, "_Loader", yaml.SafeLoader)
    without = outcome(path.read_bytes())

    assert without == with_libyaml or places(without) == places(with_libyaml)  # its words for syntax differ


def test_without_libyaml_an_impossible_escape_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_Loader", yaml.SafeLoader)

    [fault] = cast("list[Fault]", outcome(b'version: "\\UFFFFFFFF"'))

    assert fault.message.startswith("this is not YAML: ")


def test_every_character_of_yaml_can_be_read_but_for_odd_line_ends() -> None:
    characters = "".join(map(chr, [*range(0x20, 0xD800), *range(0xE000, 0x110000)]))
    readable = yaml.reader.Reader.NON_PRINTABLE.sub("", characters)
    text = re.sub("[\x7f\x85\u2028\u2029\ufeff]", "", readable)

    assert outcome(f"version: 1 # {text}".encode()) == Mappings()


@pytest.mark.parametrize("deep", ["[", "{a: ", "- ", "? ", "[? "])
def test_deep_nesting_is_refused_before_it_costs_anything(deep: str) -> None:
    [fault] = cast("list[Fault]", outcome(b"---\n" + deep.encode() * 100_000))

    assert fault.message == "nested deeper than 20 levels"


def test_a_bomb_of_aliases_is_refused_alias_by_alias() -> None:
    lines = ["version: 1", "a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]

    with pytest.raises(MappingsFault, match=r"an alias .* is not allowed") as caught:
        parse_mappings("\n".join(lines).encode(), "mappings.yaml")
    assert len(caught.value.faults) == 8 * 9 + 9


def test_a_file_of_fifty_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "mappings.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)

    with pytest.raises(MappingsFault, match="1:1  the file is larger than 16 MiB and was not read"):
        load_mappings(path)


def test_a_file_of_a_million_values_is_not_read_to_its_end() -> None:
    [fault] = cast("list[Fault]", outcome(b"- x\n" * 1_000_000))

    assert fault == Fault(500_000, 3, "the file holds more than 500000 values and was not read further")


def test_ten_thousand_tenants_can_be_read() -> None:
    random.seed(0)
    tenants = "".join(
        f"  {random.getrandbits(128):032x}: {{company: C{n}, agreement: {n + 1}}}\n" for n in range(10_000)
    )

    assert len(parse_mappings(f"version: 1\ntenants:\n{tenants}".encode(), "mappings.yaml").tenants) == 10_000
