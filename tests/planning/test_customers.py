"""Companies and agreements, found by what people type and written so that the map finds just them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connector.errors import CommandFault
from connector.model import (
    Agreement,
    CatalogItem,
    Company,
    Defaults,
    Key,
    Mappings,
    ProductEntry,
    TenantEntry,
)
from connector.planning.change import KnownAddition
from connector.planning.customers import Customers, company_label, listed
from connector.planning.directory import Directory, Name
from connector.planning.fed import goes_on, left_behind
from connector.planning.findings import Part
from connector.planning.resolve import Placer

TODAY = date(2026, 10, 28)
ALDER = Company(7, "Alder", "Alder Ltd")
SECURITY = Agreement(118, "Managed Security", 7, "Alder Ltd")


def directory(
    *companies: Company, agreements: tuple[Agreement, ...] = (), remembered: dict[Name, int] | None = None
) -> Directory:
    items = (CatalogItem(48, "SOPHOS-ENDPOINT"),)
    return Directory(
        companies=companies, agreements=agreements, items=items, remembered=remembered or {}, today=TODAY
    )


def customers(
    *companies: Company, agreements: tuple[Agreement, ...] = (), remembered: dict[Name, int] | None = None
) -> Customers:
    return Customers(directory(*companies, agreements=agreements, remembered=remembered))


def test_an_identifier_goes_before_another_companys_name() -> None:
    other = Company(8, "B", "Alder")
    assert customers(other, ALDER).company(" ALDER ") == ALDER
    assert customers(other).company("alder") == other


def test_a_number_is_an_id_unless_it_is_somebodys_identifier_too() -> None:
    number = Company(8, "7", "Seven")
    assert customers(ALDER).company("7") == ALDER
    assert customers(replace(number, id=9)).company("7").id == 9
    with pytest.raises(CommandFault, match="2 companies may be meant by '7'") as caught:
        customers(ALDER, number).company("7")
    assert "id:7" in caught.value.next_step
    assert customers(ALDER, number).company("ID: 8") == number


def test_the_living_go_before_the_deleted() -> None:
    merged = Company(3, "Alder", "Alder Ltd", deleted=True)
    assert customers(merged, ALDER).company("Alder Ltd") == ALDER
    with pytest.raises(CommandFault, match="was deleted in ConnectWise, or merged"):
        customers(merged).company("alder ltd")


def test_an_active_agreement_goes_before_an_ended_one_of_its_name() -> None:
    ended = replace(SECURITY, id=100, end=date(2025, 1, 1))
    found = customers(ALDER, agreements=(ended, SECURITY))
    assert found.agreement(ALDER, "managed security") == SECURITY
    assert found.agreement(ALDER, "118") == SECURITY
    assert found.agreements(ALDER) == (SECURITY, ended)
    assert found.active(ALDER) == (SECURITY,)
    with pytest.raises(CommandFault, match="ended on 2025-01-01") as caught:
        found.agreement(ALDER, "id:100")
    assert caught.value.next_step == 'Its active ones: "Managed Security" (id:118).'


def test_another_companys_agreement_is_named_as_such() -> None:
    with pytest.raises(CommandFault, match="agreement 5 is one of Birch"):
        customers(ALDER, agreements=(SECURITY, Agreement(5, "X", 8, "Birch"))).agreement(ALDER, "5")


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ((Company(9, "ALDER"),), "several companies have the identifier"),
        ((Company(9, "ALDER", deleted=True),), ""),
    ],
)
def test_an_identifier_is_written_unless_it_is_not_unique(others: tuple[Company, ...], why: str) -> None:
    said = customers(ALDER, *others).written_company(ALDER)
    assert (said.value, why in said.why, bool(said.why)) == (7 if why else "Alder", True, bool(why))


@pytest.mark.parametrize("identifier", ["", " ", "Al\u202eder", "Al\nder"])
def test_what_cannot_be_typed_is_written_by_its_id(identifier: str) -> None:
    company = Company(7, identifier)
    agreement = Agreement(118, identifier, 7)
    found = customers(company, agreements=(agreement,))
    assert (found.written_company(company).value, found.written_agreement(company, agreement).value) == (
        7,
        118,
    )
    assert found.map_command("t", company, agreement) == "connector tenants map t id:7 id:118"


def test_what_meant_another_record_until_now_is_written_by_its_id() -> None:
    once = {Name("company", 0, "alder"): 3, Name("agreement", 7, "managed security"): 4}
    found = customers(ALDER, agreements=(SECURITY,), remembered=once)
    assert found.written_company(ALDER).value == 7
    assert found.written_agreement(ALDER, SECURITY).value == 118
    assert "meant another agreement until now" in found.written_agreement(ALDER, SECURITY).why


@pytest.mark.parametrize(
    ("tenant_id", "identifier", "name", "command"),
    [
        ("t-1", "Alder", "Managed Security", 't-1 Alder "Managed Security"'),
        ("t-1", "4711", "24/7", "t-1 id:7 24/7"),
        ("-t", "-rf", 'Say "hi" $HOME', '-- "-t" id:7 id:118'),
        ("a\nb", "Alder", "id:5", "TENANT Alder id:118"),
    ],
)
def test_the_command_is_read_alike_by_every_shell(
    tenant_id: str, identifier: str, name: str, command: str
) -> None:
    company, agreement = Company(7, identifier), Agreement(118, name, 7)
    found = customers(company, agreements=(agreement,))
    assert found.map_command(tenant_id, company, agreement) == f"connector tenants map {command}"


def test_labels_stay_in_one_line_and_lists_short() -> None:
    assert company_label(Company(7, "A\nB", "")) == "A B (id:7)"
    assert listed(map(str, range(10))) == "0; 1; 2; 3; 4; 5; 6; 7; and 2 more"


# What an edit does to our lines


def line(addition_id: int, *tenants: str, agreement: int = 118, quantity: int = 3) -> KnownAddition:
    parts = tuple(Part(each, "CIXA-MSP", Decimal(1)) for each in tenants)
    return KnownAddition(addition_id, Key(agreement, 48), Decimal(quantity), parts)


def test_only_lines_that_bill_the_tenant_are_told() -> None:
    known = [
        replace(line(1, "t"), closed=True),
        replace(line(2, "t"), ended=TODAY),
        line(3, "t", quantity=0),
        line(4, "other"),
    ]
    assert goes_on("t", known, directory()) == ["Nothing that the connector wrote to ConnectWise bills it."]
    told = goes_on(
        "t", [*known, line(6, "t"), line(5, "t", agreement=9)], directory(ALDER, agreements=(SECURITY,))
    )
    assert told[0].startswith("3 SOPHOS-ENDPOINT on (9), addition 5, goes on billing")
    assert told[1].startswith('3 SOPHOS-ENDPOINT on "Managed Security" (118) of Alder, addition 6,')
    assert told[2].startswith("To end them, ")


@pytest.mark.parametrize(
    ("absent", "does"), [("zero", "sets it to 0"), ("end", "ends it"), ("keep", "leaves it as it is")]
)
def test_a_line_left_behind_is_treated_as_the_map_says_of_absent_usage(absent: str, does: str) -> None:
    birch, office = Company(8, "Birch"), Agreement(204, "Office", 8)
    mappings = Mappings(
        defaults=Defaults(absent=absent),  # type: ignore[arg-type]
        products={"CIXA-MSP": ProductEntry(item="SOPHOS-ENDPOINT")},
        tenants={"t": TenantEntry(company="Birch", agreement="Office"), "off": TenantEntry(sync=False)},
    )
    placer = Placer(mappings, directory(ALDER, birch, agreements=(SECURITY, office)))
    (told,) = left_behind("t", [line(1, "t"), line(2, "t", agreement=204)], placer)
    assert told.endswith(
        f"addition 1, bills it until now: the next run {does}"
        + (" (absent: keep)." if absent == "keep" else ".")
    )
    assert left_behind("off", [line(1, "off")], placer) == []
