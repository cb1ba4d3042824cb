"""One file for each fault that mappings.yaml can have; its first line says what is to be said of it."""

from pathlib import Path

import pytest

from connector.errors import Fault, MappingsFault
from connector.mappings import parse_mappings

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.yaml"), key=lambda path: path.stem)


def faults_of(text: str | bytes) -> list[str]:
    """Return the faults of `text` as `line:column  message`."""
    with pytest.raises(MappingsFault) as caught:
        parse_mappings(text if isinstance(text, bytes) else text.encode(), "mappings.yaml")
    return [f"{fault.line}:{fault.column}  {fault.message}" for fault in caught.value.faults]


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_a_fault_is_reported_once_where_it_stands(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")

    assert faults_of(path.read_bytes()) == [expected]


def test_all_faults_of_a_file_are_reported_together_in_its_order() -> None:
    text = """
firewalls: {X11: ''}
products:
  CIXA: {itme: A}
  CDE: {item: *a}
  CDE: {item: 1.5, sync: no}
guards: {removals: 2}
defaults: {mark: 1, absent: gone}
tenants:
  " ": {company: 0}
  A: {products: {X: , Y: {sync: maybe}}}
  urn:uuid:A: {}
"""
    places = [fault.split()[0:2] for fault in faults_of(text)]

    assert places == [
        ["1:1", "version"],
        ["2:18", "firewalls.X11:"],
        ["4:10", "products.CIXA:"],
        ["5:15", "products.CDE.item:"],
        ["6:3", "products.CDE:"],
        ["7:20", "guards.removals:"],
        ["8:18", "defaults.mark:"],
        ["8:29", "defaults.absent:"],
        ["10:3", 'tenants."'],
        ["10:18", 'tenants."'],
        ["11:18", "tenants.A.products.X:"],
        ["11:33", "tenants.A.products.Y.sync:"],
        ["12:3", 'tenants."urn:uuid:A":'],
    ]


def test_the_message_names_the_file_counts_the_faults_and_says_how_to_go_on() -> None:
    with pytest.raises(MappingsFault) as caught:
        parse_mappings(b"version: 1\nproduct: {}\nguards: 3\n", "conf/mappings.yaml")

    assert caught.value.message == (
        "conf/mappings.yaml has 2 faults.\n"
        '\n  2:1  unknown key "product"; did you mean "products"?'
        "\n  3:9  guards: must be a mapping (lines of `key: value`), not 3"
        "\n\nNothing was read from or written to a vendor."
    )
    assert caught.value.exit_code == 2
    assert caught.value.faults[0] == Fault(2, 1, 'unknown key "product"; did you mean "products"?')


@pytest.mark.parametrize(
    ("extra", "last"), [(1, "1 more fault from here on"), (7, "7 more faults from here on")]
)
def test_a_hundred_faults_are_reported_and_the_rest_is_counted(extra: int, last: str) -> None:
    lines = [f"key{number}: 0" for number in range(100 + extra)]

    found = faults_of("\n".join(["version: 1", *lines]))

    assert len(found) == 101
    assert found[-1] == f"102:1  {last}"


def test_a_hundred_faults_are_reported_one_by_one() -> None:
    assert len(faults_of("version: 1\n" + "\n".join(f"key{number}: 0" for number in range(100)))) == 100


def test_a_hundred_odd_characters_are_reported_and_the_rest_is_mentioned() -> None:
    found = faults_of("version: 1\n# " + "\x07" * 200)

    assert len(found) == 101
    assert found[0] == "2:3  the character U+0007 is not allowed; take it out"
    assert found[-1] == "2:103  more such characters from here on"


def test_what_a_message_quotes_is_cut_and_cannot_steer_a_terminal() -> None:
    [fault] = faults_of('version: 1\ndefaults: {absent: "\\e]0;owned\\a \\"' + "x" * 500 + '"}')

    start = '2:20  defaults.absent: "\\x1b]0;owned\\x07 \\"xxx'
    assert fault.startswith(start)
    assert fault.endswith('…" is not allowed; allowed: zero, end, keep')
    assert len(fault) < 140


def test_a_key_at_fault_is_cut_and_cannot_steer_a_terminal() -> None:
    [fault] = faults_of('version: 1\nproducts: {"\\e[2J' + "x" * 500 + '": {item: A}}')

    assert fault.startswith('2:12  products."\\x1b[2Jxxx')
    assert len(fault) < 170


def test_the_list_inside_a_value_is_searched_for_faults_too() -> None:
    assert faults_of("version: 1\nproducts: {A: {item: [x, *a, [!b c]]}}") == [
        "2:22  products.A.item: must be text (a name) or a whole number (an id), not a list",
        "2:26  products.A.item.2: an alias (*) is not allowed; write the value out",
        '2:31  products.A.item.3.1: "!b" is a tag that is not allowed here; write plain text or a number',
    ]


def test_a_file_of_another_encoding_is_told_how_to_be_saved() -> None:
    text = "version: 1\nproducts: {CIXA: {name: Ärzte}}\n"

    assert faults_of(text.encode("cp1252")) == ["2:25  the byte 0xC4 is not UTF-8; save the file as UTF-8"]
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert faults_of(text.encode(encoding)) == [
            "1:1  the file is UTF-16 or no text at all; save it as UTF-8"
        ]


def test_columns_are_counted_in_characters_and_lines_as_windows_and_old_macs_end_them() -> None:
    assert faults_of("version: 1\r\nproducts:\r  'Ä😀': {sync: 1}")[0].startswith("3:16  ")
    assert faults_of("version: 1\r\n# \r# Ä😀\x07")[0].startswith("3:5  ")
    assert faults_of("\ufeffversion: 2")[0].startswith("1:10  ")


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "--- ~\n...\n", "{}", "\ufeff"])
def test_an_empty_file_is_told_to_begin_with_the_version(text: str) -> None:
    assert faults_of(text) == ["1:1  version is missing; begin the file with version: 1"]
