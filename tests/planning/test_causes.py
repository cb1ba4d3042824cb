"""What needs a person, grouped as people mend it, told once until it changes, and gone when it is gone."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, BIRCH_ENDPOINT, OCTOBER, STRANGER, Month
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import (
    Fault,
    MappingsFault,
    NotPublished,
    PlanMoved,
    RunInProgress,
    SettingsFault,
    SignInRefused,
    Unreachable,
)
from connector.model import Period, UsageRow
from connector.planning.causes.cause import (
    LONGEST_ID,
    Cause,
    cause_id,
    cause_of_error,
    cause_of_overdue,
    once,
)
from connector.planning.causes.charges import Charge, charged_for, charges_of
from connector.planning.causes.news import Looked, Told, fate_of, news_of
from connector.planning.causes.plan import (
    Unmade,
    causes_of_plan,
    causes_of_restated,
    causes_of_unmade,
)
from connector.planning.change import Plan
from connector.planning.findings import Objection, Part, Unresolved
from connector.planning.prices import Money
from connector.planning.sources import API, LIVE

SEPTEMBER, NOVEMBER = Period(2026, 9), Period(2026, 11)


def causes(plan: Plan) -> dict[str, Cause]:
    return {cause.id: cause for cause in causes_of_plan(plan, {})}


def strange(code: str, **said: object) -> Unresolved:
    entry = Unresolved(code, f"{code} happened", ALDER, "CIXA-MSP", Decimal(3), next_step="mend it")
    return replace(entry, **said)  # type: ignore[arg-type]


def with_unresolved(*entries: Unresolved) -> Plan:
    return replace(Month().uses(ALDER, "CIXA-MSP", 12).plan(), unresolved=entries)


# How causes are grouped --------------------------------------------------------------------------


def test_a_product_that_nobody_mapped_is_one_cause_for_all_who_use_it() -> None:
    plan = Month().uses(ALDER, "NDR-MSP", 2).uses(BIRCH, "NDR-MSP", "1.5").plan()

    cause = causes(plan)["UNMAPPED_PRODUCT:NDR-MSP"]
    assert cause.message == "NDR-MSP is used by 2 tenants (3.5 in 2026-10) and has no item in mappings.yaml"
    assert cause.next == "connector products map NDR-MSP"
    assert (cause.period, cause.source, cause.seen, cause.advice) == (OCTOBER, API, "plan", "")


def test_one_tenant_is_no_plural() -> None:
    plan = Month().uses(ALDER, "NDR-MSP", 2).plan()
    assert "used by 1 tenant (2 in" in causes(plan)["UNMAPPED_PRODUCT:NDR-MSP"].message


def test_a_tenant_that_nobody_mapped_is_one_cause_for_all_it_uses() -> None:
    month = Month()
    for number in range(5):
        month.products[f"P{number}"] = month.products["CIXA-MSP"]
        month.uses(STRANGER, f"P{number}", 1 + number)

    cause = causes(month.plan())[f"UNMAPPED_TENANT:{STRANGER}"]
    assert "1 P0, 2 P1, 3 P2, 2 products more in 2026-10" in cause.message
    assert cause.next == f"connector tenants map {STRANGER}"
    few = causes(Month().uses(STRANGER, "CIXA-MSP", 2).plan())[f"UNMAPPED_TENANT:{STRANGER}"]
    assert few.message.endswith("has no agreement in mappings.yaml: 2 CIXA-MSP in 2026-10")


def test_a_firewall_of_nobody_is_a_cause_by_its_serial_number() -> None:
    plan = Month().uses(None, "XGS", 1, serial="S1").uses(None, "XGS", 1, serial="S2").plan()

    found = causes(plan)
    assert set(found) == {"FIREWALL_UNASSIGNED:S1", "FIREWALL_UNASSIGNED:S2"}
    assert found["FIREWALL_UNASSIGNED:S1"].next == "connector firewalls assign S1 TENANT"
    assert found["FIREWALL_UNASSIGNED:S1"].label == "serial S1"


@pytest.mark.parametrize(
    ("entry", "cause", "label"),
    [
        (strange("ITEM_NOT_FOUND"), "ITEM_NOT_FOUND:CIXA-MSP", "CIXA-MSP"),
        (strange("AGREEMENT_INACTIVE"), f"AGREEMENT_INACTIVE:{ALDER}", "Alder (alder-id)"),
        (strange("ENDED_BY_HAND", key=ALDER_ENDPOINT), "ENDED_BY_HAND:118:48", "CIXA-MSP"),
        (strange("PRICE_UNKNOWN"), f"PRICE_UNKNOWN:{ALDER}:CIXA-MSP", "CIXA-MSP"),
        (strange("IMPORT_FAILED", tenant_id=None, serial="S9"), "IMPORT_FAILED:S9", "serial S9"),
        (strange("IMPORT_FAILED", tenant_id=None), "IMPORT_FAILED::CIXA-MSP", "CIXA-MSP"),
        (strange("UNMAPPED_TENANT", tenant_id=None), "UNMAPPED_TENANT:", "CIXA-MSP"),
        (
            strange("UNMAPPED_PRODUCT", product_code=""),
            "UNMAPPED_PRODUCT:",
            "a row without a product code",
        ),
    ],
)
def test_other_unresolved_usage_is_a_cause_by_what_a_person_mends(
    entry: Unresolved, cause: str, label: str
) -> None:
    found = causes(replace(with_unresolved(entry), names={ALDER: "Alder"}))[cause]

    assert found.label == label
    assert (found.message, found.advice) == (f"{entry.message} (2026-10)", "mend it")
    assert found.next == "connector plan 2026-10"


def test_several_of_one_kind_are_counted() -> None:
    plan = with_unresolved(strange("ITEM_NOT_FOUND"), strange("ITEM_NOT_FOUND", tenant_id=BIRCH))
    (found,) = causes(plan).values()
    assert found.message == "ITEM_NOT_FOUND happened, and 1 more like it (2026-10)"


def test_a_restated_product_is_one_cause_wherever_it_shows() -> None:
    entry = strange("RESTATED", message="Alder, CIXA-MSP: 3 more")
    in_plan = causes(with_unresolved(entry))
    (found,) = causes_of_restated([entry], OCTOBER, API)

    assert in_plan == {found.id: found}
    assert found.id == f"RESTATED:2026-10:{ALDER}:CIXA-MSP"
    assert found.next == "connector sync 2026-10 --restate"
    older = replace(entry, next_step="settle it by a credit; to see it: connector usage compare 1 2")
    (found,) = causes_of_restated([older], OCTOBER, API)
    assert (found.next, found.advice) == ("connector usage compare 1 2", "settle it by a credit")


@pytest.mark.parametrize(
    ("held", "command"),
    [
        (
            "LARGE_INCREASE",
            "connector sync 2026-10 --tenant alder-id --product CIXA-MSP --force LARGE_INCREASE",
        ),
        ("NEEDS_APPROVAL", "connector approve {digest} --only 118/48"),
        ("NOT_COUNTED", "connector plan 2026-10"),
        ("SUSPECTED_SUCCESSOR", "connector plan 2026-10"),
    ],
)
def test_each_held_change_is_a_cause_with_the_command_that_lets_it_go(held: str, command: str) -> None:
    plan = Month().manages(ALDER_ENDPOINT, 10).uses(ALDER, "CIXA-MSP", 12).plan()
    plan = replace(plan, changes=(replace(plan.changes[0], held=held, money=Money(Decimal(-9), "USD")),))

    found = causes(plan)[f"{held}:118:48"]
    assert found.next == command.format(digest=plan.digest)
    assert "is held at 10 and would be 12 for 2026-10: " in found.message
    assert found.charge == Charge((Money(Decimal(9), "USD"),))


@pytest.mark.parametrize(
    ("parts", "command"),
    [
        ((), "connector plan 2026-10"),  # what nobody uses any more is narrowed by nothing
        ((Part("a%b", "CIXA-MSP", Decimal(1)),), "connector plan 2026-10"),  # no shell reads it alike
        ((Part(ALDER, "%", Decimal(1)),), "connector plan 2026-10"),
        (
            (Part(ALDER, "-X", Decimal(1)),),
            'connector sync 2026-10 --tenant alder-id --product="-X" --force NO_INVOICE_DATE',
        ),
    ],
)
def test_a_held_change_is_released_alone_or_only_shown(parts: tuple[Part, ...], command: str) -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).plan()
    held = replace(plan.changes[0], held="NO_INVOICE_DATE", parts=parts)
    (found,) = causes(replace(plan, changes=(held,))).values()
    assert found.next == command


def test_a_new_line_that_is_held_stands_at_nothing() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).plan()
    plan = replace(plan, changes=(replace(plan.changes[0], held="NO_INVOICE_DATE", item="", company=""),))
    (found,) = causes(plan).values()
    assert found.message.startswith("item 48 of a company is held at nothing and would be 12")
    assert found.charge == Charge(whole=False)


def test_a_guard_is_a_cause_by_its_name_with_all_the_money_it_holds_back() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).plan()
    paid = tuple(replace(change, money=Money(Decimal(36), "USD")) for change in plan.changes)
    objection = Objection("money", "bills would change by 36 USD. Nothing was written. If that is right: x")
    found = causes(replace(plan, changes=paid, objections=(objection,)))["GUARD:money"]

    assert found.message == "bills would change by 36 USD; nothing was written"
    assert found.next == "connector sync 2026-10 --force money"
    assert found.charge == Charge((Money(Decimal(36), "USD"),))


def test_a_guard_is_not_let_go_together_with_what_waits_for_an_approval() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).plan()
    first, second = plan.changes
    objection = Objection("money", "bills would change by 36 USD.")
    plan = replace(plan, changes=(first, replace(second, held="NEEDS_APPROVAL")), objections=(objection,))
    found = causes(plan)["GUARD:money"]
    assert (found.next, found.advice.partition(",")[0]) == (
        "connector plan 2026-10",
        "a run by hand makes what waits for an approval",
    )


def test_what_live_counts_count_tonight_is_no_news() -> None:
    def prints(quantity: int) -> set[str]:
        plan = Month().uses(ALDER, "CIXA-MSP", quantity).uses(ALDER, "NDR-MSP", quantity).plan()
        plan = replace(plan, source=LIVE, changes=(replace(plan.changes[0], held="LARGE_INCREASE"),))
        objection = Objection("money", f"bills would change by {quantity} USD.")
        told = causes_of_plan(replace(plan, objections=(objection,)), {})
        unmade = causes_of_unmade(plan, [Unmade(plan.changes[0], "failed", f"{quantity} refused")], quantity)
        return {cause.fingerprint for cause in (*told, *unmade)}

    assert len(prints(5)) == 5
    assert prints(5) == prints(6)


def test_changes_that_failed_are_causes_of_their_own_and_those_not_tried_one_together() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).plan()
    first, second = plan.changes
    found = causes_of_unmade(
        plan, [Unmade(first, "failed", "No. Request id 7A-1."), Unmade(second, "unclear", "Cut.")], 4
    )

    assert [(cause.id, cause.code) for cause in found] == [
        ("CHANGE:118:48", "FAILED"),
        ("CHANGE:204:48", "UNCLEAR"),
        ("NOT_TRIED", "NOT_TRIED"),
    ]
    assert found[0].message.endswith("is not at 12 as it should be: No.")
    assert [cause.next for cause in found] == [
        "connector sync 2026-10 --tenant alder-id --product CIXA-MSP",
        "connector sync 2026-10 --tenant birch-id --product CIXA-MSP",
        "connector plan 2026-10",
    ]
    assert causes_of_unmade(plan, [], 0) == ()


def test_the_first_of_two_causes_of_one_id_counts() -> None:
    (one,) = causes(Month().uses(ALDER, "NDR-MSP", 2).plan()).values()
    assert once([one, replace(one, message="again")]) == (one,)


# What errors come to -----------------------------------------------------------------------------


def outage(request_id: str, **said: object) -> Unreachable:
    return Unreachable(f"Sophos failed. Request id {request_id}.", "Later.", vendor="Sophos", **said)  # type: ignore[arg-type]


def test_an_outage_is_one_cause_whatever_its_request_id() -> None:
    one, two = cause_of_error(outage("1")), cause_of_error(outage("2"))
    assert one is not None
    assert two is not None
    assert (one.id, one.label, one.seen) == ("UNREACHABLE:Sophos", "Sophos", "vendor")
    assert (one.fingerprint, one.advice) == (two.fingerprint, "Later.")
    assert cause_of_error(outage("1", status=503)) == one  # one night 503, the next 500: it is one outage
    refused = cause_of_error(SignInRefused("No.", vendor="Sophos"))
    assert refused is not None
    assert refused.id != one.id


def test_a_month_that_is_missing_needs_nobody_until_it_is_overdue() -> None:
    error = NotPublished("Sophos has not published 2026-10.", "Wait.")
    assert cause_of_error(error, OCTOBER, API) is None
    cause = cause_of_error(error, OCTOBER, API, overdue=True)
    assert cause is not None
    assert (cause.id, cause.label, cause.next) == (
        "NOT_PUBLISHED:2026-10",
        "2026-10",
        "connector plan 2026-10",
    )


def test_a_month_that_is_late_is_told_once_whatever_holds_it_up() -> None:
    one = cause_of_overdue(OCTOBER, API, "Sophos failed.", "Later.")
    two = cause_of_overdue(OCTOBER, API, "it waits until 2026-09 is billed")
    assert (one.id, one.message) == ("OVERDUE:2026-10", "2026-10 is not billed: Sophos failed.")
    assert (one.next, one.advice, one.seen) == ("connector plan 2026-10", "Later.", "overdue")
    assert (two.id, two.fingerprint) == (one.id, one.fingerprint)
    assert cause_of_overdue(NOVEMBER, API, "Sophos failed.").id == "OVERDUE:2026-11"


def test_faults_of_the_map_stand_in_one_line_and_are_news_when_they_change() -> None:
    one = cause_of_error(MappingsFault("mappings.yaml", (Fault(1, 2, "no"), Fault(3, 4, "neither"))))
    two = cause_of_error(MappingsFault("mappings.yaml", (Fault(1, 2, "no"),)))
    assert one is not None
    assert two is not None
    assert one.message == "mappings.yaml is at fault: 1:2 no; 3:4 neither"
    assert (one.id, one.seen, one.label) == ("MAPPINGS", "fault", "the nightly job")
    assert one.fingerprint != two.fingerprint


def test_a_setting_is_news_by_its_words_and_a_held_lock_needs_nobody() -> None:
    one, two = cause_of_error(SettingsFault("A is missing")), cause_of_error(SettingsFault("B is missing"))
    assert one is not None
    assert two is not None
    assert one.fingerprint != two.fingerprint
    assert cause_of_error(RunInProgress("pid 1 since 02:00"), OCTOBER, API) is None
    moved, again = cause_of_error(PlanMoved("1 of 2 moved")), cause_of_error(PlanMoved("2 of 2 moved"))
    assert moved == replace(again or CAUSE, message="1 of 2 moved")


# Ids and fingerprints ----------------------------------------------------------------------------


@given(st.text(), st.text())
def test_an_id_fits_into_a_ticket_whatever_a_code_is(code: str, other: str) -> None:
    one, two = cause_id("UNMAPPED_PRODUCT", code), cause_id("UNMAPPED_PRODUCT", other)
    assert len(one) <= LONGEST_ID
    assert one.isascii()
    assert not set(one) & set("\"'[]*%\\ \n")
    assert (one == two) == (code == other)


def test_half_a_letter_has_an_id_too() -> None:
    assert cause_id("UNMAPPED_PRODUCT", "\ud800").startswith("UNMAPPED_PRODUCT:-:")


def test_what_a_person_must_know_makes_it_news_and_nothing_else_does() -> None:
    def printed(month: Month, **said: str) -> str:
        return causes(replace(month.plan(), **said))["UNMAPPED_PRODUCT:NDR-MSP"].fingerprint  # type: ignore[arg-type]

    was = printed(Month().uses(ALDER, "NDR-MSP", 2).uses(BIRCH, "NDR-MSP", 1))
    assert printed(Month().uses(BIRCH, "NDR-MSP", 1, description="B2").uses(ALDER, "NDR-MSP", "2.0")) == was
    assert printed(Month().uses(ALDER, "NDR-MSP", 3).uses(BIRCH, "NDR-MSP", 1)) != was
    assert printed(Month().uses(ALDER, "NDR-MSP", 3)) != was
    assert printed(Month().uses(ALDER, "NDR-MSP", 2).uses(BIRCH, "NDR-MSP", 1), period=NOVEMBER) != was  # type: ignore[arg-type]


# Money -------------------------------------------------------------------------------------------


def row(tenant: str | None, code: str, quantity: object, price: str | None, **said: str) -> UsageRow:
    priced = {} if price is None else {"unitPrice": price, "unitPriceCurrency": said.pop("currency", "USD")}
    return UsageRow(code, Decimal(str(quantity)), tenant, received=json.dumps(priced), **said)


def test_what_is_billed_to_nobody_costs_what_its_rows_do_by_currency() -> None:
    charges = charges_of(
        [
            row("a", "X", 2, "7"),
            row("a", "X", 1, "7.50"),
            row("b", "X", 3, "2", currency="EUR"),
            row(None, "Y", 1, "42", serial="S1"),
            row(None, "Y", 1, "40", serial="S2"),
            row("c", "X", 0, None),
        ],
        lambda each: each.account_id,
    )
    x = [strange("UNMAPPED_PRODUCT", tenant_id=tenant, product_code="X") for tenant in ("a", "b", "c")]
    assert charged_for(x, charges) == Charge((Money(Decimal(6), "EUR"), Money(Decimal("21.5"), "USD")))
    y = strange("FIREWALL_UNASSIGNED", tenant_id=None, product_code="Y", serial="S1")
    assert charged_for([y], charges) == Charge((Money(Decimal(42), "USD"),))


def test_what_nobody_priced_is_not_counted_as_nothing() -> None:
    charges = charges_of([row("a", "X", 2, "7"), row("a", "X", 1, None)], lambda each: each.account_id)
    entry = strange("UNMAPPED_PRODUCT", tenant_id="a", product_code="X")
    assert charged_for([entry], charges) == Charge((Money(Decimal(14), "USD"),), whole=False)
    assert charged_for([entry], {}) == Charge(whole=False)
    assert charged_for([replace(entry, product_code=None)], charges) == Charge(whole=False)
    assert charged_for([replace(entry, billed=True), replace(entry, rows=0)], {}) == Charge()


# What is news ------------------------------------------------------------------------------------


def told(cause: Cause, **said: object) -> dict[str, Told]:
    known = Told(cause.id, cause.code, cause.label, cause.fingerprint, cause.seen, cause.period, cause.source)
    return {cause.id: replace(known, **said)}  # type: ignore[arg-type]


NOVEMBERS = frozenset({(NOVEMBER, str(API))})
CAUSE = Cause("A:1", "A", "a", "a happened", "connector plan", "f1", "plan", OCTOBER, API)


def test_a_cause_is_told_once_until_it_changes() -> None:
    assert news_of([CAUSE], {}, Looked()).to_tell == (CAUSE,)
    same = news_of([CAUSE], told(CAUSE), Looked())
    assert (same.to_tell, same.same, same.gone) == ((), (CAUSE,), ())
    changed = news_of([CAUSE], told(CAUSE, fingerprint="f0"), Looked())
    assert (changed.new, changed.changed) == ((), (CAUSE,))


@pytest.mark.parametrize(
    ("seen", "looked", "fate"),
    [
        ("plan", Looked(), "open"),
        ("plan", Looked(planned=frozenset({(OCTOBER, API)})), "gone"),
        ("plan", Looked(planned=frozenset({(NOVEMBER, API)}), finished=frozenset({OCTOBER})), "gone"),
        ("plan", Looked(planned=frozenset({(NOVEMBER, API)})), "open"),  # a guard refused it
        ("plan", Looked(planned=NOVEMBERS, applied=NOVEMBERS), "passed"),
        ("plan", Looked(planned=frozenset({(SEPTEMBER, API)})), "open"),
        ("plan", Looked(planned=frozenset({(NOVEMBER, LIVE)})), "open"),  # it counts no firewalls
        ("overdue", Looked(planned=frozenset({(OCTOBER, API)})), "gone"),
        ("overdue", Looked(planned=NOVEMBERS, applied=NOVEMBERS), "passed"),
        ("overdue", Looked(worked=True), "open"),
        ("change", Looked(planned=frozenset({(OCTOBER, API)})), "open"),
        ("change", Looked(applied=frozenset({(OCTOBER, API)})), "gone"),
        ("restated", Looked(planned=frozenset({(NOVEMBER, API)})), "open"),
        ("restated", Looked(compared=frozenset({OCTOBER})), "gone"),
        ("restated", Looked(compared=frozenset({NOVEMBER}), since=NOVEMBER), "closed"),
        ("restated", Looked(compared=frozenset({SEPTEMBER}), since=SEPTEMBER), "open"),
        ("vendor", Looked(), "open"),
        ("vendor", Looked(worked=True), "gone"),
        ("fault", Looked(), "gone"),
        ("fault", Looked(faulted=True), "open"),
    ],
)
def test_only_what_was_looked_for_is_gone_and_what_no_run_bills_any_more_is_passed(
    seen: str, looked: Looked, fate: str
) -> None:
    known = told(CAUSE, seen=seen)
    assert fate_of(known["A:1"], looked) == fate
    news = news_of([], known, looked)
    kept = {"gone": news.gone, "passed": news.passed, "closed": news.closed, "open": ()}
    assert kept.pop(fate) == (tuple(known.values()) if fate != "open" else ())
    assert not any(kept.values())


def test_what_a_newer_month_went_before_is_told_with_its_words_and_its_money() -> None:
    money = Charge((Money(Decimal(21), "USD"),))
    looked = Looked(planned=NOVEMBERS, applied=NOVEMBERS)
    (found,) = news_of([], told(CAUSE, message="Birch has no agreement", charge=money), looked).to_tell

    assert (found.code, found.label, found.charge) == ("PASSED", "A a of 2026-10", money)
    assert found.message == (
        "a newer month is billed, so no run bills this of 2026-10 any more: Birch has no agreement"
    )
    assert found.next == "connector usage show 2026-10"
    (found,) = news_of([], told(CAUSE), looked).to_tell
    assert found.message.endswith("any more: A, a")  # it was told before its words were kept
    assert found.charge == Charge(whole=False)


def test_what_live_counts_told_is_gone_when_live_counts_show_it_no_more() -> None:
    known = told(CAUSE, source=LIVE, period=None)
    assert news_of([], known, Looked(planned=frozenset({(OCTOBER, LIVE)}))).gone


def test_two_agreements_are_two_causes() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 1).uses(BIRCH, "CIXA-MSP", 1).plan()
    plan = replace(plan, changes=tuple(replace(change, held="NO_INVOICE_DATE") for change in plan.changes))
    assert set(causes(plan)) == {
        f"NO_INVOICE_DATE:{key.agreement_id}:{key.item_id}" for key in (ALDER_ENDPOINT, BIRCH_ENDPOINT)
    }
