"""What the product commands work out without asking anybody: codes, references, defaults, aftermaths."""

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import CommandFault
from connector.model import (
    CatalogRecord,
    Choice,
    ItemPatch,
    Key,
    Mappings,
    NewItem,
    ProductEntry,
    ProductException,
    TenantEntry,
    UsageRow,
)
from connector.planning.aftermath import TurnedOn, left_behind, turned_off, turned_on
from connector.planning.change import KnownAddition
from connector.planning.directory import Name
from connector.planning.findings import Part
from connector.planning.item_edit import FieldChange, WishedReferences, item_edit
from connector.planning.new_item import (
    References,
    Wish,
    class_of,
    cut_to_units,
    money_of,
    no_choice,
    not_as_asked,
    pick,
    proposed,
    unit_cost,
)
from connector.planning.prices import Money
from connector.planning.product_codes import known_code
from connector.planning.references import code_command, item_reference, map_command

SOPHOS, OTHER = Choice(1, "Sophos"), Choice(2, "Other")
ROWS = References(SOPHOS, Choice(7, "Subscription"))


# Codes -------------------------------------------------------------------------------------------


def code(text: str, *known: str) -> str:
    return known_code(text, known, where="the map", next_step="look")


def test_a_code_is_found_exactly_or_in_any_case_where_only_one_is() -> None:
    assert code(" CIXA-MSP ", "CIXA-MSP", "cixa-msp") == "CIXA-MSP"
    assert code("cixa-MSP", "CIXA-MSP", "CEMA-MSP") == "CIXA-MSP"
    with pytest.raises(CommandFault, match="CIXA-MSP or cixa-msp"):
        code("Cixa-Msp", "CIXA-MSP", "cixa-msp")


def test_an_unknown_code_names_near_ones_if_there_are_any() -> None:
    with pytest.raises(CommandFault, match=r"'CIXA' is in the map; near: CIXA-MSP\. mappings"):
        code("CIXA", "CIXA-MSP", "NDR-MSP", "")
    with pytest.raises(CommandFault, match=r"'X' is in the map\. mappings"):
        code("X", "CIXA-MSP")


# References --------------------------------------------------------------------------------------


def test_an_item_is_written_by_its_identifier() -> None:
    once = {Name("item", 0, "sophos-mdr"): 4}
    assert item_reference(4, " SOPHOS-MDR ", [4], once).value == "SOPHOS-MDR"
    assert item_reference(4, "SOPHOS-MDR", [], {}).why == ""


@pytest.mark.parametrize(
    ("identifier", "same_name", "remembered", "why"),
    [
        (" ", [4], {}, "cannot be written as text"),
        ("a\u202eb", [4], {}, "cannot be written as text"),
        ("MDR", [4, 9], {}, "several items"),
        ("MDR", [4], {Name("item", 0, "mdr"): 9}, "meant id 9 until now"),
    ],
)
def test_an_identifier_that_might_find_another_item_is_not_written(
    identifier: str, same_name: list[int], remembered: Mapping[Name, int], why: str
) -> None:
    written = item_reference(4, identifier, same_name, remembered)
    assert written.value == 4
    assert why in written.why


def test_commands_are_written_as_every_shell_reads_them() -> None:
    assert map_command("A-MSP", "X") == "connector products map A-MSP X"
    assert map_command("A-MSP", 48) == "connector products map A-MSP 48"
    assert map_command("A-MSP", "4711") == 'connector products map A-MSP "identifier:4711"'
    assert map_command("-A", "two words") == 'connector products map -- "-A" "two words"'
    assert map_command("A$B", "a`b") == "connector products map CODE ITEM"
    assert code_command("add", "-A") == 'connector products add -- "-A"'


# A new item --------------------------------------------------------------------------------------


def test_a_new_item_is_called_as_sophos_calls_the_product() -> None:
    new = proposed("ndr-msp", "Network Detection", Decimal(21), Wish(price=Decimal(30)), ROWS)
    assert new == NewItem(
        "NDR-MSP",
        "Network Detection",
        "Network Detection",
        subcategory=1,
        type=7,
        price=Decimal(30),
        cost=Decimal(21),
    )


def test_a_product_without_a_name_is_called_by_its_code() -> None:
    assert proposed("NDR-MSP", "\n", None, Wish(), ROWS).description == "NDR-MSP"


def test_what_a_person_says_counts_more_than_defaults() -> None:
    said = Wish("NET", "Watch", "Your watch", "Service", Decimal(3), Decimal(2), taxable=True)
    new = proposed("NDR-MSP", "Detection", Decimal(21), said, References(OTHER, SOPHOS, Choice(9, "Each")))
    assert new == NewItem(
        "NET", "Watch", "Your watch", 2, 1, 9, "Service", Decimal(3), Decimal(2), taxable=True
    )


@given(st.text(max_size=90))
def test_a_name_cut_to_the_limit_fits_and_begins_the_name(name: str) -> None:
    cut = cut_to_units(name, 60)
    assert len(cut.encode("utf-16-le", "surrogatepass")) <= 120
    assert name.startswith(cut)


def test_a_cut_halves_no_character() -> None:
    assert cut_to_units("x" * 59 + "\U0001f600", 60) == "x" * 59


def row(price: str | None, currency: str = "USD") -> UsageRow:
    said = {"unitPrice": price, "unitPriceCurrency": currency}
    return UsageRow("NDR-MSP", Decimal(1), received=json.dumps(said))


def test_the_cost_is_what_all_rows_agree_on() -> None:
    assert unit_cost([row("2.10"), row("2.1")]) == Money(Decimal("2.10"), "USD")
    assert unit_cost([row("2.10"), row("2.20")]) is None
    assert unit_cost([row("2.10"), row("2.10", "EUR")]) is None
    assert unit_cost([row("2.10"), row(None)]) is None
    assert unit_cost([]) is None


def test_money_is_an_exact_plain_number() -> None:
    assert money_of(None, "--price") is None
    assert money_of(" 0.10 ", "--price") == Decimal("0.10")
    for wrong in ("1,50", "1e3", "-1", "$5", "", "NaN", "٣", "1."):
        with pytest.raises(CommandFault, match="--price"):
            money_of(wrong, "--price")


def test_a_class_is_one_that_an_agreement_can_carry() -> None:
    assert class_of(None) is None
    assert class_of(" noninventory ") == "NonInventory"
    with pytest.raises(CommandFault, match="of class Agreement"):
        class_of("Bundle")


def test_a_row_of_a_table_is_picked_by_name_or_id() -> None:
    old = Choice(3, "Old", inactive=True)
    listed = (SOPHOS, OTHER, old, Choice(4, "old"), Choice(5, "2"))
    assert pick(listed, " sophos ", "--type") == SOPHOS
    assert pick(listed, "1", "--type") == SOPHOS
    assert pick(listed, "OLD", "--type") == Choice(4, "old")  # the active one of two
    assert pick((Choice(8, "8"),), "8", "--type").id == 8
    for text, told in (("2", "means several: 2 .5., Other .2."), ("3", "is inactive"), ("none", "is not in")):
        with pytest.raises(CommandFault, match=told) as fault:
            pick(listed[:3] if text == "3" else listed, text, "--type")
        assert "Other (2)" in fault.value.next_step


def test_many_rows_are_not_all_listed() -> None:
    many = [Choice(number, f"Row {number:02}") for number in range(1, 26)]
    assert no_choice(many, "--type").next_step.endswith("Row 20 (20) and 5 more.")
    assert "no active row" in no_choice([], "--type").message


def test_an_item_found_after_a_lost_answer_is_held_against_what_was_asked_for() -> None:
    new = NewItem("NDR", "Net  watch", "Net watch", 1, 7, price=Decimal("1.50"))
    made = CatalogRecord(5, "NDR", "Net watch", "Net watch", product_class="Agreement", price=Decimal("1.5"))
    assert not_as_asked(made, new) == ()
    dearer = CatalogRecord(5, "NDR", "Net watch", "Net watch", product_class="Agreement", price=Decimal(2))
    assert not_as_asked(dearer, new) == ("its price is 2, not 1.50",)


# An edit -----------------------------------------------------------------------------------------

ITEM = CatalogRecord(
    41, "EDR", "Endpoint", "Endpoint", "Sophos", "Security", "Agreement", "Each", "Agreement", Decimal(4)
)


def test_an_edit_sets_just_what_differs() -> None:
    wish = Wish(description=" Endpoint ", price=Decimal("4.50"), product_class="Agreement", cost=Decimal(0))
    edit = item_edit(ITEM, wish, WishedReferences(Choice(9, "sophos"), Choice(8, "Service")), inactive=False)
    assert edit.patch == ItemPatch(price=Decimal("4.50"), cost=Decimal(0), type=8)
    assert edit.changes == (
        FieldChange("type", "Agreement", "Service"),
        FieldChange("price", Decimal(4), Decimal("4.50")),
        FieldChange("cost", None, Decimal(0)),
    )
    assert [note[:20] for note in edit.notes] == ["Additions that bill "]


def test_an_edit_of_every_field_sets_every_field() -> None:
    wish = Wish(None, "New", "New, too", "Service", Decimal(5), Decimal(3), taxable=True)
    rows = WishedReferences(Choice(2, "Other"), Choice(3, "Service"), Choice(4, "Hour"))
    edit = item_edit(ITEM, wish, rows, inactive=True)
    assert edit.patch == ItemPatch(
        "New", "New, too", 2, 3, 4, "Service", Decimal(5), Decimal(3), taxable=True, inactive=True
    )
    assert len(edit.changes) == 10
    assert len(edit.notes) == 3
    activated = item_edit(CatalogRecord(1, "A", inactive=True), Wish(), WishedReferences(), inactive=False)
    assert (len(activated.changes), activated.notes) == (1, ())


# What comes of it --------------------------------------------------------------------------------


def line(addition_id: int, *parts: Part, item: int = 41, closed: bool = False) -> KnownAddition:
    return KnownAddition(addition_id, Key(101, item), Decimal(5), parts, closed=closed)


def part(tenant: str, code: str, quantity: int = 1) -> Part:
    return Part(tenant, code, Decimal(quantity))


def after(products: Mapping[str, ProductEntry], **tenants: TenantEntry) -> Mappings:
    everybody = {name: TenantEntry(name, name, "Managed") for name in "abc"}
    return Mappings(products=products, tenants={**everybody, **tenants})


def test_lines_go_on_billing_where_nothing_but_the_code_that_is_off_fed_them() -> None:
    off = after({"A": ProductEntry(item="X", sync=False), "B": ProductEntry(item="X")})
    lines = (
        line(1, part("a", "A")),
        line(2, part("a", "A"), part("b", "B")),
        line(3, part("a", "B")),
        line(4, part("a", "A"), closed=True),
    )
    assert [(each.line.id, each.rest) for each in turned_off("A", lines, off)] == [(1, ()), (2, ("B",))]


def test_a_tenants_exception_keeps_its_line_and_a_tenant_that_is_off_feeds_none() -> None:
    excepted = TenantEntry("a", "a", "Managed", products={"A": ProductException(item="Y")})
    off = after(
        {"A": ProductEntry(), "B": ProductEntry(item="X")},
        a=excepted,
        b=TenantEntry("b", "b", "Managed", sync=False),
    )
    lines = (line(1, part("a", "A")), line(2, part("c", "A"), part("b", "B"), part("a", "A")))
    assert [(each.line.id, each.rest) for each in turned_off("A", lines, off)] == [(2, ("A",))]


def test_lines_of_another_item_are_left_behind_and_those_of_the_same_are_not() -> None:
    mapped = after({"A": ProductEntry(item="Y"), "B": ProductEntry(item="X")})
    lines = (
        line(1, part("a", "A"), item=41),
        line(2, part("a", "A"), item=42),
        line(3, part("b", "A"), part("b", "B")),
    )
    found = left_behind("A", lines, mapped, "Y", 42)
    assert [(each.line.id, each.rest) for each in found] == [(1, ()), (3, ("B",))]


def test_usage_is_billed_now_or_waits_for_its_tenant() -> None:
    mapped = after({"A": ProductEntry(item="Y")}, c=TenantEntry("c", sync=False))
    used = [part("a", "A", 3), part("b", "A", 2), part("c", "A", 9), part("d", "A", 4), part("a", "B", 8)]
    assert turned_on("A", used, mapped, "Y") == TurnedOn(2, Decimal(5), 1, Decimal(4))
