"""What a diagnosis calls each difference, what it says is at stake, and what it never loses. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_AGREEMENT,
    BIRCH_ENDPOINT,
    EMAIL,
    ENDPOINT,
    OCTOBER,
    STRANGER,
    Month,
)
from command_lines import parsed

from connector.model import (
    Addition,
    Adopt,
    Agreement,
    CatalogItem,
    Defaults,
    GuardLimits,
    Key,
    Period,
    PriceRule,
    Pricing,
    ProductEntry,
    UsageRow,
)
from connector.planning.change import Change, KnownAddition, OpenChange, mark_of
from connector.planning.diagnosis.closing import invoiced_because
from connector.planning.diagnosis.discrepancies import Diagnosis, Discrepancy, MoneyChecked
from connector.planning.diagnosis.distributor import Distributor
from connector.planning.diagnosis.month import AsItIs, Circumstances, diagnose, without
from connector.planning.diagnosis.remedies import Remedies
from connector.planning.diagnosis.sides import Sides
from connector.planning.diagnosis.stakes import Costs, loss_of
from connector.planning.diagnosis.written import WrittenThen, settled
from connector.planning.directory import Name
from connector.planning.findings import Options, Part, Unresolved
from connector.planning.plan import Inputs, make_plan
from connector.planning.prices import Money
from connector.planning.pricing import Worths, uses_prices
from connector.planning.resolve import resolve
from connector.planning.restatement import Restated
from connector.planning.tenant_finder import TenantFinder
from connector.planning.uncounted import Uncounted

ALDER_EMAIL = Key(ALDER_AGREEMENT, EMAIL)
CODES = {"CIXA-MSP": "1.40", "CEMA-MSP": "0.50", "NDR-MSP": "20"}


def said(price: str | None, currency: str = "USD") -> str:
    return json.dumps({"unitPrice": price, "unitPriceCurrency": currency} if price is not None else {})


@dataclass
class Desk(Month):
    """A month whose usage costs 1.40 a unit of endpoint and 0.50 of e-mail, sold at 3 and 2 dollars."""

    agreements: list[Agreement] = field(
        default_factory=lambda: [
            Agreement(ALDER_AGREEMENT, "Managed Security", 1, currency="USD"),
            Agreement(BIRCH_AGREEMENT, "Managed Security", 2, currency="USD"),
        ]
    )
    items: list[CatalogItem] = field(
        default_factory=lambda: [
            CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT", price=Decimal(3)),
            CatalogItem(EMAIL, "SOPHOS-EMAIL", price=Decimal(2)),
        ]
    )
    unread: dict[int, str] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    theirs: list[UsageRow] | None = None
    their_failures: tuple[Unresolved, ...] = ()
    restated: tuple[Unresolved, ...] = ()

    def uses(self, tenant_id: str | None, code: str, quantity: object, **more: Any) -> "Desk":
        more.setdefault("received", said(CODES.get(code)))
        super().uses(tenant_id, code, quantity, **more)
        return self

    def bills(self, key: Key, quantity: object, *, addition_id: int = 9001, **more: Any) -> "Desk":
        more.setdefault("unit_price", Decimal(3))
        super().bills(key, quantity, addition_id=addition_id, **more)
        return self

    def manages(
        self, key: Key, quantity: object, fed: Mapping[tuple[str, str], object] = {}, **more: Any
    ) -> "Desk":
        super().manages(key, quantity, fed, **more)
        return self

    def maps(self, tenant_id: str, **more: Any) -> "Desk":
        super().maps(tenant_id, **more)
        return self

    def excepts(self, tenant_id: str, code: str, **more: Any) -> "Desk":
        super().excepts(tenant_id, code, **more)
        return self

    def edited(self, quantity: object) -> "Desk":
        """Somebody sets our newest line to another quantity."""
        self.additions[-1] = replace(self.additions[-1], quantity=Decimal(str(quantity)))
        return self

    def agreed(self, **changes: Any) -> "Desk":
        """Change Alder's agreement."""
        self.agreements[0] = replace(self.agreements[0], **changes)
        return self

    def sides(self) -> Sides:
        """The numbers of a month in which only what is off was used."""
        placer = self.placer()
        finder = TenantFinder((), {}, ())
        resolved = resolve((UsageRow("CPHISH-MSP", Decimal(1), ALDER),), finder, placer, {})
        inputs = Inputs(OCTOBER, self.source, self.today, resolved, placer, {}, {}, Options(), {})
        return Sides(inputs, make_plan(inputs), Costs((), finder), {})

    def diagnosis(self) -> Diagnosis:
        placer = self.placer()
        finder = TenantFinder({ALDER, BIRCH, *self.tenants}, self.mapped_firewalls, self.firewalls)
        names = {tenant_id: entry.name for tenant_id, entry in self.tenants.items()}
        wanted = placer.agreement_ids() | {each.key.agreement_id for each in self.known.values()}
        there = (wanted & placer.directory.agreements.keys()) - self.unread.keys()
        worth = Worths()
        inputs = Inputs(
            period=OCTOBER,
            source=self.source,
            today=self.today,
            resolved=resolve(self.rows, finder, placer, names, also=worth.add),
            placer=placer,
            additions={
                agreement: tuple(each for each in self.additions if each.agreement_id == agreement)
                for agreement in there
            },
            known=self.known,
            options=Options(),
            names=names,
            newest_applied=self.newest_applied,
            uncounted=self.uncounted,
            restated=self.restated,
            worth=worth.by_pair() if uses_prices(placer.mappings) else {},
        )
        distributor = None
        if self.theirs is not None:
            theirs = resolve(self.theirs, finder, placer, names)
            distributor = Distributor("invoice.csv", theirs, self.their_failures)
        beside = Circumstances(unread=self.unread, distributor=distributor, **self.beside)
        plan = make_plan(without(inputs, self.unread))
        found = diagnose(inputs, plan, rows=self.rows, finder=finder, beside=beside)
        for item in found.items:
            parsed(item.next)
            assert item.money is None or item.money.amount >= 0
        return found

    def found(self) -> list[Discrepancy]:
        return list(self.diagnosis().items)

    def only(self) -> Discrepancy:
        (item,) = self.diagnosis().items
        return item


def dollars(amount: object) -> Money:
    return Money(Decimal(str(amount)), "USD")


def numbers(item: Discrepancy) -> tuple[str | None, ...]:
    return tuple(
        None if each is None else f"{each:f}"
        for each in (item.usage, item.written, item.connectwise, item.billed)
    )


FED = {(ALDER, "CIXA-MSP"): 12}


# Nothing wrong -----------------------------------------------------------------------------------


def test_a_line_that_bills_what_is_used_is_no_finding() -> None:
    found = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED).diagnosis()
    assert (found.items, found.exit_code, found.coverage.whole) == ((), 0, True)
    (numbers,) = found.numbers
    assert (numbers.usage, numbers.written, numbers.connectwise, numbers.unit_price) == (
        12,
        12,
        12,
        dollars(3),
    )


def test_a_line_at_zero_that_nobody_uses_is_no_finding() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 4).manages(ALDER_EMAIL, 4, {(ALDER, "CEMA-MSP"): 4})
    assert desk.manages(ALDER_ENDPOINT, 0, addition_id=9002).found() == []


def test_what_is_off_counts_as_checked() -> None:
    found = Desk().uses(ALDER, "CPHISH-MSP", 5).diagnosis()
    assert (found.items, found.coverage.rows_checked) == ((), 1)


# Too few and too many ----------------------------------------------------------------------------


def test_a_line_below_usage_bills_too_little() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 15).manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.money, item.next) == ("UNDER_BILLED", dollars(9), "connector sync 2026-10")
    assert numbers(item) == ("15", "12", "12", "12")
    assert "15 should be billed, and ConnectWise has 12: 3 too few" in item.message
    assert item.evidence == ("used: 15 CIXA-MSP",)
    assert (item.tenant_id, item.product_code, item.tenant) == (ALDER, "CIXA-MSP", "Alder")


def test_a_line_above_usage_bills_too_much() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.money) == ("OVER_BILLED", dollars(6))


def test_units_that_are_included_are_at_no_stake() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 15)
    item = desk.manages(ALDER_ENDPOINT, 12, FED, less_included=Decimal(14)).only()
    assert (item.code, item.money, item.billed) == ("UNDER_BILLED", dollars(3), 0)
    assert "14 of addition 9001 are included and not billed" in item.evidence


def test_a_line_that_is_not_charged_bills_nothing_and_says_so() -> None:
    desk = Desk().manages(ALDER_ENDPOINT, 12, FED, bill_customer="DoNotBill").uses(ALDER, "CEMA-MSP", 0)
    (item,) = desk.found()
    assert (item.code, item.money) == ("ORPHAN_ADDITION", dollars(0))
    assert "ConnectWise does not charge addition 9001 (DoNotBill)" in item.evidence


def test_a_line_that_is_not_charged_bills_no_difference_wrongly() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 12, FED, bill_customer="NoCharge")
    item = desk.only()
    assert (item.code, item.money) == ("OVER_BILLED", dollars(0))


def test_money_is_never_below_zero_not_even_of_credits() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12)
    found = {
        item.code: item.money
        for item in desk.manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(-3)).found()
    }
    assert found["UNDER_BILLED"] == dollars(6)
    assert loss_of(dollars("0.005"), Decimal("0.0045"), Decimal("0.1"), Decimal(1)) == dollars(0)


def test_an_agreement_that_names_no_currency_bills_in_the_only_one_of_its_usage() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 15).manages(ALDER_ENDPOINT, 12, FED).agreed(currency="")
    assert desk.only().money == dollars(9)
    desk.uses(BIRCH, "CPHISH-MSP", 1, received=said("2", "EUR"))
    assert desk.only().money == Money(Decimal(9), "")


def test_a_price_that_nobody_knows_makes_no_money_up() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 15)
    desk.items = [CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT"), CatalogItem(EMAIL, "SOPHOS-EMAIL")]
    assert desk.only().money is None


def test_usage_without_a_line_is_not_billed_at_all() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 15).only()
    assert (item.code, item.money, item.addition_id) == ("NO_ADDITION", dollars(45), None)
    assert numbers(item) == ("15", None, None, None)


def test_a_line_of_ours_that_somebody_deleted_is_said_to_be_gone() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    desk.additions.clear()
    item = desk.only()
    assert (item.code, item.written, item.connectwise) == ("NO_ADDITION", 12, None)
    assert "addition 9001 is gone from ConnectWise" in item.evidence


def test_a_line_that_is_to_be_made_is_priced_by_its_rule() -> None:
    desk = Desk(defaults=Defaults(pricing=Pricing(price=PriceRule("fixed", Decimal(5)))))
    assert desk.uses(ALDER, "CIXA-MSP", 2).only().money == dollars(10)


def test_a_line_of_ours_that_nothing_feeds_is_an_orphan() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 4).manages(ALDER_EMAIL, 4, {(ALDER, "CEMA-MSP"): 4})
    item = desk.manages(ALDER_ENDPOINT, 12, FED, addition_id=9002).only()
    assert (item.code, item.money, item.addition_id) == ("ORPHAN_ADDITION", dollars(36), 9002)
    assert "addition 9002 bills 12: no CIXA-MSP usage in 2026-10" in item.message


def test_a_row_of_zero_makes_the_line_an_orphan_as_well() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 0).manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.usage) == ("ORPHAN_ADDITION", 0)


def test_absent_keep_says_so_and_leaves_the_line_to_a_person() -> None:
    desk = Desk(defaults=Defaults(absent="keep")).uses(ALDER, "CIXA-MSP", 0)
    item = desk.manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.next) == ("ORPHAN_ADDITION", "connector plan 2026-10")
    assert "`absent: keep` leaves the line as it is" in item.evidence
    assert item.advice.startswith("end the line in ConnectWise")


def test_usage_below_zero_is_a_class_of_its_own() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", -3).only()
    assert (item.code, item.money) == ("NEGATIVE_QUANTITY", dollars(0))
    assert item.next.endswith("--tenant alder-id --product CIXA-MSP --force NEGATIVE_QUANTITY")
    assert "before anything is released" in item.advice


def test_a_source_that_is_not_sophos_is_named_in_every_command() -> None:
    desk = Desk(source="file").uses(ALDER, "CIXA-MSP", 15)
    assert desk.only().next == "connector sync 2026-10 --source file"


# Lines that people made, or changed --------------------------------------------------------------


def test_a_line_that_people_made_is_judged_by_its_numbers() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 15).bills(ALDER_ENDPOINT, 12).only()
    assert (item.code, item.money, item.written) == ("UNDER_BILLED", dollars(9), None)
    assert item.next == "connector adopt 2026-10 --tenant alder-id --product CIXA-MSP"
    assert Desk().uses(ALDER, "CIXA-MSP", 9).bills(ALDER_ENDPOINT, 12).only().code == "OVER_BILLED"


def test_one_that_bills_what_is_used_only_waits_to_be_taken_over() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 12).bills(ALDER_ENDPOINT, 12).only()
    assert (item.code, item.money, item.needs_person) == ("NEEDS_ADOPTION", None, True)


def test_what_holds_a_line_of_people_beside_its_adoption_is_released_with_it() -> None:
    rules: tuple[tuple[Adopt, str], ...] = (
        ("auto", "LARGE_INCREASE"),
        ("ask", "NEEDS_ADOPTION and LARGE_INCREASE"),
    )
    for adopt, held in rules:
        desk = Desk(defaults=Defaults(adopt=adopt)).uses(ALDER, "CIXA-MSP", 900)
        item = desk.bills(ALDER_ENDPOINT, 12).only()
        assert item.next == (
            "connector adopt 2026-10 --tenant alder-id --product CIXA-MSP --force LARGE_INCREASE"
        )
        assert f"the next run holds it back as {held}" in item.evidence
    desk = Desk(defaults=Defaults(adopt="auto")).uses(ALDER, "CIXA-MSP", 900)
    assert "increase is real" in desk.bills(ALDER_ENDPOINT, 12).only().advice


def test_a_guard_that_refuses_an_adoption_is_evidence_and_the_plan_comes_next() -> None:
    desk = Desk(newest_applied=OCTOBER, guards=GuardLimits(money=Decimal(5)))
    desk.defaults = Defaults(pricing=Pricing(price=PriceRule("fixed", Decimal(3))))
    item = desk.uses(ALDER, "CIXA-MSP", 15).bills(ALDER_ENDPOINT, 12).only()
    assert item.next == "connector plan 2026-10"
    assert any(line.startswith("guard money: bills would change by 9 USD") for line in item.evidence)


def test_with_adopt_never_the_map_has_to_change_first() -> None:
    desk = Desk(defaults=Defaults(adopt="never")).uses(ALDER, "CIXA-MSP", 15)
    item = desk.bills(ALDER_ENDPOINT, 12).only()
    assert (item.code, "adopt: ask" in item.advice) == ("UNDER_BILLED", True)


def test_peoples_line_of_a_mapped_item_that_nobody_uses_is_an_orphan() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 4).manages(ALDER_EMAIL, 4, {(ALDER, "CEMA-MSP"): 4})
    item = desk.bills(ALDER_ENDPOINT, 12, addition_id=9002).only()
    assert (item.code, item.money) == ("ORPHAN_ADDITION", dollars(36))
    assert "Sophos reports no usage of what mappings.yaml sells as this item" in item.message
    assert "left alone" in item.advice


def test_peoples_line_at_zero_or_of_another_item_is_no_finding() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 4).manages(ALDER_EMAIL, 4, {(ALDER, "CEMA-MSP"): 4})
    desk.bills(ALDER_ENDPOINT, 0, addition_id=9002).bills(Key(ALDER_AGREEMENT, 77), 5, addition_id=9003)
    assert desk.found() == []


def test_peoples_line_with_a_row_of_zero_is_an_orphan_once() -> None:
    assert Desk().uses(ALDER, "CIXA-MSP", 0).bills(ALDER_ENDPOINT, 5).only().code == "ORPHAN_ADDITION"


def test_of_several_lines_of_people_each_that_bills_is_named_and_none_at_zero() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 4).manages(ALDER_EMAIL, 4, {(ALDER, "CEMA-MSP"): 4})
    for addition_id, quantity in ((9002, 0), (9003, 5), (9004, 7)):
        desk.bills(ALDER_ENDPOINT, quantity, addition_id=addition_id)
    item = desk.only()
    assert (item.code, item.addition_id, item.money) == ("ORPHAN_ADDITION", 9003, dollars(36))
    assert "people made addition 9003 with 5, addition 9004 with 7, and" in item.message
    assert "9002" not in item.message


def test_a_line_of_people_beside_ours_at_zero_is_an_orphan() -> None:
    desk = Desk().uses(ALDER, "CPHISH-MSP", 1).manages(ALDER_ENDPOINT, 0)
    item = desk.bills(ALDER_ENDPOINT, 5, addition_id=9002).only()
    assert (item.code, item.addition_id, item.money) == ("ORPHAN_ADDITION", 9002, dollars(15))
    assert "people made addition 9002 with 5, beside our addition 9001 at 0" in item.message
    desk.known[9001] = replace(desk.known[9001], quantity=Decimal(12))
    assert "somebody made it 0; 12 was written" in desk.only().evidence


def test_a_line_of_people_beside_ours_that_nothing_feeds_is_named_with_it() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 0).manages(ALDER_ENDPOINT, 12, FED)
    for addition_id in (9002, 9003):
        desk.bills(ALDER_ENDPOINT, 5, addition_id=addition_id)
    item = desk.only()
    assert (item.code, item.money) == ("ORPHAN_ADDITION", dollars(66))
    assert "additions 9001 with 12 and 9002 with 5 and 9003 with 5 bill: no CIXA-MSP usage" in item.message
    assert "people's own additions 9002 with 5 and 9003 with 5 bill beside ours" in item.evidence


def test_a_line_of_people_at_zero_beside_ours_is_worth_knowing() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    item = desk.bills(ALDER_ENDPOINT, 0, addition_id=9002).only()
    assert (item.code, item.needs_person, "9002" in item.message) == ("OTHER_LINES", False, True)


def test_a_quantity_that_somebody_changed_is_named_with_both_numbers() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED).edited(9).only()
    assert (item.code, item.money) == ("HAND_EDITED", dollars(9))
    assert numbers(item) == ("12", "12", "9", "9")
    assert "somebody made it 9; 12 was written, and 12 is used" in item.message


def test_a_change_by_hand_that_fits_usage_needs_nobody() -> None:
    found = Desk().uses(ALDER, "CIXA-MSP", 15).manages(ALDER_ENDPOINT, 12, FED).edited(15).diagnosis()
    (item,) = found.items
    assert (item.code, item.needs_person, item.money, found.exit_code) == ("HAND_EDITED", False, None, 0)


def test_two_lines_that_bill_one_item_are_duplicates() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).bills(ALDER_ENDPOINT, 12)
    item = desk.bills(ALDER_ENDPOINT, 5, addition_id=9002).only()
    assert (item.code, item.connectwise, item.money) == ("DUPLICATE_ADDITIONS", 17, dollars(15))
    assert "9001 with 12, 9002 with 5" in item.message
    assert item.advice.startswith("keep one of the lines in ConnectWise")


def test_a_line_of_people_beside_ours_bills_twice() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    item = desk.bills(ALDER_ENDPOINT, 5, addition_id=9002).only()
    assert (item.code, item.addition_id, item.money) == ("DUPLICATE_ADDITIONS", 9001, dollars(15))
    assert item.evidence[0] == "1 of them ours"


def test_duplicates_say_by_how_much_they_bill_wrongly_at_the_items_price_where_they_have_none() -> None:
    for used, differs in ((10, "7 too many"), (20, "3 too few"), (17, "as they should")):
        desk = Desk().uses(ALDER, "CIXA-MSP", used).manages(ALDER_ENDPOINT, 12, FED, unit_price=None)
        item = desk.bills(ALDER_ENDPOINT, 5, addition_id=9002, unit_price=None).only()
        assert (item.code, item.money) == ("DUPLICATE_ADDITIONS", dollars(abs(17 - used) * 3))
        assert item.message.endswith(differs)


def test_duplicates_of_which_one_has_no_price_have_no_money() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    desk.items = [CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT"), CatalogItem(EMAIL, "SOPHOS-EMAIL")]
    assert desk.bills(ALDER_ENDPOINT, 5, addition_id=9002, unit_price=None).only().money is None


def test_a_line_that_somebody_ended_waits_for_recreate() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12)
    item = desk.manages(ALDER_ENDPOINT, 12, FED, cancelled=date(2026, 10, 5)).only()
    assert (item.code, item.money, item.written) == ("ENDED_BY_HAND", dollars(36), 12)
    assert item.next == "connector sync 2026-10 --tenant alder-id --product CIXA-MSP --recreate"


def test_a_line_that_sells_something_else_now_keeps_the_plans_code() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    desk.additions[-1] = replace(desk.additions[-1], item_id=77)
    item = desk.only()
    assert (item.code, item.next.endswith("--recreate")) == ("MOVED_BY_HAND", True)


def test_an_item_that_is_inactive_keeps_the_plans_code() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12)
    desk.items[0] = replace(desk.items[0], inactive=True)
    item = desk.only()
    assert (item.code, item.money, item.next) == ("ITEM_INACTIVE", dollars(36), "connector plan 2026-10")


def test_codes_that_disagree_on_how_they_add_up_are_not_checked() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CEMA-MSP", 3)
    desk.products["CIXA-MSP"] = ProductEntry("", "SOPHOS-ENDPOINT", aggregate="max")
    desk.products["CEMA-MSP"] = ProductEntry("", "SOPHOS-ENDPOINT")
    found = desk.diagnosis()
    assert [(item.code, item.usage, item.money) for item in found.items] == [
        ("AGGREGATE_DIFFERS", None, None),
        ("NOT_CHECKED", None, None),
    ]
    assert found.coverage.rows_checked == 0


# Held, guarded, refused --------------------------------------------------------------------------


def test_a_tenant_that_vanished_is_looked_at_before_its_line_falls() -> None:
    desk = Desk().uses(BIRCH, "CIXA-MSP", 1).manages(BIRCH_ENDPOINT, 1, {(BIRCH, "CIXA-MSP"): 1})
    item = desk.manages(ALDER_ENDPOINT, 12, FED, addition_id=9002).only()
    assert item.code == "ORPHAN_ADDITION"
    assert item.next == (
        "connector sync 2026-10 --tenant alder-id --product CIXA-MSP --force TENANT_VANISHED"
    )
    assert "the next run holds it back as TENANT_VANISHED" in item.evidence
    assert "really gone" in item.advice


def test_a_large_increase_is_looked_at_before_it_is_billed() -> None:
    item = Desk().uses(ALDER, "CIXA-MSP", 900).manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.next.endswith("--force LARGE_INCREASE")) == ("UNDER_BILLED", True)
    assert "increase is real" in item.advice


def test_a_fall_that_waits_for_an_unplaced_row_says_what_to_settle_first() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 1).uses(None, "CIXA-MSP", 1, serial="X1")
    desk.bills(ALDER_EMAIL, 1, addition_id=9003)
    desk.manages(ALDER_ENDPOINT, 1, {(ALDER, "CIXA-MSP"): 1}, serials=("X1",))
    found = {item.code: item for item in desk.found()}
    assert found["ORPHAN_ADDITION"].next.endswith("--force FIREWALL_UNASSIGNED")
    assert "settle what is FIREWALL_UNASSIGNED first" in found["ORPHAN_ADDITION"].advice
    assert found["FIREWALL_UNASSIGNED"].serial == "X1"


def test_a_guard_that_refuses_the_run_is_evidence_and_the_plan_comes_next() -> None:
    desk = Desk(guards=GuardLimits(decrease=Decimal("0.1"), at_least=1)).uses(ALDER, "CIXA-MSP", 1)
    item = desk.manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.next) == ("OVER_BILLED", "connector plan 2026-10")
    assert any(line.startswith("guard decrease: ") for line in item.evidence)


def test_what_live_counts_do_not_tell_can_only_wait() -> None:
    desk = Desk(uncounted=Uncounted(pairs=frozenset({(ALDER, "CIXA-MSP")}))).uses(ALDER, "CIXA-MSP", 1)
    desk.manages(ALDER_ENDPOINT, 12, FED)
    found = {item.code: item for item in desk.found()}
    assert found["OVER_BILLED"].next == found["NOT_COUNTED"].next == "connector plan 2026-10"
    assert "wait for the invoice" in found["OVER_BILLED"].advice


def test_what_connectwise_said_to_the_last_try_is_evidence() -> None:
    desk = Desk(beside={"tried": {ALDER_ENDPOINT: "400, quantity is locked"}}).uses(ALDER, "CIXA-MSP", 15)
    assert "the last try failed: 400, quantity is locked" in desk.only().evidence


def test_all_that_holds_a_change_is_released_at_once() -> None:
    desk = Desk().uses(BIRCH, "CIXA-MSP", 1).uses(None, "CIXA-MSP", 1, serial="X1")
    desk.manages(BIRCH_ENDPOINT, 1, {(BIRCH, "CIXA-MSP"): 1})
    desk.manages(ALDER_ENDPOINT, 2, {(ALDER, "CIXA-MSP"): 2}, addition_id=9002, serials=("X1",))
    item = next(item for item in desk.found() if item.code == "ORPHAN_ADDITION")
    assert item.next.endswith("--force FIREWALL_UNASSIGNED --force TENANT_VANISHED")
    assert "the next run holds it back as FIREWALL_UNASSIGNED and TENANT_VANISHED" in item.evidence


def test_what_no_force_releases_is_only_planned() -> None:
    desk = Desk().excepts(ALDER, "CIXA-MSP", item="SOPHOS-EMAIL").uses(ALDER, "CIXA-MSP", 12)
    desk.products["CIXA-MSP"] = ProductEntry("", "SOPHOS-ENDPOINT", aggregate="max")
    desk.uses(ALDER, "CEMA-MSP", 3).manages(ALDER_ENDPOINT, 12, FED)
    item = next(item for item in desk.found() if item.code == "ORPHAN_ADDITION")
    assert item.next == "connector plan 2026-10"
    assert "the next run holds it back as AGGREGATE_DIFFERS" in item.evidence


def test_what_is_released_is_not_what_a_guard_refuses_then() -> None:
    desk = Desk(guards=GuardLimits(decrease=Decimal("0.5"), at_least=1))
    desk.uses(BIRCH, "CIXA-MSP", 1).manages(BIRCH_ENDPOINT, 1, {(BIRCH, "CIXA-MSP"): 1})
    item = desk.manages(ALDER_ENDPOINT, 12, FED, addition_id=9002).only()
    assert item.next == "connector plan 2026-10"
    assert any(line.startswith("guard decrease: ") for line in item.evidence)


def test_a_line_is_not_made_again_while_a_guard_refuses_the_run() -> None:
    desk = Desk(guards=GuardLimits(decrease=Decimal("0.1"), at_least=1)).uses(BIRCH, "CIXA-MSP", 1)
    desk.manages(BIRCH_ENDPOINT, 12, {(BIRCH, "CIXA-MSP"): 12}).uses(ALDER, "CIXA-MSP", 12)
    desk.manages(ALDER_ENDPOINT, 12, FED, addition_id=9002, cancelled=date(2026, 10, 5))
    found = {item.code: item.next for item in desk.found()}
    assert found["ENDED_BY_HAND"] == "connector plan 2026-10"


def test_a_release_names_a_code_that_feeds_the_line_today() -> None:
    fed = {(ALDER, "AAA-MSP"): 4, (ALDER, "CIXA-MSP"): 12}
    desk = Desk().uses(BIRCH, "CEMA-MSP", 0).manages(ALDER_ENDPOINT, 16, fed)
    assert desk.only().next == (
        "connector sync 2026-10 --tenant alder-id --product CIXA-MSP --force TENANT_VANISHED"
    )
    desk.excepts(ALDER, "CIXA-MSP", item="SOPHOS-EMAIL")
    assert "--product CIXA-MSP" in desk.only().next


def test_a_release_of_what_no_command_knows_any_more_is_only_planned() -> None:
    desk = Desk().uses(BIRCH, "CEMA-MSP", 0).excepts(ALDER, "CIXA-MSP", item="NO-SUCH-ITEM")
    fed = {(ALDER, "CIXA-MSP"): 12}
    item = desk.manages(ALDER_ENDPOINT, 12, fed).only()
    assert "--product CIXA-MSP" in item.next
    remedies = Remedies(desk.sides(), {})
    gone = Change("zero", Key(ALDER_AGREEMENT, 77), 9001, Decimal(1), Decimal(0), "", held="TENANT_VANISHED")
    assert remedies.mended(gone.key, gone) == "connector plan 2026-10"


def test_a_tenant_or_code_that_begins_with_a_dash_is_no_option() -> None:
    desk = Desk().maps("-all", company="AlderDental", agreement="Managed Security")
    desk.products["-X"] = ProductEntry("", "SOPHOS-ENDPOINT")
    item = desk.uses("-all", "-X", 900).manages(ALDER_ENDPOINT, 12, {("-all", "-X"): 12}).only()
    assert parsed(item.next)["tenant"] == "-all"
    assert parsed(item.next)["product"] == "-X"
    stranger = Desk().uses("-none", "CIXA-MSP", 1).uses(ALDER, "CPHISH-MSP", 1).only()
    assert stranger.next == 'connector tenants map -- "-none"'
    assert parsed(stranger.advice.partition(": ")[2])["tenant"] == "-none"


# Off, inactive, closed ---------------------------------------------------------------------------


def test_a_line_that_bills_what_is_off_is_named() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    desk.products["CIXA-MSP"] = ProductEntry("", sync=False)
    item = desk.only()
    assert (item.code, item.money) == ("OFF_STILL_BILLING", dollars(36))
    assert item.evidence == ("off in mappings.yaml, or not in it any more: CIXA-MSP",)


def test_a_line_of_ours_that_nothing_in_the_map_can_feed_is_off() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 0)
    item = desk.manages(Key(ALDER_AGREEMENT, 77), 4).only()
    assert (item.code, item.item, item.evidence) == ("OFF_STILL_BILLING", "item 77", ())
    desk.known.clear()
    assert desk.only().written is None


def test_each_line_above_zero_of_what_is_off_is_named() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 0, FED)
    desk.products["CIXA-MSP"] = ProductEntry("", sync=False)
    item = desk.manages(ALDER_ENDPOINT, 5, FED, addition_id=9002).only()
    assert (item.addition_id, "addition 9002 goes on billing 5" in item.message) == (9002, True)
    item = desk.manages(ALDER_ENDPOINT, 3, FED, addition_id=9003).only()
    assert "additions 9002 with 5 and 9003 with 3 go on billing" in item.message


def test_each_line_of_an_inactive_agreement_is_named() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 10, FED).agreed(cancelled=True)
    item = desk.bills(ALDER_ENDPOINT, 4, addition_id=9002).found()[0]
    assert "additions 9001 with 10 and 9002 with 4 stay, for their agreement is cancelled" in item.message


def test_usage_of_an_inactive_agreement_is_one_finding_with_its_line() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED).agreed(cancelled=True)
    found = desk.diagnosis()
    items = [item for item in found.items if item.code != "NOT_CHECKED"]
    assert [(item.code, item.usage, item.connectwise) for item in items] == [("AGREEMENT_INACTIVE", 12, 12)]
    assert items[0].evidence == ("usage of 12 waits for it",)
    assert "addition 9001 stays at 12, for its agreement is cancelled" in items[0].message
    assert items[0].advice.startswith("renew the agreement")


def test_usage_of_an_inactive_agreement_without_a_line_waits_alone() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CPHISH-MSP", 1).agreed(cancelled=True)
    item = desk.only()
    assert (item.code, item.money, item.next) == (
        "AGREEMENT_INACTIVE",
        dollars("16.8"),
        "connector plan 2026-10",
    )


def test_a_line_on_an_inactive_agreement_that_nobody_uses_is_named() -> None:
    desk = Desk().uses(BIRCH, "CPHISH-MSP", 1).manages(ALDER_ENDPOINT, 12, FED).agreed(cancelled=True)
    item = desk.only()
    assert (item.code, item.usage, item.evidence) == ("AGREEMENT_INACTIVE", None, ())


@pytest.mark.parametrize(
    ("next_invoice", "ahead", "out"),
    [
        (date(2026, 12, 1), False, True),
        (date(2026, 11, 30), False, False),
        (date(2026, 11, 1), True, True),
        (date(2026, 10, 31), True, False),
        (None, True, False),
    ],
)
def test_an_invoice_is_out_when_the_next_one_can_no_longer_carry_the_month(
    next_invoice: date | None, ahead: bool, out: bool
) -> None:
    agreement = Agreement(1, "A", 1, next_invoice=next_invoice, ahead=ahead)
    assert bool(invoiced_because(agreement, OCTOBER, None)) is out


@pytest.mark.parametrize("cycle", ["Quarterly", "Annual", "Every 6 months"])
def test_an_invoice_of_a_longer_cycle_is_never_certain_by_its_day(cycle: str) -> None:
    agreement = Agreement(1, "A", 1, next_invoice=date(2027, 1, 1), cycle=cycle)
    assert invoiced_because(agreement, OCTOBER, None) == ""
    assert invoiced_because(agreement, OCTOBER, "it is invoiced") != ""
    assert invoiced_because(replace(agreement, ahead=True), OCTOBER, None) != ""
    assert invoiced_because(replace(agreement, cycle=" monthly"), OCTOBER, None) != ""


def test_the_year_turns_for_invoices_as_well() -> None:
    agreement = Agreement(1, "A", 1, next_invoice=date(2027, 1, 31))
    assert invoiced_because(agreement, Period(2026, 12), None) == ""
    assert invoiced_because(agreement, Period(2026, 11), None) != ""


def test_connectwises_own_word_that_a_month_is_invoiced_counts() -> None:
    agreement = Agreement(1, "A", 1)
    assert invoiced_because(agreement, OCTOBER, "this period has already been INVOICED")
    assert invoiced_because(agreement, OCTOBER, "no rights") == ""


@pytest.mark.parametrize(
    ("quantity", "advice"), [(15, "bill the difference by hand"), (9, "raise a credit for the difference")]
)
def test_a_difference_after_the_invoice_is_for_a_person(quantity: int, advice: str) -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", quantity).manages(ALDER_ENDPOINT, 12, FED)
    item = desk.agreed(next_invoice=date(2026, 12, 1)).only()
    assert (item.code, item.advice.startswith(advice), item.money) == ("PERIOD_CLOSED", True, dollars(9))
    assert item.evidence[0] == "its next invoice is that of 2026-12-01"


def test_a_line_that_is_missing_after_the_invoice_is_closed_too() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 2).agreed(next_invoice=date(2026, 11, 1), ahead=True)
    item = desk.only()
    assert (item.code, item.evidence[0].startswith("it bills ahead")) == ("PERIOD_CLOSED", True)


def test_peoples_line_after_the_invoice_is_closed_too() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 2).bills(ALDER_ENDPOINT, 1)
    assert desk.agreed(next_invoice=date(2026, 12, 1)).only().code == "PERIOD_CLOSED"


def test_an_invoice_that_is_out_is_no_finding_where_nothing_differs() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    assert desk.agreed(next_invoice=date(2026, 12, 1)).found() == []


# Usage that reaches no line ----------------------------------------------------------------------


def test_an_unmapped_product_is_one_finding_for_each_tenant() -> None:
    desk = Desk().uses(ALDER, "NDR-MSP", 2).uses(BIRCH, "NDR-MSP", 1).uses(ALDER, "CPHISH-MSP", 1)
    found = desk.found()
    assert [(item.code, item.tenant_id, item.money) for item in found] == [
        ("UNMAPPED_PRODUCT", ALDER, dollars(40)),
        ("UNMAPPED_PRODUCT", BIRCH, dollars(20)),
    ]
    assert found[0].next == "connector products map NDR-MSP"
    assert found[0].advice.endswith("connector products off NDR-MSP")


def test_an_unmapped_tenant_is_one_finding_with_all_its_codes() -> None:
    desk = Desk().uses(STRANGER, "CIXA-MSP", 2).uses(STRANGER, "CEMA-MSP", 4).uses(ALDER, "CPHISH-MSP", 1)
    item = desk.only()
    assert (item.code, item.usage, item.money) == ("UNMAPPED_TENANT", 6, dollars("4.8"))
    assert "4 CEMA-MSP, 2 CIXA-MSP" in item.message
    assert (item.next, item.product_code) == ("connector tenants map stranger-id", None)
    assert item.advice.endswith("connector tenants off stranger-id")


def test_an_unmapped_tenant_with_one_code_names_it() -> None:
    desk = Desk().uses(STRANGER, "CIXA-MSP", 2).uses(ALDER, "CPHISH-MSP", 1)
    assert desk.only().product_code == "CIXA-MSP"


def test_firewalls_of_nobody_are_one_finding_for_each_serial() -> None:
    desk = Desk().uses(None, "XGS", 1, serial="X1", received=said("42")).uses(ALDER, "CPHISH-MSP", 1)
    desk.uses(None, "XGS", 1, serial="X2", received=said(None))
    found = desk.found()
    assert [(item.code, item.serial, item.money) for item in found] == [
        ("FIREWALL_UNASSIGNED", "X1", dollars(42)),
        ("FIREWALL_UNASSIGNED", "X2", None),
    ]
    assert found[0].next == "connector firewalls --unassigned"
    assert "connector firewalls assign X1 TENANT" in found[0].advice


def test_every_other_code_of_the_plan_stays_a_class() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 2).uses(BIRCH, "CEMA-MSP", 1).uses(BIRCH, "CEMA-MSP", 2)
    desk.products["CIXA-MSP"] = ProductEntry("", "NO-SUCH-ITEM")
    desk.maps(BIRCH, company="NoSuchCompany")
    found = {item.code: item for item in desk.found()}
    assert found.keys() == {"ITEM_NOT_FOUND", "COMPANY_NOT_FOUND", "NOT_CHECKED"}
    assert found["ITEM_NOT_FOUND"].next == "connector products map CIXA-MSP"
    assert found["ITEM_NOT_FOUND"].advice == "correct `item` of the product"
    assert found["COMPANY_NOT_FOUND"].next == "connector tenants map birch-id"
    assert found["COMPANY_NOT_FOUND"].evidence == ("2 rows",)


def test_a_row_without_a_price_has_no_money_rather_than_a_guess() -> None:
    desk = Desk().uses(ALDER, "NDR-MSP", 2).uses(ALDER, "NDR-MSP", 1, received=said(None))
    assert desk.found()[0].money is None


def test_rows_of_two_currencies_have_no_one_amount() -> None:
    desk = Desk().uses(ALDER, "NDR-MSP", 2).uses(ALDER, "NDR-MSP", 1, received=said("18", "EUR"))
    found = desk.diagnosis()
    assert found.items[0].money is None
    assert found.coverage.money == (
        MoneyChecked(Decimal(18), "EUR", Decimal(0)),
        MoneyChecked(Decimal(40), "USD", Decimal(0)),
    )


def test_a_row_of_a_file_that_failed_is_never_lost() -> None:
    failed = Unresolved("UNMAPPED_TENANT", "row 3 of the file", None, "CIXA-MSP", Decimal(3))
    desk = Desk(source="file", restated=(failed,)).uses(ALDER, "CPHISH-MSP", 1)
    item = desk.only()
    assert (item.code, item.next) == ("UNMAPPED_TENANT", "connector usage show 2026-10 --source file")


# A code that may follow another ------------------------------------------------------------------


def test_a_suspected_successor_is_one_finding_for_both_codes() -> None:
    desk = Desk()
    for tenant, key, line in ((ALDER, ALDER_ENDPOINT, 9001), (BIRCH, BIRCH_ENDPOINT, 9002)):
        desk.uses(tenant, "NDR-MSP", 12)
        desk.manages(key, 12, {(tenant, "CIXA-MSP"): 12}, addition_id=line)
    found = desk.diagnosis()
    (item,) = [item for item in found.items if item.code != "NOT_CHECKED"]
    assert (item.code, item.product_code) == ("SUSPECTED_SUCCESSOR", "NDR-MSP")
    assert (item.usage, item.written, item.connectwise, item.billed) == (24, 24, 24, 24)
    assert (item.money, item.key) == (dollars(480), None)
    assert item.next == "connector products map NDR-MSP SOPHOS-ENDPOINT"
    assert len(item.evidence) == 2


def test_a_line_of_people_beside_one_that_waits_for_a_successor_is_named() -> None:
    desk = Desk()
    for tenant, key, line in ((ALDER, ALDER_ENDPOINT, 9001), (BIRCH, BIRCH_ENDPOINT, 9002)):
        desk.uses(tenant, "NDR-MSP", 12).manages(key, 12, {(tenant, "CIXA-MSP"): 12}, addition_id=line)
    desk.bills(ALDER_ENDPOINT, 4, addition_id=9003)
    (item,) = [item for item in desk.found() if item.code != "NOT_CHECKED"]
    assert item.evidence[0].endswith("stays at 12 meanwhile")
    assert item.evidence[1].endswith("people's own addition 9003 with 4 bills beside ours")


def test_a_successor_where_one_agreement_bills_all_names_its_line() -> None:
    desk = Desk().maps(BIRCH, company="AlderDental").uses(ALDER, "NDR-MSP", 12).uses(BIRCH, "NDR-MSP", 5)
    desk.manages(ALDER_ENDPOINT, 17, {(ALDER, "CIXA-MSP"): 12, (BIRCH, "CIXA-MSP"): 5})
    (item,) = [item for item in desk.found() if item.code != "NOT_CHECKED"]
    assert (item.key, item.addition_id) == (ALDER_ENDPOINT, 9001)


def test_a_successor_whose_lines_are_still_fed_has_no_line_to_show() -> None:
    desk = (
        Desk().excepts(ALDER, "CXNEW", item="SOPHOS-ENDPOINT").excepts(BIRCH, "CXNEW", item="SOPHOS-ENDPOINT")
    )
    for tenant, key, line in ((ALDER, ALDER_ENDPOINT, 9001), (BIRCH, BIRCH_ENDPOINT, 9002)):
        desk.uses(tenant, "NDR-MSP", 12).uses(tenant, "CEMA-MSP", 1)
        desk.products["CEMA-MSP"] = ProductEntry("", "SOPHOS-ENDPOINT")
        desk.manages(key, 1, {(tenant, "CIXA-MSP"): 12, (tenant, "CEMA-MSP"): 1}, addition_id=line)
    (item,) = desk.found()
    assert (item.code, item.connectwise, item.billed) == ("SUSPECTED_SUCCESSOR", None, None)


# Restated ----------------------------------------------------------------------------------------


def restated(tenant_id: str | None, **more: Any) -> Restated:
    fields: dict[str, Any] = {"before": Decimal(12), "now": Decimal(14), "cost": (dollars("-2.8"),)}
    return Restated(tenant_id, "CIXA-MSP", **(fields | {"list_value": ()} | more))


def test_a_month_that_changed_after_it_was_billed_is_named_with_what_moves() -> None:
    desk = Desk(beside={"restated": (restated(ALDER),)}).uses(ALDER, "CIXA-MSP", 12)
    item = desk.manages(ALDER_ENDPOINT, 12, FED).only()
    assert (item.code, item.money, item.key) == ("RESTATED", dollars("2.8"), ALDER_ENDPOINT)
    assert numbers(item) == ("14", "12", "12", "12")
    assert item.next == "connector sync 2026-10 --restate"


def test_what_a_restatement_moves_is_unknown_without_prices() -> None:
    for each in (restated(ALDER, unpriced=True), restated(ALDER, cost=())):
        desk = Desk(beside={"restated": (each,)}).uses(ALDER, "CIXA-MSP", 12)
        assert desk.manages(ALDER_ENDPOINT, 12, FED).only().money is None


def as_it_is(desk: Desk, *rows: UsageRow) -> AsItIs:
    finder = TenantFinder({ALDER, BIRCH}, {}, ())
    return AsItIs(rows, resolve(rows, finder, desk.placer(), {}))


def test_coverage_counts_a_restated_month_as_it_is_and_what_is_restated_as_unchecked() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED).uses(BIRCH, "CPHISH-MSP", 1)
    phish, more = desk.rows[1], replace(desk.rows[0], quantity=Decimal(7))
    now = as_it_is(desk, more, replace(more), phish)
    desk.beside = {"restated": (restated(ALDER),), "as_it_is": now}
    found = desk.diagnosis()
    assert [item.code for item in found.items] == ["RESTATED"]
    assert (found.coverage.rows, found.coverage.rows_checked, found.coverage.tenants_checked) == (3, 1, 1)
    assert found.coverage.money == (MoneyChecked(Decimal("19.6"), "USD", Decimal(0)),)


def test_what_is_restated_and_has_no_place_is_unmapped_as_it_is_now() -> None:
    desk = Desk().uses(ALDER, "CPHISH-MSP", 1).uses(STRANGER, "CIXA-MSP", 2).uses(STRANGER, "CEMA-MSP", 1)
    grown, same = replace(desk.rows[1], quantity=Decimal(5)), desk.rows[2]
    firewall = UsageRow("XGS", Decimal(1), serial="X1", received=said("42"))
    now = as_it_is(desk, desk.rows[0], grown, same, firewall)
    nobodys = Restated(None, "XGS", Decimal(0), Decimal(1), (), ())
    desk.beside = {"restated": (restated(STRANGER), nobodys), "as_it_is": now}
    assert [(item.code, item.usage, item.money) for item in desk.found()] == [
        ("FIREWALL_UNASSIGNED", 1, dollars(42)),
        ("UNMAPPED_TENANT", 6, dollars("7.5")),
    ]


def test_a_restatement_of_what_has_no_line_or_nobody_is_named_too() -> None:
    each = (restated(None), restated(STRANGER), restated(BIRCH))
    desk = Desk(beside={"restated": each}).uses(ALDER, "CPHISH-MSP", 1)
    assert [(item.tenant_id, item.connectwise) for item in desk.found()] == [
        (None, None),
        (STRANGER, None),
        (BIRCH, None),
    ]


def test_a_restatement_of_one_of_several_that_feed_a_line_shows_no_line_as_its_own() -> None:
    desk = Desk(beside={"restated": (restated(ALDER),)}).maps(BIRCH, company="AlderDental")
    desk.uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 5)
    desk.manages(ALDER_ENDPOINT, 17, {(ALDER, "CIXA-MSP"): 12, (BIRCH, "CIXA-MSP"): 5})
    assert desk.only().connectwise is None


# Prices ------------------------------------------------------------------------------------------


def test_a_line_that_sells_at_nothing_is_named_with_what_its_units_cost() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10)
    item = desk.manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(0)).only()
    assert (item.code, item.money, item.needs_person) == ("PRICE_ZERO", dollars(14), False)


def test_what_costs_nothing_may_be_given_away() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10, received='{"unitPrice": "0", "unitPriceCurrency": "USD"}')
    assert desk.manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(0)).found() == []


def test_a_line_that_sells_below_cost_is_named_with_both_prices() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10)
    item = desk.manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(1)).only()
    assert (item.code, item.money) == ("MARGIN_NEGATIVE", dollars(4))
    assert item.evidence == ("ConnectWise: 1 USD", "Sophos: 14 USD for 10")
    assert "a unit sells at 1 and costs 1.4 USD" in item.message


def test_the_loss_is_on_the_units_of_the_line() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 3).manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(1))
    found = {item.code: item for item in desk.found()}
    assert (found["MARGIN_NEGATIVE"].money, found["OVER_BILLED"].money) == (dollars(4), dollars(7))


def test_what_is_not_charged_or_not_billed_or_without_a_price_has_no_margin() -> None:
    for more in (
        {"unit_price": Decimal(0), "bill_customer": "NoCharge"},
        {"unit_price": Decimal(0), "less_included": Decimal(10)},
        {"unit_price": None},
    ):
        assert Desk().uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED, **more).found() == []


def test_a_free_line_that_nobody_uses_has_no_cost_that_is_known() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 0).manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(0))
    found = {item.code: item.money for item in desk.found()}
    assert found == {"PRICE_ZERO": None, "ORPHAN_ADDITION": dollars(0)}


def test_a_rule_that_mends_the_price_comes_next() -> None:
    desk = Desk(defaults=Defaults(pricing=Pricing(price=PriceRule("fixed", Decimal(5)))))
    desk.uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED, unit_price=Decimal(0))
    item = desk.only()
    assert (item.code, item.next, item.advice) == ("PRICE_ZERO", "connector sync 2026-10", "")
    assert item.needs_person


def test_a_rule_that_gives_nothing_is_named_once() -> None:
    desk = Desk(defaults=Defaults(pricing=Pricing(price=PriceRule("fixed", Decimal(0)))))
    desk.uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED)
    item = desk.only()
    assert (item.code, item.advice) == ("PRICE_ZERO", "change the price rule in mappings.yaml")


def test_a_price_that_the_plan_cannot_tell_is_one_finding_for_the_key() -> None:
    desk = Desk(defaults=Defaults(pricing=Pricing(price=PriceRule("msrp"))))
    desk.maps(BIRCH, company="AlderDental").uses(ALDER, "CIXA-MSP", 10).uses(BIRCH, "CIXA-MSP", 2)
    desk.manages(ALDER_ENDPOINT, 12, FED)
    item = desk.only()
    assert (item.code, item.key, item.needs_person) == ("PRICE_UNKNOWN", ALDER_ENDPOINT, True)


def test_an_agreement_in_another_currency_is_told_once_where_no_rule_converts() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).uses(ALDER, "CEMA-MSP", 1).agreed(currency="EUR")
    desk.manages(ALDER_ENDPOINT, 10, FED).manages(ALDER_EMAIL, 1, addition_id=9002)
    found = desk.diagnosis()
    (item,) = found.items
    assert (item.code, item.needs_person, item.money, found.exit_code) == (
        "CURRENCY_MISMATCH",
        False,
        None,
        0,
    )
    assert item.evidence == ("SOPHOS-ENDPOINT", "SOPHOS-EMAIL")


def test_where_a_rule_is_on_the_plan_tells_of_each_currency() -> None:
    desk = Desk(defaults=Defaults(pricing=Pricing(cost="sophos"))).agreed(currency="EUR")
    desk.uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED)
    item = desk.only()
    assert (item.code, item.needs_person) == ("CURRENCY_MISMATCH", True)


def test_a_line_that_we_ended_is_not_what_was_written() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED)
    desk.manages(
        ALDER_ENDPOINT, 7, FED, addition_id=9002, ended=date(2026, 8, 31), cancelled=date(2026, 8, 31)
    )
    found = desk.diagnosis()
    assert (found.items, found.numbers[0].written) == ((), 12)


# Names -------------------------------------------------------------------------------------------


def test_a_product_that_sophos_calls_otherwise_is_worth_knowing() -> None:
    before = {"CIXA-MSP": {"Endpoint MSP Monthly - 1-9 USERS"}, "CEMA-MSP": {"Email"}, "CPHISH-MSP": {""}}
    desk = Desk(beside={"called_before": before})
    desk.uses(ALDER, "CIXA-MSP", 10, description="Endpoint X - User MSP Monthly - 10-24 USERS")
    desk.uses(ALDER, "CEMA-MSP", 1, description="Email  MSP Monthly - 10-24 USERS").uses(
        ALDER, "CPHISH-MSP", 1
    )
    desk.manages(ALDER_ENDPOINT, 10, FED).manages(ALDER_EMAIL, 1, addition_id=9002)
    found = desk.diagnosis()
    (item,) = found.items
    assert (item.code, item.product_code, item.needs_person) == ("RENAMED", "CIXA-MSP", False)
    assert 'calls it "Endpoint X - User" now; it was "Endpoint" before' in item.message


def test_a_company_that_is_called_otherwise_is_worth_knowing() -> None:
    desk = Desk(remembered={Name("company", 0, "alderdental"): 1}).uses(ALDER, "CPHISH-MSP", 1)
    desk.companies[0] = replace(desk.companies[0], identifier="AlderNew")
    item = desk.only()
    assert (item.code, item.next, item.needs_person) == ("RENAMED", "connector mappings check", False)


def test_other_warnings_of_the_plan_are_kept() -> None:
    desk = Desk().uses(ALDER, "CEMA-MSP", 1).manages(ALDER_EMAIL, 1, {(ALDER, "CEMA-MSP"): 1})
    desk.maps(BIRCH, company="AlderDental").uses(BIRCH, "CIXA-MSP", 12)
    desk.products["CIXA-MSP"] = ProductEntry("", "SOPHOS-ENDPOINT", minimum=Decimal(5))
    desk.manages(ALDER_ENDPOINT, 12, FED, addition_id=9002)
    item = desk.only()
    assert (item.code, item.key, item.needs_person) == ("MINIMUM_WITHOUT_USAGE", ALDER_ENDPOINT, False)
    desk.additions[-1] = replace(desk.additions[-1], quantity=Decimal(9))
    item = desk.only()
    assert any("a minimum of 5 CIXA-MSP" in line for line in item.evidence)


# A month that is past ----------------------------------------------------------------------------

NOVEMBER = Period(2026, 11)


def past(*, stored: bool = True, **written: object) -> dict[str, Any]:
    keys = {"endpoint": ALDER_ENDPOINT, "email": ALDER_EMAIL}
    quantities = {keys[name]: Decimal(str(quantity)) for name, quantity in written.items()}
    return {"then": WrittenThen(quantities, stored)}


def test_a_month_that_is_past_is_judged_by_what_was_written_for_it() -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past(endpoint=12)).uses(ALDER, "CIXA-MSP", 12)
    found = desk.manages(ALDER_ENDPOINT, 15, FED).diagnosis()
    assert (found.items, found.numbers[0].written, found.numbers[0].connectwise) == ((), 12, 15)


@pytest.mark.parametrize(
    ("used", "written", "code", "money"),
    [
        (12, 10, "UNDER_BILLED", 6),
        (8, 10, "OVER_BILLED", 6),
        (8, 0, "NO_ADDITION", 24),
        (0, 4, "ORPHAN_ADDITION", 12),
    ],
)
def test_a_month_that_is_past_and_differs_is_for_a_person_and_for_no_run(
    used: int, written: int, code: str, money: int
) -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past(endpoint=written)).uses(ALDER, "CIXA-MSP", used)
    item = desk.manages(ALDER_ENDPOINT, 15, FED).only()
    assert (item.code, item.money, item.written, item.needs_person) == (code, dollars(money), written, True)
    assert "2026-11 was billed since" in item.message
    assert item.next == "connector explain --addition 9001 --period 2026-10"


def test_a_month_that_is_past_and_was_never_stored_leaves_the_newest_to_be_planned() -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past(stored=False)).uses(ALDER, "CIXA-MSP", 2)
    assert desk.only().next == "connector plan 2026-11"
    desk.manages(ALDER_ENDPOINT, 15, FED, bill_customer="DoNotBill")
    assert (desk.only().next, desk.only().money) == ("connector plan 2026-11", dollars(0))


def test_a_month_that_is_past_and_invoiced_is_closed() -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past(endpoint=10)).uses(ALDER, "CIXA-MSP", 12)
    item = desk.manages(ALDER_ENDPOINT, 15, FED).agreed(next_invoice=date(2026, 12, 1)).only()
    assert (item.code, item.evidence[0]) == ("PERIOD_CLOSED", "its next invoice is that of 2026-12-01")


def test_a_line_that_somebody_ended_after_its_month_was_written_is_no_finding_of_that_month() -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past(endpoint=12), today=date(2026, 11, 28))
    desk.uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, FED, cancelled=date(2026, 11, 5))
    assert desk.found() == []
    desk.beside = past(endpoint=11)
    assert (desk.only().code, desk.only().next) == ("ENDED_BY_HAND", "connector plan 2026-10")


def test_usage_in_a_month_that_is_past_of_which_there_is_nothing_is_no_finding() -> None:
    desk = Desk(newest_applied=NOVEMBER, beside=past()).uses(ALDER, "CPHISH-MSP", 1)
    assert desk.manages(ALDER_ENDPOINT, 15, FED).found() == []


def test_a_restated_month_that_is_past_is_for_a_person() -> None:
    beside = past(endpoint=12) | {"restated": (restated(ALDER),)}
    desk = Desk(newest_applied=NOVEMBER, beside=beside).uses(ALDER, "CIXA-MSP", 12)
    item = desk.manages(ALDER_ENDPOINT, 15, FED).only()
    assert (item.code, item.next) == ("RESTATED", "connector plan 2026-11")
    assert item.advice.startswith("2026-11 was billed since")


# Coverage ----------------------------------------------------------------------------------------


def test_coverage_counts_rows_tenants_and_money_of_all_there_is() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).uses(ALDER, "NDR-MSP", 1).uses(BIRCH, "CPHISH-MSP", 1)
    desk.uses(None, "XGS", 1, serial="X1", received=said("42")).manages(ALDER_ENDPOINT, 10, FED)
    found = desk.diagnosis().coverage
    assert (found.rows, found.rows_checked, found.tenants, found.tenants_checked) == (4, 2, 2, 1)
    assert found.money == (MoneyChecked(Decimal(76), "USD", Decimal(14)),)


def test_an_empty_month_is_not_checked_and_no_clean_bill() -> None:
    found = Desk().diagnosis()
    (item,) = found.items
    assert (item.code, item.next, found.exit_code) == ("NOT_CHECKED", "connector plan 2026-10", 3)
    assert "there is no usage row" in item.message


def test_a_month_of_which_nothing_is_mapped_is_not_checked() -> None:
    found = Desk().uses(STRANGER, "CIXA-MSP", 2).found()
    assert [item.code for item in found] == ["UNMAPPED_TENANT", "NOT_CHECKED"]
    assert "none of the 1 usage rows" in found[1].message


def test_an_agreement_that_cannot_be_read_leaves_its_keys_unchecked() -> None:
    desk = Desk(unread={ALDER_AGREEMENT: "403, no access"}).uses(ALDER, "CIXA-MSP", 10)
    desk.uses(BIRCH, "CIXA-MSP", 5).manages(BIRCH_ENDPOINT, 5, {(BIRCH, "CIXA-MSP"): 5})
    desk.manages(ALDER_EMAIL, 1, {(ALDER, "CEMA-MSP"): 1}, addition_id=9002)
    found = desk.diagnosis()
    assert [(item.code, item.key, item.money, item.written) for item in found.items] == [
        ("NOT_CHECKED", ALDER_ENDPOINT, dollars(14), None),
        ("NOT_CHECKED", ALDER_EMAIL, None, 1),
    ]
    assert "its additions could not be read: 403, no access" in found.items[0].message
    assert found.coverage.rows_checked == 1


def test_what_cannot_be_read_is_neither_planned_nor_guarded() -> None:
    desk = Desk(unread={BIRCH_AGREEMENT: "403"}, guards=GuardLimits(money=Decimal(20)))
    desk.defaults = Defaults(pricing=Pricing(price=PriceRule("fixed", Decimal(3))))
    desk.uses(BIRCH, "CIXA-MSP", 10).uses(ALDER, "CIXA-MSP", 2)
    desk.manages(ALDER_ENDPOINT, 1, {(ALDER, "CIXA-MSP"): 1})
    found = {item.code: item for item in desk.found()}
    assert found.keys() == {"NOT_CHECKED", "UNDER_BILLED"}
    assert found["UNDER_BILLED"].next == "connector sync 2026-10"


def test_a_line_on_an_agreement_that_is_gone_is_not_forgotten() -> None:
    desk = Desk().uses(ALDER, "CPHISH-MSP", 1).manages(Key(999, ENDPOINT), 4)
    item = desk.only()
    assert (item.code, item.written, item.company) == ("NOT_CHECKED", 4, "")
    assert "SOPHOS-ENDPOINT on agreement 999: ConnectWise does not list" in item.message


# Order -------------------------------------------------------------------------------------------


def test_items_come_in_order_of_money_within_each_currency() -> None:
    desk = Desk(beside={"called_before": {"CPHISH-MSP": {"Other"}}})
    desk.uses(ALDER, "CPHISH-MSP", 1, description="Phish")
    for code, price, currency in (
        ("A", "1", "USD"),
        ("B", "5", "EUR"),
        ("C", "9", "USD"),
        ("D", None, ""),
        ("E", "0", "USD"),
    ):
        desk.uses(ALDER, code, 1, received=said(price, currency))
    found = desk.diagnosis()
    assert [item.product_code for item in found.items] == ["C", "A", "B", "D", "E", "CPHISH-MSP"]
    assert found.at_stake("UNMAPPED_PRODUCT") == (Money(Decimal(5), "EUR"), dollars(10))


def test_the_same_month_is_told_in_the_same_order_however_its_rows_came() -> None:
    desk = Desk().uses(ALDER, "A", 1, received=said("1")).uses(BIRCH, "B", 1, received=said("1"))
    desk.uses(ALDER, "CIXA-MSP", 3).uses(STRANGER, "C", 1)
    first = desk.found()
    desk.rows.reverse()
    assert desk.found() == first


# A distributor's file ----------------------------------------------------------------------------


def test_a_distributors_file_is_a_fourth_number() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED)
    desk.theirs = [UsageRow("CIXA-MSP", Decimal(12), ALDER), UsageRow("CEMA-MSP", Decimal(1), BIRCH)]
    found = {item.key: item for item in desk.found()}
    item = found[ALDER_ENDPOINT]
    assert (item.code, item.usage, item.distributor, item.money) == (
        "DISTRIBUTOR_DIFFERS",
        10,
        12,
        dollars("2.8"),
    )
    assert item.evidence == ("invoice.csv: 12 CIXA-MSP", "usage: 10 CIXA-MSP")
    assert item.next == "connector usage show 2026-10 --source api"
    assert found[Key(BIRCH_AGREEMENT, EMAIL)].money is None


def test_a_file_that_says_the_same_is_no_finding() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).uses(BIRCH, "NDR-MSP", 1).manages(ALDER_ENDPOINT, 10, FED)
    desk.theirs = [UsageRow("CIXA-MSP", Decimal(10), ALDER), UsageRow("NDR-MSP", Decimal(1), BIRCH)]
    found = desk.diagnosis()
    assert [item.code for item in found.items] == ["UNMAPPED_PRODUCT"]
    assert found.numbers[0].distributor == 10


def test_what_a_file_leaves_out_is_a_difference_as_well() -> None:
    desk = Desk().uses(ALDER, "CIXA-MSP", 10).manages(ALDER_ENDPOINT, 10, FED)
    desk.theirs = []
    item = desk.only()
    assert (item.code, item.distributor, item.money) == ("DISTRIBUTOR_DIFFERS", 0, dollars(14))


def test_what_reaches_no_line_is_compared_by_tenant_and_serial() -> None:
    desk = Desk().uses(ALDER, "CPHISH-MSP", 1)
    desk.theirs = [
        UsageRow("NDR-MSP", Decimal(2), BIRCH),
        UsageRow("XGS", Decimal(1), serial="X1"),
        UsageRow("XGS", Decimal(1)),
    ]
    found = desk.found()
    assert {(item.tenant_id, item.serial, item.distributor) for item in found} == {
        (BIRCH, None, Decimal(2)),
        (None, "X1", Decimal(1)),
        (None, None, Decimal(1)),
    }
    assert all(item.usage == 0 for item in found)


def test_rows_of_their_file_that_failed_are_named() -> None:
    desk = Desk().uses(ALDER, "CPHISH-MSP", 1)
    desk.theirs = [UsageRow("CPHISH-MSP", Decimal(1), ALDER)]
    desk.their_failures = (
        Unresolved("IMPORT_FAILED", "row 4 of the file", None, None, Decimal(3), next_step="mend it"),
    )
    item = desk.only()
    assert (item.code, item.distributor, item.advice) == ("IMPORT_FAILED", 3, "mend it")
    assert item.message == "invoice.csv: row 4 of the file"


# What an earlier run left open -------------------------------------------------------------------


def open_change(kind: str, **more: Any) -> OpenChange:
    fields: dict[str, Any] = {
        "id": 1, "kind": kind, "key": ALDER_ENDPOINT, "addition_id": 9001, "after": Decimal(15),
        "effective": date(2026, 10, 1), "mark": "", "parts": (Part(ALDER, "CIXA-MSP", Decimal(15)),),
        "seen": frozenset(), "sent_at": datetime(2026, 10, 28, tzinfo=UTC),
    }  # fmt: skip
    return OpenChange(**(fields | more))


def line(quantity: int, addition_id: int = 9001, **more: Any) -> Addition:
    return Addition(addition_id, *ALDER_ENDPOINT, Decimal(quantity), **more)


def test_an_update_whose_answer_was_lost_counts_as_written_where_it_shows() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(12))}
    found = settled(known, [open_change("update")], {ALDER_AGREEMENT: (line(15),)})
    assert found[9001].quantity == 15
    assert settled(known, [open_change("update")], {ALDER_AGREEMENT: (line(12),)}) == known
    assert settled(known, [open_change("update")], {}) == known


def test_a_create_whose_answer_was_lost_closes_the_line_before_it() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(12))}
    made = line(15, 9002, effective=date(2026, 10, 1), serial_number=mark_of(ALDER_ENDPOINT))
    change = open_change("create", addition_id=None, mark=mark_of(ALDER_ENDPOINT))
    found = settled(known, [change], {ALDER_AGREEMENT: (made,)})
    assert (found[9001].closed, found[9002].quantity, found[9002].closed) == (True, 15, False)


def test_a_line_that_was_given_back_is_ours_no_more_though_the_answer_was_lost() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(12))}
    back = open_change("adopt", after=Decimal(10), mark=mark_of(ALDER_ENDPOINT), release=True)
    assert settled(known, [back], {ALDER_AGREEMENT: (line(10),)}) == {}
    marked = line(10, serial_number=mark_of(ALDER_ENDPOINT))
    assert settled(known, [back], {ALDER_AGREEMENT: (marked,)}) == known


def test_an_end_whose_answer_was_lost_is_ours() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(15))}
    ended = line(15, cancelled=date(2026, 9, 30))
    change = open_change("end", effective=date(2026, 9, 30))
    assert settled(known, [change], {ALDER_AGREEMENT: (ended,)})[9001].ended == date(2026, 9, 30)
