"""An edit of mappings.yaml changes what it names, and no other byte."""

import pytest
import yaml

from connector.errors import CommandFault, MappingsFault
from connector.mappings import Drop, Edit, Put, edited, parse_mappings
from connector.mappings.document import read_document

ITEM = ("products", "NDR-MSP", "item")
MAP_NDR = Put(ITEM, "SOPHOS-NDR")
TENANT = "223c98b5-d39e-4c60-afde-892a53de496c"
CDE = ("tenants", "T", "products", "CDE-MSP")


def after(text: str, *edits: Edit) -> str:
    """Return what edits make of a file that says `text` below its version."""
    return edited(f"version: 1\n{text}".encode(), edits).decode().removeprefix("version: 1\n")


def refusal(text: str, *edits: Edit) -> CommandFault:
    with pytest.raises(CommandFault) as caught:
        after(text, *edits)
    return caught.value


NEW_PRODUCTS = {
    "section_absent": ("", "\nproducts:\n  NDR-MSP:\n    item: SOPHOS-NDR\n"),
    "section_absent_no_newline": ("tenants:", "tenants:\n\nproducts:\n  NDR-MSP:\n    item: SOPHOS-NDR"),
    "section_absent_after_the_last_comment": (
        "tenants:\n  T: {company: A}\n  # the rest pays a fixed price\n\n# end\n\n",
        (
            "tenants:\n  T: {company: A}\n  # the rest pays a fixed price\n\n# end\n\n"
            "products:\n  NDR-MSP:\n    item: SOPHOS-NDR\n\n"
        ),
    ),
    "section_empty": (
        "products:   # none yet\n  # soon\ntenants:\n",
        "products:   # none yet\n  NDR-MSP:\n    item: SOPHOS-NDR\n  # soon\ntenants:\n",
    ),
    "section_null": ("products: ~ # x\n", "products: # x\n  NDR-MSP:\n    item: SOPHOS-NDR\n"),
    "section_null_tagged": ("products: !!null\n", "products:\n  NDR-MSP:\n    item: SOPHOS-NDR\n"),
    "section_null_below": ("products:\n  null\n", "products:\n  {NDR-MSP: {item: SOPHOS-NDR}}\n"),
    "section_braces": ("products: {}  # x\n", "products:  # x\n  NDR-MSP:\n    item: SOPHOS-NDR\n"),
    "section_braces_around_a_comment": (
        "products: { # x\n  }\n",
        "products: {NDR-MSP: {item: SOPHOS-NDR} # x\n  }\n",
    ),
    "section_in_braces": (
        "products: {A: {item: B}}\n",
        "products: {A: {item: B}, NDR-MSP: {item: SOPHOS-NDR}}\n",
    ),
    "section_in_braces_with_a_comma": (
        "products: {A: {item: B},}\n",
        "products: {A: {item: B}, NDR-MSP: {item: SOPHOS-NDR},}\n",
    ),
    "comments_after_the_last_entry": (
        "products:\n  A:\n    item: B # b\n    # about B\n\n  # more to come\n",
        (
            "products:\n  A:\n    item: B # b\n  NDR-MSP:\n    item: SOPHOS-NDR\n"
            "    # about B\n\n  # more to come\n"
        ),
    ),
    "four_spaces": (
        "products:\n    A:\n        item: B\n",
        "products:\n    A:\n        item: B\n    NDR-MSP:\n        item: SOPHOS-NDR\n",
    ),
    "four_spaces_in_another_section": (
        "tenants:\n    T:\n        company: B\nproducts:\n",
        "tenants:\n    T:\n        company: B\nproducts:\n    NDR-MSP:\n        item: SOPHOS-NDR\n",
    ),
    "no_newline": (
        "products:\n  A:\n    item: B",
        "products:\n  A:\n    item: B\n  NDR-MSP:\n    item: SOPHOS-NDR",
    ),
    "after_a_block_of_text": (
        "products:\n  A:\n    name: |+\n      B\n\n",
        "products:\n  A:\n    name: |+\n      B\n  NDR-MSP:\n    item: SOPHOS-NDR\n\n",
    ),
    "product_empty": ("products:\n  NDR-MSP: # x\n", "products:\n  NDR-MSP: # x\n    item: SOPHOS-NDR\n"),
    "product_empty_braces": ("products:\n  NDR-MSP: {}\n", "products:\n  NDR-MSP:\n    item: SOPHOS-NDR\n"),
    "product_empty_in_braces": ("products: {NDR-MSP: }\n", "products: {NDR-MSP: {item: SOPHOS-NDR} }\n"),
    "product_with_empty_braces_in_braces": (
        "products: {NDR-MSP: {}}\n",
        "products: {NDR-MSP: {item: SOPHOS-NDR}}\n",
    ),
    "product_with_a_question_mark_only": (
        "products:\n  ? NDR-MSP # x\n",
        "products:\n  ? NDR-MSP # x\n  : {item: SOPHOS-NDR}\n",
    ),
    "item_before_sync": (
        "products:\n  NDR-MSP:\n    name: N\n    sync: true\n",
        "products:\n  NDR-MSP:\n    name: N\n    item: SOPHOS-NDR\n    sync: true\n",
    ),
    "item_where_nothing_comes_before_it": (
        "products:\n  NDR-MSP:\n    sync: true\n",
        "products:\n  NDR-MSP:\n    sync: true\n    item: SOPHOS-NDR\n",
    ),
    "document_marks": (
        "products:\n  A: {item: B}\n...\n",
        "products:\n  A: {item: B}\n  NDR-MSP:\n    item: SOPHOS-NDR\n...\n",
    ),
    "section_absent_before_the_end_mark": ("...\n", "\nproducts:\n  NDR-MSP:\n    item: SOPHOS-NDR\n...\n"),
    "key_spelled_with_spaces": (
        'products:\n  " NDR-MSP ": {sync: true}\n',
        'products:\n  " NDR-MSP ": {sync: true, item: SOPHOS-NDR}\n',
    ),
}


@pytest.mark.parametrize(("before", "expected"), NEW_PRODUCTS.values(), ids=NEW_PRODUCTS.keys())
def test_a_product_is_mapped_and_all_else_stays(before: str, expected: str) -> None:
    assert after(before, MAP_NDR) == expected


VALUES = {
    "plain": ("item: A   # b", "item: SOPHOS-NDR   # b"),
    "empty": ("item:   # b", "item: SOPHOS-NDR   # b"),
    "single_quotes": ("item: 'A' # b", "item: 'SOPHOS-NDR' # b"),
    "double_quotes": ('"item": "A" # b', '"item": "SOPHOS-NDR" # b'),
    "number": ("item: 46 # b", "item: SOPHOS-NDR # b"),
    "tag": ("item: !!str 46 # b", "item: SOPHOS-NDR # b"),
    "next_line": ("item: # b\n      A # c", "item: # b\n      SOPHOS-NDR # c"),
    "lines": ("item: |- # b\n      A\n\n    # c", "item: SOPHOS-NDR # b\n\n    # c"),
    "folded": ("item: >\n      A\n      B\n    sync: true", "item: SOPHOS-NDR\n    sync: true"),
    "plain_lines": ("item: A\n      B # c", "item: SOPHOS-NDR # c"),
    "quoted_lines": ('item: "A\n      B" # c', 'item: "SOPHOS-NDR" # c'),
    "question_mark": ("? item\n    : A # c", "? item\n    : SOPHOS-NDR # c"),
    "question_mark_alone": ("? item # c", "? item # c\n    : SOPHOS-NDR"),
    "anchor": ("item: &a A", "item: SOPHOS-NDR"),
    "braces": ("{item: A, sync: true} # b", "{item: SOPHOS-NDR, sync: true} # b"),
    "braces_empty": ("{item: , sync: true}", "{item: SOPHOS-NDR , sync: true}"),
    "braces_no_colon": ("{item}", "{item: SOPHOS-NDR}"),
    "braces_new": ("{sync: true}", "{sync: true, item: SOPHOS-NDR}"),
}


@pytest.mark.parametrize(("before", "expected"), VALUES.values(), ids=VALUES.keys())
def test_a_value_is_replaced_in_its_place(before: str, expected: str) -> None:
    head = "products:\n  NDR-MSP:\n    "

    assert after(f"{head}{before}\n", MAP_NDR) == f"{head}{expected}\n"


DROPS = {
    "with_its_comment": (
        "products:\n  # about A\n  A: {item: B} # a\n  # about C\n  C: {sync: false}\n",
        "products:\n  # about A\n  # about C\n  C: {sync: false}\n",
    ),
    "the_only_one": ("products:\n  # x\n  A:\n    item: B\n\n# y\n", "products:\n  # x\n\n# y\n"),
    "no_newline": ("products:\n  C:\n  A:\n    item: B", "products:\n  C:"),
    "question_mark": ("products:\n  ? A # a\n  : item: B\n  ? C\n", "products:\n  ? C\n"),
    "from_braces_first": ("products: {A: {item: B}, C: {}}\n", "products: {C: {}}\n"),
    "from_braces_last": ("products: {C: {}, A: {item: B}}\n", "products: {C: {}}\n"),
    "from_braces_last_with_a_comma": ("products: {C: {}, A: {item: B},}\n", "products: {C: {}, }\n"),
    "from_braces_only": ("products: { A: {item: B}, } # x\n", "products: {} # x\n"),
    "from_braces_only_beside_a_comment": (
        "products: {\n  A: {item: B}, # a\n  }\n",
        "products: {\n   # a\n  }\n",
    ),
    "from_lines_in_braces": (
        "products: {\n  A: {item: B}, # a\n  C: {} # c\n  }\n",
        "products: {\n  C: {} # c\n  }\n",
    ),
    "last_from_lines_in_braces": (
        "products: {\n  C: {}, # c\n  A: {item: B} # a\n  }\n",
        "products: {\n  C: {} # c\n  }\n",
    ),
    "last_before_the_brace": ("products: {\n  C: {},\n  A: {item: B}}\n", "products: {\n  C: {}\n  }\n"),
    "not_there": ("products:\n  C: {}\n", "products:\n  C: {}\n"),
    "no_section": ("tenants:\n", "tenants:\n"),
}


@pytest.mark.parametrize(("before", "expected"), DROPS.values(), ids=DROPS.keys())
def test_an_entry_is_taken_out_with_its_own_comment_only(before: str, expected: str) -> None:
    assert after(before, Drop(("products", "A"))) == expected


def test_numbers_stay_as_they_are_written() -> None:
    before = "guards: {removals: 0.30, decrease: 5e-1}\n"

    assert after(before, Put(("guards", "at_least"), 7)) == before.replace("}", ", at_least: 7}")
    assert after(before, Put(("guards", "decrease"), 1)) == before.replace("5e-1", "1")


def test_the_first_line_of_a_file_can_be_taken_out() -> None:
    assert edited(b"products: {}\nversion: 1\n", [Drop(("products",))]) == b"version: 1\n"
    assert edited(b"products: {}\nversion: 1", [Drop(("products",))]) == b"version: 1"


def test_the_exceptions_of_a_tenant_come_and_go() -> None:
    alone = "tenants:\n  T:\n    products:\n      CDE-MSP: {sync: false}\n"
    two = alone + "      CIXA-MSP: {item: A, sync: true}\n"

    assert after(two, Drop((*CDE, "sync"))) == two.replace("      CDE-MSP: {sync: false}\n", "")
    assert after(alone, Drop((*CDE, "sync"))) == "tenants:\n  T:\n    products:\n"
    assert after(alone, Put((*CDE, "item"), 5)) == alone.replace("false}", "false, item: 5}")
    assert after(alone, Put((*CDE, "sync"), True)) == alone.replace("false", "true")
    assert after("tenants:\n  T:\n", Put(CDE, {"sync": False})) == (
        "tenants:\n  T:\n    products:\n      CDE-MSP:\n        sync: false\n"
    )


def test_two_keys_of_a_new_tenant_make_one_entry_beside_its_exceptions() -> None:
    edits = [
        Put(("tenants", "T", "company"), "Alder"),
        Put((*CDE, "sync"), False),
        Put(("tenants", "T", "agreement"), 118),
        Put(("firewalls", "x1"), "T"),
    ]

    assert after("tenants:\n", *edits) == (
        "tenants:\n  T:\n    company: Alder\n    products:\n      CDE-MSP:\n        sync: false\n"
        "    agreement: 118\n\nfirewalls:\n  X1: T\n"
    )


def test_sync_goes_before_the_exceptions_and_new_exceptions_stay_in_their_tenant() -> None:
    before = "tenants:\n  T:\n    company: A\n    products:\n      X: {sync: false}\n  U:\n    company: B\n"

    assert after(before, Put(("tenants", "T", "sync"), False), Put((*CDE, "item"), "I")) == (
        "tenants:\n  T:\n    company: A\n    sync: false\n    products:\n      X: {sync: false}\n"
        "      CDE-MSP:\n        item: I\n  U:\n    company: B\n"
    )


def test_keys_are_found_however_they_are_spelled() -> None:
    before = f"tenants:\n  '{TENANT.upper()}': {{company: A}}\nfirewalls:\n  ' x1 ': t\n"

    assert after(
        before, Put(("tenants", f" urn:uuid:{TENANT} ", "company"), "B"), Put(("firewalls", "X1"), "u")
    ) == (before.replace("company: A", "company: B").replace(": t", ": u"))
    assert after(before, Drop(("tenants", TENANT)), Drop(("firewalls", "X1"))) == "tenants:\nfirewalls:\n"


def test_a_value_that_means_the_same_is_left_as_it_is_spelled() -> None:
    before = f"products:\n  NDR-MSP: {{item: ' SOPHOS-NDR '}}\nfirewalls:\n  X1: {TENANT.upper()}\n"

    assert after(before, MAP_NDR, Put(("firewalls", "x1"), TENANT)) == before
    assert after("products:\n  NDR-MSP: {item: 1}\n", Put(ITEM, "1")) == 'products:\n  NDR-MSP: {item: "1"}\n'


def test_what_is_taken_out_and_put_in_again_stays_in_its_place() -> None:
    before = "products:\n  ' NDR-MSP': {item: A} # x\n  B: {}\n"

    assert after(before, Drop(("products", "NDR-MSP")), MAP_NDR) == before.replace("A}", "SOPHOS-NDR}")


def test_a_mapping_for_an_entry_that_is_there_leaves_its_other_keys() -> None:
    assert after(
        "products:\n  A: {name: N, item: B}\n", Put(("products", "A"), {"item": 3, "sync": False})
    ) == ("products:\n  A: {name: N, item: 3, sync: false}\n")
    assert after("products:\n  A:\n", Put(("products", "B"), {})) == "products:\n  A:\n  B: {}\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_line_ends_and_byte_order_mark_stay(mark: bytes, newline: bytes) -> None:
    before = mark + b"version: 1\nproducts:\n  A: {item: B} # \xc3\xa9\xf0\x9f\x8e\x84\n  C:\n    item: D"
    expected = before.replace(b"D", b"E") + b"\n  NDR-MSP:\n    item: SOPHOS-NDR"

    assert edited(
        before.replace(b"\n", newline), [Put(("products", "C", "item"), "E"), MAP_NDR]
    ) == expected.replace(b"\n", newline)


def test_json_stays_json() -> None:
    before = b'{"version": 1, "products": {"A": {"item":"B"}}}'
    edits = [MAP_NDR, Put(("products", "A", "item"), 5), Put(("firewalls", "X1"), "T")]

    assert edited(before, edits) == (
        b'{"version": 1, "products": {"A": {"item":5}, "NDR-MSP": {"item": "SOPHOS-NDR"}},'
        b' "firewalls": {"X1": "T"}}'
    )
    assert edited(b'{"version":1,"products":{"A":{"item":5}}}', [Put(("products", "A", "item"), "B")]) == (
        b'{"version":1,"products":{"A":{"item":"B"}}}'
    )


def test_json_in_lines_gets_lines() -> None:
    before = b'{\n  "version": 1,\n  "products": {\n    "A": {"item": "B"}\n  }\n}\n'
    commas = b"{\n  version: 1, # v\n  products: {}, # p\n}\n"

    assert edited(before, [MAP_NDR, Drop(("products", "A"))]) == before.replace(
        b'\n    "A": {"item": "B"}\n  ', b'"NDR-MSP": {"item": "SOPHOS-NDR"}'
    )
    assert edited(before, [MAP_NDR]) == before.replace(
        b'"B"}', b'"B"},\n    "NDR-MSP": {"item": "SOPHOS-NDR"}'
    )
    assert edited(commas, [Put(("defaults", "mark"), False)]) == commas.replace(
        b"# p", b"# p\n  defaults: {mark: false},"
    )


TEXTS = {
    "yes": '"yes"',
    "NO": '"NO"',
    "on": '"on"',
    "off": '"off"',
    "y": '"y"',
    "null": '"null"',
    "~": '"~"',
    "1e3": '"1e3"',
    "1e999": '"1e999"',
    "0x10": '"0x10"',
    "0o17": '"0o17"',
    "1_000": '"1_000"',
    "12:30:00": '"12:30:00"',
    "2026-10-01": '"2026-10-01"',
    "007": '"007"',
    "4711": '"4711"',
    "9" * 50: '"' + "9" * 50 + '"',
    ".5": '".5"',
    "-x": '"-x"',
    "? x": '"? x"',
    "*x": '"*x"',
    "&x": '"&x"',
    "!x": '"!x"',
    "@x": '"@x"',
    "%x": '"%x"',
    "=": '"="',
    "...": '"..."',
    "a: b": '"a: b"',
    "a:": '"a:"',
    "a:b": "a:b",
    "a #b": '"a #b"',
    "a#b": "a#b",
    "{a}": '"{a}"',
    "a, b": "a, b",
    "it's": "it's",
    '"a"': "'\"a\"'",
    '"it\'s"': '"\\"it\'s\\""',
    "c:\\d": "c:\\d",
    "'\\": '"\'\\\\"',
    "Bäckerei 🎄": "Bäckerei 🎄",
    "no\u00a0break": '"no\\xA0break"',
    "family \U0001f468\u200d\U0001f469": '"family 👨\\u200D👩"',
    "tag \U000e0041": '"tag \\U000E0041"',
    "x" * 3000: "x" * 3000,
    "223c98b5-d39e-4c60-afde-892a53de496c": "223c98b5-d39e-4c60-afde-892a53de496c",
}


@pytest.mark.parametrize(("text", "written"), TEXTS.items(), ids=[text[:12] for text in TEXTS])
def test_text_is_quoted_where_any_reader_could_take_it_for_something_else(text: str, written: str) -> None:
    result = after("products:\n  A:\n    name: old\n", Put(("products", "A", "name"), text))

    assert result == f"products:\n  A:\n    name: {written}\n"
    assert yaml.safe_load(result) == {"products": {"A": {"name": text}}}


@pytest.mark.parametrize("text", ["", "  padded  ", "two\nlines\r\n\tand a tab", "'", '"', "\\"])
@pytest.mark.parametrize("old", ["old", "'old'", '"old"', "|\n      old"])
@pytest.mark.parametrize("shape", ["\n    name: {}\n", " {{name: {}, item: 3}}\n"])
def test_any_text_is_read_again_as_it_was_given(text: str, old: str, shape: str) -> None:
    if shape.startswith(" ") and old.startswith("|"):
        old = "a,"
        shape = " {{name: '{}'}}\n"

    result = after("products:\n  A:" + shape.format(old), Put(("products", "A", "name"), text))

    # Where the old one says the same but for spaces around it, it stays; no text here is "old".
    assert read_document(result, []) == {
        "products": {"A": {"name": text} | ({"item": 3} if "item" in result else {})}
    }


def test_keys_that_look_like_something_else_are_quoted() -> None:
    assert after("", Put(("products", "1E5", "item"), 3), Put(("products", "on", "item"), 3)) == (
        '\nproducts:\n  "1E5":\n    item: 3\n  "on":\n    item: 3\n'
    )


def test_between_braces_text_is_quoted_more_often() -> None:
    assert after("products: {A: {item: B}}\n", Put(("products", "A", "name"), "a, b")) == (
        'products: {A: {item: B, name: "a, b"}}\n'
    )


# What is refused ---------------------------------------------------------------------------------


def test_a_layout_that_cannot_be_edited_is_left_alone_and_the_lines_to_write_are_shown() -> None:
    edits: list[Edit] = [Put((*CDE, "item"), "a: b"), Drop(("products", "X", "item"))]

    error = refusal("products:\n  ? X\n  : item: Y\n    sync: true\n", *edits)

    assert error.message == (
        "mappings.yaml is laid out in a way that cannot be edited safely, so it was left as it is.\n\n"
        "  tenants:\n    T:\n      products:\n        CDE-MSP:\n"
        '          item: "a: b"\n  take out products.X.item'
    )
    assert "by hand" in error.next_step


def test_an_emptied_section_whose_tag_forbids_it_is_refused() -> None:
    assert "laid out" in refusal("products: !!map\n  A:\n    item: B\n", Drop(("products", "A"))).message


def test_anchors_given_twice_are_refused() -> None:
    assert "laid out" in refusal("products:\n  A: &a {item: &a B}\n", MAP_NDR).message


def test_a_key_too_long_for_a_line_is_refused_with_few_lines_shown() -> None:
    edits = [Put(("products", f"{n}" * 2000, "item"), 1) for n in range(30)]

    assert refusal("", *edits).message.endswith("\n  ... and 21 more lines")


def test_a_value_where_entries_belong_is_refused() -> None:
    assert "laid out" in refusal("firewalls:\n  X1: T\n", Put(("firewalls", "X1", "tenant"), "U")).message


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Put(("products", "A", "itme"), "B"), 'products.A: unknown key "itme"; did you mean "item"?'),
        (Put(("products", "A", "item"), " "), "products.A.item: is empty"),
        (Put(("products", "A"), "B"), "products.A: must be a mapping"),
        (Put(("firewalls", "X1"), 5), "firewalls.X1: must be a tenant id"),
        (Drop(("version",)), "version is missing"),
    ],
)
def test_an_edit_that_would_put_the_file_at_fault_says_which_fault(edit: Edit, says: str) -> None:
    error = refusal("products:\n  A:\n    item: 1\n", edit)

    assert error.message.startswith("This would put mappings.yaml at fault, so it was left as it is.\n\n  ")
    assert says in error.message


def test_half_a_character_is_refused() -> None:
    assert "half a character" in refusal("", Put(("products", "A", "name"), "x\ud800")).message


@pytest.mark.parametrize(
    "text",
    ["products: [A]\n", "products: 5\n", "x: 1\n", "<<: {}\n", "products: {\n", "a: \0", "products: *a"],
)
def test_a_file_that_was_at_fault_before_is_told_its_own_faults(text: str) -> None:
    before = f"version: 1\n{text}".encode()
    with pytest.raises(MappingsFault) as own:
        parse_mappings(before, "mappings.yaml")

    with pytest.raises(MappingsFault) as caught:
        edited(before, [MAP_NDR])

    assert caught.value.faults == own.value.faults


def test_an_edit_can_mend_a_fault() -> None:
    assert (
        after("products:\n  NDR-MSP: {item: 1.5}\n", MAP_NDR) == "products:\n  NDR-MSP: {item: SOPHOS-NDR}\n"
    )
