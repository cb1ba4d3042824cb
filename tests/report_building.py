"""Builds the report of an October from values: what was found, what moved, and what a run did."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from building import ALDER, ALDER_ENDPOINT, BIRCH, BIRCH_ENDPOINT, OCTOBER, Month

from connector.model import Firewall, Key
from connector.planning.diagnosis.discrepancies import (
    Checked,
    Diagnosis,
    Discrepancy,
    KeyNumbers,
    MoneyChecked,
)
from connector.planning.month_report import MadeChange, MonthReport, PeriodRun
from connector.planning.month_trends import CodeSum, MonthSums, months_through, movers, product_trends
from connector.planning.prices import Money
from connector.planning.states import FirewallState
from connector.planning.usage_views import Amounts, UsageLine

MADE = datetime(2026, 11, 2, 8, 14, tzinfo=UTC)
NAMES = {ALDER: "Alder Dental Group", BIRCH: "Birch Legal"}
WHOLE = Checked(2, 2, 4, 4, (MoneyChecked(Decimal("120.5"), "USD", Decimal("120.5")),))


def usd(amount: object) -> Money:
    """Return dollars."""
    return Money(Decimal(str(amount)), "USD")


def line(tenant_id: str | None, code: str, quantity: object, cost: object = None) -> UsageLine:
    """Return a tenant's usage of a product."""
    amounts = Amounts(1, Decimal(str(quantity)), () if cost is None else (usd(cost),), ())
    shown = "nobody: unassigned" if tenant_id is None else NAMES.get(tenant_id, tenant_id)
    return UsageLine(tenant_id, shown, code, f"Sophos {code}", "User", "", 1, 1, amounts)


def found(code: str, amount: object = None, **said: Any) -> Discrepancy:
    """Return a discrepancy with a command to type."""
    money = None if amount is None else usd(amount)
    return Discrepancy(
        **{"code": code, "message": f"{code} was found.", "next": "connector plan 2026-10", "money": money}
        | said
    )


def numbers(key: Key, *quantities: object, **said: Any) -> KeyNumbers:
    """Return usage, written, ConnectWise's quantity and what it bills of one key."""
    usage, written, connectwise, billed = (
        None if each is None else Decimal(str(each)) for each in quantities
    )
    named = {"company": "AlderDental", "agreement": "Managed Security", "item": "SOPHOS-ENDPOINT"}
    return KeyNumbers(key, usage, written, connectwise, billed, **named | said)


def month_sums(month: int, **quantities: object) -> MonthSums:
    """Return what 2026's month came to: quantities by code, each unit at two dollars."""
    codes = {
        code: CodeSum(Decimal(str(each)), (usd(Decimal(str(each)) * 2),)) for code, each in quantities.items()
    }
    return MonthSums(replace(OCTOBER, month=month), "sophos-api", codes)


def report_of(*items: Discrepancy, coverage: Checked = WHOLE, **said: Any) -> MonthReport:
    """Return a report of these findings and of nothing else."""
    listed = said.pop("numbers", ())
    diagnosis = Diagnosis(OCTOBER, "sophos-api", coverage, items, listed)
    plan = said.pop("plan", None) or Month().uses(BIRCH, "CEMA-MSP", 5).plan()
    return MonthReport(diagnosis, plan, MADE, "1.0", **{"names": NAMES} | said)


def full_report() -> MonthReport:
    """Return a report that has something in each of its parts."""
    months = months_through(
        (
            month_sums(6, CIXA=31, CEMA=7),
            month_sums(8, CIXA=36, CEMA=9, XGS=1),
            month_sums(9, CIXA=40, CEMA=12, XGS=2),
            month_sums(10, CIXA=52, CEMA=8, XGS=3),
        ),
        12,
    )
    before = (line(ALDER, "CIXA", 40, 80), line(BIRCH, "CEMA", 12, 24))
    after = (line(ALDER, "CIXA", 52, 104), line(BIRCH, "CEMA", 8, 16), line(None, "XGS", 1, 42))
    change = MadeChange(
        kind="update",
        key=ALDER_ENDPOINT,
        addition_id=9001,
        before=Decimal(40),
        after=Decimal(43),
        outcome="done",
        message="",
        because="43 CIXA-MSP; was 40",
        item="SOPHOS-ENDPOINT",
        company="AlderDental",
        agreement="Managed Security",
    )
    refused = replace(
        change,
        key=BIRCH_ENDPOINT,
        company="BirchLegal",
        kind="create",
        before=None,
        outcome="failed",
        message="400: quantity must be a whole number",
    )
    return report_of(
        found(
            "UNDER_BILLED",
            1204.5,
            message="Alder uses 52 and is billed 43.",
            key=ALDER_ENDPOINT,
            addition_id=9001,
            usage=Decimal(52),
            written=Decimal(43),
            connectwise=Decimal(43),
            billed=Decimal(40),
            evidence=("The line includes 3 units that ConnectWise does not bill.", "Run 31 wrote 43."),
            company="AlderDental",
            agreement="Managed Security",
            item="SOPHOS-ENDPOINT",
            tenant_id=ALDER,
            next="connector sync 2026-10",
        ),
        found(
            "OVER_BILLED",
            90,
            key=BIRCH_ENDPOINT,
            usage=Decimal(10),
            written=Decimal(10),
            connectwise=Decimal(12),
            billed=Decimal(12),
            company="BirchLegal",
            advice="Ask who changed the line before it is set back.",
        ),
        found(
            "FIREWALL_UNASSIGNED",
            42,
            serial="X11001JYCGB4J30",
            product_code="XGS",
            message="Nobody is billed for firewall X11001JYCGB4J30.",
            next="connector firewalls assign X11001JYCGB4J30 TENANT",
        ),
        found("UNMAPPED_PRODUCT", tenant_id=BIRCH, product_code="NDR-MSP"),
        found("RENAMED", needs_person=False, message="Birch Legal is called Birch Law now."),
        coverage=Checked(2, 1, 212, 209, (MoneyChecked(Decimal(1250), "USD", Decimal("1204.5")),)),
        numbers=(
            numbers(BIRCH_ENDPOINT, 10, 10, 12, 12, company="BirchLegal"),
            numbers(Key(118, 49), 7, 7, 7, 7, item="SOPHOS-EMAIL"),
            numbers(ALDER_ENDPOINT, 52, 43, 43, 40),
        ),
        usage=after,
        firewalls=(
            FirewallState(
                Firewall("X11001JYCGB4J30", "XGS 107"), ("XGS",), Decimal(1), (usd(42),), None, None
            ),
            FirewallState(
                Firewall("X1A7ALDER01", "XGS 87", ALDER),
                ("XGS",),
                Decimal(2),
                (usd(84),),
                ALDER,
                ALDER_ENDPOINT,
            ),
        ),
        months=months,
        trends=product_trends(
            months,
            {"CIXA": "Sophos Endpoint - User MSP Monthly - 200-499 USERS", "CEMA": "Sophos Email Advanced"},
        ),
        movers=movers(before, after),
        compared=OCTOBER.previous,
        run=PeriodRun(31, "sync", "2026-11-01T02:00:12+00:00", "billing@host", 6, (change, refused), later=2),
    )
